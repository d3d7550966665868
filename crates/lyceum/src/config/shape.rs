//! The node file's keys, so that every wrong one is named at once and not only the first that the reader trips over.

use toml::{Table, Value};

use super::Fault;

/// What stands behind a key.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Count,
    Flag,
    Texts,
    Table(&'static [Key]),
    Tables(&'static [Key]),
}

/// One key: its name, whether it must be there, and an example of what stands behind it.
type Key = (&'static str, bool, Kind, &'static str);

const NODE: &[Key] = &[
    ("name", true, Kind::Text, "\"node1\""),
    ("pool", false, Kind::Text, "\"pool1\""),
    ("data", true, Kind::Text, "\"/var/lib/lyceum/data\""),
    ("master_key", true, Kind::Text, "\"/etc/lyceum/master.key\""),
    ("socket", false, Kind::Text, "\"/run/lyceum/lyceum.sock\""),
    ("listener", true, Kind::Tables(LISTENER), "a section [[listener]] with transport and address"),
    ("https", false, Kind::Table(HTTPS), "a section [https] with address"),
    ("tls", false, Kind::Table(TLS), "a section [tls] with certificate and key"),
    ("relay", false, Kind::Table(RELAY), "a section [relay] with address"),
    ("media", false, Kind::Table(MEDIA), "a section [media] with addresses"),
    ("link", false, Kind::Table(LINK), "a section [link] with address"),
    ("metrics", false, Kind::Table(METRICS), "a section [metrics] with listen"),
    ("log", false, Kind::Table(LOG), "a section [log]"),
    ("workers", false, Kind::Count, "1"),
    ("backups", false, Kind::Text, "\"/var/lib/lyceum/backups\""),
];
const LISTENER: &[Key] = &[
    ("transport", true, Kind::Text, "\"udp\""),
    ("address", true, Kind::Text, "\"0.0.0.0:5060\""),
    ("advertised", false, Kind::Text, "\"sip.example.org:5060\""),
    ("inside", false, Kind::Flag, "true"),
];
const HTTPS: &[Key] = &[
    ("address", true, Kind::Text, "\"0.0.0.0:443\""),
    ("url", false, Kind::Text, "\"https://sip.example.org\""),
    ("ws", false, Kind::Text, "\"127.0.0.1:8080\""),
    ("origins", false, Kind::Texts, "[\"https://www.example.org\"]"),
    ("virus_scanner", false, Kind::Text, "\"clamd:/run/clamav/clamd.ctl\""),
];
const METRICS: &[Key] = &[("listen", true, Kind::Text, "\"127.0.0.1:9464\""), ("expose", false, Kind::Flag, "true")];
const MEDIA: &[Key] = &[
    ("addresses", false, Kind::Texts, "[\"10.0.0.5\"]"),
    ("public", false, Kind::Text, "\"203.0.113.5\""),
    ("flow_records", false, Kind::Text, "\"/var/log/lyceum/flows.jsonl\""),
    ("flow_webhook", false, Kind::Text, "\"https://sdn.example.org/flows\""),
];
const RELAY: &[Key] = &[
    ("address", true, Kind::Text, "\"203.0.113.5:3478\""),
    ("tls", false, Kind::Text, "\"203.0.113.5:5349\""),
    ("public", false, Kind::Text, "\"203.0.113.5\""),
    ("host", false, Kind::Text, "\"av.example.org\""),
    ("peers", false, Kind::Texts, "[\"10.0.0.0/24\"]"),
    ("tcp_relays", false, Kind::Flag, "true"),
];
const LINK: &[Key] = &[
    ("address", true, Kind::Text, "\"10.0.0.5:5063\""),
    ("advertised", false, Kind::Text, "\"pool1.example.org:5063\""),
];
/// The file of an Access Edge.
const EDGE_NODE: &[Key] = &[
    ("name", true, Kind::Text, "\"edge1\""),
    ("data", true, Kind::Text, "\"/var/lib/lyceum-edge\""),
    ("edge", true, Kind::Table(EDGE), "a section [edge] with remote or federation"),
    ("tls", true, Kind::Table(TLS), "a section [tls] with certificate and key"),
    ("log", false, Kind::Table(LOG), "a section [log]"),
];
const EDGE: &[Key] = &[
    ("remote", false, Kind::Text, "\"203.0.113.5:443\""),
    ("remote_advertised", false, Kind::Text, "\"sip.example.org:443\""),
    ("federation", false, Kind::Text, "\"203.0.113.5:5061\""),
    ("federation_advertised", false, Kind::Text, "\"sip.example.org:5061\""),
    ("inside", false, Kind::Text, "\"10.0.0.9\""),
    ("pool", false, Kind::Texts, "[\"10.0.0.5:5063\"]"),
    ("dns", false, Kind::Texts, "[\"192.0.2.53:53\"]"),
];
const TLS: &[Key] = &[
    ("certificate", true, Kind::Text, "\"/etc/lyceum/certificate.pem\""),
    ("key", true, Kind::Text, "\"/etc/lyceum/certificate.key\""),
    ("authorities", false, Kind::Text, "\"/etc/lyceum/authorities.pem\""),
];
const LOG: &[Key] = &[("format", false, Kind::Text, "\"text\""), ("level", false, Kind::Text, "\"info\"")];

/// Everything in the file that has the wrong name or the wrong kind, and everything that is missing.
pub fn faults(file: &Table) -> Vec<Fault> {
    let mut found = Vec::new();
    table("", file, NODE, &mut found);
    found
}

/// The same of the file of an Access Edge.
pub fn edge_faults(file: &Table) -> Vec<Fault> {
    let mut found = Vec::new();
    table("", file, EDGE_NODE, &mut found);
    found
}

fn table(place: &str, table: &Table, keys: &[Key], found: &mut Vec<Fault>) {
    for name in table.keys().filter(|name| keys.iter().all(|key| key.0 != *name)) {
        let known: Vec<&str> = keys.iter().map(|key| key.0).collect();
        found.push(Fault::new(
            format!("`{place}{name}` is no setting"),
            format!("remove it, or write one of {}", known.join(", ")),
        ));
    }
    for (name, required, kind, example) in keys {
        let fix = || match kind {
            Kind::Table(_) | Kind::Tables(_) => format!("write {example}"),
            _ => format!("write {name} = {example}"),
        };
        match table.get(*name) {
            None if *required => found.push(Fault::new(format!("`{place}{name}` is missing"), fix())),
            None => {}
            Some(there) if value(&format!("{place}{name}"), there, *kind, found) => {}
            Some(there) => found.push(Fault::new(format!("`{place}{name}` is {}", there.type_str()), fix())),
        }
    }
}

/// Whether a value is of its kind; looks into tables.
fn value(place: &str, there: &Value, kind: Kind, found: &mut Vec<Fault>) -> bool {
    match (kind, there) {
        (Kind::Text, Value::String(_)) | (Kind::Flag, Value::Boolean(_)) => true,
        (Kind::Count, Value::Integer(count)) => (0..=255).contains(count),
        (Kind::Texts, Value::Array(list)) => list.iter().all(Value::is_str),
        (Kind::Table(keys), Value::Table(below)) => {
            table(&format!("{place}."), below, keys, found);
            true
        }
        (Kind::Tables(keys), Value::Array(list)) => {
            for (number, below) in list.iter().enumerate() {
                match below {
                    Value::Table(below) => table(&format!("{place} {}: ", number + 1), below, keys, found),
                    _ => return false,
                }
            }
            true
        }
        _ => false,
    }
}
