//! The load generator: one thread, two sockets (callers and called), many operations under way.
//!
//! Open loop: operations begin at a fixed rate whatever the server does; requests are repeated by the rules of RFC 3261
//! §17.1. [`Generator::run`] sends for a time, [`Generator::drain`] waits for what is still under way.

mod called;
mod calling;
mod messages;
mod slot;
mod timers;

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use lyceum_sip::{Index, Limits};

use self::messages::Messages;
use self::slot::Slots;
use self::timers::{Deadline, Due, Lines};
use crate::digest::Answers;
use crate::stats::Stats;
use crate::sys::{self, BATCH, Inbox, Outgoing};
use crate::users::User;

/// What one operation is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// REGISTER, 401, REGISTER with digest, 200.
    Register,
    /// OPTIONS to the server, 200.
    Options,
    /// MESSAGE through the proxy to a registered user, 200.
    Message,
    /// INVITE 100 180 200 ACK BYE 200 through the proxy.
    Call,
}

impl Kind {
    /// All, in the order of [`Rates`].
    pub const ALL: [Kind; 4] = [Kind::Register, Kind::Options, Kind::Message, Kind::Call];

    /// For reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["register", "options", "message", "calls"][self as usize]
    }
}

/// Operations per second of each [`Kind`].
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub struct Rates(pub [f64; 4]);

impl Rates {
    /// One kind alone.
    #[must_use]
    pub fn only(kind: Kind, rate: f64) -> Rates {
        Rates::default().with(kind, rate)
    }

    /// With this kind's rate set.
    #[must_use]
    pub fn with(mut self, kind: Kind, rate: f64) -> Rates {
        self.0[kind as usize] = rate;
        self
    }

    /// Everything multiplied.
    #[must_use]
    pub fn times(self, factor: f64) -> Rates {
        Rates(self.0.map(|rate| rate * factor))
    }
}

/// What a generator is made from.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server; on loopback.
    pub target: SocketAddr,
    /// The SIP domain it serves.
    pub domain: String,
    /// Who registers and calls.
    pub users: Vec<User>,
    /// The first so many users are called, the others call.
    pub callees: usize,
    /// Port of the called end, the same in every run so that old bindings lead to the living.
    pub called_port: u16,
    /// Expiry asked for.
    pub expires: u32,
    /// Pause between 180 and 200 and between ACK and BYE.
    pub pause: Duration,
    /// How long an answer is waited for; RFC 3261 says 64 × T1.
    pub patience: Duration,
    /// Operations that may be under way at once.
    pub limit: usize,
}

impl Options {
    /// The usual values.
    #[must_use]
    pub fn new(target: SocketAddr, domain: &str, users: Vec<User>) -> Options {
        Options {
            target,
            domain: domain.to_owned(),
            callees: (users.len() / 2).clamp(1, 1000),
            users,
            called_port: 5098,
            expires: 3600,
            pause: Duration::from_millis(20),
            patience: Duration::from_secs(32),
            limit: 200_000,
        }
    }
}

/// Operations begin on a grid of this width, in µs.
const TICK: u64 = 1000;

/// Both ends of the load.
pub struct Generator {
    options: Options,
    messages: Messages,
    answers: Answers,
    /// Callers' and called end's.
    sockets: [UdpSocket; 2],
    outgoing: [Outgoing; 2],
    inbox: Inbox,
    slots: Slots,
    lines: Lines,
    index: Index,
    limits: Limits,
    scratch: Vec<u8>,
    stats: [Stats; 4],
    cursor: [usize; 4],
    start: Instant,
}

fn socket(target: SocketAddr, port: u16) -> Result<UdpSocket, String> {
    if !target.ip().is_loopback() {
        return Err(format!("{target} is not on loopback: load is sent to this machine only"));
    }
    let fail = |error| format!("UDP port {port} on {}: {error}; another run is under way?", target.ip());
    let socket = UdpSocket::bind((target.ip(), port)).map_err(fail)?;
    socket.set_nonblocking(true).map_err(fail)?;
    socket.connect(target).map_err(fail)?;
    sys::widen(&socket, 8 << 20);
    Ok(socket)
}

impl Generator {
    /// Opens the sockets and makes the messages.
    ///
    /// # Errors
    /// One sentence: the target is not on loopback, a port is taken, there are too few users.
    pub fn new(options: Options) -> Result<Generator, String> {
        if options.users.len() < 2 {
            return Err("at least two users are needed: one calls the other".to_owned());
        }
        let sockets = [socket(options.target, 0)?, socket(options.target, options.called_port)?];
        let address = |socket: &UdpSocket| socket.local_addr().map_err(|error| error.to_string());
        let (caller, called) = (address(&sockets[0])?, address(&sockets[1])?);
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let run = format!("{:08x}", (since.as_millis() as u32) ^ std::process::id().rotate_left(20));
        Ok(Generator {
            messages: Messages::new(&options.domain, &run, caller, called, options.expires),
            answers: Answers::new(options.users.len()),
            lines: Lines::new(options.pause.as_micros() as u64, options.patience.as_micros() as u64),
            slots: Slots::new(options.limit),
            options,
            sockets,
            outgoing: Default::default(),
            inbox: Inbox::default(),
            index: Index::new(),
            limits: Limits::default(),
            scratch: Vec::new(),
            stats: Default::default(),
            cursor: [0; 4],
            start: Instant::now(),
        })
    }

