//! Real-time traffic around the VPN: filters that keep it out of the tunnel, names that lead it outside, and why.
//!
//! A stream that goes through a tunnel is encrypted twice and takes the long way. A client that finds no server inside
//! registers through the Access Edge, gets relay credentials for outside, and sends its media straight to the A/V Edge.

mod export;

pub use export::{named_conf, powershell, vpn_nftables};

use serde::Serialize;

use crate::deployment::{Deployment, Filter, Record, Scope, Value};
use crate::figures::{Choice, choice};
use crate::file::Plan;
use crate::network::Network;
use crate::table::{Table, row};
use lyceum_topology::qos::PortRange;

/// What keeps real-time traffic out of the tunnel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplitTunnel {
    /// The name of the connection on Windows.
    pub connection: String,
    /// Filters on clients and on the gateway.
    pub blocks: Vec<Block>,
    /// Networks that go through the tunnel.
    pub through: Vec<Network>,
    /// Public addresses that must not.
    pub around: Vec<Network>,
    /// What a client is told by the resolver of the VPN.
    pub answers: Vec<Record>,
    /// Domains for which clients ask that resolver.
    pub domains: Vec<String>,
    /// The rules of the split, each with its reason.
    pub reasons: Vec<Reason>,
    /// What stands in the way.
    pub problems: Vec<String>,
    /// Where sources disagree, and what was used.
    pub choices: Vec<&'static Choice>,
}

/// A filter: nothing passes from a VPN client to these.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Block {
    /// A name for the rule.
    pub name: &'static str,
    /// The addresses of VPN clients.
    pub from: Vec<Network>,
    /// What they may not reach through the tunnel.
    pub to: Vec<Network>,
    /// The ports, where not all.
    pub ports: Option<PortRange>,
    /// The profile of Windows Firewall that it belongs to.
    pub profile: &'static str,
    /// What for.
    pub purpose: &'static str,
    /// Who says so.
    pub source: &'static str,
}

/// A rule of the split, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// What is done.
    pub rule: &'static str,
    /// Why.
    pub because: &'static str,
    /// Who says so.
    pub source: &'static str,
}

const REASONS: &[Reason] = &[
    Reason {
        rule: "Only the corporate networks go through the tunnel",
        because: "real-time traffic is encrypted already; a second layer adds delay and jitter",
        source: "SEED2",
    },
    Reason {
        rule: "Public addresses of Edge, reverse proxy and Exchange are never routed into the tunnel",
        because: "the client must reach them as from outside",
        source: "SEED2",
    },
    Reason {
        rule: "VPN clients do not reach any server of the deployment, the Edge's inner interface included",
        because: "a client that finds its pool registers inside and gets relay credentials for the inside",
        source: "SEED2; VPNB",
    },
    Reason {
        rule: "VPN clients do not reach the media ports of other internal clients",
        because: "two clients would prefer the tunnel as the shortest path between them",
        source: "SEED2",
    },
    Reason {
        rule: "A resolver of the VPN answers with public addresses, and has no answer for the names of the inside",
        because: "clients ask lyncdiscoverinternal and _sipinternaltls first",
        source: "SEED2; L13:determine-dns-requirements",
    },
    Reason {
        rule: "The A/V Edge's public addresses stay reachable on UDP 3478 and TCP 443",
        because: "all media of VPN clients passes there",
        source: "SEED2; VPNB",
    },
];

