//! Partners: named once, not ourselves, and not allowed and blocked at once.

use super::{Findings, entry};
use crate::document::Document;
use crate::path::Path;
use crate::problem::Code;

pub(super) fn check(document: &Document, found: &mut Findings) {
    let federation = &document.federation;
    let path = Path::root().key("federation");
    let (allowed, blocked) = (path.key("allowed"), path.key("blocked"));
    found.names(&allowed, "allowed domain", federation.allowed.iter().map(|one| one.name.as_str()));
    found.names(&blocked, "blocked domain", federation.blocked.iter().map(|one| one.name.as_str()));
    let lists = [(&allowed, &federation.allowed), (&blocked, &federation.blocked)];
    for (list, domains) in lists {
        for (at, one) in domains.iter().enumerate() {
            if document.domains.iter().any(|ours| ours.name == one.name) {
                let what = format!("{} is one of our own domains.", one.name);
                found.add(&entry(list, at, one.name.as_str()), Code::OwnDomainFederated, what, "Remove it here.");
            }
        }
    }
    for (at, one) in federation.allowed.iter().enumerate() {
        if let Some(block) = federation.block_of(one.name.as_str()) {
            let what = format!("{} is allowed here and blocked as {block}.", one.name);
            let fix = "Remove one of the two; what is blocked stays blocked.";
            found.add(&entry(&allowed, at, one.name.as_str()), Code::AllowedAndBlocked, what, fix);
        }
    }
    if federation.discovery && !federation.enabled {
        let what = "Partners are to be discovered, but federation is off.";
        found.add(&path.key("discovery"), Code::FederationOff, what, "Turn on federation.enabled, or this off.");
    }
}
