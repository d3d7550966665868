//! Host names that mean this server.

use lyceum_net::Listener;
use lyceum_sip::{Transport, Uri};
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

/// What this server answers to.
#[derive(Clone, Copy)]
pub(crate) struct Ourselves<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) listeners: &'a [Listener],
    pub(crate) names: &'a [Box<str>],
}

impl Ourselves<'_> {
    /// Does the host (and port) of this URI mean this server?
    pub(crate) fn is(&self, uri: &Uri<'_>) -> bool {
        if self.snapshot.is_our_domain(uri.host_text()) {
            return true;
        }
        match uri.host().ip() {
            Some(ip) => self.listeners.iter().any(|listener| {
                let port = uri.port().unwrap_or_else(|| uri.transport().unwrap_or(Transport::Udp).default_port());
                listener.addr.port() == port && (listener.addr.ip() == ip || listener.addr.ip().is_unspecified())
            }),
            None => self.is_name(uri.host_text()),
        }
    }

    /// Would a request to this URI come back to this server? More narrow than [`Ourselves::is`]: a listener at any address
    /// says nothing of the addresses of others, and a host may have phones beside us.
    pub(crate) fn is_reached_by(&self, uri: &Uri<'_>) -> bool {
        if self.snapshot.is_our_domain(uri.host_text()) {
            return true;
        }
        let port = uri.port().unwrap_or_else(|| uri.transport().unwrap_or(Transport::Udp).default_port());
        let ours = || self.listeners.iter().filter(|listener| listener.addr.port() == port);
        match uri.host().ip() {
            Some(ip) => ours().any(|listener| listener.addr.ip() == ip),
            None => ours().next().is_some() && self.is_name(uri.host_text()),
        }
    }

    /// Is this host name one of ours, besides the SIP domains?
    fn is_name(&self, host: &[u8]) -> bool {
        self.names.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(host))
            || self.listeners.iter().any(|listener| {
                let name = listener.advertised.rsplit_once(':').map_or(&*listener.advertised, |(name, _)| name);
                host.eq_ignore_ascii_case(name.as_bytes())
            })
    }
}

impl Core {
    /// What this server answers to.
    pub(crate) fn ourselves(&self) -> Ourselves<'_> {
        Ourselves { snapshot: &self.snapshot, listeners: &self.listeners, names: &self.own_names }
    }

    /// Names by which phones reach this server (certificates, `localhost`), so that a Route with one of them is ours.
    pub fn set_names(&mut self, names: Vec<Box<str>>) {
        self.own_names = own_names(&self.snapshot, &names);
        self.given_names = names;
    }
}
