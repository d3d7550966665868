//! What a filter must let through for exactly this deployment.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use serde::Serialize;

use super::{Deployment, collocated, dns};
use crate::capacity::{Capacity, Role};
use crate::figures::{Choice, Port, choice, ports};
use crate::file::{LoadBalancing, Plan};
use crate::network::Network;
use lyceum_topology::qos::PortRange;

/// All flows of a deployment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Filter {
    /// What is let through.
    pub flows: Vec<Flow>,
    /// The hosts and networks of each group that a flow names.
    pub groups: BTreeMap<&'static str, Vec<Network>>,
    /// Flows that need a word from somebody: not in the exports.
    pub remarks: Vec<String>,
    /// Where sources disagree, and what was used.
    pub choices: Vec<&'static Choice>,
}

/// One flow.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flow {
    /// Where it is: `internal`, `edge external` …
    pub zone: &'static str,
    /// Groups it comes from, joined by `+`; `any` for everywhere.
    pub from: &'static str,
    /// Groups it goes to.
    pub to: &'static str,
    /// Where it comes from, in Lync's words.
    pub source_end: &'static str,
    /// Where it goes, in Lync's words.
    pub destination_end: &'static str,
    /// Whether TCP passes.
    pub tcp: bool,
    /// Whether UDP passes.
    pub udp: bool,
    /// The ports of its destination.
    pub ports: PortRange,
    /// What speaks there.
    pub application: &'static str,
    /// What for.
    pub purpose: &'static str,
    /// Who says so.
    pub source: &'static str,
    /// Whether a server of this project listens there.
    pub answers: bool,
}

impl Flow {
    /// `TCP`, `UDP` or `TCP/UDP`.
    pub fn protocol(&self) -> &'static str {
        match (self.tcp, self.udp) {
            (true, true) => "TCP/UDP",
            (true, false) => "TCP",
            _ => "UDP",
        }
    }
}

/// What the filters between the networks of `plan` must let through.
pub fn filter(plan: &Plan, capacity: &Capacity, deployment: &Deployment) -> Filter {
    let groups = groups(plan, capacity, deployment);
    let on = features(plan, capacity, deployment);
    let mut found = Filter {
        flows: Vec::new(),
        groups,
        remarks: Vec::new(),
        choices: ["audio-ports-end", "video-ports-start", "client-sip-outside"].map(choice).to_vec(),
    };
    for port in ports() {
        if port.when.split('&').all(|feature| on.contains(feature)) {
            found.take(port);
        }
    }
    found
}

impl Filter {
    /// The networks of a group or of several joined by `+`; nothing stands for everywhere.
    pub fn networks(&self, group: &str) -> Option<Vec<Network>> {
        (group != "any").then(|| {
            let all: BTreeSet<Network> =
                group.split('+').filter_map(|name| self.groups.get(name)).flatten().copied().collect();
            all.into_iter().collect()
        })
    }

    fn take(&mut self, port: &'static Port) {
        let empty = |group: &str| self.networks(group).is_some_and(|networks| networks.is_empty());
        let words = || {
            format!(
                "{} to {}: {} {} {} ({})",
                port.source_end, port.destination_end, port.protocol, port.port, port.application, port.note
            )
        };
        if [port.from, port.to].contains(&"gateway") && empty("gateway") {
            self.remarks.push(format!("{}: the addresses of the gateways are not given (voice.gateways)", words()));
            return;
        }
        if empty(port.from) || empty(port.to) {
            return;
        }
        let Ok(range) = port.port.parse::<PortRange>() else {
            self.remarks.push(words());
            return;
        };
        self.flows.push(Flow {
            zone: port.zone,
            from: port.from,
            to: port.to,
            source_end: port.source_end,
            destination_end: port.destination_end,
            tcp: port.protocol.contains("TCP"),
            udp: port.protocol.contains("UDP"),
            ports: range,
            application: port.application,
            purpose: port.note,
            source: port.source,
            answers: port.answers,
        });
    }
}

