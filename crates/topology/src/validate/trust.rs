//! Trusted hosts.

use super::{Findings, entry};
use crate::document::Document;
use crate::path::Path;
use crate::problem::Code;
use crate::trusted::TrustedBy;

/// The widest blocks that can be one organisation's own: 10.0.0.0/8 and an IPv6 /16.
const WIDEST: (u8, u8) = (8, 16);

pub(super) fn check(document: &Document, found: &mut Findings) {
    let list = Path::root().key("trusted_hosts");
    found.names(&list, "trusted host", document.trusted_hosts.iter().map(|host| host.name.as_str()));
    for (at, host) in document.trusted_hosts.iter().enumerate() {
        let path = entry(&list, at, &host.name).key("by");
        if let Some(other) = document.trusted_hosts[..at].iter().find(|other| other.by == host.by) {
            let what = format!("The trusted host {} is known by the same.", other.name);
            found.add(&path, Code::Duplicate, what, "Remove one of the two.");
        }
        match &host.by {
            TrustedBy::Mtls { name } if name.as_str().is_empty() => {
                let fix = "Give the DNS name in the host's certificate.";
                found.add(&path.key("mtls").key("name"), Code::BadFqdn, "There is no certificate name.", fix);
            }
            TrustedBy::Mtls { .. } => {}
            TrustedBy::Address { cidr, transports } => {
                let path = path.key("address");
                let widest = if cidr.address().is_ipv4() { WIDEST.0 } else { WIDEST.1 };
                if cidr.prefix() < widest {
                    let what = format!("{cidr} trusts a large part of the Internet.");
                    found.add(
                        &path.key("cidr"),
                        Code::TrustTooWide,
                        what,
                        format!("Give blocks of /{widest} or longer."),
                    );
                }
                if transports.is_empty() {
                    let fix = "List at least one of udp, tcp, tls.";
                    found.add(
                        &path.key("transports"),
                        Code::NoTransport,
                        "No transport is listed, so that nothing matches.",
                        fix,
                    );
                }
            }
        }
    }
}
