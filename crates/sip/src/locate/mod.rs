//! Where a request for a URI goes: RFC 3263 §4 as a state machine that asks for DNS records
//! and is fed the answers. It resolves nothing itself, so it neither waits nor blocks.
//!
//! ```
//! use lyceum_sip::locate::*;
//! use lyceum_sip::{Transport, Uri};
//! # struct Fixed; impl rand_core::RngCore for Fixed {
//! #   fn next_u32(&mut self) -> u32 { 0 } fn next_u64(&mut self) -> u64 { 0 }
//! #   fn fill_bytes(&mut self, out: &mut [u8]) { out.fill(0) } }
//! # let mut rng = Fixed;
//! let options = Options::default();
//! let uri = Uri::parse(b"sip:bob@192.0.2.9:5070;transport=tcp").unwrap();
//! let mut search = Search::new(&uri, &options).unwrap();
//! let Step::Found(targets) = search.step(&mut rng) else { panic!("needs no DNS") };
//! assert_eq!(targets[0].transport, Transport::Tcp);
//! assert_eq!(targets[0].address, "192.0.2.9:5070".parse().unwrap());
//! ```

mod order;
mod search;

#[cfg(test)]
mod tests;

pub use order::{NaptrRecord, SrvRecord};
pub use search::Search;

use crate::transport::Transport;
use std::net::{IpAddr, SocketAddr};

/// Targets one search may give; what exceeds them is left out.
pub const MAX_TARGETS: usize = 32;

/// Names one search may ask addresses for.
pub const MAX_HOSTS: usize = 16;

/// What this server can do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Transports it can send by, the most wanted first; asked for in this order where DNS
    /// leaves the choice.
    pub transports: Vec<Transport>,
    /// Which addresses come first where a name has both (RFC 7984 leaves it to RFC 6724).
    pub ipv6_first: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { transports: vec![Transport::Tls, Transport::Tcp, Transport::Udp], ipv6_first: false }
    }
}

/// A question to DNS. Names come as in the URI, lower case, without a dot at the end.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Query {
    /// NAPTR of a domain.
    Naptr(String),
    /// SRV of `_service._proto.domain`.
    Srv(String),
    /// A and AAAA of a host.
    Addresses(String),
}

/// An answer from DNS. No such name and no such records are an empty list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Records {
    /// To [`Query::Naptr`].
    Naptr(Vec<NaptrRecord>),
    /// To [`Query::Srv`].
    Srv(Vec<SrvRecord>),
    /// To [`Query::Addresses`].
    Addresses(Vec<IpAddr>),
}

/// One place to send to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Target {
    /// How.
    pub transport: Transport,
    /// Where.
    pub address: SocketAddr,
}

/// What to do next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Ask DNS, then [`Search::answer`].
    Ask(Query),
    /// All targets, to be tried in this order: the next one when one cannot be reached or
    /// answers 503 (RFC 3263 §4.3), with a new branch. Never empty.
    Found(Vec<Target>),
    /// Nothing to send to.
    Nowhere,
}

/// Why a URI cannot be located at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unlocatable {
    /// Not `sip:` or `sips:`: a `tel:` or `urn:` must be translated first.
    Scheme,
    /// A transport we cannot use, or none that is as secure as `sips:` wants.
    Transport,
}
