//! All connections of one worker.

mod conn;
mod open;
mod read;
mod table;
mod write;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use lyceum_sip::{Index, Limits, Time};

use crate::counters::Counters;
use crate::gate::Gate;
use crate::sys::{Epoll, Interest, Ready};
use crate::worker::Sink;
use crate::{Bounds, Flow, Listener, ListenerId, Options, Tls};

pub(crate) use conn::PeerKey;
pub(crate) use conn::Reason;
use conn::{Conn, Link, State};
use open::Acceptor;
pub(crate) use open::ForeignOpen;
use table::Table;

/// Bytes read from one connection in one turn: the others wait for at most so much of each.
const READ_MAX: usize = 64 << 10;
/// A TLS record that is not whole yet stands in front of what is read: its longest form.
const RECORD_MAX: usize = 5 + 16_384 + 2_048;
/// After the peer has said its last, our answers may follow for this long.
const HALF_CLOSED: Duration = Duration::from_millis(300);
/// After we have said our last, it must be written within this time.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Output buffers kept for the next message; longer ones are given back.
const SPARE_BUFFERS: usize = 64;
const SPARE_BYTES: usize = 64 << 10;

/// A connection goes on, or ends for a reason.
type Fate = Result<(), Reason>;

pub(crate) struct Streams {
    table: Table,
    epoll: Arc<Epoll>,
    token: u64,
    bounds: Bounds,
    limits: Limits,
    traffic_class: u8,
    tls: Option<Tls>,
    /// Listeners that have settings of their own.
    own_tls: Vec<(ListenerId, Tls)>,
    forgetful: bool,
    /// Lasting names of connections to nodes of ours, and where they lead now.
    links: HashMap<u32, Flow>,
    gate: Arc<Gate>,
    counters: Arc<Counters>,
    acceptors: Vec<Acceptor>,
    accept_token: u64,
    listeners: Vec<Arc<Listener>>,
    foreign: HashMap<u64, u32>,
    opened_by_us: usize,
    index: Index,
    input: Vec<u8>,
    plain: Vec<u8>,
    spare: Vec<Vec<u8>>,
    dirty: Vec<u32>,
    /// Bytes that wait on all connections.
    queued: usize,
    /// Connections that end at a time, in order.
    ending: VecDeque<(Time, Flow)>,
    next_sweep: Time,
    sweep_every: Duration,
    pub(crate) failed: Vec<u64>,
    pub(crate) closed: Vec<Flow>,
}

/// The bases that mark our descriptors in epoll.
pub(crate) struct Tokens {
    pub(crate) accept: u64,
    pub(crate) stream: u64,
}

impl Streams {
    pub(crate) fn new(
        worker: u8,
        options: &Options,
        epoll: Arc<Epoll>,
        tokens: &Tokens,
        gate: Arc<Gate>,
        counters: Arc<Counters>,
    ) -> Streams {
        let bounds = options.bounds.clone();
        let shortest = [bounds.handshake, bounds.first_message, bounds.whole_message, bounds.idle, bounds.write_stall];
        let shortest = shortest.into_iter().min().unwrap_or(Duration::ZERO);
        Streams {
            table: Table::new(worker),
            epoll,
            token: tokens.stream,
            sweep_every: (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(1)),
            bounds,
            limits: options.limits,
            traffic_class: options.traffic_class,
            tls: options.tls.clone(),
            own_tls: own_tls(options),
            forgetful: options.forgetful,
            links: HashMap::new(),
            gate,
            counters,
            acceptors: Vec::new(),
            accept_token: tokens.accept,
            listeners: Vec::new(),
            foreign: HashMap::new(),
            opened_by_us: 0,
            index: Index::new(),
            input: vec![0; RECORD_MAX + READ_MAX],
            plain: Vec::new(),
            spare: Vec::new(),
            dirty: Vec::new(),
            queued: 0,
            ending: VecDeque::new(),
            next_sweep: Time(0),
            failed: Vec::new(),
            closed: Vec::new(),
        }
    }

    /// A listener that outbound connections may be opened for.
    pub(crate) fn know(&mut self, listener: Arc<Listener>) {
        self.listeners.push(listener);
    }

    /// A connection's socket is ready. True when there is nothing more to read on it.
    pub(crate) fn ready(&mut self, now: Time, index: u32, ready: Ready, sink: &mut dyn Sink) -> bool {
        let Some(mut conn) = self.table.take(index) else { return true };
        let mut drained = true;
        let fate = self.advance(now, &mut conn, ready, sink, &mut drained);
        self.keep_or_end(conn, fate);
        drained
    }