    /// Begins operations at these rates for a time.
    pub fn run(&mut self, rates: &Rates, time: Duration) {
        let from = self.now();
        let total = rates.0.map(|rate| (rate * time.as_secs_f64()).round() as u64);
        let mut begun = [0; 4];
        while begun != total {
            let now = self.now();
            let since = (now - from) as f64 / 1e6;
            for kind in Kind::ALL {
                let at = kind as usize;
                let wanted = ((since * rates.0[at]) as u64 + 1).min(total[at]);
                while begun[at] < wanted {
                    begun[at] += 1;
                    self.begin(kind, now);
                }
            }
            self.turn((now - from) / TICK * TICK + from + TICK);
        }
    }

    /// Waits until nothing is under way, at most so long; what is left then has failed.
    pub fn drain(&mut self, longest: Duration) {
        let end = self.now() + longest.as_micros() as u64;
        while self.slots.count() > 0 && self.now() < end {
            self.turn(end);
        }
        for place in self.slots.taken() {
            self.fail(place, true);
        }
    }

    /// Handles what comes until the given time at the latest, or one batch of it.
    fn turn(&mut self, until: u64) {
        let now = self.now();
        while let Some(deadline) = self.lines.expired(now) {
            self.due(now, deadline);
        }
        self.flush();
        if !self.read() {
            let until = self.lines.next().map_or(until, |next| next.min(until));
            let wait = until.saturating_sub(self.now());
            if wait > 0 {
                sys::wait([&self.sockets[0], &self.sockets[1]], Duration::from_micros(wait));
            }
            self.read();
        }
        self.flush();
    }

    fn flush(&mut self) {
        for (outgoing, socket) in self.outgoing.iter_mut().zip(&self.sockets) {
            outgoing.flush(socket);
        }
    }

    /// Reads one batch of each socket; true when there may be more.
    fn read(&mut self) -> bool {
        let mut full = false;
        for side in 0..2 {
            let mut inbox = std::mem::take(&mut self.inbox);
            let count = inbox.receive(&self.sockets[side]);
            let now = self.now();
            for at in 0..count {
                let bytes = inbox.datagram(at);
                if bytes.starts_with(b"SIP/2.0 ") {
                    self.response(now, bytes);
                } else {
                    self.request(now, side, bytes);
                }
            }
            self.inbox = inbox;
            full |= count == BATCH;
        }
        full
    }

    fn due(&mut self, now: u64, deadline: Deadline) {
        let Some(slot) = self.slots.live(deadline.slot) else { return };
        let caller = matches!(deadline.due, Due::Repeat | Due::Bye | Due::GiveUp);
        if deadline.timer != if caller { slot.timer } else { slot.called_timer } {
            return;
        }
        match deadline.due {
            Due::Repeat => self.repeat(now, deadline.slot),
            Due::GiveUp => self.fail(deadline.slot, true),
            Due::Bye => self.send_bye(now, deadline.slot),
            Due::Answer => self.send_answer(now, deadline.slot),
            Due::RepeatAnswer => self.repeat_answer(now, deadline.slot),
        }
    }

    /// µs since the generator was made.
    fn now(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    /// What happened to this kind since the last [`Generator::take_stats`].
    #[must_use]
    pub fn stats(&self, kind: Kind) -> &Stats {
        &self.stats[kind as usize]
    }

    /// What happened, and begins a new count.
    pub fn take_stats(&mut self) -> [Stats; 4] {
        std::mem::take(&mut self.stats)
    }

    /// The next registration is of the user with this number.
    pub fn register_from(&mut self, user: usize) {
        self.cursor[Kind::Register as usize] = user;
    }

    /// What it was made from.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Registers so many users from the first on, at this rate.
    ///
    /// # Errors
    /// When one is refused or not answered.
    pub fn register_first(&mut self, count: usize, rate: f64) -> Result<(), String> {
        self.register_from(0);
        let before = self.take_stats();
        self.run(&Rates::only(Kind::Register, rate), Duration::from_secs_f64(count as f64 / rate));
        self.drain(Duration::from_secs(8));
        let after = std::mem::replace(&mut self.stats, before);
        let stats = &after[Kind::Register as usize];
        if stats.failed > 0 {
            let seen = &stats.statuses;
            return Err(format!(
                "{} of {} registrations failed; answers by status: {seen:?}",
                stats.failed, stats.sent
            ));
        }
        Ok(())
    }
}
