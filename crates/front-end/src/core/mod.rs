//! The front end of one worker as a machine without IO: messages, commits and time in; messages and effects out.
//!
//! [`Core`] decides, nothing more. The executor ([`crate::executor`]) carries out its [`Effect`]s on sockets and store;
//! the simulator carries them out on a virtual network.

mod dispatch;
mod effect;
mod gone;
mod links;
pub(crate) mod names;
pub(crate) mod reply;
pub(crate) mod signed;

pub use effect::Effect;
pub use links::EnrolledEdge;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use lyceum_net::{Destination, Flow, Listener, ListenerId, Load, Outbox};
use lyceum_sip::digest::Nonces;
use lyceum_sip::gruu::Gruus;
use lyceum_sip::time::{Now, Time};
use lyceum_sip::token::bearer::Bearers;
use lyceum_sip::transaction::{Table, TableLimits, Timers};
use lyceum_sip::{Index, Limits, SecretKey, Transport};
use lyceum_topology::{ProxyPolicy, Snapshot};
use lyceum_users::{Group, Journal, Undo, Undone};

use crate::calls::Calls;
use crate::credentials::Credentials;
use crate::events::Events;
use crate::keys::Keys;
use crate::ladders::Ladders;
use crate::lockout::{Lockout, LockoutLimits};
use crate::messages::Messages;
use crate::metrics::Metrics;
use crate::overload::Shedder;
use crate::sources::Sources;
use crate::trace::Tracer;
use crate::withheld::Withheld;
use names::own_names;

/// Routing groups of a pool, for life (DESIGN: 256).
pub const GROUPS: usize = 256;
/// A journal block is handed to the store at this many entries, or at the end of the commit interval.
pub const BLOCK_ENTRIES: u32 = 256;
/// Answers and changes that may wait for the store; beyond it REGISTER is refused with 503.
pub const UNSETTLED_LIMIT: usize = 20_000;
/// How often lapsed bindings and old counts are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// After a failed write the store is tried again so often.
pub const STORE_RETRY: Duration = Duration::from_secs(2);

/// What may be read: the larger of the two size policies; clients are held to theirs afterwards.
pub fn message_limits(policy: &ProxyPolicy) -> Limits {
    let most = policy.max_server_message_kib as usize * 1024;
    Limits { message: most + lyceum_sip::limits::MAX_HEAD, body: most, ..Limits::default() }
}

/// What a worker is built from.
pub struct CoreOptions {
    /// The worker's number.
    pub worker: u8,
    /// Listeners by which it can send, those of the HTTPS server included.
    pub listeners: Vec<Listener>,
    /// The configuration in force.
    pub snapshot: Arc<Snapshot>,
    /// Digest secrets.
    pub credentials: Credentials,
    /// Keys derived from the master key.
    pub keys: Keys,
    /// Seed of the worker's generator: branches and tags are drawn from it.
    pub seed: [u8; 32],
    /// Shared counters.
    pub metrics: Arc<Metrics>,
    /// Name of this node, for records.
    pub node: Box<str>,
    /// Name of the pool in the topology, for its policies.
    pub pool: Box<str>,
    /// How long a journal block stays open.
    pub commit_interval: Duration,
    /// The store's epoch of every group.
    pub epoch: u64,
}

