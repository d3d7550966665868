//! The loop. Nothing waits for a timer: what came in has gone out before the next wait.

use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use lyceum_net::Clock;
use lyceum_net::driver::{BATCH, DatagramReader, DatagramWriter, Epoll, EventFd, Events, HEADROOM, Interest, Ready};
use lyceum_turn::{Client, ConnectionId, Now, PeerRules, RelayId, Server, Step, Via, Way};

use super::bind::Bound;
use super::bridge::Sides;
use super::conn::{Conn, READ_MAX, Received};
use super::datagrams::{Outgoing, send};
use super::handle::{Command, Stats};
use super::ports::RelayPorts;
use super::streams::Streams;
use super::{EdgeError, Options, system};

const _: () = assert!(HEADROOM >= lyceum_turn::HEADROOM);

/// Batches read from one port for clients in one turn.
const ROUNDS: usize = 4;
/// Datagrams read from one relay port in one turn.
const PER_RELAY: usize = 16;
/// A connection without an allocation is closed after this.
const BARE_SECONDS: u64 = 60;
/// How often such connections are looked for.
const SWEEP: Duration = Duration::from_secs(5);
/// Input of one read and the start of a record from before.
const INPUT: usize = READ_MAX + 18 * 1024;

/// What a descriptor is, in the word that epoll keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Token {
    Bell,
    Datagrams(u32),
    Acceptor(u32),
    Relay(u32),
    Conn(u32),
    /// A TCP relay port that peers connect to.
    Arrivals(u32),
    /// A connection with a peer.
    Peer(u32),
}

impl Token {
    pub(super) fn word(self) -> u64 {
        let (kind, number) = match self {
            Token::Bell => (0, 0),
            Token::Datagrams(number) => (1, number),
            Token::Acceptor(number) => (2, number),
            Token::Relay(number) => (3, number),
            Token::Conn(number) => (4, number),
            Token::Arrivals(number) => (5, number),
            Token::Peer(number) => (6, number),
        };
        kind << 32 | u64::from(number)
    }

    fn of(word: u64) -> Token {
        let number = word as u32;
        match word >> 32 {
            1 => Token::Datagrams(number),
            2 => Token::Acceptor(number),
            3 => Token::Relay(number),
            4 => Token::Conn(number),
            5 => Token::Arrivals(number),
            6 => Token::Peer(number),
            _ => Token::Bell,
        }
    }
}

/// Everything the thread owns but its buffers, which cannot change threads.
pub(super) struct Worker {
    pub(super) server: Server,
    pub(super) ports: RelayPorts,
    pub(super) streams: Streams,
    datagrams: Vec<UdpSocket>,
    epoll: Arc<Epoll>,
    orders: Receiver<Command>,
    _bell: Arc<EventFd>,
    stats: Arc<Stats>,
    clock: Clock,
    swept: Duration,
}

/// Buffers of the thread.
struct Buffers {
    /// What clients send.
    clients: DatagramReader,
    /// What peers send, gathered from many relay ports.
    peers: DatagramReader,
    gathered: usize,
    /// Relay ports that had more than was read.
    unread: Vec<RelayId>,
    writer: DatagramWriter,
    up: Outgoing,
    down: Outgoing,
    replies: Outgoing,
    /// Answers of the server.
    answers: Vec<u8>,
    input: Vec<u8>,
}

