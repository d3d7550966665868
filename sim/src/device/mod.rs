//! A simulated endpoint: registers, calls, answers, hangs up, at random. It stands on the same transaction table, dialogs
//! and digest as everything else, and reports what a person at the phone would notice.

mod ask;
mod call;
mod callee;
mod caller;
mod dialog;
mod receive;
mod registration;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;

use lyceum_sip::time::{Now, Time};
use lyceum_sip::transaction::{ClientId, Table, TableLimits, Timers};
use lyceum_sip::{Index, Transport};

use crate::dice::Dice;
use crate::report::Report;
use ask::{Ask, Wallet};
pub use call::{Call, Stage};
pub use registration::Registration;

/// What a device does by itself at some moment. Numbers name one of its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Register, or refresh.
    Register,
    /// Take the binding away.
    Unregister,
    /// Open a connection again.
    Reconnect,
    /// Call somebody.
    Call,
    /// Send a MESSAGE or an OPTIONS to somebody.
    Message,
    /// Stop waiting for an answer.
    GiveUp(u64),
    /// Answer with this status.
    Answer(u64, u16),
    /// It has been ringing for too long.
    RingLimit(u64),
    /// Hang up.
    HangUp(u64),
    /// Change the session.
    Reinvite(u64),
    /// Send something small within the call.
    Chat(u64),
    /// Repeat a 200 to the INVITE with this CSeq, unless its ACK came; the last is the interval in ms.
    RepeatOk(u64, u32, u32),
    /// Out of reach: nothing gets in or out.
    Off,
    /// Back again.
    On,
}

/// What a device wants done once it has been called.
#[derive(Default)]
pub struct Actions {
    /// Messages to the server, with the transaction to be told if they cannot leave.
    pub sends: Vec<(Option<ClientId>, Vec<u8>)>,
    /// What to do later.
    pub tasks: Vec<(Time, Task)>,
    /// What was noticed.
    pub reports: Vec<Report>,
}

/// The moment, the dice, and where to put what follows.
pub struct Context<'a> {
    /// The clock.
    pub now: Now,
    /// Chance.
    pub dice: &'a mut Dice,
    /// Results.
    pub out: &'a mut Actions,
}

impl Context<'_> {
    fn later(&mut self, after: std::time::Duration, task: Task) {
        self.out.tasks.push((self.now.mono + after, task));
    }

    fn report(&mut self, report: Report) {
        self.out.reports.push(report);
    }
}

/// What a client transaction is for.
#[derive(Clone, Debug)]
enum Use {
    Register(Box<Ask>),
    Invite(u64),
    Reinvite(u64),
    InDialog(u64),
    Message(Box<Ask>),
}

/// One endpoint.
pub struct Device {
    /// Its number; also in every tag, branch and Call-ID that it makes.
    pub id: usize,
    /// Whose it is.
    pub user: usize,
    /// What it speaks over.
    pub transport: Transport,
    /// Its own address.
    pub address: SocketAddr,
    /// Its connection, if it needs one and has it.
    pub connection: Option<usize>,
    /// It is switched on.
    pub powered: bool,
    /// When it last lost power or its connection.
    pub disturbed: Time,
    /// Its binding.
    pub registration: Registration,
    /// Its calls, finished ones too.
    pub calls: BTreeMap<u64, Call>,
    /// It begins nothing new.
    pub quiet: bool,
    users: usize,
    agent: &'static str,
    instance: Option<String>,
    table: Table<()>,
    uses: HashMap<u64, Use>,
    branches: HashSet<Vec<u8>>,
    invites: HashMap<Vec<u8>, Time>,
    wallet: Wallet,
    number: u64,
    index: Index,
}

impl Device {
    /// A device of a user, one of `users`.
    pub fn new(id: usize, user: usize, users: usize, transport: Transport, dice: &mut Dice) -> Self {
        let address = SocketAddr::from(([198, 51, 100, id as u8 + 1], 5060));
        let reliable = transport.is_reliable();
        Device {
            id,
            user,
            transport,
            address,
            connection: None,
            powered: true,
            disturbed: Time::default(),
            registration: Registration::new(id),
            calls: BTreeMap::new(),
            quiet: false,
            users,
            agent: if dice.chance(50) { "Linphone sim" } else { "Desk phone sim" },
            instance: (reliable || dice.chance(50)).then(|| format!("urn:uuid:00000000-0000-1000-8000-{id:012}")),
            table: Table::new(Timers::default(), TableLimits::default(), dice.key()),
            uses: HashMap::new(),
            branches: HashSet::new(),
            invites: HashMap::new(),
            wallet: Wallet::default(),
            number: 0,
            index: Index::new(),
        }
    }

    /// When [`Device::timeout`] is due.
    pub fn next_timeout(&self) -> Option<Time> {
        self.table.next_timeout()
    }

    /// Transaction timers.
    pub fn timeout(&mut self, ctx: &mut Context<'_>) {
        self.table.timeout(ctx.now.mono);
        self.flush(ctx);
    }

    /// Live transactions.
    pub fn transactions(&self) -> usize {
        let counts = self.table.counts();
        counts.servers + counts.clients
    }

    /// A message could not leave: its transaction is over.
    pub fn send_failed(&mut self, client: ClientId, ctx: &mut Context<'_>) {
        if let Some(user) = self.table.transport_error(ctx.now.mono, client) {
            self.client_over(user, ctx);
        }
        self.flush(ctx);
    }

    /// It is time for something.
    pub fn task(&mut self, task: Task, ctx: &mut Context<'_>) {
        match task {
            Task::Register => self.register(false, ctx),
            Task::Unregister => self.register(true, ctx),
            Task::Call => self.call(ctx),
            Task::Message => self.message(ctx),
            Task::GiveUp(call) => self.give_up(call, ctx),
            Task::Answer(call, status) => self.answer(call, status, ctx),
            Task::RingLimit(call) => self.ring_limit(call, ctx),
            Task::HangUp(call) => self.hang_up(call, ctx),
            Task::Reinvite(call) => self.reinvite(call, ctx),
            Task::Chat(call) => self.chat(call, ctx),
            Task::RepeatOk(call, cseq, interval) => self.repeat_ok(call, cseq, interval, ctx),
            Task::Reconnect | Task::Off | Task::On => {}
        }
        self.flush(ctx);
    }

    /// Another user than this device's own, most of the time.
    fn somebody(&self, dice: &mut Dice) -> usize {
        dice.below(self.users as u64) as usize
    }

    fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }
}

/// The device that made a tag.
pub fn device_of(tag: &[u8]) -> Option<usize> {
    let digits = tag.strip_prefix(b"d")?.split(|byte| *byte == b'x').next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}