/// The front end of one worker.
pub struct Core {
    pub(crate) worker: u8,
    pub(crate) pool: Box<str>,
    pub(crate) listeners: Vec<Listener>,
    /// Host names that mean this server, besides its SIP domains.
    pub(crate) own_names: Vec<Box<str>>,
    given_names: Vec<Box<str>>,
    /// Where browsers reach this server; empty when they do not.
    pub(crate) pages: Box<str>,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) limits: LockoutLimits,
    pub(crate) credentials: Credentials,
    pub(crate) keys: Keys,
    pub(crate) groups: Vec<Group>,
    pub(crate) journal: Journal,
    pub(crate) withheld: Withheld,
    pub(crate) transactions: Table<Destination>,
    pub(crate) calls: Calls,
    pub(crate) nonces: Nonces,
    pub(crate) bearers: Bearers,
    pub(crate) signed: signed::SignedFlows,
    pub(crate) links: links::Links,
    pub(crate) lockout: Lockout,
    pub(crate) sources: Sources,
    pub(crate) source_rate: u32,
    pub(crate) client_message: usize,
    pub(crate) node: Box<str>,
    pub(crate) shedder: Shedder,
    pub(crate) tracer: Tracer,
    pub(crate) ladders: Ladders,
    pub(crate) gruus: Gruus,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) random: crate::random::Random,
    pub(crate) events: Events,
    pub(crate) messages: Messages,
    pub(crate) effects: VecDeque<Effect>,
    pub(crate) scratch: Vec<u8>,
    /// The message sent last, while somebody looks at it.
    pub(crate) sent: Vec<u8>,
    pub(crate) reply: Vec<u8>,
    pub(crate) nonce: Vec<u8>,
    commit_interval: Duration,
    block_opened: Option<Time>,
    pub(crate) store_away: Option<Time>,
    next_sweep: Time,
    pub(crate) next_notify: Option<Time>,
    started: bool,
    pub(crate) draining: bool,
    index: Index,
    pub(crate) parse_limits: Limits,
}

impl Core {
    /// A core with no bindings yet; [`Core::groups_mut`] takes what the store holds.
    pub fn new(options: CoreOptions) -> Self {
        let pool = options.snapshot.pool(&options.pool);
        let limits = LockoutLimits::from(&pool.lockout);
        let nonce_lifetime = Duration::from_secs(u64::from(pool.authentication.nonce_lifetime_seconds));
        let mut groups: Vec<Group> = (0..=u8::MAX).map(Group::new).collect();
        groups.iter_mut().for_each(|group| group.set_epoch(options.epoch));
        let mut random = crate::random::Random::new(options.seed);
        let timer_c = Duration::from_secs(u64::from(pool.proxy.timer_c_seconds));
        let timers = Timers { c: timer_c, ..Timers::default() };
        let transactions = Table::new(timers, TableLimits::default(), random.bytes16());
        let source_rate = pool.proxy.source_requests_per_second;
        let client_message = pool.proxy.max_client_message_kib as usize * 1024;
        let parse_limits = message_limits(&pool.proxy);
        let max_tracked = pool.lockout.max_tracked as usize;
        let mut ladders = Ladders::default();
        ladders.set_policy(pool.call_detail.keep_ladders);
        Core {
            worker: options.worker,
            limits,
            nonces: Nonces::new(options.keys.nonce(), options.worker, nonce_lifetime),
            bearers: Bearers::new(&SecretKey(options.keys.bearer())),
            signed: signed::SignedFlows::default(),
            links: links::Links::new(&options.snapshot),
            calls: Calls::new(&options.keys, &mut random, options.worker),
            pool: options.pool,
            own_names: own_names(&options.snapshot, &[]),
            given_names: Vec::new(),
            pages: "".into(),
            listeners: options.listeners,
            snapshot: options.snapshot,
            credentials: options.credentials,
            gruus: Gruus::new(&SecretKey(options.keys.gruu())),
            keys: options.keys,
            groups,
            journal: Journal::new(),
            withheld: Withheld::default(),
            transactions,
            sources: Sources::default(),
            source_rate,
            client_message,
            node: options.node,
            lockout: Lockout::new(max_tracked),
            shedder: Shedder::default(),
            tracer: Tracer::default(),
            ladders,
            metrics: options.metrics,
            random,
            events: Events::new(),
            messages: Messages::new(),
            effects: VecDeque::new(),
            scratch: Vec::new(),
            sent: Vec::new(),
            reply: Vec::new(),
            nonce: Vec::new(),
            commit_interval: options.commit_interval,
            block_opened: None,
            store_away: None,
            next_sweep: Time::default(),
            next_notify: None,
            started: false,
            draining: false,
            index: Index::new(),
            parse_limits,
        }
    }

