//! Everything of a worker except the engine: its sockets, and what to do when they are ready.

use std::sync::Arc;
use std::time::Duration;

use lyceum_sip::{Time, Transport};

use crate::bind::Port;
use crate::command::{Command, Peer};
use crate::counters::Counters;
use crate::error::NetError;
use crate::outbox::Item;
use crate::sys::{DatagramReader, DatagramWriter, EVENTS, Epoll, EventFd, Interest};
use crate::udp::UdpPort;
use crate::worker::Sink;
use crate::{Clock, Destination, Flow, Listener, ListenerId, Outbox};

/// What a descriptor in epoll is, in the upper half of its token; the lower half is an index.
const BELL: u64 = 0;
const DATAGRAM: u64 = 1;

fn token(kind: u64, index: usize) -> u64 {
    kind << 32 | index as u64
}

/// What one reading round found.
pub(crate) struct Round {
    /// All sockets were read empty.
    pub(crate) drained: bool,
    /// Datagrams the kernel dropped.
    pub(crate) dropped: u64,
}

pub(crate) struct Io {
    pub(crate) clock: Clock,
    worker: u8,
    epoll: Epoll,
    udp: Vec<UdpPort>,
    peers: Vec<Arc<dyn Peer>>,
    counters: Arc<Counters>,
    failed: Vec<u64>,
    closed: Vec<Flow>,
}

impl Io {
    pub(crate) fn new(worker: u8, clock: Clock, bell: &EventFd, counters: Arc<Counters>) -> Result<Io, NetError> {
        let epoll = Epoll::new().map_err(NetError::system("creating an epoll descriptor"))?;
        epoll
            .add(bell.as_fd(), token(BELL, 0), Interest::Edge)
            .map_err(NetError::system("watching a worker's bell"))?;
        Ok(Io {
            clock,
            worker,
            epoll,
            udp: Vec::new(),
            peers: Vec::new(),
            counters,
            failed: Vec::new(),
            closed: Vec::new(),
        })
    }

    /// Takes a bound port into service.
    pub(crate) fn serve(&mut self, listener: Arc<Listener>, port: Port) -> Result<(), NetError> {
        let watching = || NetError::system(format!("watching {}", listener.addr));
        match port {
            Port::Datagram(socket) => {
                let port = UdpPort::new(listener.clone(), socket);
                self.epoll.add(port.as_fd(), token(DATAGRAM, self.udp.len()), Interest::Read).map_err(watching())?;
                self.udp.push(port);
            }
            Port::Stream(_) => {}
        }
        Ok(())
    }

    pub(crate) fn connect_peers(&mut self, peers: Vec<Arc<dyn Peer>>) {
        self.peers = peers;
    }

    pub(crate) fn wait(&mut self, timeout: Option<Duration>) {
        // Fails only for a broken descriptor of our own; then there is nothing to read either.
        if let Err(error) = self.epoll.wait(timeout) {
            tracing::error!(%error, "waiting for sockets failed");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Reads what the last wait found ready.
    pub(crate) fn read(&mut self, _now: Time, reader: &mut DatagramReader, sink: &mut dyn Sink) -> Round {
        let count = self.epoll.count();
        let mut round = Round { drained: count < EVENTS, dropped: 0 };
        for i in 0..count {
            let ready = self.epoll.ready(i);
            let index = (ready.token & 0xffff_ffff) as usize;
            if ready.token >> 32 == DATAGRAM {
                let port = &mut self.udp[index];
                if ready.error {
                    port.icmp(&mut self.failed);
                }
                if ready.read {
                    round.drained &= port.read(reader, &mut round.dropped, sink);
                }
            }
        }
        self.counters.dropped(round.dropped);
        round
    }

    pub(crate) fn command(&mut self, _now: Time, command: Command, _sink: &mut dyn Sink) {
        match command {
            Command::Failed { ticket } => self.failed.push(ticket),
            Command::Relay { ticket, origin, .. } => self.failed_at(origin, ticket),
            Command::Close(_) | Command::Drain { .. } => {}
        }
    }

    /// Reports a failure to the worker whose engine asked.
    fn failed_at(&mut self, origin: u8, ticket: u64) {
        if ticket == 0 {
            return;
        }
        if origin == self.worker {
            self.failed.push(ticket);
        } else if let Some(peer) = self.peers.get(usize::from(origin)) {
            peer.command_always(Command::Failed { ticket });
        }
    }

    /// Sends what the engine put into the outbox, and empties it.
    pub(crate) fn flush(&mut self, _now: Time, out: &mut Outbox, writer: &mut DatagramWriter) {
        if out.is_empty() {
            return;
        }
        let mut items = std::mem::take(&mut out.items);
        for item in items.drain(..) {
            match item {
                Item::Send { to: Destination::Flow(flow), ticket, bytes } => match flow {
                    Flow::Datagram { listener, remote } => match self.udp.iter_mut().find(|p| p.listener.id == listener)
                    {
                        Some(port) => port.push(remote, bytes, ticket),
                        None => self.failed_at(self.worker, ticket),
                    },
                    Flow::Stream { .. } => self.failed_at(self.worker, ticket),
                },
                Item::Send { to: Destination::Address { transport, addr, from, .. }, ticket, bytes } => {
                    match (transport, self.port_for(addr, from)) {
                        (Transport::Udp, Some(port)) => self.udp[port].push(addr, bytes, ticket),
                        _ => self.failed_at(self.worker, ticket),
                    }
                }
                Item::Close(_) | Item::Alias { .. } => {}
            }
        }
        out.items = items;
        for port in &mut self.udp {
            let sent = port.flush(writer, &out.arena, &mut self.failed);
            self.counters.datagrams_out(sent);
        }
        out.clear();
    }

    /// The UDP port to send from: the one asked for, else the first of the same address family.
    fn port_for(&self, addr: std::net::SocketAddr, from: Option<ListenerId>) -> Option<usize> {
        let same_family = |p: &UdpPort| p.listener.addr.is_ipv4() == addr.is_ipv4();
        let asked = from.and_then(|id| self.udp.iter().position(|p| p.listener.id == id && same_family(p)));
        asked.or_else(|| self.udp.iter().position(same_family))
    }

    /// True when there is nothing to tell the engine.
    pub(crate) fn is_quiet(&self) -> bool {
        self.failed.is_empty() && self.closed.is_empty()
    }

    pub(crate) fn take_outcomes(&mut self) -> (Vec<u64>, Vec<Flow>) {
        (std::mem::take(&mut self.failed), std::mem::take(&mut self.closed))
    }

    /// Gives the emptied buffers back.
    pub(crate) fn return_outcomes(&mut self, failed: Vec<u64>, closed: Vec<Flow>) {
        if self.failed.is_empty() {
            self.failed = failed;
        }
        if self.closed.is_empty() {
            self.closed = closed;
        }
    }

    pub(crate) fn next_timeout(&self) -> Option<Time> {
        None
    }

    pub(crate) fn stop_accepting(&mut self) {}

    pub(crate) fn close_all(&mut self, _now: Time) {}

    pub(crate) fn is_written_out(&self) -> bool {
        true
    }
}
