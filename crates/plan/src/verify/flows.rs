//! Lines about ports: what must answer from here, and what must not.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use super::{Here, Kind, Line, Must, Probe, Zone, skipped};
use crate::deployment::{Deployment, Filter, Flow};
use crate::network::Network;
use crate::results::Results;
use lyceum_topology::qos::PortRange;

/// Groups of networks rather than of servers.
const GENERAL: [&str; 3] = ["internal", "clients", "peer"];
/// What an administrator's tools and a stranger's scanner try first: shut from outside and from the perimeter.
const MANAGEMENT: [u16; 7] = [22, 135, 445, 1433, 3389, 5432, 5985];

/// Where a group of hosts stands.
fn zone_of(group: &str) -> Zone {
    match group {
        "any" => Zone::External,
        "edge-internal" | "edge-access" | "edge-webconf" | "edge-av" | "reverse-proxy" => Zone::Edge,
        _ => Zone::Internal,
    }
}

/// The groups that somebody `here` belongs to. Who stands on a planned server is that server; else any client of the zone,
/// and in the perimeter any server of it.
fn own_groups<'f>(filter: &'f Filter, here: &Here) -> BTreeSet<&'f str> {
    let own = |networks: &[Network]| networks.iter().any(|net| here.addresses.iter().any(|own| net.holds(*own)));
    let mut found: BTreeSet<&str> = BTreeSet::new();
    for (group, networks) in &filter.groups {
        if zone_of(group) == here.zone && !GENERAL.contains(group) && own(networks) {
            found.insert(group);
        }
    }
    let on_a_server = !found.is_empty();
    for (group, networks) in &filter.groups {
        let general = GENERAL.contains(group) || here.zone == Zone::Edge;
        if zone_of(group) == here.zone && general && (!on_a_server || (GENERAL.contains(group) && own(networks))) {
            found.insert(group);
        }
    }
    if here.zone == Zone::External {
        found.insert("any");
    }
    found
}

fn is_from(flow: &Flow, mine: &BTreeSet<&str>) -> bool {
    flow.from.split('+').any(|group| mine.contains(group))
}

/// The single hosts of a group; nothing of its networks.
fn hosts(filter: &Filter, group: &str) -> Vec<Ipv4Addr> {
    let networks = filter.networks(group).unwrap_or_default();
    networks.into_iter().filter(|network| network.address(1).is_none()).filter_map(|one| one.address(0)).collect()
}

/// What a host is called.
pub(super) fn host_name(deployment: &Deployment, address: Ipv4Addr) -> String {
    let public = |public: Option<[Ipv4Addr; 3]>| public.is_some_and(|all| all.contains(&address));
    let host = deployment.hosts.iter().find(|host| host.address == address || public(host.public));
    let balanced = || deployment.pools.iter().find(|pool| pool.vip == Some(address) || public(pool.public_vip));
    let proxy = || deployment.places.iter().find(|place| place.proxy == Some(address));
    let name = host.map(|host| host.fqdn.clone()).or_else(|| balanced().map(|pool| pool.fqdn.clone()));
    name.or_else(|| proxy().map(|place| format!("reverse proxy of {}", place.name))).unwrap_or_default()
}

/// A port of a host that something needs.
struct Wanted {
    answers: bool,
    from: BTreeSet<&'static str>,
    words: BTreeSet<&'static str>,
    /// The range it is the first of, where it is one.
    range: PortRange,
}

/// One line for each port of each host that must be reached from here; one for each flow that is from elsewhere.
pub(super) fn ports(results: &Results<'_>, here: &Here) -> Vec<Line> {
    let filter = &results.filter;
    let mine = own_groups(filter, here);
    let mut wanted: BTreeMap<(Ipv4Addr, u16, bool), Wanted> = BTreeMap::new();
    let mut elsewhere = Vec::new();
    for flow in &filter.flows {
        let targets = hosts(filter, flow.to);
        let skip = if !is_from(flow, &mine) {
            Some(format!("not from here: from {}", from_words(flow)))
        } else {
            targets.is_empty().then(|| "it goes to no server in particular: nothing to ask".to_owned())
        };
        if let Some(why) = skip {
            let subject = format!("{} to {}", flow.source_end, flow.destination_end);
            let planned = format!("{} {} {}", flow.protocol(), flow.ports, flow.application);
            elsewhere.push(skipped(Kind::Port, subject, planned.trim_end().to_owned(), why));
            continue;
        }
        for address in targets.into_iter().filter(|address| is_seen(&results.deployment, here, *address)) {
            for tcp in [true, false].into_iter().filter(|tcp| if *tcp { flow.tcp } else { flow.udp }) {
                let entry = wanted.entry((address, flow.ports.first, tcp)).or_insert_with(|| Wanted {
                    answers: false,
                    from: BTreeSet::new(),
                    words: BTreeSet::new(),
                    range: flow.ports,
                });
                entry.answers |= flow.answers && tcp;
                entry.from.insert(flow.from);
                entry.words.insert(if flow.application.is_empty() { flow.purpose } else { flow.application });
                entry.range = entry.range.max(flow.ports);
            }
        }
    }
    let mut lines: Vec<Line> =
        wanted.into_iter().map(|(at, wanted)| wanted_line(&results.deployment, here, at, &wanted)).collect();
    lines.extend(elsewhere);
    lines
}