    /// The worker's number.
    pub fn worker(&self) -> u8 {
        self.worker
    }

    /// The routing groups, to be filled from the store before the first message.
    pub fn groups_mut(&mut self) -> &mut [Group] {
        &mut self.groups
    }

    /// The routing groups, to look at.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Messages that wait, to look at.
    pub fn messages(&self) -> &Messages {
        &self.messages
    }

    /// Presence and subscriptions, to look at.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// What is to be carried out, oldest first.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// New configuration: in force from the next message on. Calls in progress go on as they were decided.
    pub fn swap_snapshot(&mut self, now: Now, snapshot: Arc<Snapshot>) {
        let changed = snapshot.changed_since(&self.snapshot);
        let pool = snapshot.pool(&self.pool);
        self.limits = LockoutLimits::from(&pool.lockout);
        self.source_rate = pool.proxy.source_requests_per_second;
        self.ladders.set_policy(pool.call_detail.keep_ladders);
        self.client_message = pool.proxy.max_client_message_kib as usize * 1024;
        self.parse_limits = message_limits(&pool.proxy);
        self.own_names = own_names(&snapshot, &self.given_names);
        self.links.topology(&snapshot);
        self.snapshot = snapshot;
        self.directory_changed(now, changed);
    }

    /// New digest secrets.
    pub fn swap_credentials(&mut self, credentials: Credentials) {
        self.credentials = credentials;
    }

    /// A listener that was announced after the start (the HTTPS server's).
    pub fn add_listener(&mut self, listener: Listener) {
        self.listeners.push(listener);
        // Clients are told in their own document.
        self.events.watches.touch_profiles();
    }

    /// Blocks up to `seq` are durable.
    pub fn committed(&mut self, now: Now, upto: u64, out: &mut Outbox) {
        self.journal.committed(upto);
        self.metrics.commits.inc();
        self.withheld.release(upto, out);
        self.events_committed(now, upto, out);
        if self.store_away.take().is_some() {
            tracing::info!("store can be written again; registrations are accepted");
        }
    }

    /// The store refused a block: what was changed and not committed is undone, and what waits is told so.
    pub fn commit_failed(&mut self, now: Now, upto: u64, out: &mut Outbox) {
        let Some(undos) = self.journal.failed(upto) else { return };
        self.metrics.commit_failures.inc();
        self.undo(now, undos);
        self.withheld.refuse(0, out);
        self.events_refused(now, 0, out);
        self.block_opened = None;
        if self.store_away.replace(now.mono + STORE_RETRY).is_none() {
            tracing::error!("store cannot be written: refreshes are answered from memory, new registrations get 503");
        }
    }

    /// The store's queue was full and gave a block back: what is in it did not happen.
    pub fn handed_back(&mut self, now: Now, seq: u64, out: &mut Outbox) {
        let undos = self.journal.handed_back(seq);
        self.undo(now, undos);
        self.withheld.refuse(seq, out);
        self.events_refused(now, seq, out);
        self.block_opened = None;
    }

    fn undo(&mut self, now: Now, undos: Vec<Undo>) {
        let (mut touched, mut bound) = (Vec::new(), std::collections::BTreeSet::new());
        for undo in undos {
            match self.groups[usize::from(undo.group())].undo(undo) {
                Some(Undone::Facet(facet)) => touched.push(facet),
                Some(Undone::Bindings(aor)) => drop(bound.insert(aor)),
                None => {}
            }
        }
        self.facets_undone(now, &touched);
        bound.iter().for_each(|aor| self.facts_changed(now, aor));
    }

    /// True while only refreshes are accepted; every [`STORE_RETRY`] one new registration is let through to try.
    pub(crate) fn store_is_away(&mut self, now: Now) -> bool {
        match self.store_away {
            Some(retry) if now.mono < retry => true,
            Some(_) => {
                self.store_away = Some(now.mono + STORE_RETRY);
                false
            }
            None => self.journal.unsettled() >= UNSETTLED_LIMIT,
        }
    }