/// The split of `plan`; nothing where nobody connects by VPN.
pub fn split_tunnel(plan: &Plan, deployment: &Deployment, filter: &Filter, records: &[Record]) -> Option<SplitTunnel> {
    if !*plan.vpn.enabled {
        return None;
    }
    let vpn = &plan.vpn;
    let clients = vpn.client_networks.value.clone();
    let servers = filter.networks("servers+edge-internal+front-end-vip+director-vip").unwrap_or_default();
    let answers: Vec<Record> = records.iter().filter(|record| record.scope == Scope::PinPoint).cloned().collect();
    let around = public(deployment, &answers);
    let block = |name, to, ports, purpose| Block {
        name,
        from: clients.clone(),
        to,
        ports,
        profile: "Domain",
        purpose,
        source: "SEED2",
    };
    let corporate = vpn.corporate_networks.value.clone();
    Some(SplitTunnel {
        connection: vpn.connection.value.clone(),
        blocks: vec![
            block(
                "Lyceum: no media to internal clients",
                corporate.clone(),
                Some(*vpn.media_ports),
                "media of VPN clients to other internal clients",
            ),
            block(
                "Lyceum: no servers through the tunnel",
                servers,
                None,
                "VPN clients to all servers, the Edge's inner interface included",
            ),
        ],
        problems: problems(plan, &corporate, &around),
        through: corporate,
        around,
        answers,
        domains: deployment.sip_domains.clone(),
        reasons: REASONS.to_vec(),
        choices: ["client-ports", "webcon-name", "client-sip-outside"].map(choice).to_vec(),
    })
}

/// Every public address of the deployment and of the answers.
fn public(deployment: &Deployment, answers: &[Record]) -> Vec<Network> {
    let edges = deployment.hosts.iter().filter_map(|host| host.public).flatten();
    let vips = deployment.pools.iter().filter_map(|pool| pool.public_vip).flatten();
    let proxies = deployment.places.iter().filter_map(|place| place.proxy);
    let answers = answers.iter().filter_map(|record| match record.value {
        Value::A(address) => Some(address),
        Value::Srv { .. } => None,
    });
    let mut all: Vec<Network> =
        edges.chain(vips).chain(proxies).chain(answers).map(|address| Network::of(address, 32)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn problems(plan: &Plan, corporate: &[Network], around: &[Network]) -> Vec<String> {
    let mut found = Vec::new();
    for network in corporate {
        if let Some(inside) = around.iter().find(|address| address.overlaps(*network)) {
            found.push(format!("{inside} must go around the tunnel and is in {network}, which goes through it"));
        }
    }
    if !*plan.access.edge {
        found.push("without an Edge there is no way around the tunnel: VPN clients would lose all service".to_owned());
    }
    if *plan.exchange.enabled && plan.exchange.address.is_none() {
        found.push(
            "the public address of Exchange is not given (exchange.address): its names have no pin-point answer"
                .to_owned(),
        );
    }
    found
}

impl SplitTunnel {
    /// Filters, answers, routes and reasons.
    pub fn tables(&self) -> Vec<Table> {
        let join = |networks: &[Network]| networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let mut blocks = Table::new(
            "VPN: what is blocked in the tunnel",
            &["rule", "from", "to", "ports", "protocol", "profile", "purpose", "source"],
        );
        for block in &self.blocks {
            blocks.rows.push(row![
                block.name,
                join(&block.from),
                join(&block.to),
                block.ports.map_or_else(|| "all".to_owned(), |ports| ports.to_string()),
                "TCP and UDP",
                block.profile,
                block.purpose,
                block.source,
            ]);
        }
        blocks.notes.extend(self.problems.iter().cloned());
        let mut routes = Table::new("VPN: routes", &["network", "way"]);
        routes.rows.extend(self.through.iter().map(|network| row![network.to_string(), "through the tunnel"]));
        routes.rows.extend(self.around.iter().map(|network| row![network.to_string(), "around it"]));
        let mut reasons = Table::new("VPN: why", &["rule", "because", "source"]);
        reasons.rows.extend(self.reasons.iter().map(|reason| row![reason.rule, reason.because, reason.source]));
        let mut answers = crate::deployment::dns_table(&self.answers);
        answers.title = "VPN: answers of its resolver".to_owned();
        vec![blocks, routes, answers, reasons, crate::capacity::choices_table(&self.choices)]
    }
}
