//! Stateful proxying: from the door ([`admit`]) over targets ([`hops`]) and copies ([`forward`]) to answers
//! ([`responses`]) and the call record ([`record`]).

pub mod admit;
mod bridges;
pub mod bridging;
pub mod context;
mod federated;
pub mod forward;
mod generated;
pub mod hops;
mod ladder;
pub mod large;
mod passing;
pub mod record;
mod recorded;
pub mod responses;
pub mod serial;
mod targets;
mod unbridged;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use lyceum_sip::SecretKey;
use lyceum_sip::Transport;
use lyceum_sip::proxy::Branches;
use lyceum_sip::time::Time;
use lyceum_sip::token::RouteTokens;
use lyceum_sip::transaction::ServerId;

use lyceum_topology::UserId;

use crate::keys::Keys;
use crate::random::Random;
use context::{ContextId, Contexts};
use record::Active;

/// A name to be looked up (RFC 3263).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// Host name.
    pub host: String,
    /// Port, if the URI or route names one: then no SRV.
    pub port: Option<u16>,
    /// Transport, if one is given.
    pub transport: Option<Transport>,
    /// `sips:`: TLS only.
    pub secure: bool,
}

/// Addresses in the order to try, or the reason why there are none.
pub type Resolved = Result<Vec<Located>, String>;

/// One address to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// How.
    pub transport: Transport,
    /// Where.
    pub addr: SocketAddr,
    /// The name that a certificate must prove.
    pub name: Arc<str>,
}

/// A request that waits for a name.
pub(crate) struct WaitingName {
    pub(crate) context: ContextId,
    /// The port on which the topology says that the host also listens on TCP.
    pub(crate) stream_port: Option<u16>,
}

/// Lookups under way at once; more requests to names are refused with 503.
pub(crate) const LOOKUPS: usize = 4096;

/// Everything the proxy keeps.
pub struct Calls {
    pub(crate) tokens: RouteTokens,
    pub(crate) branches: Branches,
    pub(crate) contexts: Contexts,
    pub(crate) servers: HashMap<ServerId, ContextId>,
    pub(crate) active: HashMap<u64, Active>,
    pub(crate) per_user: HashMap<UserId, u32>,
    /// Answered calls of each user, begun or taken.
    pub(crate) talking: HashMap<UserId, u16>,
    pub(crate) lookups: HashMap<u64, WaitingName>,
    pub(crate) next_lookup: u64,
    pub(crate) next_record: u64,
    pub(crate) next_sweep: Time,
    pub(crate) large: large::Large,
    pub(crate) bridged: bridging::Bridged,
}

impl Calls {
    /// Nothing under way.
    pub fn new(keys: &Keys, random: &mut Random, worker: u8) -> Self {
        let unique = random.bytes16();
        let dialog = keys.dialog();
        let mut routing = [0; 16];
        routing.copy_from_slice(&dialog[..16]);
        Calls {
            tokens: RouteTokens::new(&SecretKey(dialog)),
            branches: Branches::new(unique, routing, worker),
            contexts: Contexts::default(),
            servers: HashMap::new(),
            active: HashMap::new(),
            per_user: HashMap::new(),
            talking: HashMap::new(),
            lookups: HashMap::new(),
            next_lookup: 1,
            next_record: 1,
            next_sweep: Time::default(),
            large: large::Large::default(),
            bridged: bridging::Bridged::default(),
        }
    }

    /// Calls that a user has begun and that are not over.
    pub fn of_user(&self, user: UserId) -> u32 {
        self.per_user.get(&user).copied().unwrap_or(0)
    }

    /// Calls in which a user talks.
    pub fn talking(&self, user: UserId) -> u16 {
        self.talking.get(&user).copied().unwrap_or(0)
    }

    /// A call of this user begins.
    pub(crate) fn user_call_begins(&mut self, user: UserId) {
        *self.per_user.entry(user).or_insert(0) += 1;
    }

    /// A call of this user is over.
    pub(crate) fn user_call_ends(&mut self, user: UserId) {
        if let Some(count) = self.per_user.get_mut(&user) {
            *count -= 1;
            if *count == 0 {
                self.per_user.remove(&user);
            }
        }
    }

    /// Requests being proxied.
    pub fn under_way(&self) -> usize {
        self.contexts.len()
    }

    /// Calls answered and not ended.
    pub fn in_progress(&self) -> usize {
        self.active.len()
    }
}