fn from_words(flow: &Flow) -> String {
    let zones: BTreeSet<&str> = flow.from.split('+').map(|group| zone_of(group).word()).collect();
    format!("{} ({})", zones.into_iter().collect::<Vec<_>>().join(" or "), flow.source_end)
}

/// Whether an address can be seen from here at all: addresses inside mean nothing on the internet.
fn is_seen(deployment: &Deployment, here: &Here, address: Ipv4Addr) -> bool {
    here.zone != Zone::External || deployment.places.iter().any(|place| place.public.holds(address))
}

fn wanted_line(deployment: &Deployment, here: &Here, at: (Ipv4Addr, u16, bool), wanted: &Wanted) -> Line {
    let (address, port, tcp) = at;
    let protocol = if tcp { "TCP" } else { "UDP" };
    let range = if wanted.range.first == wanted.range.last { String::new() } else { format!(" of {}", wanted.range) };
    let subject = format!("{} {address} {protocol} {port}{range}", host_name(deployment, address));
    let does = if wanted.answers { "answers" } else { "may be reached" };
    let words: Vec<&str> = wanted.words.iter().copied().filter(|word| !word.is_empty()).collect();
    let planned = format!("{does}: {}", words.join("; "));
    let planned = planned.trim_end_matches([':', ' ']).to_owned();
    let from = wanted.from.iter().copied().collect::<Vec<_>>().join("+");
    if here.addresses.contains(&address) {
        return skipped(Kind::Port, subject, planned, "this is that server: no filter is on the way".to_owned());
    }
    let probe = if tcp { Probe::Tcp(address, port) } else { Probe::Udp(address, port) };
    let must = if wanted.answers { Must::Answer { from } } else { Must::Path { from } };
    Line { kind: Kind::Port, subject, planned, probe: Ok(probe), must }
}

/// One line for each host behind a filter: the ports that the plan opens to others, but not to who is here.
pub(super) fn shut(results: &Results<'_>, here: &Here) -> Vec<Line> {
    let (filter, deployment) = (&results.filter, &results.deployment);
    let mine = own_groups(filter, here);
    let mut all: BTreeSet<Ipv4Addr> = BTreeSet::new();
    for group in filter.groups.keys().filter(|group| !GENERAL.contains(group) && **group != "gateway") {
        all.extend(hosts(filter, group));
    }
    all.into_iter()
        .filter(|address| !is_beside(deployment, here, *address))
        .filter_map(|address| shut_line(filter, deployment, here, &mine, address))
        .collect()
}

/// Whether no filter stands between: the address is in a network of the asker's own.
fn is_beside(deployment: &Deployment, here: &Here, address: Ipv4Addr) -> bool {
    let networks = deployment.places.iter().flat_map(|place| [place.network, place.perimeter, place.public]);
    let mut shared = networks.filter(|network| network.holds(address));
    here.addresses.contains(&address) || shared.any(|net| here.addresses.iter().any(|own| net.holds(*own)))
}

fn shut_line(
    filter: &Filter,
    deployment: &Deployment,
    here: &Here,
    mine: &BTreeSet<&str>,
    address: Ipv4Addr,
) -> Option<Line> {
    let holds = |flow: &&Flow| match filter.networks(flow.to) {
        Some(networks) => networks.iter().any(|network| network.holds(address)),
        None => false,
    };
    let into: Vec<&Flow> = filter.flows.iter().filter(|flow| flow.tcp).filter(holds).collect();
    // What is open to anybody is open from here too.
    let for_us = |flow: &&&Flow| flow.from == "any" || is_from(flow, mine);
    let open: Vec<PortRange> = into.iter().filter(for_us).map(|flow| flow.ports).collect();
    let others = into.iter().map(|flow| flow.ports).filter(|ports| ports.first == ports.last).map(|ports| ports.first);
    let mut ports: BTreeSet<u16> = others.collect();
    if here.zone != Zone::Internal {
        ports.extend(MANAGEMENT);
    }
    ports.retain(|port| !open.iter().any(|range| (range.first..=range.last).contains(port)));
    if ports.is_empty() {
        return None;
    }
    let ports: Vec<u16> = ports.into_iter().collect();
    Some(Line {
        kind: Kind::Shut,
        subject: format!("{} {address}", host_name(deployment, address)),
        planned: format!("shut: TCP {}", super::names::words(ports.iter().map(ToString::to_string))),
        probe: Ok(Probe::Shut(address, ports)),
        must: Must::Shut { from: here.zone.word() },
    })
}
