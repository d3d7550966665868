//! The transactions of one worker.

mod client;
mod clock;
mod server;

use super::key::Keys;
use super::lookup::Lookup;
use super::machine::Timers;
use super::output::{Output, Outputs};
use super::slab::Slab;
use super::wheel::Wheel;
use crate::message::Index;
use crate::time::Time;
use client::Client;
use server::Server;

/// A server transaction: a slot and its generation, so that a stale id finds nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct ServerId {
    index: u32,
    generation: u32,
}

/// A client transaction: a slot and its generation, so that a stale id finds nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct ClientId {
    index: u32,
    generation: u32,
}

macro_rules! id {
    ($name:ident) => {
        impl $name {
            /// The slot: small, dense, used again; an index for the user's own table.
            #[must_use]
            pub fn index(self) -> usize {
                self.index as usize
            }

            /// Both numbers in one, for a ticket.
            #[must_use]
            pub fn to_bits(self) -> u64 {
                u64::from(self.generation) << 32 | u64::from(self.index)
            }

            /// From [`Self::to_bits`].
            #[must_use]
            pub fn from_bits(bits: u64) -> $name {
                $name { index: bits as u32, generation: (bits >> 32) as u32 }
            }
        }
    };
}
id!(ServerId);
id!(ClientId);

/// What a request that arrived is to the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Incoming {
    /// Unknown: answer it, or [`Table::accept`] it first.
    New,
    /// Seen before; the answer kept, if there is one, was queued again.
    Retransmission,
    /// The ACK of a non-2xx answer, taken.
    AckAbsorbed(ServerId),
    /// An ACK for a 2xx (or for nothing): route it like any in-dialog request.
    AckForSuccess,
    /// A new CANCEL, and the INVITE transaction it means: answer it 200 or 481.
    Cancel(Option<ServerId>),
    /// The same request by another path while the first copy is unanswered: 482
    /// (RFC 3261 §8.2.2.2).
    Merged,
}

/// What a response that arrived is to the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Response {
    /// For the transaction user.
    Pass {
        /// Its transaction.
        id: ClientId,
        /// Given to [`Table::send`].
        user: u64,
    },
    /// A repetition, or the answer to a CANCEL of the table's.
    Absorbed,
    /// No transaction: drop it (RFC 6026 §7.3).
    Stray,
}

/// What [`Table::cancel`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cancelling {
    /// The CANCEL is queued; a final answer or a timeout follows.
    Sent,
    /// Nothing was heard of the INVITE yet; the CANCEL follows the first provisional answer.
    Waiting,
    /// The transaction is not an INVITE, or has its final answer, or is unknown.
    TooLate,
}

/// The table is full: answer 503 without a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

/// A request to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a, P> {
    /// The method's token, as in CSeq.
    pub method: &'a [u8],
    /// The branch of the top Via.
    pub branch: &'a [u8],
    /// The whole message.
    pub bytes: &'a [u8],
    /// True when the transport retransmits by itself.
    pub reliable: bool,
    /// Where it goes.
    pub peer: P,
    /// Given back with everything that happens to it.
    pub user: u64,
}

/// The named bounds of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableLimits {
    /// Server transactions, lingering ones too; when full, [`Full`].
    pub servers: usize,
    /// Client transactions; when full, [`Full`].
    pub clients: usize,
    /// Bytes kept for retransmission; when spent, messages are sent but not kept, and a
    /// repetition is absorbed without an answer.
    pub kept_bytes: usize,
}

impl Default for TableLimits {
    fn default() -> TableLimits {
        TableLimits { servers: 1 << 19, clients: 1 << 19, kept_bytes: 1 << 28 }
    }
}

/// How much is there, for metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Server transactions.
    pub servers: usize,
    /// Client transactions.
    pub clients: usize,
    /// Bytes kept for retransmission.
    pub kept_bytes: usize,
}

/// All transactions of one worker. `P` says where a message goes; the table only clones it.
pub struct Table<P> {
    timers: Timers,
    limits: TableLimits,
    keys: Keys,
    servers: Side<Server<P>>,
    clients: Side<Client<P>>,
    /// Unanswered requests by what merged copies share.
    merges: Lookup,
    kept_bytes: usize,
    outputs: Outputs<P>,
    /// For reading a request of ours again when its ACK or CANCEL is made.
    index: Index,
    scratch: Vec<u8>,
}

/// Storage, matching and deadlines of one kind of transaction.
struct Side<T> {
    slab: Slab<T>,
    lookup: Lookup,
    wheel: Wheel,
}

impl<T> Side<T> {
    fn new() -> Side<T> {
        Side { slab: Slab::new(), lookup: Lookup::default(), wheel: Wheel::new() }
    }
}

impl<P: Clone> Table<P> {
    /// An empty table. `key` is random, so that no stranger can choose what collides in it.
    #[must_use]
    pub fn new(timers: Timers, limits: TableLimits, key: [u8; 16]) -> Table<P> {
        Table {
            timers,
            limits,
            keys: Keys::new(key),
            servers: Side::new(),
            clients: Side::new(),
            merges: Lookup::default(),
            kept_bytes: 0,
            outputs: Outputs::new(),
            index: Index::default(),
            scratch: Vec::new(),
        }
    }

    /// The next thing to do, in order; `None` when all is done. Drain it after every call
    /// that changes the table.
    pub fn poll_output(&mut self) -> Option<Output<'_, P>> {
        self.outputs.poll()
    }

    /// When to call [`Table::timeout`] at the latest.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Time> {
        match (self.servers.wheel.next(), self.clients.wheel.next()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Fires what is due.
    pub fn timeout(&mut self, now: Time) {
        while let Some(index) = self.servers.wheel.pop(now) {
            self.server_due(now, index);
        }
        while let Some(index) = self.clients.wheel.pop(now) {
            self.client_due(now, index);
        }
    }

    /// How much is there.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts { servers: self.servers.slab.len(), clients: self.clients.slab.len(), kept_bytes: self.kept_bytes }
    }

    /// A copy for retransmission, within the budget.
    fn keep(&mut self, bytes: &[u8]) -> Option<Box<[u8]>> {
        if self.kept_bytes + bytes.len() > self.limits.kept_bytes {
            return None;
        }
        self.kept_bytes += bytes.len();
        Some(bytes.into())
    }

    fn release(&mut self, kept: Option<Box<[u8]>>) {
        self.kept_bytes -= kept.map_or(0, |bytes| bytes.len());
    }
}
