//! What does not fit a datagram goes over TCP where the next hop is known to listen there: RFC 3261 §18.1.1.
//!
//! Known means: the topology or DNS names TCP for the same host ([`Hop::stream`](super::context::Hop)), or a peer that
//! was let in named the address in a request that came over TCP. Everybody else gets fragments. Where the connection is
//! refused after all, the request goes once more, by UDP, and the address is forgotten.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use lyceum_net::{Destination, Outbox};
use lyceum_sip::time::{Now, Time};
use lyceum_sip::{Contact, Transport, Uri};
use lyceum_topology::{HopTransport, NextHop};

use super::Calls;
use super::context::Hop;
use crate::core::Core;
use crate::inbound::Inbound;

/// Bytes that a datagram may have while the path's MTU is unknown.
pub const DATAGRAM_MOST: usize = 1300;
/// Addresses remembered as listening on TCP; the one remembered first gives way.
pub const ADDRESSES_KEPT: usize = 16_384;
/// So long after it was last heard an address counts as listening.
const KEPT_FOR: Duration = Duration::from_secs(3600);
/// ACKs on their way over TCP that may still have to go as a datagram; the oldest is given up.
const ACKS_KEPT: usize = 256;

/// An ACK on its way over TCP.
struct Ack {
    ticket: u64,
    /// Where it went.
    stream: SocketAddr,
    /// Where it goes otherwise, and how it reads then.
    to: Destination,
    bytes: Box<[u8]>,
}

/// Who listens on TCP, and what waits to be sent otherwise.
#[derive(Default)]
pub struct Large {
    listening: HashMap<SocketAddr, Time>,
    order: VecDeque<SocketAddr>,
    acks: VecDeque<Ack>,
    next_ack: u64,
}

impl Large {
    /// A peer that was let in says that it listens here.
    pub fn hear(&mut self, now: Time, addr: SocketAddr) {
        if let Some(heard) = self.listening.get_mut(&addr) {
            *heard = now;
            return;
        }
        while self.order.len() >= ADDRESSES_KEPT {
            let Some(oldest) = self.order.pop_front() else { break };
            self.listening.remove(&oldest);
        }
        self.order.push_back(addr);
        self.listening.insert(addr, now);
    }

    /// Is somebody known to listen here?
    pub fn listens(&self, now: Time, addr: SocketAddr) -> bool {
        self.listening.get(&addr).is_some_and(|heard| now - *heard < KEPT_FOR)
    }

    /// Nobody listens here after all.
    pub fn forget(&mut self, addr: SocketAddr) {
        if self.listening.remove(&addr).is_some() {
            self.order.retain(|one| *one != addr);
        }
    }

    /// Keeps what goes as a datagram should the connection be refused; gives the ticket to send it with. Client
    /// transactions have odd tickets, these are even.
    fn keep_ack(&mut self, stream: SocketAddr, to: Destination, bytes: &[u8]) -> u64 {
        if self.acks.len() >= ACKS_KEPT {
            self.acks.pop_front();
        }
        self.next_ack += 1;
        let ticket = self.next_ack << 1;
        self.acks.push_back(Ack { ticket, stream, to, bytes: bytes.into() });
        ticket
    }

    fn take_ack(&mut self, ticket: u64) -> Option<Ack> {
        let at = self.acks.iter().position(|ack| ack.ticket == ticket)?;
        self.acks.remove(at)
    }
}

impl Calls {
    /// Where the next hop listens on TCP, as far as is known.
    fn stream_of(&self, now: Time, hop: &Hop) -> Option<SocketAddr> {
        hop.stream.or_else(|| hop.remote().filter(|addr| self.large.listens(now, *addr)))
    }
}

