//! The A/V Edge: one thread that drives a [`lyceum_turn::Server`].
//!
//! ```
//! use lyceum_edge::av::{Carrier, Listener, Options, RelayAddress};
//! use lyceum_turn::{Authority, Secret};
//!
//! let loopback = "127.0.0.1".parse()?;
//! let mut options = Options::new("lyceum.test", Authority::new(Secret::new(b"north")));
//! options.listeners.push(Listener { carrier: Carrier::Udp, addr: "127.0.0.1:0".parse()?, port_of: None });
//! options.relays.push(RelayAddress { bind: loopback, advertised: loopback });
//! let running = options.build()?.start()?;
//! assert_ne!(running.handle().listeners()[0].addr.port(), 0);
//! running.stop();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bind;
mod bridge;
mod conn;
mod datagrams;
mod handle;
mod peers;
mod ports;
mod streams;
mod worker;

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use lyceum_net::Tls;
use lyceum_turn::{Authority, Network, PeerRange, PeerRules, Quotas};

pub use handle::{Edge, Handle, Running, Stats};

/// Ports of relays, as Lync's.
pub const RELAY_PORTS: RangeInclusive<u16> = 50_000..=59_999;
/// Connections of everybody at a time; further ones are refused.
pub const CONNECTIONS_MAX: usize = 10_000;
/// Connections from one address at a time: a large office behind one NAT.
pub const CONNECTIONS_PER_SOURCE: usize = 512;

/// What clients come over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carrier {
    /// Datagrams.
    Udp,
    /// Connections.
    Tcp,
    /// Connections under TLS.
    Tls,
}

/// A port for clients.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listener {
    /// What it takes.
    pub carrier: Carrier,
    /// Where.
    pub addr: SocketAddr,
    /// With port 0: the listener before this one whose port it shares.
    pub port_of: Option<usize>,
}

/// Where relay ports are opened; one for each address family that is served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RelayAddress {
    /// The address of this host.
    pub bind: IpAddr,
    /// What peers see, behind a NAT that maps ports one to one.
    pub advertised: IpAddr,
}

/// How packets to peers at these ports are marked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PortClass {
    /// The peer's ports.
    pub ports: RangeInclusive<u16>,
    /// The traffic class: a DSCP above two bits of ECN (RFC 2474).
    pub class: u8,
}

/// What the A/V Edge is built from.
#[derive(Clone, Debug)]
pub struct Options {
    /// Ports for clients.
    pub listeners: Vec<Listener>,
    /// Where relay ports are opened.
    pub relays: Vec<RelayAddress>,
    /// Their range.
    pub ports: RangeInclusive<u16>,
    /// Realm of the challenge.
    pub realm: String,
    /// Whose credentials count.
    pub authority: Authority,
    /// How much relays carry.
    pub quotas: Quotas,
    /// Whether clients may ask for TCP relay ports (RFC 6062).
    pub tcp_relays: bool,
    /// Media ranges of this deployment: whom relays may talk to besides each other.
    pub peers: Vec<PeerRange>,
    /// What of the traffic class goes with the ports of peers inside: media of one kind has ports of its own there. A relay
    /// of ours is no such peer, and what clients get is not marked: they are outside.
    pub classes: Vec<PortClass>,
    /// Certificates; needed for TLS.
    pub tls: Option<Tls>,
}

impl Options {
    /// Lync's bounds, no ports yet.
    pub fn new(realm: &str, authority: Authority) -> Options {
        Options {
            listeners: Vec::new(),
            relays: Vec::new(),
            ports: RELAY_PORTS,
            realm: realm.to_owned(),
            authority,
            quotas: Quotas::default(),
            tcp_relays: false,
            peers: Vec::new(),
            classes: Vec::new(),
            tls: None,
        }
    }

    fn rules(&self, listening: &[Listener]) -> PeerRules {
        let ours = |address: IpAddr| PeerRange { network: Network::host(address), ports: self.ports.clone() };
        let both = || self.relays.iter().flat_map(|relay| [relay.bind, relay.advertised]);
        let own = both().chain(listening.iter().map(|listener| listener.addr.ip()));
        PeerRules { open: self.peers.clone(), relays: both().map(ours).collect(), own: own.collect() }
    }
}

/// Why the A/V Edge could not start.
#[derive(Debug)]
pub enum EdgeError {
    /// The options make no sense.
    Options(String),
    /// A port could not be opened, or the system refused something else.
    System {
        /// What was tried.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
}

impl fmt::Display for EdgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EdgeError::Options(what) => f.write_str(what),
            EdgeError::System { what, source } => write!(f, "{what} failed: {source}"),
        }
    }
}

impl std::error::Error for EdgeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            EdgeError::System { source, .. } => Some(source),
            EdgeError::Options(_) => None,
        }
    }
}

fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> EdgeError {
    let what = what.into();
    move |source| EdgeError::System { what, source }
}
