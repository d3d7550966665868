//! What is kept of one request that is being proxied.

use std::net::{IpAddr, SocketAddr};

use lyceum_monitoring::{BranchRecord, CallRecord};
use lyceum_net::{Destination, Flow, ListenerId};
use lyceum_sip::Transport;
use lyceum_sip::proxy::ResponseContext;
use lyceum_sip::session_timer::Remembered;
use lyceum_sip::transaction::{ClientId, ServerId};

use crate::messages::Kept;

use super::bridging::{BranchBridge, Unbridged};
use super::serial::Step;

/// Where a branch goes and how it leaves.
#[derive(Clone, Debug)]
pub struct Hop {
    /// Where to.
    pub to: Destination,
    /// By which listener's address the next hop answers.
    pub listener: ListenerId,
    /// What carries it.
    pub transport: Transport,
    /// The new Request-URI; `None` keeps the one received.
    pub uri: Option<Vec<u8>>,
    /// Route values to put in front (Path of the binding).
    pub routes: Vec<u8>,
    /// The flow to the endpoint, for in-dialog requests; empty for hops without one.
    pub flow: Vec<u8>,
    /// What the call record says of it.
    pub record: Option<Box<BranchRecord>>,
    /// Max-Breadth of the copy, when it must be written (RFC 5393).
    pub breadth: Option<u32>,
    /// Where topology or DNS say that the same host listens on TCP, for what does not fit a datagram.
    pub stream: Option<SocketAddr>,
    /// Further flows of the same endpoint.
    pub spare: Vec<Hop>,
    /// The device refused the first way in which its media was offered.
    pub refused_media: bool,
    /// How long it may ring; `None` leaves timer C as it is.
    pub ring: Option<std::time::Duration>,
}

/// One branch of a forked request.
#[derive(Debug)]
pub struct Branch {
    /// Its client transaction; `None` once it has ended.
    pub client: Option<ClientId>,
    /// The token in our Record-Route of this branch; empty when there is none.
    pub token: Box<[u8]>,
    /// A stream to a registered endpoint: its loss counts as 430, not as 503.
    pub to_endpoint: bool,
    /// A ring time to be set at the first sign of life.
    pub ring: Option<std::time::Duration>,
    /// Its part of the call record is the one with this number.
    pub record: usize,
    /// It took TCP for its size alone, with this address; where that is refused UDP comes next.
    pub for_size: Option<SocketAddr>,
    /// The bridge that its descriptions go through.
    pub bridge: Option<BranchBridge>,
    /// Where to go again with another offer, when the first is refused.
    pub again: Option<Box<Hop>>,
    /// The final status it ended with; 0 while it has none.
    pub status: u16,
}

impl Branch {
    /// A branch that could not be begun, and why in a status.
    #[must_use]
    pub fn unsent(status: u16) -> Self {
        Self {
            client: None,
            token: Box::default(),
            to_endpoint: false,
            ring: None,
            record: usize::MAX,
            bridge: None,
            again: None,
            for_size: None,
            status,
        }
    }
}

/// One proxied request: RFC 3261 §16.7 response context and what belongs to it.
pub struct Context {
    /// Tells apart the contexts that had this place one after another.
    pub generation: u16,
    /// The server transaction; `None` once it has ended.
    pub server: Option<ServerId>,
    /// It is an INVITE.
    pub invite: bool,
    /// A final answer has gone out.
    pub answered: bool,
    /// The caller cancelled it.
    pub cancelled: bool,
    /// Which answer is best.
    pub responses: ResponseContext,
    /// The branches begun.
    pub branches: Vec<Branch>,
    /// Hops to try when those under way have failed.
    pub later: Vec<Step>,
    /// The request, kept while further branches may be begun or our own answer must be built.
    pub request: Box<[u8]>,
    /// Where the request came from.
    pub remote: SocketAddr,
    /// Who is counted for it: behind an Edge the client's own address.
    pub source: IpAddr,
    /// The sender is trusted: its identity headers are kept.
    pub keep_identity: bool,
    /// Where its answers go.
    pub reply_to: Destination,
    /// The flow to its sender, with its transport, for in-dialog requests back.
    pub flow: Vec<u8>,
    /// The listener it came to and its transport: our side towards the sender.
    pub listener: ListenerId,
    /// What carried it.
    pub transport: Transport,
    /// The call record, for an INVITE that begins a call.
    pub record: Option<Box<CallRecord>>,
    /// Key of its ladder; 0 when none is kept.
    pub ladder: u64,
    /// Key in the table of calls in progress.
    pub call_key: u64,
    /// What the answer's session timer is held against (RFC 4028 §8.2).
    pub timer: Option<Remembered>,
    /// Further flows of the same endpoint, by branch: tried when the branch's own flow turns out dead (RFC 5626 §7).
    pub spare: Vec<(usize, Vec<Hop>)>,
    /// A message that is kept if its device does not take it.
    pub(crate) kept: Option<Box<Kept>>,
    /// Why a branch of it could not be bridged.
    pub(crate) unbridged: Option<Box<Unbridged>>,
    /// What to say when a name is still being looked up.
    pub waiting_for_name: bool,
}