impl Core {
    /// Remembers that the sender of an admitted request listens on TCP where its Via (RFC 3261 §18.2.2: answers find it
    /// there without the connection) and its Contact say. Only its own address counts: nobody names a third party.
    pub(crate) fn note_listening(&mut self, inbound: &Inbound<'_>) {
        if inbound.arrival.transport != Transport::Tcp {
            return;
        }
        let (now, ip) = (inbound.now.mono, inbound.arrival.remote.ip());
        if let Ok(via) = inbound.message.top_via()
            && via.host.ip() == Some(ip)
        {
            self.calls.large.hear(now, SocketAddr::new(ip, via.port_or_default()));
        }
        if let Some(Ok(Contact::Addr(contact))) = inbound.message.contacts().next()
            && let Ok(uri) = Uri::parse(contact.uri)
            && uri.host().ip() == Some(ip)
            && uri.transport() == Some(Transport::Tcp)
        {
            let port = uri.port().unwrap_or_else(|| Transport::Tcp.default_port());
            self.calls.large.hear(now, SocketAddr::new(ip, port));
        }
    }

    /// The hop over TCP that takes the place of one by datagram for a request of so many bytes.
    pub(crate) fn stream_instead(&self, now: Time, hop: &Hop, length: usize) -> Option<Hop> {
        if hop.transport != Transport::Udp || length <= DATAGRAM_MOST {
            return None;
        }
        let addr = self.calls.stream_of(now, hop)?;
        let fits = |listener: &&lyceum_net::Listener| {
            listener.transport == Transport::Tcp && listener.addr.is_ipv4() == addr.is_ipv4()
        };
        let listener = self.listeners.iter().find(fits)?.id;
        let to = Destination::Address { transport: Transport::Tcp, addr, name: None, from: Some(listener) };
        let mut hop = Hop { to, listener, transport: Transport::Tcp, stream: None, ..hop.clone() };
        if let Some(record) = &mut hop.record {
            record.transport = Some(lyceum_monitoring::Wire::Tcp);
            record.remote = Some(addr);
        }
        Some(hop)
    }

    /// Sends an ACK that no transaction stands behind, as a datagram if the connection is refused.
    pub(crate) fn send_large_ack(
        &mut self,
        now: Now,
        hop: &Hop,
        datagram: (&Hop, &[u8]),
        bytes: &[u8],
        out: &mut Outbox,
    ) {
        let stream = hop.remote().map(|stream| self.calls.large.keep_ack(stream, datagram.0.to.clone(), datagram.1));
        let ticket = stream.unwrap_or_default();
        self.send(now, &hop.to, ticket, bytes, out);
    }

    /// A connection for an ACK was refused. False when the ticket is none of an ACK.
    pub(crate) fn large_ack_failed(&mut self, now: Now, ticket: u64, out: &mut Outbox) -> bool {
        let Some(Ack { stream, to, bytes, .. }) = self.calls.large.take_ack(ticket) else { return ticket & 1 == 0 };
        self.calls.large.forget(stream);
        self.send(now, &to, 0, &bytes, out);
        true
    }
}

/// The port on which the topology says that the host of a UDP hop listens on TCP, too: another hop of the route names it.
pub(super) fn stream_port(hops: &[NextHop], hop: &NextHop) -> Option<u16> {
    let tcp = |other: &&NextHop| other.transport == HopTransport::Tcp && other.host.eq_ignore_ascii_case(&hop.host);
    let other = hops.iter().find(tcp).filter(|_| hop.transport == HopTransport::Udp)?;
    Some(other.port.unwrap_or_else(|| Transport::Tcp.default_port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    #[test]
    fn what_is_known_is_bounded_and_grows_old() {
        let mut large = Large::default();
        let start = Time(1_000_000);
        for port in 0..=ADDRESSES_KEPT as u16 {
            large.hear(start, at(port));
        }
        assert_eq!((large.listening.len(), large.order.len()), (ADDRESSES_KEPT, ADDRESSES_KEPT));
        assert!(!large.listens(start, at(0)) && large.listens(start, at(1)));
        assert!(!large.listens(start + KEPT_FOR, at(1)));
        large.hear(start + KEPT_FOR, at(1));
        assert!(large.listens(start + KEPT_FOR, at(1)));
        large.forget(at(1));
        assert!(!large.listens(start + KEPT_FOR, at(1)));
        assert_eq!(large.order.len(), ADDRESSES_KEPT - 1);
    }
}
