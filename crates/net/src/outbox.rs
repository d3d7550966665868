//! What an engine wants sent: one arena of bytes per turn, sent in batches afterwards.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;

use lyceum_sip::Transport;

use crate::{Flow, ListenerId};

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Back along a flow, and only there.
    Flow(Flow),
    /// To an address. An open connection to the same address, transport and name is used, else one is opened.
    Address {
        /// How to send.
        transport: Transport,
        /// Where to.
        addr: SocketAddr,
        /// The name the peer's certificate must prove (TLS); `None` demands the address itself in the certificate.
        name: Option<Arc<str>>,
        /// The listener whose address is the source; `None` takes the first that fits transport and address family.
        from: Option<ListenerId>,
    },
}

impl From<Flow> for Destination {
    fn from(flow: Flow) -> Destination {
        Destination::Flow(flow)
    }
}

/// One thing to do, in the order asked for.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Send { to: Destination, ticket: u64, bytes: Range<usize> },
    Close(Flow),
    Alias { flow: Flow, port: u16 },
    NameLink { number: u32, flow: Flow },
}

/// A message waiting in an [`Outbox`].
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// Where to.
    pub to: &'a Destination,
    /// The ticket given to [`Outbox::send`].
    pub ticket: u64,
    /// The message.
    pub bytes: &'a [u8],
}

/// Collects what an engine sends during one turn. The buffers are used again, so sending allocates nothing.
#[derive(Debug, Default)]
pub struct Outbox {
    pub(crate) arena: Vec<u8>,
    pub(crate) items: Vec<Item>,
}

/// An arena that grew beyond this is given back after the turn.
const ARENA_KEEP: usize = 1 << 20;

impl Outbox {
    /// An empty outbox. Workers make their own; this is for simulations and tests of engines.
    pub fn new() -> Outbox {
        Outbox::default()
    }

    /// Sends what `write` appends. With a `ticket` other than 0 a failure is reported by
    /// [`Engine::send_failed`](crate::Engine::send_failed); success is silent. Writing nothing sends nothing.
    pub fn send(&mut self, to: &Destination, ticket: u64, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.arena.len();
        write(&mut self.arena);
        let end = self.arena.len();
        if end > start {
            self.items.push(Item::Send { to: to.clone(), ticket, bytes: start..end });
        }
    }

    /// Closes a connection after what was sent on it before; nothing for a datagram flow.
    pub fn close(&mut self, flow: Flow) {
        self.items.push(Item::Close(flow));
    }

    /// Lets requests to (the peer's IP address, `port`) use this accepted connection: RFC 5923 `;alias` with the Via's
    /// sent-by port. Has effect only if the peer proved its name by certificate, and then only for that name.
    pub fn alias(&mut self, flow: Flow, port: u16) {
        self.items.push(Item::Alias { flow, port });
    }

    /// From now on [`Flow::to_link`] with this number leads to the connection of `flow`, until it ends or another one gets
    /// the name.
    pub fn name_link(&mut self, number: u32, flow: Flow) {
        self.items.push(Item::NameLink { number, flow });
    }

    /// Forgets everything and overwrites the bytes.
    pub(crate) fn wipe(&mut self) {
        self.arena.fill(0);
        self.clear();
    }

    /// The messages that wait, in order.
    pub fn sent(&self) -> impl Iterator<Item = Sent<'_>> {
        self.items.iter().filter_map(|item| match item {
            Item::Send { to, ticket, bytes } => Some(Sent { to, ticket: *ticket, bytes: &self.arena[bytes.clone()] }),
            _ => None,
        })
    }

    /// The flows that are to be closed, in order.
    pub fn closed(&self) -> impl Iterator<Item = Flow> {
        self.items.iter().filter_map(|item| match item {
            Item::Close(flow) => Some(*flow),
            _ => None,
        })
    }

    /// True when nothing waits.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Forgets everything, keeps the buffers.
    pub fn clear(&mut self) {
        self.items.clear();
        self.arena.clear();
        if self.arena.capacity() > ARENA_KEEP {
            self.arena.shrink_to(ARENA_KEEP);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_keep_their_order_and_bytes() {
        let flow = Flow::Stream { worker: 0, index: 1, generation: 2 };
        let mut out = Outbox::new();
        out.send(&flow.into(), 7, |b| b.extend_from_slice(b"one"));
        out.send(&flow.into(), 8, |_| {});
        out.send(&flow.into(), 9, |b| b.extend_from_slice(b"two"));
        out.close(flow);
        let seen: Vec<_> = out.sent().map(|s| (s.ticket, s.bytes)).collect();
        assert_eq!(seen, [(7, &b"one"[..]), (9, &b"two"[..])]);
        assert_eq!(out.closed().collect::<Vec<_>>(), [flow]);
        out.clear();
        assert!(out.is_empty());
    }
}