    /// End of a round of input: closes a full or old block, sweeps, steers the load.
    pub fn settle(&mut self, now: Now, load: Load, out: &mut Outbox) {
        self.shedder.observe(now.mono, &load);
        self.flush_transactions(now, out);
        self.pump_notifies(now, out);
        self.pump_deliveries(now, out);
        if !self.messages.history.is_empty() {
            self.effects.push_back(Effect::Messages(std::mem::take(&mut self.messages.history)));
        }
        self.close_block(now);
    }

    pub(crate) fn close_block(&mut self, now: Now) {
        if self.journal.is_empty() {
            return;
        }
        let opened = *self.block_opened.get_or_insert(now.mono);
        if self.journal.entries() < BLOCK_ENTRIES && now.mono < opened + self.commit_interval && !self.draining {
            return;
        }
        if let Some((seq, block)) = self.journal.take() {
            self.effects.push_back(Effect::Persist { seq, block });
        }
        self.block_opened = None;
    }

    /// When [`Core::timeout`] is due.
    pub fn next_timeout(&self) -> Option<Time> {
        let block = self.block_opened.map(|opened| opened + self.commit_interval);
        [block, self.transactions.next_timeout(), self.ladders.next_timeout(), Some(self.next_sweep), self.next_notify]
            .into_iter()
            .flatten()
            .min()
    }

    /// Time has come for something.
    pub fn timeout(&mut self, now: Now, out: &mut Outbox) {
        self.begin(now);
        self.transactions.timeout(now.mono);
        self.flush_transactions(now, out);
        self.pump_notifies(now, out);
        self.close_block(now);
        self.write_ladders(Some(now.mono));
        if now.mono >= self.next_sweep {
            self.next_sweep = now.mono + SWEEP_EVERY;
            self.sweep(now);
        }
    }

    /// Before anything else is done: what the groups hold comes to life.
    pub(crate) fn begin(&mut self, now: Now) {
        if !std::mem::replace(&mut self.started, true)
            && let Err(damaged) = self.start(now)
        {
            tracing::error!("{damaged}");
        }
    }

    fn sweep(&mut self, now: Now) {
        self.lockout.sweep(now.mono, &self.limits);
        self.calls_timeout(now);
        self.events_sweep(now);
        let mut bindings = 0;
        let mut addresses = 0;
        let mut lapsed = Vec::new();
        for group in &mut self.groups {
            group.expire(now, |aor, _, _| lapsed.push(aor.to_owned()));
            bindings += group.binding_count();
            addresses += group.addresses();
        }
        for aor in lapsed {
            self.facts_changed(now, &aor);
        }
        self.metrics.bindings.set(bindings as i64);
        self.metrics.addresses.set(addresses as i64);
        let counts = self.transactions.counts();
        self.metrics.transactions.set((counts.servers + counts.clients) as i64);
    }

    /// Begin nothing new.
    pub fn drain(&mut self, now: Now) {
        self.draining = true;
        self.close_records();
        self.write_ladders(None);
        self.close_block(now);
    }

    /// Live transactions, lingering ones too.
    pub fn transactions(&self) -> lyceum_sip::transaction::Counts {
        self.transactions.counts()
    }

    /// True when nothing waits any more.
    pub fn is_drained(&self) -> bool {
        self.journal.unsettled() == 0 && self.withheld.is_empty() && self.calls.under_way() == 0
    }

    /// The listener by which messages on a flow leave.
    pub(crate) fn listener_of(&self, flow: &Flow, transport: Transport) -> Option<&Listener> {
        match flow {
            Flow::Datagram { listener, .. } => self.listener(*listener),
            Flow::Stream { .. } => self.listeners.iter().find(|listener| listener.transport == transport),
        }
    }

    pub(crate) fn listener(&self, id: ListenerId) -> Option<&Listener> {
        self.listeners.iter().find(|listener| listener.id == id)
    }
}
