//! Host names that mean this server.

use lyceum_topology::Snapshot;

use super::Core;

/// The names given, and those of pools and nodes in the topology; `sip.` before a domain is where phones look (RFC 3263
/// has SRV, Lync's clients this name).
pub(super) fn own_names(snapshot: &Snapshot, given: &[Box<str>]) -> Vec<Box<str>> {
    let document = snapshot.document();
    let mut names: Vec<Box<str>> = given.to_vec();
    for (_, pool) in document.pools() {
        names.push(pool.fqdn.as_str().into());
        names.extend(pool.nodes.iter().map(|node| Box::from(node.fqdn.as_str())));
    }
    names.extend(document.domains.iter().map(|domain| format!("sip.{}", domain.name).into_boxed_str()));
    names.sort_unstable();
    names.dedup();
    names
}

impl Core {
    /// Names by which phones reach this server (certificates, `localhost`), so that a Route with one of them is ours.
    pub fn set_names(&mut self, names: Vec<Box<str>>) {
        self.own_names = own_names(&self.snapshot, &names);
        self.given_names = names;
    }
}
