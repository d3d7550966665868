//! DNS records as zone files of BIND (RFC 1035, RFC 2782).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::Ipv4Addr;

use serde::Serialize;

use super::dns::{Record, Scope, Value};
use super::{Deployment, Place};

/// One zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ZoneFile {
    /// Who is answered so.
    pub scope: Scope,
    /// The zone's name.
    pub origin: String,
    /// A name for the file.
    pub file: String,
    /// What stands in it.
    pub text: String,
}

/// The zones of `records`. `serial` is that of every zone: it must grow with each change.
///
/// Inside and outside each domain is a zone. A pin-point zone holds one name and nothing else, so that every other name of
/// the domain is asked elsewhere; names that must not be found through the VPN get a zone without an answer.
pub fn zone_files(deployment: &Deployment, records: &[Record], serial: u32) -> Vec<ZoneFile> {
    let mut domains: Vec<&str> = deployment.sip_domains.iter().map(String::as_str).collect();
    if !domains.contains(&deployment.server_domain.as_str()) {
        domains.push(&deployment.server_domain);
    }
    let mut zones: BTreeMap<(Scope, &str), Vec<&Record>> = BTreeMap::new();
    for record in records {
        let origin = match record.scope {
            Scope::PinPoint => record.name.as_str(),
            _ => origin(&domains, &record.name),
        };
        zones.entry((record.scope, origin)).or_default().push(record);
    }
    let mut files: Vec<ZoneFile> =
        zones.into_iter().map(|((scope, origin), records)| zone(deployment, scope, origin, &records, serial)).collect();
    if records.iter().any(|record| record.scope == Scope::PinPoint) {
        // Clients ask these first (L13:determine-dns-requirements): an answer would keep them in the tunnel.
        for domain in &deployment.sip_domains {
            for name in ["lyncdiscoverinternal", "_sipinternaltls._tcp", "_sipinternal._tcp", "sipinternal"] {
                files.push(empty_zone(deployment, &format!("{name}.{domain}"), serial));
            }
        }
    }
    files
}

/// A pin-point zone that says that a name has no answer.
pub fn empty_zone(deployment: &Deployment, name: &str, serial: u32) -> ZoneFile {
    zone(deployment, Scope::PinPoint, name, &[], serial)
}

/// The longest domain that `name` is in.
fn origin<'a>(domains: &[&'a str], name: &str) -> &'a str {
    let holds = |domain: &&&str| name == **domain || name.ends_with(&format!(".{domain}"));
    domains.iter().filter(holds).max_by_key(|domain| domain.len()).copied().unwrap_or(domains[0])
}

fn zone(deployment: &Deployment, scope: Scope, origin: &str, records: &[&Record], serial: u32) -> ZoneFile {
    let name_server = name_server(deployment.places.first(), scope);
    let mut text = String::new();
    // A String takes everything that is written to it.
    let _ = writeln!(
        text,
        "; {} zone; the name server's name and address are to be replaced by the true ones",
        word(scope)
    );
    let _ = writeln!(text, "$ORIGIN {origin}.\n$TTL 3600");
    // The owner of an address is a host, and a host's name has no underscore (RFC 952): such a zone is served from above.
    let host = origin.trim_start_matches(|letter| letter != '.').trim_start_matches('.');
    let host =
        if origin.starts_with('_') { host.trim_start_matches("_tcp.").trim_start_matches("_tls.") } else { origin };
    let _ = writeln!(text, "@ IN SOA ns1.{host}. hostmaster.{host}. ( {serial} 3600 900 1209600 300 )");
    let _ = writeln!(text, "@ IN NS ns1.{host}.");
    if host == origin {
        let _ = writeln!(text, "ns1 IN A {name_server}");
    }
    for record in records {
        let name = record.name.strip_suffix(origin).and_then(|name| name.strip_suffix('.')).unwrap_or("@");
        let _ = match &record.value {
            Value::A(address) => writeln!(text, "{name} IN A {address} ; {}", record.purpose),
            Value::Srv { port, target } => writeln!(text, "{name} IN SRV 0 0 {port} {target}. ; {}", record.purpose),
        };
    }
    let file = format!("{}-{origin}.zone", word(scope));
    ZoneFile { scope, origin: origin.to_owned(), file, text }
}

/// Where a name server may stand: the second address of the first site's network on that side.
fn name_server(place: Option<&Place>, scope: Scope) -> Ipv4Addr {
    let network = place.map(|place| if scope == Scope::External { place.public } else { place.network });
    network.and_then(|network| network.address(2)).unwrap_or(Ipv4Addr::LOCALHOST)
}

fn word(scope: Scope) -> &'static str {
    match scope {
        Scope::Internal => "internal",
        Scope::External => "external",
        Scope::PinPoint => "pinpoint",
    }
}