    fn advance(&mut self, now: Time, conn: &mut Conn, ready: Ready, sink: &mut dyn Sink, drained: &mut bool) -> Fate {
        match conn.state {
            State::Connecting => self.connected(now, conn)?,
            State::HalfClosed | State::Closing if ready.hangup || ready.error => return Err(conn.reason),
            State::Handshaking | State::Open if ready.read => *drained = self.receive(now, conn, sink)?,
            _ => {}
        }
        if ready.write || conn.out.len() > 0 { self.write_out(now, conn) } else { Ok(()) }
    }

    fn keep_or_end(&mut self, conn: Box<Conn>, fate: Fate) {
        match fate {
            Ok(()) => self.table.put(conn),
            Err(reason) => self.end(conn, reason),
        }
    }

    fn end(&mut self, mut conn: Box<Conn>, reason: Reason) {
        self.queued -= std::mem::take(&mut conn.counted);
        self.failed.extend(conn.unsent());
        if conn.announced {
            self.closed.push(conn.flow);
        }
        if conn.permit.is_none() {
            self.opened_by_us -= 1;
        }
        if let Link::Foreign { key, .. } = &conn.link {
            self.foreign.remove(key);
        }
        self.links.retain(|_, flow| *flow != conn.flow);
        self.table.bury(&conn);
        self.counters.ended(reason);
        tracing::debug!(remote = %conn.remote, transport = conn.transport.via_token(), ?reason, "connection ended");
    }

    /// Tells the kernel what to report, if that changed.
    fn set_interest(&self, conn: &mut Conn) -> Fate {
        let waiting = conn.out.len() > 0;
        let wanted = match (conn.state, waiting) {
            (State::Connecting, _) | (State::HalfClosed | State::Closing, true) => Interest::Write,
            (State::HalfClosed | State::Closing, false) => Interest::Nothing,
            (_, true) => Interest::ReadWrite,
            (_, false) => Interest::Read,
        };
        if wanted != conn.interest
            && let Link::Socket(socket) = &conn.link
        {
            use std::os::fd::AsFd;
            let token = self.token | u64::from(conn.index);
            self.epoll.modify(socket.as_fd(), token, wanted).map_err(|_| Reason::Broken)?;
            conn.interest = wanted;
        }
        Ok(())
    }

    /// When [`timers`](Streams::timers) must be called.
    pub(crate) fn next_timeout(&self) -> Option<Time> {
        let sweep = (self.table.len() > 0).then_some(self.next_sweep);
        let ending = self.ending.front().map(|(at, _)| *at);
        let paused = self.acceptors.iter().filter_map(|a| a.paused_until).min();
        [sweep, ending, paused].into_iter().flatten().min()
    }

    /// Ends what is over its time.
    pub(crate) fn timers(&mut self, now: Time) {
        self.resume_accepting(now);
        while let Some((at, flow)) = self.ending.front().copied()
            && at <= now
        {
            self.ending.pop_front();
            if let Some(conn) = self.table.find(flow).and_then(|index| self.table.take(index)) {
                let reason = conn.reason;
                self.end(conn, reason);
            }
        }
        if self.table.len() > 0 && now >= self.next_sweep {
            self.sweep(now);
            self.next_sweep = now + self.sweep_every;
        }
    }

    fn sweep(&mut self, now: Time) {
        for index in self.table.indexes() {
            let Some(conn) = self.table.get_mut(index) else { continue };
            let over = overdue(conn, now, &self.bounds);
            if let Some(reason) = over
                && let Some(conn) = self.table.take(index)
            {
                self.end(conn, reason);
            }
        }
    }

    /// Whether buffers are overwritten after use.
    pub(crate) fn is_forgetful(&self) -> bool {
        self.forgetful
    }

    /// True when no connection is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.table.len() == 0
    }
}

fn own_tls(options: &Options) -> Vec<(ListenerId, Tls)> {
    let own = |(at, listener): (usize, &crate::ListenerOptions)| Some((ListenerId(at as u16), listener.tls.clone()?));
    options.listeners.iter().enumerate().filter_map(own).collect()
}

/// Which bound of time a connection has broken.
fn overdue(conn: &Conn, now: Time, bounds: &Bounds) -> Option<Reason> {
    let past = |since: Option<Time>, bound: Duration| since.is_some_and(|since| now - since >= bound);
    match conn.state {
        State::Connecting if past(Some(conn.opened), bounds.handshake) => Some(Reason::Unreachable),
        State::Handshaking if past(Some(conn.opened), bounds.handshake) => Some(Reason::Handshake),
        State::Closing if past(conn.closing_since, LAST_WORDS) => Some(conn.reason),
        State::Open | State::Closing if past(conn.stalled_since, bounds.write_stall) => Some(Reason::SlowReader),
        State::Open if past(conn.partial_since, bounds.whole_message) => Some(Reason::Idle),
        State::Open if !conn.greeted && past(Some(conn.opened), bounds.first_message) => Some(Reason::Idle),
        State::Open if past(Some(conn.heard), bounds.idle) => Some(Reason::Idle),
        _ => None,
    }
}
