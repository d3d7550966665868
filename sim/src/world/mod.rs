//! One run: server, store, network and endpoints in virtual time.

mod endpoints;
mod finish;
mod judge;
mod promises;
mod scenario;
mod server;

use std::collections::HashMap;
use std::time::Duration;

use lyceum_front_end::core::Core;
use lyceum_net::Outbox;
use lyceum_sip::time::{Now, Time, WallTime};

use crate::device::Device;
use crate::dice::Dice;
use crate::log::Log;
use crate::network::Network;
use crate::organisation::Organisation;
use crate::plant::Fault;
use crate::queue::{Event, Queue};
use crate::store::Store;
use crate::violation::{Rule, Violation};

/// How long endpoints are busy: ten minutes.
pub const BUSY: Duration = Duration::from_secs(600);
/// How long what they left may linger: timer C, the wait after its CANCEL, the longest lingering state, and margins.
pub const LINGER: Duration = Duration::from_secs(181 + 32 + 32 + 15);
/// How often promises are compared with what is there.
const CHECK_EVERY: Duration = Duration::from_secs(5);
/// The wall clock when the run begins, in ms.
const BEGINNING: u64 = 1_750_000_000_000;

/// An INVITE transaction of a caller.
struct Attempt {
    device: usize,
    call_id: Vec<u8>,
    begun: Time,
    answer: Option<(u16, Vec<u8>)>,
}

/// What a run counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Messages that reached the server.
    pub messages: u64,
    /// INVITEs sent by endpoints.
    pub invites: u64,
    /// Calls answered with 2xx.
    pub answered: u64,
    /// REGISTERs granted.
    pub registered: u64,
    /// Times the server was killed.
    pub crashes: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.messages += other.messages;
        self.invites += other.invites;
        self.answered += other.answered;
        self.registered += other.registered;
        self.crashes += other.crashes;
    }
}

/// Everything there is in one run.
pub struct World {
    now: Time,
    dice: Dice,
    queue: Queue,
    network: Network,
    store: Store,
    organisation: Organisation,
    core: Option<Core>,
    incarnation: u32,
    outbox: Outbox,
    devices: Vec<Device>,
    timers: Vec<Option<Time>>,
    next_port: u16,
    /// When the server was down.
    outages: Vec<(Time, Time)>,
    attempts: HashMap<Vec<u8>, Attempt>,
    /// Branches of INVITEs that reached the server, for the fault that mangles repetitions.
    reached: HashMap<Vec<u8>, u32>,
    plant: Option<Fault>,
    violations: Vec<Violation>,
    /// What happened.
    pub log: Log,
    /// How much happened.
    pub counts: Counts,
}

impl World {
    /// The world of a seed, with its events still to come.
    pub fn new(seed: u64, plant: Option<Fault>, trace: bool) -> Self {
        let mut dice = Dice::new(seed);
        let users = dice.between(4, 8) as usize;
        let mut world = World {
            now: Time::default(),
            organisation: Organisation::new(users, dice.key()),
            queue: Queue::default(),
            network: Network::default(),
            store: Store::default(),
            core: None,
            incarnation: 0,
            outbox: Outbox::new(),
            devices: Vec::new(),
            timers: Vec::new(),
            next_port: 10_000,
            outages: Vec::new(),
            attempts: HashMap::new(),
            reached: HashMap::new(),
            plant,
            violations: Vec::new(),
            log: Log::new(trace),
            counts: Counts::default(),
            dice,
        };
        world.populate(users);
        world
    }

    /// Runs to the end, or to the first broken rule.
    pub fn run(&mut self) -> Vec<Violation> {
        let end = Time::default() + BUSY + LINGER;
        while self.violations.is_empty() {
            let core = self.core_due();
            let next = match (core, self.queue.next()) {
                (Some(core), Some(queue)) if core <= queue => core,
                (Some(core), None) => core,
                (_, Some(queue)) => queue,
                (None, None) => break,
            };
            if next > end {
                self.finish();
                break;
            }
            self.now = self.now.max(next);
            if core == Some(next) {
                self.core_timeout();
            } else if let Some((_, event)) = self.queue.pop() {
                self.happen(event);
            }
        }
        std::mem::take(&mut self.violations)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::ToServer { device, from, connection, bytes } => self.reach_server(device, from, connection, &bytes),
            Event::ToDevice { device, connection, bytes } => self.reach_device(device, connection, &bytes),
            Event::Task { device, task } => self.task(device, task),
            Event::DeviceTimer { device } => {
                self.timers[device] = None;
                self.with_device(device, |device, ctx| device.timeout(ctx));
            }
            Event::Break { connection } => self.break_connection(connection),
            Event::DeviceLost { device, connection } => self.device_lost(device, connection),
            Event::ServerLost { connection } => self.server_lost(connection),
            Event::SendFailed { incarnation, ticket } => self.send_failed(incarnation, ticket),
            Event::DiskDone { incarnation } => self.disk_done(incarnation),
            Event::Stored { incarnation, upto, ok } => self.stored(incarnation, upto, ok),
            Event::Crash => self.crash(),
            Event::Restart => self.restart(),
            Event::Check => {
                self.check_promises();
                self.queue.push(self.now + CHECK_EVERY, Event::Check);
            }
            Event::Quiet => self.quiet(),
        }
    }

    fn clock(&self) -> Now {
        Now { mono: self.now, wall: WallTime(BEGINNING + self.now.0 / 1000) }
    }

    fn violate(&mut self, rule: Rule, what: String) {
        self.log.line(self.now, format_args!("BROKEN {rule}: {what}"));
        self.violations.push(Violation { at: self.now, rule, what });
    }
}