/// The features that are on, by the words of the table's `when`.
fn features(plan: &Plan, capacity: &Capacity, deployment: &Deployment) -> BTreeSet<&'static str> {
    let (access, voice, meetings) = (&plan.access, &plan.voice, &plan.meetings);
    let hardware = *access.load_balancing == LoadBalancing::Hardware;
    let has = |role: Role| deployment.pools_of(role).next().is_some();
    let push = *plan.mobility.enabled && *plan.mobility.push;
    let all = [
        ("always", true),
        ("tcp-sign-in", *access.tcp_sign_in),
        ("meetings", *meetings.enabled),
        ("dial-in", *meetings.enabled && *meetings.dial_in),
        ("office-web-apps", has(Role::OfficeWebApps)),
        ("voice", *voice.enabled),
        ("voice-collocated", *voice.enabled && collocated(capacity)),
        ("mediation", has(Role::Mediation)),
        ("call-park", *voice.call_park),
        ("response-group", *voice.response_group),
        ("emergency", *voice.emergency),
        ("admission", *voice.admission),
        ("mobility", *plan.mobility.enabled),
        ("push", push),
        ("chat", *plan.chat.enabled),
        ("director", has(Role::Director)),
        ("back-end", has(Role::BackEnd)),
        ("mirror", has(Role::BackEnd) && *plan.availability.high),
        ("phones", *access.phones),
        ("edge", *access.edge || *plan.mobility.enabled),
        ("federation", *access.federation),
        ("legacy-partners", *access.legacy_partners),
        ("xmpp", *access.xmpp),
        ("branch", has(Role::BranchAppliance) || has(Role::BranchStandardEdition)),
        ("branch-mobility", *plan.mobility.enabled),
        ("hardware-lb", hardware),
        ("dns-lb", !hardware),
    ];
    all.into_iter().filter(|(_, on)| *on).map(|(name, _)| name).collect()
}

fn hosts(addresses: impl IntoIterator<Item = Ipv4Addr>) -> Vec<Network> {
    let all: BTreeSet<Network> = addresses.into_iter().map(|address| Network::of(address, 32)).collect();
    all.into_iter().collect()
}

fn groups(plan: &Plan, capacity: &Capacity, deployment: &Deployment) -> BTreeMap<&'static str, Vec<Network>> {
    let of = |roles: &[Role]| {
        hosts(deployment.hosts.iter().filter(|host| roles.contains(&host.role)).map(|host| host.address))
    };
    let vips = |roles: &[Role]| {
        hosts(deployment.pools.iter().filter(|pool| roles.contains(&pool.role)).filter_map(|pool| pool.vip))
    };
    let front = [Role::FrontEnd, Role::StandardEdition, Role::MeetingFrontEnd];
    let branch = [Role::BranchAppliance, Role::BranchStandardEdition];
    let mediation: &[Role] = if collocated(capacity) {
        &[Role::FrontEnd, Role::StandardEdition, Role::Mediation]
    } else {
        &[Role::Mediation]
    };
    let audio = [Role::FrontEnd, Role::StandardEdition, Role::MeetingFrontEnd, Role::Mediation, branch[0], branch[1]];
    let edges: Vec<[Vec<Ipv4Addr>; 3]> =
        deployment.pools_of(Role::Edge).map(|pool| dns::public_addresses(deployment, pool)).collect();
    let public = |service: usize| {
        let direct = deployment.hosts.iter().filter_map(|host| Some(host.public?[service]));
        hosts(edges.iter().flat_map(|edge| edge[service].iter().copied()).chain(direct))
    };
    let clients: Vec<Network> = deployment.places.iter().flat_map(|place| place.clients.iter().copied()).collect();
    let networks = deployment.places.iter().map(|place| place.network);
    let internal: Vec<Network> = clients.iter().copied().chain(networks).collect();
    let inside = |host: &&super::Host| !matches!(host.role, Role::Edge | Role::ReverseProxy);
    let servers = hosts(deployment.hosts.iter().filter(inside).map(|host| host.address));
    let proxies = deployment.hosts.iter().filter(|host| host.role == Role::ReverseProxy).map(|host| host.address);
    let gateways = plan.voice.gateways.iter().flat_map(|answer| answer.value.iter().copied());
    let edge_vips = deployment.pools_of(Role::Edge).filter_map(|pool| pool.vip);
    let edge_hosts = deployment.hosts.iter().filter(|host| host.role == Role::Edge).map(|host| host.address);
    let peers = clients.iter().copied().chain(servers.iter().copied()).collect();
    BTreeMap::from([
        ("front-end", of(&front)),
        ("front-end-vip", vips(&front)),
        ("director", of(&[Role::Director])),
        ("director-vip", vips(&[Role::Director])),
        ("mediation", of(mediation)),
        ("chat", of(&[Role::PersistentChat])),
        ("back-end", of(&[Role::BackEnd, Role::MeetingBackEnd, Role::MonitoringStore, Role::Witness])),
        ("office-web-apps", of(&[Role::OfficeWebApps])),
        ("branch", of(&branch)),
        ("audio", of(&audio)),
        ("reverse-proxy", hosts(proxies.chain(deployment.places.iter().filter_map(|place| place.proxy)))),
        ("edge-internal", hosts(edge_hosts.chain(edge_vips))),
        ("edge-access", public(0)),
        ("edge-webconf", public(1)),
        ("edge-av", public(2)),
        ("gateway", hosts(gateways)),
        ("servers", servers),
        ("internal", internal),
        ("peer", peers),
        ("clients", clients),
    ])
}