impl Worker {
    pub(super) fn new(
        options: Options,
        rules: PeerRules,
        bound: Vec<Bound>,
        (orders, bell): (Receiver<Command>, Arc<EventFd>),
        stats: Arc<Stats>,
    ) -> Result<Worker, EdgeError> {
        let epoll = Arc::new(Epoll::new().map_err(system("making an epoll instance"))?);
        let watched = |result: std::io::Result<()>| result.map_err(system("watching a port"));
        watched(epoll.add(bell.as_fd(), Token::Bell.word(), Interest::Edge))?;
        let mut streams = Streams::new(Arc::clone(&epoll), options.tls);
        let mut datagrams = Vec::new();
        for port in bound {
            match port {
                Bound::Datagrams(socket) => {
                    let token = Token::Datagrams(datagrams.len() as u32).word();
                    watched(epoll.add(socket.as_fd(), token, Interest::Read))?;
                    datagrams.push(socket);
                }
                Bound::Streams(socket, carrier) => watched(streams.listen(socket, carrier))?,
            }
        }
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)
            .map_err(|error| EdgeError::Options(format!("the system gives no chance: {error}")))?;
        let named = PeerRules { relays: Vec::new(), ..rules.clone() };
        let server = Server::new(lyceum_turn::Options {
            realm: options.realm,
            authority: options.authority,
            peers: rules,
            quotas: options.quotas,
            tcp_relays: options.tcp_relays,
            seed,
        });
        let ports = RelayPorts::new(Arc::clone(&epoll), &options.relays, options.ports, options.classes, named);
        let (clock, swept) = (Clock::start(), Duration::ZERO);
        Ok(Worker { server, ports, streams, datagrams, epoll, orders, _bell: bell, stats, clock, swept })
    }

    fn now(&self) -> Now {
        let now = self.clock.now();
        Now { mono: Duration::from_micros(now.mono.0), wall: now.wall.0 / 1000 }
    }

    pub(super) fn run(mut self) {
        let mut buffers = Buffers {
            clients: DatagramReader::new(),
            peers: DatagramReader::new(),
            gathered: 0,
            unread: Vec::new(),
            writer: DatagramWriter::new(),
            up: Outgoing::default(),
            down: Outgoing::default(),
            replies: Outgoing::default(),
            answers: Vec::new(),
            input: vec![0; INPUT],
        };
        let mut events = Events::new();
        loop {
            let timeout = if buffers.unread.is_empty() { self.timeout() } else { Some(Duration::ZERO) };
            if let Err(error) = events.wait(&self.epoll, timeout) {
                return tracing::error!(%error, "the relay cannot wait for its ports any more");
            }
            let now = self.now();
            // First: what comes after an order finds it done.
            if self.ordered_to_stop(now) {
                return;
            }
            for relay in std::mem::take(&mut buffers.unread) {
                self.read_peers(now, relay, &mut buffers);
            }
            for i in 0..events.count() {
                self.ready(now, events.ready(i), &mut buffers);
            }
            self.flush_down(&mut buffers);
            self.sweep(now);
            self.server.expire(now, &mut self.ports);
            self.follow_up(now, &mut buffers.input);
            for slot in self.streams.flush() {
                self.close(slot);
            }
            self.close_orphans();
            self.stats.tell(&self.server.totals(), self.server.allocations(), self.streams.len());
        }
    }

    fn timeout(&self) -> Option<Duration> {
        let sweep = (self.streams.len() > 0).then_some(self.swept + SWEEP);
        let next = self.server.next_timeout().into_iter().chain(sweep).chain(self.ports.peers.resumes()).min()?;
        Some(next.saturating_sub(self.now().mono))
    }

    fn ready(&mut self, now: Now, ready: Ready, buffers: &mut Buffers) {
        match Token::of(ready.token) {
            Token::Bell => {}
            Token::Datagrams(number) => self.read_clients(now, number, buffers),
            Token::Relay(number) => self.read_peers(now, RelayId(number), buffers),
            Token::Acceptor(number) => self.streams.accept(number, now.mono.as_secs()),
            Token::Arrivals(number) => self.arrivals(now, RelayId(number)),
            Token::Peer(number) => self.peer_ready(now, ConnectionId(number), ready, &mut buffers.input),
            Token::Conn(slot) => {
                if let Some(connection) = self.streams.joined(slot) {
                    let from = Sides { client: ready.read || ready.error, peer: false };
                    return self.bridge(now, connection, from, &mut buffers.input);
                }
                let written = !ready.write || self.streams.write(slot);
                if !written || (ready.read && !self.read_stream(now, slot, buffers)) {
                    self.close(slot);
                }
            }
        }
    }

    /// What waits on a port for clients; sent on before the next batch is read into the same buffers.
    fn read_clients(&mut self, now: Now, number: u32, buffers: &mut Buffers) {
        let Buffers { clients, writer, up, replies, answers, .. } = buffers;
        for _ in 0..ROUNDS {
            let Some(socket) = self.datagrams.get(number as usize) else { return };
            let count = clients.receive(socket.as_fd()).unwrap_or(0);
            for i in 0..count {
                let Some((remote, packet)) = clients.datagram(i) else { continue };
                let client = Client { via: Via::Datagrams(number as u16), remote };
                let before = answers.len();
                match self.server.from_client(now, &client, packet, answers, &mut self.ports) {
                    Step::Nothing => {}
                    Step::Answer | Step::Joined(_) => replies.push(number, remote, before..answers.len()),
                    Step::Relay { relay, peer, payload } => {
                        let at = DatagramReader::start(i) + HEADROOM;
                        up.push(relay.0, self.ports.towards(relay, peer), at + payload.start..at + payload.end);
                    }
                }
            }
            clients.finish(count);
            up.flush(writer, clients.arena(), |relay| self.ports.socket(RelayId(relay)));
            replies.flush(writer, answers, |number| self.datagrams.get(number as usize));
            answers.clear();
            if count < BATCH {
                return;
            }
        }
    }

    /// What waits at a relay port; it leaves with what other relay ports bring in this turn.
    fn read_peers(&mut self, now: Now, relay: RelayId, buffers: &mut Buffers) {
        if buffers.gathered + PER_RELAY > BATCH {
            self.flush_down(buffers);
        }
        let Some(socket) = self.ports.socket(relay) else { return };
        let first = buffers.gathered;
        let count = buffers.peers.gather(socket.as_fd(), first, PER_RELAY).unwrap_or(0);
        for i in first..first + count {
            let Some((from, buffer, payload)) = buffers.peers.buffer(i) else { continue };
            let peer = self.ports.seen_from_outside(from);
            let Some((client, bytes)) = self.server.from_peer(now, relay, peer, buffer, payload) else { continue };
            match client.via {
                Via::Stream(slot) => self.streams.send(slot, &buffer[bytes]),
                Via::Datagrams(number) => {
                    let at = DatagramReader::start(i);
                    buffers.down.push(number.into(), client.remote, at + bytes.start..at + bytes.end);
                }
            }
        }
        buffers.gathered += count;
        if count == PER_RELAY {
            // Reported once only: what is left is asked for.
            buffers.unread.push(relay);
        }
    }

    fn flush_down(&mut self, buffers: &mut Buffers) {
        let Buffers { down, writer, peers, gathered, .. } = buffers;
        down.flush(writer, peers.arena(), |number| self.datagrams.get(number as usize));
        *gathered = 0;
    }

    /// Reads once from a connection; false when it is over.
    fn read_stream(&mut self, now: Now, slot: u32, buffers: &mut Buffers) -> bool {
        let Some(mut conn) = self.streams.take(slot) else { return true };
        let client = conn.client;
        let Buffers { input, writer, answers, .. } = &mut *buffers;
        let (server, ports) = (&mut self.server, &mut self.ports);
        let take = |conn: &mut Conn, message: &[u8]| {
            answers.clear();
            match server.from_client(now, &client, message, answers, ports) {
                Step::Nothing => {}
                Step::Answer => {
                    conn.put(answers);
                }
                Step::Joined(connection) => {
                    conn.put(answers);
                    conn.joined = Some(connection);
                }
                Step::Relay { relay, peer, payload } => {
                    let to = ports.towards(relay, peer);
                    if let Some(socket) = ports.socket(relay) {
                        send(socket, writer, &[(to, payload)], message, &mut true);
                    }
                }
            }
        };
        let received = conn.receive(input, READ_MAX);
        let fate = conn.messages(take);
        answers.clear();
        let (joined, early) = (conn.joined, conn.upward());
        self.streams.put_back(slot, conn);
        let stands = received == Ok(Received::Some) && fate.is_ok();
        if let Some(connection) = joined.filter(|_| stands) {
            self.server.carried(connection, Way::Up, early);
            self.join(now, connection, slot, &mut buffers.input);
        }
        stands
    }

    /// Ends a connection and its allocation, or the peer's that it was joined to.
    pub(super) fn close(&mut self, slot: u32) {
        let Some(mut conn) = self.streams.take(slot) else { return };
        if let Some(connection) = conn.joined {
            self.ports.peers.remove(connection);
            self.server.connection_over(connection);
        }
        // A last word, if it fits.
        let _ = conn.write();
        self.server.client_gone(&conn.client, &mut self.ports);
        self.streams.close(slot, conn);
    }

    /// Closes connections that have had no allocation for long.
    fn sweep(&mut self, now: Now) {
        if now.mono < self.swept + SWEEP {
            return;
        }
        self.swept = now.mono;
        let second = now.mono.as_secs();
        let mut over = Vec::new();
        for (slot, conn) in self.streams.each() {
            if conn.joined.is_some() || self.server.has_allocation(&conn.client) {
                conn.bare_since = second;
            } else if second >= conn.bare_since + BARE_SECONDS {
                over.push(slot);
            }
        }
        over.into_iter().for_each(|slot| self.close(slot));
    }

    fn ordered_to_stop(&mut self, now: Now) -> bool {
        loop {
            match self.orders.try_recv() {
                Ok(Command::Revoke(user)) => self.server.revoke(now, &user, &mut self.ports),
                Ok(Command::Stop) | Err(TryRecvError::Disconnected) => return true,
                Err(TryRecvError::Empty) => return false,
            }
        }
    }
}
