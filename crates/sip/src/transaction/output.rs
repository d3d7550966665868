//! What leaves a table: messages to transmit and news for the transaction user.

use super::table::{ClientId, ServerId};
use std::collections::VecDeque;
use std::ops::Range;

/// Whose message a transmission is: name it when the transport reports a failure.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Source {
    /// An answer: see [`super::Table::server_transport_error`].
    Server(ServerId),
    /// A request or its ACK: see [`super::Table::transport_error`].
    Client(ClientId),
}

/// One output, to be dealt with before the table is touched again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output<'a, P> {
    /// Send these bytes.
    Transmit {
        /// Where to.
        peer: P,
        /// A whole message.
        bytes: &'a [u8],
        /// Whose it is.
        source: Source,
    },
    /// Timer B or F, or no final answer to a CANCEL: the branch counts as a 408.
    ClientTimeout {
        /// Given to [`super::Table::send`].
        user: u64,
        /// The transaction, which is over.
        id: ClientId,
    },
    /// Timer C: cancel the branch ([`super::Table::cancel`]); it ends in 64·T1 in any case.
    TimerC {
        /// Given to [`super::Table::send`].
        user: u64,
        /// The transaction.
        id: ClientId,
    },
    /// A client transaction is over: nothing more comes under this id.
    ClientEnded {
        /// Given to [`super::Table::send`].
        user: u64,
        /// The transaction.
        id: ClientId,
    },
    /// A non-INVITE request is still unanswered when the client begins to repeat it slowly:
    /// answer 100 now (RFC 4320 §4.1).
    TryingDue {
        /// The transaction.
        id: ServerId,
    },
    /// Timer H: no ACK came for a non-2xx answer; the transaction is over.
    ServerTimeout {
        /// The transaction.
        id: ServerId,
    },
    /// A server transaction is over.
    ServerEnded {
        /// The transaction.
        id: ServerId,
    },
}

pub(super) enum Event<P> {
    Transmit { peer: P, bytes: Range<usize>, source: Source },
    ClientTimeout { user: u64, id: ClientId },
    TimerC { user: u64, id: ClientId },
    ClientEnded { user: u64, id: ClientId },
    TryingDue { id: ServerId },
    ServerTimeout { id: ServerId },
    ServerEnded { id: ServerId },
}

/// Outputs in order, their bytes in one arena that is emptied when the last was taken.
pub(super) struct Outputs<P> {
    events: VecDeque<Event<P>>,
    arena: Vec<u8>,
}

/// What the arena keeps between two drains.
const ARENA_KEPT: usize = 1 << 18;

impl<P> Outputs<P> {
    pub(super) fn new() -> Outputs<P> {
        Outputs { events: VecDeque::new(), arena: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    pub(super) fn push(&mut self, event: Event<P>) {
        self.events.push_back(event);
    }

    pub(super) fn transmit(&mut self, peer: P, bytes: &[u8], source: Source) {
        let start = self.arena.len();
        self.arena.extend_from_slice(bytes);
        let bytes = start..self.arena.len();
        self.events.push_back(Event::Transmit { peer, bytes, source });
    }

    pub(super) fn poll(&mut self) -> Option<Output<'_, P>> {
        let Some(event) = self.events.pop_front() else {
            self.arena.clear();
            self.arena.shrink_to(ARENA_KEPT);
            return None;
        };
        Some(match event {
            Event::Transmit { peer, bytes, source } => Output::Transmit { peer, bytes: &self.arena[bytes], source },
            Event::ClientTimeout { user, id } => Output::ClientTimeout { user, id },
            Event::TimerC { user, id } => Output::TimerC { user, id },
            Event::ClientEnded { user, id } => Output::ClientEnded { user, id },
            Event::TryingDue { id } => Output::TryingDue { id },
            Event::ServerTimeout { id } => Output::ServerTimeout { id },
            Event::ServerEnded { id } => Output::ServerEnded { id },
        })
    }
}
