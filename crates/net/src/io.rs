//! Everything of a worker except the engine: its sockets, and what to do when they are ready.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use lyceum_sip::{Time, Transport};

use crate::bind::Port;
use crate::command::{Command, Peer};
use crate::counters::Counters;
use crate::error::NetError;
use crate::gate::Gate;
use crate::outbox::Item;
use crate::streams::{PeerKey, Streams, Tokens};
use crate::sys::{DatagramReader, DatagramWriter, EVENTS, Epoll, EventFd, Events, Interest};
use crate::udp::UdpPort;
use crate::worker::Sink;
use crate::{Clock, Destination, Flow, Listener, ListenerId, Options, Outbox};

/// What a descriptor in epoll is, in the upper half of its token; the lower half is an index.
const BELL: u64 = 0;
const DATAGRAM: u64 = 1;
const ACCEPT: u64 = 2;
const STREAM: u64 = 3;

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
    epoll: Arc<Epoll>,
    events: Events,
    udp: Vec<UdpPort>,
    streams: Streams,
    peers: Vec<Arc<dyn Peer>>,
    pub(crate) counters: Arc<Counters>,
}

impl Io {
    pub(crate) fn new(
        worker: u8,
        options: &Options,
        bell: &EventFd,
        gate: Arc<Gate>,
        counters: Arc<Counters>,
    ) -> Result<Io, NetError> {
        let epoll = Arc::new(Epoll::new().map_err(NetError::system("creating an epoll descriptor"))?);
        epoll
            .add(bell.as_fd(), token(BELL, 0), Interest::Edge)
            .map_err(NetError::system("watching a worker's bell"))?;
        let tokens = Tokens { accept: token(ACCEPT, 0), stream: token(STREAM, 0) };
        let streams = Streams::new(worker, options, epoll.clone(), &tokens, gate, counters.clone());
        Ok(Io {
            clock: options.clock,
            worker,
            epoll,
            events: Events::new(),
            udp: Vec::new(),
            streams,
            peers: Vec::new(),
            counters,
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
            Port::Stream(socket) => {
                self.streams.know(listener.clone());
                self.streams.listen(listener.clone(), socket).map_err(watching())?;
            }
        }
        Ok(())
    }

    /// Takes a listener that has no port into service.
    pub(crate) fn know(&mut self, listener: Arc<Listener>) {
        self.streams.know(listener);
    }

    pub(crate) fn connect_peers(&mut self, peers: Vec<Arc<dyn Peer>>) {
        self.peers = peers;
    }

    /// Waits for sockets. True when some are ready.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> bool {
        // Fails only for a broken descriptor of our own; then there is nothing to read either.
        if let Err(error) = self.events.wait(&self.epoll, timeout) {
            tracing::error!(%error, "waiting for sockets failed");
            std::thread::sleep(Duration::from_millis(10));
        }
        self.events.count() > 0
    }

    /// Reads what the last wait found ready.
    pub(crate) fn read(&mut self, now: Time, reader: &mut DatagramReader, sink: &mut dyn Sink) -> Round {
        let count = self.events.count();
        let mut round = Round { drained: count < EVENTS, dropped: 0 };
        for i in 0..count {
            let ready = self.events.ready(i);
            let index = (ready.token & 0xffff_ffff) as usize;
            round.drained &= match ready.token >> 32 {
                DATAGRAM => {
                    let port = &mut self.udp[index];
                    if ready.error {
                        port.icmp(&mut self.streams.failed);
                    }
                    !ready.read || port.read(reader, &mut round.dropped, sink)
                }
                ACCEPT => self.streams.accept(now, index),
                STREAM => self.streams.ready(now, index as u32, ready, sink),
                _ => true,
            };
        }
        self.counters.dropped(round.dropped);
        round
    }

    pub(crate) fn command(&mut self, now: Time, command: Command, sink: &mut dyn Sink) {
        match command {
            Command::Failed { ticket } => self.streams.failed.push(ticket),
            Command::Relay { flow, bytes, ticket, origin } => self.relayed(flow, &bytes, ticket, origin),
            Command::Close(flow) => self.streams.close(now, flow),
            Command::OpenForeign(open) => self.streams.open_foreign(now, *open),
            Command::ForeignInput { key, bytes, permit } => {
                self.streams.foreign_input(now, key, &bytes, sink);
                drop(permit);
            }
            Command::ForeignClosed { key } => self.streams.foreign_closed(key),
            Command::Drain { .. } => {}
        }
    }

    /// Sends for another worker's engine. Its ticket means nothing here: failure is told at once, and what the
    /// connection loses later is found by the transaction's timer.
    fn relayed(&mut self, flow: Flow, bytes: &[u8], ticket: u64, origin: u8) {
        if self.streams.stands(flow) {
            self.streams.send(flow, bytes, 0);
        } else {
            self.failed_at(origin, ticket);
        }
    }

