//! Ports and marks of Quality of Service: what classifies by ports must not meet two modalities on one port.

use super::Findings;
use crate::document::Document;
use crate::path::Path;
use crate::problem::Code;
use crate::qos::{CLIENT_PORTS_MIN, Modality, PortRange, Qos, RESERVED_PORTS, RoleAddresses, SERVER_PORTS_MIN};

/// Below are the ports of system services.
const LOWEST_PORT: u16 = 1_024;

pub(super) fn check(document: &Document, found: &mut Findings) {
    let path = Path::root().key("qos");
    let (settings, qos) = (&document.qos, document.qos.in_force());
    for (list, ports) in [("server_ports", &settings.server_ports), ("client_ports", &settings.client_ports)] {
        if ports.signalling.is_some() {
            found.add(
                &path.key(list).key("signalling"),
                Code::Contradiction,
                "Signalling has the ports of its listeners, not a range.",
                "Remove the entry; listeners are set in node.toml.",
            );
        }
    }
    servers(&qos, &path, found);
    clients(&qos, &path.key("client_ports"), found);
}

fn servers(qos: &Qos, path: &Path, found: &mut Findings) {
    let list = path.key("server_ports");
    let mut ranges: Vec<(Path, &str, PortRange)> = rows(qos, |row| row.server_ports)
        .map(|(modality, range)| (list.key(modality.as_str()), modality.as_str(), range))
        .collect();
    for (path, name, range) in &ranges {
        usable(path, &format!("The server's ports for {name}"), *range, SERVER_PORTS_MIN, found);
    }
    let relay = (path.key("relay_ports"), "the relay", qos.relay_ports);
    usable(&relay.0, "The relay's ports", relay.2, SERVER_PORTS_MIN, found);
    if qos.role_addresses == RoleAddresses::Shared {
        ranges.push(relay);
    }
    disjoint(&ranges, found);
}

fn clients(qos: &Qos, list: &Path, found: &mut Findings) {
    let ranges: Vec<(Path, &str, PortRange)> = rows(qos, |row| row.client_ports)
        .map(|(modality, range)| (list.key(modality.as_str()), modality.as_str(), range))
        .collect();
    for (path, name, range) in &ranges {
        usable(path, &format!("The clients' ports for {name}"), *range, CLIENT_PORTS_MIN, found);
    }
    disjoint(&ranges, found);
}

fn rows(
    qos: &Qos,
    ports: impl Fn(&crate::qos::QosRow) -> Option<PortRange>,
) -> impl Iterator<Item = (Modality, PortRange)> {
    qos.rows.iter().filter_map(move |row| Some((row.modality, ports(row)?)))
}

fn usable(path: &Path, what: &str, range: PortRange, least: usize, found: &mut Findings) {
    if range.len() < least {
        let what = format!("{what}, {range}, are {}: fewer than {least}.", range.len());
        found.add(path, Code::BadPortRange, what, "Give a wider range.");
    }
    if range.first < LOWEST_PORT {
        let what = format!("{what}, {range}, begin below {LOWEST_PORT}, among those of system services.");
        found.add(path, Code::BadPortRange, what, "Choose a range above.");
    }
    if let Some(port) = RESERVED_PORTS.into_iter().find(|port| range.has(*port)) {
        let what = format!("{what}, {range}, hold {port}, on which signalling or the relay listens.");
        found.add(path, Code::BadPortRange, what, "Choose a range without it.");
    }
}

fn disjoint(ranges: &[(Path, &str, PortRange)], found: &mut Findings) {
    for (at, (path, name, range)) in ranges.iter().enumerate() {
        for (_, earlier, taken) in &ranges[..at] {
            if range.overlaps(*taken) {
                let what = format!(
                    "The ports of {name}, {range}, overlap those of {earlier}, {taken}: a packet's port no longer tells what it is."
                );
                found.add(path, Code::PortsOverlap, what, "Give each its own range.");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::document::Document;
    use crate::domain::DomainName;
    use crate::qos::{QosSettings, RoleAddresses};

    fn problems(qos: &str) -> Vec<String> {
        let name = DomainName::parse("example.org").expect("a name");
        let mut document = Document::dev(name.clone(), name);
        document.qos = serde_json::from_str::<QosSettings>(qos).expect("settings");
        document.validate().iter().map(|problem| format!("{} {}", problem.code, problem.path)).collect()
    }

    #[test]
    fn both_sets_of_defaults_are_valid() {
        assert!(problems("{}").is_empty());
        assert!(problems(r#"{"role_addresses":"own"}"#).is_empty());
        assert_eq!(QosSettings::default().in_force().role_addresses, RoleAddresses::Shared);
    }

    #[test]
    fn ranges_that_share_a_port_are_named() {
        let found = problems(r#"{"server_ports":{"audio":"20000-23000"}}"#);
        assert_eq!(found, ["LYT0034 qos.server_ports.video"]);
        let found = problems(r#"{"server_ports":{"files":"50000-50999"}}"#);
        assert_eq!(found, ["LYT0034 qos.relay_ports"]);
        assert!(problems(r#"{"role_addresses":"own","server_ports":{"files":"31000-31999"}}"#).is_empty());
        let found = problems(r#"{"client_ports":{"video":"20010-20040"}}"#);
        assert_eq!(found, ["LYT0034 qos.client_ports.video"]);
    }

    #[test]
    fn ranges_that_cannot_work_are_named() {
        assert_eq!(problems(r#"{"client_ports":{"audio":"20000-20018"}}"#), ["LYT0035 qos.client_ports.audio"]);
        assert_eq!(problems(r#"{"server_ports":{"files":"5000-5200"}}"#), ["LYT0035 qos.server_ports.files"]);
        assert_eq!(problems(r#"{"server_ports":{"files":"500-800"}}"#), ["LYT0035 qos.server_ports.files"]);
        assert_eq!(problems(r#"{"server_ports":{"signalling":"6000-6200"}}"#), ["LYT0013 qos.server_ports.signalling"]);
    }

    #[test]
    fn a_mark_that_does_not_exist_and_a_range_that_is_none_are_told_with_their_field() {
        let text = r#"{"qos":{"marks":{"audio":64},"relay_ports":"9-8"}}"#;
        let problems = Document::from_json(text).expect_err("both are wrong");
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(said.iter().any(|one| one.contains("qos.marks.audio") && one.contains("0 to 63")), "{said:#?}");
        assert!(said.iter().any(|one| one.contains("qos.relay_ports") && one.contains("16384-22383")), "{said:#?}");
    }
}
