//! The SIP messages that an administrator asked to see: `lyceum trace start`.
//!
//! Switched off it costs one branch per message. Switched on it keeps what passes the filters in a ring of bounded size,
//! secrets blanked before anything is kept.

use std::net::SocketAddr;

use lyceum_monitoring::{Direction, Passage, Stamp, TraceEntry, TraceFilter, TraceRing, Wire};
use lyceum_net::{Arrival, Destination, Flow};
use lyceum_sip::time::{Now, Time};
use lyceum_sip::{Index, Limits, Message, Transport, parse};

use crate::core::Core;

/// One running trace.
#[derive(Debug)]
struct Running {
    filter: TraceFilter,
    until: Time,
}

/// The trace of one worker.
#[derive(Debug, Default)]
pub struct Tracer {
    running: Option<Running>,
    ring: TraceRing,
    index: Index,
}

/// The record's word for a transport.
pub fn wire_of(transport: Transport) -> Wire {
    match transport {
        Transport::Udp => Wire::Udp,
        Transport::Tcp => Wire::Tcp,
        Transport::Tls => Wire::Tls,
        Transport::Ws => Wire::Ws,
        Transport::Wss => Wire::Wss,
    }
}

impl Tracer {
    /// Starts, or replaces the filter of a trace that runs.
    pub fn start(&mut self, filter: TraceFilter, until: Time) {
        self.running = Some(Running { filter, until });
    }

    /// Stops; what was caught stays until the next start.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// Is a trace running?
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// What was caught.
    pub fn ring(&self) -> &TraceRing {
        &self.ring
    }

    /// Takes what was caught, for the store.
    pub fn take(&mut self) -> TraceRing {
        std::mem::take(&mut self.ring)
    }

    /// A message came in.
    pub fn received(&mut self, now: Now, arrival: &Arrival<'_>) {
        if self.running.is_some() {
            let (local, remote) = (arrival.local, arrival.remote);
            self.keep(now, Direction::Received, local, remote, arrival.transport, arrival.bytes);
        }
    }

    /// A message goes out. `local` and `transport` are those of the listener by which it leaves.
    pub fn sent(
        &mut self,
        now: Now,
        to: &Destination,
        local: Option<(SocketAddr, Transport)>,
        remote: Option<SocketAddr>,
        bytes: &[u8],
    ) {
        if self.running.is_none() {
            return;
        }
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        let (local, transport) = local.unwrap_or((unknown, Transport::Tcp));
        let (remote, transport) = match to {
            Destination::Flow(Flow::Datagram { remote, .. }) => (*remote, Transport::Udp),
            Destination::Address { addr, transport, .. } => (*addr, *transport),
            Destination::Flow(Flow::Stream { .. }) => (remote.unwrap_or(unknown), transport),
        };
        self.keep(now, Direction::Sent, local, remote, transport, bytes);
    }

    fn keep(
        &mut self,
        now: Now,
        direction: Direction,
        local: SocketAddr,
        remote: SocketAddr,
        transport: Transport,
        bytes: &[u8],
    ) {
        let Some(running) = &self.running else { return };
        if now.mono >= running.until {
            self.running = None;
            return;
        }
        // What cannot be parsed is kept: it is often what is looked for.
        let readable = parse(bytes, &mut self.index, &Limits::default()).is_ok();
        if readable && !running.filter.takes(remote.ip(), &Message::new(bytes, &self.index)) {
            return;
        }
        let passage = Passage { time: Stamp(now.wall.0), direction, local, remote, transport: wire_of(transport) };
        self.ring.push(TraceEntry::capture(passage, bytes));
    }
}

impl Core {
    /// The trace of this worker.
    pub fn tracer(&mut self) -> &mut Tracer {
        &mut self.tracer
    }

    /// Keeps a sent message for the trace that runs.
    pub(crate) fn trace_sent(&mut self, now: Now, to: &Destination, bytes: &[u8]) {
        let local = match to {
            Destination::Flow(Flow::Datagram { listener, .. }) => self.listener(*listener),
            Destination::Flow(Flow::Stream { .. }) => None,
            Destination::Address { from, .. } => from.and_then(|id| self.listener(id)),
        };
        let local = local.map(|listener| (listener.addr, listener.transport));
        self.tracer.sent(now, to, local, None, bytes);
    }
}
