//! The Access Edge: SIP for users outside and for other organisations.
//!
//! It is an edge proxy (RFC 5626 §5) without state of calls: what comes from outside goes to the pool by the link, and
//! what the pool sends goes down the flow that our own keyed tokens name. It authenticates nobody, and tells the pool on
//! the link alone whom it heard and that they are outside. Of users it keeps nothing: a request is remembered until its
//! first answer and for [`FORGET_AFTER`] at most, so that the pool hears when a flow or a partner turns out dead.

mod engine;
pub mod enrol;
mod inside;
mod link;
mod marks;
mod outside;
mod partner;
mod rate;
mod refusal;
mod sent;
mod strip;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::Duration;

use lyceum_net::ListenerId;
use lyceum_sip::SecretKey;

pub use engine::Access;
pub use refusal::Refusal;
pub use sent::FORGET_AFTER;

/// Tells the pool who stands behind a request: `remote`, or `federated` with the domain proven. Only on the link does the
/// pool believe it.
pub const OUTSIDE_HEADER: &str = "Lyceum-Outside";
/// By this the pool has a client's connection closed.
pub(crate) const CLOSE_HEADER: &[u8] = b"Lyceum-Close";
/// Marks our own addresses in Path and Record-Route, so that nobody takes them for the pool's where both share a name.
pub const EDGE_PARAM: &str = "edge";
/// New requests a second from one address outside, and four times as many at once: an office behind one NAT.
pub const REQUESTS_PER_SECOND: u32 = 100;
/// Messages a second from one partner by agreement.
pub const PARTNER_MESSAGES_PER_SECOND: u32 = 2_000;
/// How often the pool is asked whether it is there, which also brings news of the topology.
pub const PING_EVERY: Duration = Duration::from_secs(4);

/// Which listener does what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// For users outside.
    pub remote: Option<ListenerId>,
    /// For other organisations.
    pub federation: Option<ListenerId>,
    /// For connections to the pool.
    pub link: ListenerId,
}

/// Where a domain's Access Edge is, in the order to try; or why nobody knows.
pub type Found = Result<Vec<SocketAddr>, String>;
/// Looks a domain's Access Edge up; the answer comes back as [`Post::Found`].
pub type FindFn = Box<dyn Fn(u64, &str) + Send>;

/// What other threads tell the engine.
#[derive(Debug)]
pub enum Post {
    /// A domain was looked up.
    Found {
        /// As given to [`FindFn`].
        query: u64,
        /// What was found.
        found: Found,
    },
}

/// What the engine is built from.
pub struct AccessOptions {
    /// The worker's number.
    pub worker: u8,
    /// Which listener does what.
    pub ports: Ports,
    /// `host:port` of the port for users outside, as they write it.
    pub remote: Box<str>,
    /// `host:port` of the port for other organisations.
    pub federation: Box<str>,
    /// The name the Edge was enrolled by.
    pub name: Box<str>,
    /// The pool's ports for links, in the order to try.
    pub pool: Vec<SocketAddr>,
    /// For flow tokens; the same after a restart, so that dialogs with partners go on.
    pub key: SecretKey,
    /// Looks partners up.
    pub find: FindFn,
}
