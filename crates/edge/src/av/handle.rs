//! Starting, asking and stopping.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use lyceum_net::driver::EventFd;
use lyceum_turn::Totals;

use super::bind::Bound;
use super::worker::Worker;
use super::{EdgeError, Listener, Options, system};

/// Commands that wait; who gives one more waits with it.
const COMMANDS: usize = 256;

/// What the thread is told.
#[derive(Debug)]
pub(super) enum Command {
    /// A user's credentials have ended.
    Revoke(String),
    Stop,
}

/// An A/V Edge whose ports are open and not yet served.
#[derive(Debug)]
pub struct Edge {
    options: Options,
    bound: Vec<Bound>,
    listening: Vec<Listener>,
}

/// Speaks to a running A/V Edge.
#[derive(Clone)]
pub struct Handle {
    commands: SyncSender<Command>,
    bell: Arc<EventFd>,
    stats: Arc<Stats>,
    listening: Arc<[Listener]>,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("listening", &self.listening).finish_non_exhaustive()
    }
}

/// A running A/V Edge.
#[derive(Debug)]
pub struct Running {
    handle: Handle,
    thread: JoinHandle<()>,
}

/// What is going on, for whoever shows it.
#[derive(Debug, Default)]
pub struct Stats {
    allocations: AtomicU64,
    connections: AtomicU64,
    made: AtomicU64,
    up: AtomicU64,
    down: AtomicU64,
    bytes: AtomicU64,
    over_quota: AtomicU64,
    unauthorized: AtomicU64,
    forbidden: AtomicU64,
    joined: AtomicU64,
}

impl Stats {
    pub(super) fn tell(&self, totals: &Totals, allocations: usize, connections: usize) {
        self.allocations.store(allocations as u64, Relaxed);
        self.connections.store(connections as u64, Relaxed);
        self.made.store(totals.allocations, Relaxed);
        self.up.store(totals.packets_up, Relaxed);
        self.down.store(totals.packets_down, Relaxed);
        self.bytes.store(totals.bytes, Relaxed);
        self.over_quota.store(totals.over_quota, Relaxed);
        self.unauthorized.store(totals.unauthorized, Relaxed);
        self.forbidden.store(totals.forbidden, Relaxed);
        self.joined.store(totals.connections, Relaxed);
    }

    /// Allocations that stand now.
    pub fn allocations(&self) -> u64 {
        self.allocations.load(Relaxed)
    }

    /// Connections of clients that stand now.
    pub fn connections(&self) -> u64 {
        self.connections.load(Relaxed)
    }

    /// What was done since the start.
    pub fn totals(&self) -> Totals {
        Totals {
            allocations: self.made.load(Relaxed),
            packets_up: self.up.load(Relaxed),
            packets_down: self.down.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            over_quota: self.over_quota.load(Relaxed),
            unauthorized: self.unauthorized.load(Relaxed),
            forbidden: self.forbidden.load(Relaxed),
            connections: self.joined.load(Relaxed),
        }
    }
}

impl Edge {
    pub(super) fn new(options: Options, bound: Vec<Bound>, listening: Vec<Listener>) -> Result<Edge, EdgeError> {
        Ok(Edge { options, bound, listening })
    }

    /// Serves, on a thread of its own.
    pub fn start(self) -> Result<Running, EdgeError> {
        let (commands, orders): (SyncSender<Command>, Receiver<Command>) = sync_channel(COMMANDS);
        let bell = Arc::new(EventFd::new().map_err(system("making an eventfd"))?);
        let stats = Arc::new(Stats::default());
        let rules = self.options.rules(&self.listening);
        let handle =
            Handle { commands, bell: Arc::clone(&bell), stats: Arc::clone(&stats), listening: self.listening.into() };
        let worker = Worker::new(self.options, rules, self.bound, (orders, bell), stats)?;
        let thread = std::thread::Builder::new()
            .name("relay".into())
            .spawn(move || worker.run())
            .map_err(system("starting the relay's thread"))?;
        Ok(Running { handle, thread })
    }
}

impl Handle {
    /// Where it listens, with real ports.
    pub fn listeners(&self) -> &[Listener] {
        &self.listening
    }

    /// What is going on.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Ends the credentials that were issued to a user until now, and what they allocated. Nothing happens after the stop.
    pub fn revoke(&self, user: &str) {
        self.tell(Command::Revoke(user.to_owned()));
    }

    fn tell(&self, command: Command) {
        if self.commands.send(command).is_ok() {
            self.bell.ring();
        }
    }
}

impl Running {
    /// Speaks to it.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Ends every allocation and every connection; returns when the ports are closed.
    pub fn stop(self) {
        self.handle.tell(Command::Stop);
        if self.thread.join().is_err() {
            tracing::error!("the relay's thread had ended by a fault");
        }
    }
}
