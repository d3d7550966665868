//! The search for one URI.

use super::order::{name, naptr, srv, srv_name};
use super::{MAX_HOSTS, MAX_TARGETS, Options, Query, Records, Step, Target, Unlocatable};
use crate::transport::Transport;
use crate::uri::{Host, Scheme, Uri};
use rand_core::RngCore;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

/// | state | answer | next |
/// |---|---|---|
/// | Naptr | usable records | Srv for each, in their order |
/// | Naptr | none | Srv for each usable transport, in our order |
/// | Srv | records | collects hosts; then the next Srv |
/// | Srv, the last | some hosts in all | Addresses of each |
/// | Srv, the last | no hosts in all | Addresses of the domain itself, default transport and port |
/// | Addresses | any | collects targets; then the next host |
#[derive(Clone, Debug)]
pub struct Search {
    domain: String,
    /// What may be used for this URI, most wanted first.
    usable: Vec<Transport>,
    /// What to use where DNS says nothing.
    fallback: Transport,
    ipv6_first: bool,
    state: State,
    services: VecDeque<(Transport, String)>,
    hosts: VecDeque<HostPort>,
    targets: Vec<Target>,
}

#[derive(Clone, Debug)]
struct HostPort {
    transport: Transport,
    host: String,
    port: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Naptr,
    Srv,
    Addresses,
}

impl Search {
    /// Begins the search for a Request-URI or a Route value.
    ///
    /// # Errors
    /// When the URI names nothing that DNS knows, or asks for a transport we lack.
    pub fn new(uri: &Uri<'_>, options: &Options) -> Result<Search, Unlocatable> {
        if !matches!(uri.scheme(), Scheme::Sip | Scheme::Sips) {
            return Err(Unlocatable::Scheme);
        }
        let usable = usable(uri, options)?;
        // §4: maddr takes the host's place.
        let maddr = uri.param("maddr").and_then(|m| Host::parse(m).ok());
        let host = maddr.unwrap_or_else(|| uri.host());
        let fallback = fallback(uri, &usable);
        let mut search = Search {
            domain: String::new(),
            usable,
            fallback,
            ipv6_first: options.ipv6_first,
            state: State::Addresses,
            services: VecDeque::new(),
            hosts: VecDeque::new(),
            targets: Vec::new(),
        };
        match host {
            Host::V4(ip) => search.numeric(IpAddr::V4(ip), uri.port()),
            Host::V6(ip) => search.numeric(IpAddr::V6(ip), uri.port()),
            Host::Name(text) => search.named(&String::from_utf8_lossy(text), uri),
        }
        Ok(search)
    }

    /// Numeric hosts need no DNS.
    fn numeric(&mut self, ip: IpAddr, port: Option<u16>) {
        let port = port.unwrap_or_else(|| self.fallback.default_port());
        self.targets.push(Target { transport: self.fallback, address: SocketAddr::new(ip, port) });
    }

    fn named(&mut self, host: &str, uri: &Uri<'_>) {
        self.domain = name(host);
        if let Some(port) = uri.port() {
            // §4.2: with a port, addresses only.
            self.push_host(self.fallback, self.domain.clone(), port);
        } else if uri.transport_param().is_some() {
            self.state = State::Srv;
            self.services.push_back((self.fallback, srv_name(self.fallback, &self.domain)));
        } else {
            self.state = State::Naptr;
        }
    }

    fn push_host(&mut self, transport: Transport, host: String, port: u16) {
        if self.hosts.len() < MAX_HOSTS {
            self.hosts.push_back(HostPort { transport, host, port });
        }
    }

    /// What to do now.
    pub fn step(&mut self, _rng: &mut impl RngCore) -> Step {
        match self.state {
            State::Naptr => Step::Ask(Query::Naptr(self.domain.clone())),
            State::Srv => match self.services.front() {
                Some((_, name)) => Step::Ask(Query::Srv(name.clone())),
                None => self.addresses(),
            },
            State::Addresses => self.addresses(),
        }
    }

    fn addresses(&mut self) -> Step {
        match self.hosts.front() {
            Some(next) => Step::Ask(Query::Addresses(next.host.clone())),
            None if self.targets.is_empty() => Step::Nowhere,
            None => Step::Found(std::mem::take(&mut self.targets)),
        }
    }

    /// Takes the answer to the question last asked. One of another kind counts as empty.
    pub fn answer(&mut self, records: Records, rng: &mut impl RngCore) {
        match self.state {
            State::Naptr => self.take_naptr(records),
            State::Srv => self.take_srv(records, rng),
            State::Addresses => self.take_addresses(records),
        }
    }

    fn take_naptr(&mut self, records: Records) {
        let Records::Naptr(records) = records else { return self.guess_services() };
        self.services = naptr(records, &self.usable).into();
        if self.services.is_empty() {
            return self.guess_services();
        }
        self.state = State::Srv;
    }

    /// §4.1: no NAPTR, so SRV of every transport.
    fn guess_services(&mut self) {
        self.services = self.usable.iter().map(|&t| (t, srv_name(t, &self.domain))).collect();
        self.state = State::Srv;
    }

    fn take_srv(&mut self, records: Records, rng: &mut impl RngCore) {
        let Some((transport, _)) = self.services.pop_front() else { return };
        if let Records::Srv(records) = records {
            for record in srv(records, rng) {
                self.push_host(transport, name(&record.target), record.port);
            }
        }
        if self.services.is_empty() {
            self.state = State::Addresses;
            if self.hosts.is_empty() {
                // §4.2: no SRV at all, so the domain itself.
                self.push_host(self.fallback, self.domain.clone(), self.fallback.default_port());
            }
        }
    }

    fn take_addresses(&mut self, records: Records) {
        let Some(HostPort { transport, port, .. }) = self.hosts.pop_front() else { return };
        let Records::Addresses(mut addresses) = records else { return };
        addresses.sort_by_key(|ip| ip.is_ipv6() != self.ipv6_first);
        for ip in addresses {
            let target = Target { transport, address: SocketAddr::new(ip, port) };
            if self.targets.len() < MAX_TARGETS && !self.targets.contains(&target) {
                self.targets.push(target);
            }
        }
    }

    /// The name that a TLS certificate must hold: the domain of the URI, not the host that
    /// DNS led to (RFC 5922 §4). Empty for a numeric host.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }
}

/// The transports that the URI allows and we have, most wanted first.
fn usable(uri: &Uri<'_>, options: &Options) -> Result<Vec<Transport>, Unlocatable> {
    let asked = match uri.transport_param() {
        Some(Err(_)) => return Err(Unlocatable::Transport),
        Some(Ok(_)) => uri.transport(),
        None => None,
    };
    let fits = |t: &Transport| match asked {
        Some(asked) => *t == asked,
        None if uri.is_secure() => t.is_secure(),
        // A server does not dial into browsers.
        None => !matches!(t, Transport::Ws | Transport::Wss),
    };
    let usable: Vec<Transport> = options.transports.iter().copied().filter(fits).collect();
    if usable.is_empty() { Err(Unlocatable::Transport) } else { Ok(usable) }
}

/// §4.1: UDP for `sip:`, TLS for `sips:`, where nothing else is said; what we lack gives way
/// to what we want most.
fn fallback(uri: &Uri<'_>, usable: &[Transport]) -> Transport {
    let wanted = if uri.is_secure() { Transport::Tls } else { Transport::Udp };
    if usable.contains(&wanted) { wanted } else { usable[0] }
}
