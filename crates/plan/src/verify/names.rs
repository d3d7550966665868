//! Lines about DNS and about certificates.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use super::{Kind, Line, Must, Probe, Service, Zone, skipped};
use crate::capacity::Role;
use crate::deployment::{Certificate, Record, Scope, Value, public_addresses};
use crate::results::Results;

/// One line for each name and type of a scope: all its records at once, since one too many is as wrong as one too few.
pub(super) fn records(results: &Results<'_>, zone: Zone) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut seen = BTreeSet::new();
    for record in &results.records {
        let is_service = matches!(record.value, Value::Srv { .. });
        if !seen.insert((record.scope, record.name.as_str(), is_service)) {
            continue;
        }
        let same = |other: &&Record| {
            other.scope == record.scope
                && other.name == record.name
                && matches!(other.value, Value::Srv { .. }) == is_service
        };
        let values: Vec<&Value> = results.records.iter().filter(same).map(|record| &record.value).collect();
        lines.push(line(record, &values, zone));
    }
    lines
}

fn line(record: &Record, values: &[&Value], zone: Zone) -> Line {
    let (wanted, who) = match record.scope {
        Scope::Internal => (Some(Zone::Internal), "internal"),
        Scope::External => (Some(Zone::External), "external"),
        Scope::PinPoint => (None, "pinpoint"),
    };
    let services: BTreeSet<Service> = values.iter().filter_map(|value| service(value)).collect();
    let addresses: BTreeSet<IpAddr> = values.iter().filter_map(|value| address(value)).collect();
    let (subject, planned) = match services.is_empty() {
        false => (format!("{} SRV", record.name), words(services.iter().map(|s| format!("{}:{}", s.target, s.port)))),
        true => (format!("{} A", record.name), words(addresses.iter().map(ToString::to_string))),
    };
    if wanted != Some(zone) {
        let place = wanted.map_or("a VPN client's resolver", Zone::word);
        return skipped(Kind::Dns, subject, planned, format!("not from here: from {place}"));
    }
    let (probe, must) = match services.is_empty() {
        false => (Probe::Services(record.name.clone()), Must::Services(services, who)),
        true => (Probe::Addresses(record.name.clone()), Must::Addresses(addresses, who)),
    };
    Line { kind: Kind::Dns, subject, planned, probe: Ok(probe), must }
}

fn service(value: &Value) -> Option<Service> {
    match value {
        Value::Srv { port, target } => Some(Service { port: *port, target: target.to_lowercase() }),
        Value::A(_) => None,
    }
}

fn address(value: &Value) -> Option<IpAddr> {
    match value {
        Value::A(address) => Some(IpAddr::V4(*address)),
        Value::Srv { .. } => None,
    }
}

pub(super) fn words(list: impl Iterator<Item = String>) -> String {
    list.collect::<Vec<_>>().join(", ")
}

/// One line for each place where a certificate is shown.
pub(super) fn certificates(results: &Results<'_>, zone: Zone) -> Vec<Line> {
    let mut lines = Vec::new();
    for certificate in &results.certificates {
        let mut names = vec![certificate.subject.to_lowercase()];
        for name in &certificate.names {
            if !names.contains(&name.to_lowercase()) {
                names.push(name.to_lowercase());
            }
        }
        let (wanted, places) = shown_at(results, certificate);
        let title = format!("{} {}", certificate.role, certificate.usage);
        let planned = names.join(", ");
        let subject = format!("{title}: {}", certificate.assigned_to);
        let Some(port) = certificate.port.filter(|_| !places.is_empty()) else {
            let why = "no port shows it: look at it on its server".to_owned();
            lines.push(skipped(Kind::Certificate, subject, planned, why));
            continue;
        };
        if wanted != zone {
            let why = format!("not from here: from {}", wanted.word());
            lines.push(skipped(Kind::Certificate, subject, planned, why));
            continue;
        }
        for address in places {
            lines.push(Line {
                kind: Kind::Certificate,
                subject: format!("{title}: {address}:{port}"),
                planned: planned.clone(),
                probe: Ok(Probe::Certificate { address, port, name: certificate.subject.to_lowercase() }),
                must: Must::Names {
                    names: names.clone(),
                    answers: must_answer(results, address, port),
                    request: certificate.file() + ".cnf",
                },
            });
        }
    }
    lines
}

/// Whether a server of this project listens at a port.
fn must_answer(results: &Results<'_>, address: Ipv4Addr, port: u16) -> bool {
    let holds = |group: &str| {
        results.filter.networks(group).is_some_and(|all| all.iter().any(|network| network.holds(address)))
    };
    let here = |flow: &&crate::deployment::Flow| flow.answers && (flow.ports.first..=flow.ports.last).contains(&port);
    results.filter.flows.iter().filter(here).any(|flow| holds(flow.to))
}

/// From which zone a certificate is seen, and at which addresses.
fn shown_at(results: &Results<'_>, certificate: &Certificate) -> (Zone, Vec<Ipv4Addr>) {
    let deployment = &results.deployment;
    let mut inside = deployment.hosts.iter().filter(|host| host.role != Role::ReverseProxy);
    if let Some(host) = inside.find(|host| host.fqdn == certificate.assigned_to) {
        return (Zone::Internal, vec![host.address]);
    }
    let Some(pool) = deployment.pools.iter().find(|pool| pool.fqdn == certificate.assigned_to) else {
        return (Zone::Internal, Vec::new());
    };
    match pool.role {
        Role::ReverseProxy => (Zone::External, deployment.places[pool.site].proxy.into_iter().collect()),
        // Web Conferencing shows the same one as Access; A/V speaks another protocol first.
        Role::Edge if certificate.usage == "external" => {
            let [access, webcon, _] = public_addresses(deployment, pool);
            (Zone::External, access.into_iter().chain(webcon).collect())
        }
        _ => (Zone::Internal, deployment.addresses(pool).collect()),
    }
}
