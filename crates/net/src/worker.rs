//! The loop that drives one engine.

use std::sync::Arc;
use std::time::Duration;

use lyceum_sip::{Now, Time};

use crate::command::Command;
use crate::io::Io;
use crate::mailbox::Mailbox;
use crate::pace::Pace;
use crate::sys::{DatagramReader, DatagramWriter};
use crate::{Arrival, Clock, Destination, Engine, Flow, Load, Outbox};

/// Where readers hand what they read.
pub(crate) trait Sink {
    /// A whole message.
    fn message(&mut self, arrival: Arrival<'_>);
    /// An answer of the driver itself (keep-alives).
    fn reply(&mut self, flow: Flow, write: &mut dyn FnMut(&mut Vec<u8>));
    /// A batch was read: time to look at the clock.
    fn batch_done(&mut self);
}

struct Deliver<'a, E> {
    engine: &'a mut E,
    out: &'a mut Outbox,
    clock: Clock,
    now: Now,
    count: u32,
}

impl<E: Engine> Sink for Deliver<'_, E> {
    fn message(&mut self, arrival: Arrival<'_>) {
        self.count = self.count.saturating_add(1);
        self.engine.message(self.now, arrival, self.out);
    }

    fn reply(&mut self, flow: Flow, write: &mut dyn FnMut(&mut Vec<u8>)) {
        self.out.send(&Destination::Flow(flow), 0, write);
    }

    fn batch_done(&mut self) {
        self.now = self.clock.now();
    }
}

/// Where a worker stands on its way out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Serving,
    /// The engine finishes what it began.
    Draining {
        until: Time,
    },
    /// What was sent last is written out, then all ends.
    Closing {
        until: Time,
    },
}

/// How long the last bytes may take to leave.
const LAST_WORDS: Duration = Duration::from_secs(2);

pub(crate) struct Worker<E: Engine> {
    engine: E,
    io: Io,
    mailbox: Arc<Mailbox<E::Post>>,
    out: Outbox,
    pace: Pace,
    clock: Clock,
    posts: Vec<E::Post>,
    commands: Vec<Command>,
    behind_since: Option<Time>,
    phase: Phase,
}

impl<E: Engine> Worker<E> {
    pub(crate) fn new(engine: E, io: Io, mailbox: Arc<Mailbox<E::Post>>, coalesce: crate::Coalesce) -> Worker<E> {
        let clock = io.clock;
        Worker {
            engine,
            io,
            mailbox,
            out: Outbox::new(),
            pace: Pace::new(coalesce, clock.mono()),
            clock,
            posts: Vec::new(),
            commands: Vec::new(),
            behind_since: None,
            phase: Phase::Serving,
        }
    }

    /// Turns until drained; gives the engine back.
    pub(crate) fn run(mut self) -> E {
        let mut reader = DatagramReader::new();
        let mut writer = DatagramWriter::new();
        loop {
            self.wait();
            let load = self.read(&mut reader);
            self.take_commands();
            self.outcomes();
            self.take_posts();
            let now = self.clock.now();
            if self.engine.next_timeout().is_some_and(|at| at <= now.mono) {
                self.engine.timeout(now, &mut self.out);
            }
            self.engine.settle(now, load, &mut self.out);
            self.io.flush(now.mono, &mut self.out, &mut writer);
            if self.ended(now) {
                self.mailbox.close();
                return self.engine;
            }
        }
    }

    /// Rests if it pays, then sleeps until a socket, the mailbox or a deadline calls.
    fn wait(&mut self) {
        if let Some(rest) = self.pace.rest() {
            std::thread::sleep(rest);
            self.pace.slept();
            if self.io.wait(Some(Duration::ZERO)) || self.mailbox.waiting() > 0 || !self.io.is_quiet() {
                return;
            }
        }
        let idle = self.io.is_quiet() && self.mailbox.park();
        if idle {
            self.pace.slept();
        }
        let timeout = if idle { self.deadline().map(|at| at - self.clock.mono()) } else { Some(Duration::ZERO) };
        self.io.wait(timeout);
        self.mailbox.unpark();
    }

    fn deadline(&self) -> Option<Time> {
        let phase = match self.phase {
            Phase::Serving => None,
            Phase::Draining { until } | Phase::Closing { until } => Some(until),
        };
        [self.engine.next_timeout(), self.io.next_timeout(), phase].into_iter().flatten().min()
    }

    fn read(&mut self, reader: &mut DatagramReader) -> Load {
        let now = self.clock.now();
        let mut sink = Deliver { engine: &mut self.engine, out: &mut self.out, clock: self.clock, now, count: 0 };
        let round = self.io.read(now.mono, reader, &mut sink);
        let messages = sink.count;
        self.io.counters.messages_in(u64::from(messages));
        if round.drained {
            self.behind_since = None;
        } else if self.behind_since.is_none() {
            self.behind_since = Some(now.mono);
        }
        self.pace.turn(now.mono, messages);
        Load {
            behind: self.behind_since.map_or(Duration::ZERO, |since| self.clock.mono() - since),
            dropped: round.dropped,
            messages,
            posts_waiting: self.mailbox.waiting(),
        }
    }

    fn take_commands(&mut self) {
        self.mailbox.take_commands(&mut self.commands);
        if self.commands.is_empty() {
            return;
        }
        let now = self.clock.now();
        let mut commands = std::mem::take(&mut self.commands);
        for command in commands.drain(..) {
            match command {
                Command::Drain { within } => self.begin_drain(now, within),
                command => {
                    let (engine, out) = (&mut self.engine, &mut self.out);
                    let mut sink = Deliver { engine, out, clock: self.clock, now, count: 0 };
                    self.io.command(now.mono, command, &mut sink);
                }
            }
        }
        self.commands = commands;
    }

    /// Tells the engine which flows ended and which sends failed since it was asked last.
    fn outcomes(&mut self) {
        let now = self.clock.now();
        self.io.timers(now.mono);
        if self.io.is_quiet() {
            return;
        }
        let (failed, closed) = self.io.take_outcomes();
        for ticket in failed {
            self.engine.send_failed(now, ticket, &mut self.out);
        }
        for flow in closed {
            self.engine.flow_closed(now, flow, &mut self.out);
        }
    }

    fn take_posts(&mut self) {
        self.mailbox.take_posts(&mut self.posts);
        if self.posts.is_empty() {
            return;
        }
        let now = self.clock.now();
        for post in self.posts.drain(..) {
            self.engine.posted(now, post, &mut self.out);
        }
    }

    fn begin_drain(&mut self, now: Now, within: Duration) {
        if self.phase == Phase::Serving {
            self.phase = Phase::Draining { until: now.mono + within };
            self.io.stop_accepting();
            self.engine.drain(now, &mut self.out);
        }
    }

    fn ended(&mut self, now: Now) -> bool {
        if let Phase::Draining { until } = self.phase
            && self.io.is_quiet()
            && (now.mono >= until || self.engine.is_drained())
        {
            self.io.close_all(now.mono);
            self.phase = Phase::Closing { until: now.mono + LAST_WORDS };
        }
        match self.phase {
            Phase::Closing { until } => now.mono >= until || self.io.is_written_out(),
            _ => false,
        }
    }
}