    /// Reports a failure to the worker whose engine asked.
    fn failed_at(&mut self, origin: u8, ticket: u64) {
        if ticket == 0 {
            return;
        }
        if origin == self.worker {
            self.streams.failed.push(ticket);
        } else if let Some(peer) = self.peers.get(usize::from(origin)) {
            peer.command_always(Command::Failed { ticket });
        }
    }

    /// Sends what the engine put into the outbox, and empties it.
    pub(crate) fn flush(&mut self, now: Time, out: &mut Outbox, writer: &mut DatagramWriter) {
        let mut items = std::mem::take(&mut out.items);
        for item in items.drain(..) {
            match item {
                Item::Send { to: Destination::Flow(flow), ticket, bytes } => {
                    self.send_on(flow, ticket, bytes, &out.arena);
                }
                Item::Send { to: Destination::Address { transport, addr, name, from }, ticket, bytes } => {
                    match (transport, self.port_for(addr, from)) {
                        (Transport::Udp, Some(port)) => self.udp[port].push(addr, bytes, ticket),
                        (Transport::Tcp | Transport::Tls, _) => {
                            let key = PeerKey { transport, addr, name: name.filter(|_| transport == Transport::Tls) };
                            self.streams.send_to(now, key, from, &out.arena[bytes], ticket);
                        }
                        _ => self.failed_at(self.worker, ticket),
                    }
                }
                Item::Close(flow) => match self.other_worker(flow) {
                    Some(peer) => peer.command_always(Command::Close(flow)),
                    None => self.streams.close(now, flow),
                },
                Item::Alias { flow, port } => self.streams.alias(flow, port),
                Item::NameLink { number, flow } => self.streams.name_link(number, flow),
            }
        }
        out.items = items;
        for port in &mut self.udp {
            let sent = port.flush(writer, &out.arena, &mut self.streams.failed);
            self.counters.datagrams_out(sent);
        }
        self.streams.flush(now);
        match self.streams.is_forgetful() {
            true => out.wipe(),
            false => out.clear(),
        }
    }

    fn send_on(&mut self, flow: Flow, ticket: u64, bytes: Range<usize>, arena: &[u8]) {
        match flow {
            Flow::Datagram { listener, remote } => match self.udp.iter_mut().find(|p| p.listener.id == listener) {
                Some(port) => port.push(remote, bytes, ticket),
                None => self.failed_at(self.worker, ticket),
            },
            Flow::Stream { .. } => match self.other_worker(flow) {
                None => self.streams.send(flow, &arena[bytes], ticket),
                Some(peer) => {
                    let relay = Command::Relay { flow, bytes: arena[bytes].into(), ticket, origin: self.worker };
                    if peer.command(relay).is_err() {
                        self.failed_at(self.worker, ticket);
                    }
                }
            },
        }
    }

    /// The way to the worker that owns a connection, when that is not this one.
    fn other_worker(&self, flow: Flow) -> Option<Arc<dyn Peer>> {
        let owner = flow.worker().filter(|owner| *owner != self.worker)?;
        self.peers.get(usize::from(owner)).cloned()
    }

    /// The UDP port to send from: the one asked for, else the first of the same address family.
    fn port_for(&self, addr: std::net::SocketAddr, from: Option<ListenerId>) -> Option<usize> {
        let same_family = |p: &UdpPort| p.listener.addr.is_ipv4() == addr.is_ipv4();
        let asked = from.and_then(|id| self.udp.iter().position(|p| p.listener.id == id && same_family(p)));
        asked.or_else(|| self.udp.iter().position(same_family))
    }

    /// True when there is nothing to tell the engine.
    pub(crate) fn is_quiet(&self) -> bool {
        self.streams.failed.is_empty() && self.streams.closed.is_empty()
    }

    /// Failed tickets and ended flows since the last call.
    pub(crate) fn take_outcomes(&mut self) -> (Vec<u64>, Vec<Flow>) {
        (std::mem::take(&mut self.streams.failed), std::mem::take(&mut self.streams.closed))
    }

    pub(crate) fn next_timeout(&self) -> Option<Time> {
        self.streams.next_timeout()
    }

    pub(crate) fn timers(&mut self, now: Time) {
        if self.next_timeout().is_some_and(|at| at <= now) {
            self.streams.timers(now);
        }
    }

    pub(crate) fn stop_accepting(&mut self) {
        self.streams.stop_accepting();
    }

    pub(crate) fn close_all(&mut self, now: Time) {
        self.streams.close_all(now);
    }

    pub(crate) fn is_written_out(&self) -> bool {
        self.streams.is_empty()
    }
}