impl Hop {
    /// A hop and nothing more: the Request-URI as received, no Path, no flow, no record.
    #[must_use]
    pub fn new(to: Destination, listener: ListenerId, transport: Transport) -> Self {
        Self {
            to,
            listener,
            transport,
            uri: None,
            routes: Vec::new(),
            flow: Vec::new(),
            record: None,
            breadth: None,
            stream: None,
            spare: Vec::new(),
            refused_media: false,
            ring: None,
        }
    }

    /// The address, where one is known.
    pub fn remote(&self) -> Option<SocketAddr> {
        match &self.to {
            Destination::Flow(Flow::Datagram { remote, .. }) => Some(*remote),
            Destination::Flow(Flow::Stream { .. }) => None,
            Destination::Address { addr, .. } => Some(*addr),
        }
    }
}

impl Context {
    /// What is tried before all else when this branch cannot be delivered.
    pub fn spare_first(&mut self, branch: usize, hop: Hop) {
        match self.spare.iter_mut().find(|(of, _)| *of == branch) {
            Some((_, hops)) => hops.insert(0, hop),
            None => self.spare.push((branch, vec![hop])),
        }
    }

    /// RFC 3263 §4.3: the next hop is tried when the last one could not be reached, timed out or answered 503 (and its
    /// kin); an answer that means the call itself is not asked for twice.
    pub fn may_fail_over(&self) -> bool {
        self.branches.last().is_none_or(|branch| matches!(branch.status, 0 | 408 | 430 | 500 | 502..=504))
    }

    /// True when nothing is under way and nothing waits.
    pub fn is_over(&self) -> bool {
        self.server.is_none() && !self.waiting_for_name && self.branches.iter().all(|branch| branch.client.is_none())
    }
}

/// The contexts of one worker by number.
#[derive(Default)]
pub struct Contexts {
    slots: Vec<Option<Box<Context>>>,
    generations: Vec<u16>,
    free: Vec<u32>,
    live: usize,
}

/// Names a context: slot and generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContextId {
    slot: u32,
    generation: u16,
}

impl ContextId {
    /// With a branch number, as the transaction table carries it.
    pub fn with_branch(self, branch: u16) -> u64 {
        u64::from(self.slot) | u64::from(self.generation) << 32 | u64::from(branch) << 48
    }

    /// Takes apart what [`ContextId::with_branch`] joined.
    pub fn split(user: u64) -> (ContextId, u16) {
        (ContextId { slot: user as u32, generation: (user >> 32) as u16 }, (user >> 48) as u16)
    }
}

impl Contexts {
    /// Adds a context.
    pub fn insert(&mut self, mut context: Box<Context>) -> ContextId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.generations.push(0);
            (self.slots.len() - 1) as u32
        });
        let at = slot as usize;
        self.generations[at] = self.generations[at].wrapping_add(1);
        context.generation = self.generations[at];
        let id = ContextId { slot, generation: context.generation };
        self.slots[at] = Some(context);
        self.live += 1;
        id
    }

    /// The context, if it still lives.
    pub fn get(&mut self, id: ContextId) -> Option<&mut Context> {
        self.slots.get_mut(id.slot as usize)?.as_deref_mut().filter(|context| context.generation == id.generation)
    }

    /// Takes the context out for a while; [`Contexts::put_back`] returns it.
    pub fn take(&mut self, id: ContextId) -> Option<Box<Context>> {
        let slot = self.slots.get_mut(id.slot as usize)?;
        if slot.as_ref().is_some_and(|context| context.generation == id.generation) { slot.take() } else { None }
    }

    /// Returns what [`Contexts::take`] took, or ends it when it is over.
    pub fn put_back(&mut self, id: ContextId, context: Box<Context>) {
        if context.is_over() {
            self.free.push(id.slot);
            self.live -= 1;
        } else {
            self.slots[id.slot as usize] = Some(context);
        }
    }

    /// How many live.
    pub fn len(&self) -> usize {
        self.live
    }

    /// True when none lives.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }
}
