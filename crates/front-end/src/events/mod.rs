//! Events (RFC 6665): the front end as presence server. PUBLISH comes in, subscriptions stand, NOTIFY goes out.
//!
//! ```text
//! PUBLISH, choice, bindings, calls ─► Presentities ─► changed(address) ─► watches of it ─► ready ─► NOTIFY, one at a time
//! SUBSCRIBE ─► facet (durable) ─► 200 ─► first NOTIFY                                       ▲            │ 200
//!                                                                                           └─ changed again meanwhile
//! ```
//! A subscription has at most one NOTIFY under way; what changes meanwhile is told with the next one, newest state only.
//! So a watcher that never answers costs one transaction, and a burst of changes costs one NOTIFY.

mod body;
mod desk;
mod given;
mod list_watch;
mod notify;
mod profile;
mod publish;
mod retry;
mod review;
mod subscribe;
mod watchers;
mod watches;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use lyceum_net::Outbox;
use lyceum_sip::time::Now;
use lyceum_sip::transaction::ServerId;
use lyceum_topology::{Snapshot, UserRecord, routing_group};
use lyceum_users::presence::{Facts, Presentities, Presentity};
use lyceum_users::subscription::Subscription;
use lyceum_users::{Group, Touched, facet_kind};

use crate::core::Core;
use body::is_ours;
pub use desk::Seen;
pub(crate) use notify::is_notify;
pub(crate) use subscribe::from_address;
pub use watchers::Watching;
use watches::End;
pub use watches::Watches;

/// NOTIFY requests begun in one round of input: between rounds answers are read, so that a storm does not outrun them.
pub(crate) const NOTIFIES_A_ROUND: usize = 512;
/// NOTIFY requests that wait for their answer; beyond it further ones wait. One that is older than [`SLOW`] no longer
/// counts, so that watchers who never answer do not hold up the others.
pub(crate) const NOTIFIES_UNDER_WAY: usize = 16_384;
/// After this time an unanswered NOTIFY no longer counts as under way.
pub(crate) const SLOW: Duration = Duration::from_secs(2);
/// How soon the next round of a storm comes.
pub(crate) const NEXT_ROUND: Duration = Duration::from_millis(1);
/// Waiting messages of a group that end in one sweep; more end in the next.
const EXPIRED_A_SWEEP: usize = 256;
/// Subscriptions that one worker keeps; a further one is refused with 503.
pub(crate) const SUBSCRIPTIONS: usize = 1_000_000;

/// Told once whether a change is durable.
pub type Done = Box<dyn FnOnce(bool) + Send>;

/// What waits until it is durable.
struct Held {
    seq: u64,
    what: Pending,
}

enum Pending {
    /// An answer, and the watch whose first NOTIFY follows it.
    Answer { server: ServerId, status: u16, bytes: Vec<u8>, watch: Option<[u8; 16]> },
    /// Somebody who is no SIP endpoint.
    Done(Done),
    /// Those who watch this address.
    News(Box<str>),
    /// The same, and who watches this person's contact list.
    Contacts(Box<str>),
}

/// Presence and subscriptions of one worker.
#[derive(Default)]
pub struct Events {
    pub(crate) presentities: Vec<Presentities>,
    pub(crate) watches: Watches,
    held: VecDeque<Held>,
    review: review::Review,
    bodies: body::Bodies,
    scratch: Vec<u8>,
}

impl Events {
    pub(crate) fn new() -> Events {
        Events {
            presentities: (0..crate::core::GROUPS).map(|_| Presentities::default()).collect(),
            ..Events::default()
        }
    }

    /// Subscriptions that stand.
    pub fn subscriptions(&self) -> usize {
        self.watches.len()
    }
}

/// The user with this canonical address.
pub(crate) fn user_at<'a>(snapshot: &'a Snapshot, aor: &str) -> Option<&'a Arc<UserRecord>> {
    let (user, domain) = aor.split_once('@')?;
    snapshot.user(user.as_bytes(), domain.as_bytes())
}

/// The policy and the address of a presentity.
pub(crate) fn presentity<'a>(now: Now, snapshot: &'a Snapshot, user: &'a UserRecord) -> Presentity<'a> {
    Presentity { aor: user.address.as_str(), now: now.wall, policy: snapshot.presence_policy(user) }
}

impl Core {
    /// Builds what lives in memory from what the groups hold: once, after they are filled from the store.
    ///
    /// # Errors
    /// One sentence: a stored record is damaged.
    pub(crate) fn start(&mut self, now: Now) -> Result<(), String> {
        let snapshot = Arc::clone(&self.snapshot);
        let fallback = lyceum_topology::PresencePolicy::default();
        for at in 0..self.groups.len() {
            let policy_of = |aor: &str| {
                let user = user_at(&snapshot, aor);
                user.map_or(&fallback, |user| snapshot.presence_policy(user))
            };
            let group = &self.groups[at];
            self.events.presentities[at] =
                Presentities::load(now.wall, group, policy_of).map_err(|damaged| damaged.to_string())?;
            self.events.watches.load(now.wall, group);
            self.messages.waiting[at] = lyceum_users::messages::Waiting::load(group);
            let bound: Vec<String> = group.iter(now).map(|one| one.aor.to_owned()).collect();
            for aor in bound {
                self.facts_changed(now, &aor);
            }
        }
        self.load_lists();
        Ok(())
    }

    /// Bindings or calls of a user changed: presence may be another.
    pub(crate) fn facts_changed(&mut self, now: Now, aor: &str) {
        self.facts_changed_after(None, now, aor);
    }

    /// The same, of which watchers hear when block `seq` is durable.
    pub(crate) fn facts_changed_after(&mut self, seq: Option<u64>, now: Now, aor: &str) {
        let snapshot = Arc::clone(&self.snapshot);
        let Some(user) = user_at(&snapshot, aor) else { return };
        let at = usize::from(routing_group(aor));
        let registered = self.groups[at].bindings(now, aor).count();
        let facts = Facts {
            registered: u16::try_from(registered).unwrap_or(u16::MAX),
            calls: self.calls.talking(user.id),
            in_meeting: false,
        };
        let presentity = presentity(now, &snapshot, user);
        let presence = &mut self.events.presentities[at];
        let change = presence.facts(presentity, facts, &mut self.groups[at], &mut self.journal);
        if change.changed {
            self.presence_changed_after(change.wait_for.max(seq), aor);
        }
    }

    /// Everybody who watches this user is to be told.
    pub(crate) fn presence_changed(&mut self, aor: &str) {
        self.events.bodies.forget(aor);
        self.events.watches.touch(aor);
        self.may_be_disturbed(aor);
    }

    /// Undone facets: what was built from them is built again.
    pub(crate) fn facets_undone(&mut self, now: Now, touched: &[Touched]) {
        let snapshot = Arc::clone(&self.snapshot);
        for one in touched {
            if one.kind == facet_kind::WAITING {
                for (waiting, group) in self.messages.waiting.iter_mut().zip(&self.groups) {
                    waiting.touched(one, group);
                }
                continue;
            }
            let Ok(aor) = std::str::from_utf8(&one.key) else {
                self.subscription_undone(now, one);
                continue;
            };
            match one.kind {
                facet_kind::SUBSCRIPTION | facet_kind::SUBSCRIBED_LIST => self.subscription_undone(now, one),
                facet_kind::PRESENCE => {
                    let at = usize::from(routing_group(aor));
                    if let Some(user) = user_at(&snapshot, aor) {
                        let presentity = presentity(now, &snapshot, user);
                        self.events.presentities[at].reconsider(presentity, &self.groups[at]);
                    }
                    self.presence_changed(aor);
                }
                facet_kind::CONTACTS => self.contacts_changed(aor),
                _ => {}
            }
        }
    }

    /// The watch is as its record is again.
    fn subscription_undone(&mut self, now: Now, touched: &Touched) {
        if !matches!(touched.kind, facet_kind::SUBSCRIPTION | facet_kind::SUBSCRIBED_LIST) {
            return;
        }
        let key = <[u8; 16]>::try_from(&*touched.key);
        if touched.kind == facet_kind::SUBSCRIBED_LIST {
            if let Some(slot) = key.ok().and_then(|key| self.events.watches.slot(&key)) {
                self.fill_again(slot);
            }
            return;
        }
        let Ok(key) = key else { return };
        let record = |group: &Group| Some((group.id(), group.facet(touched.kind, &touched.key)?.to_vec()));
        let Some((group, packed)) = self.groups.iter().find_map(record) else {
            self.events.watches.remove_key(&key);
            return;
        };
        let Some(stored) = Subscription::unpack(&packed) else { return };
        let is_gone = |aor: &str| user_at(&self.snapshot, aor).is_none_or(|user| !user.enabled);
        let why = match () {
            () if stored.expires <= now.wall => End::Timeout,
            () if is_gone(stored.presentity) => End::NoResource,
            () if is_ours(&self.snapshot, stored.watcher) && is_gone(stored.watcher) => End::Rejected,
            () => End::Deactivated,
        };
        let slot = self.events.watches.undo(key, group, &stored, (now.wall, why));
        if stored.list && self.events.watches.lists.get(&slot).is_some_and(|list| list.members.is_empty()) {
            self.fill_list(slot, stored.presentity);
        }
    }

    /// Keeps an answer until block `seq` is durable; `None` answers at once.
    pub(crate) fn answer_after(
        &mut self,
        now: Now,
        seq: Option<u64>,
        answer: (ServerId, u16, Vec<u8>),
        watch: Option<[u8; 16]>,
    ) {
        let (server, status, bytes) = answer;
        match seq.filter(|seq| *seq > self.withheld.committed()) {
            Some(seq) => {
                let what = Pending::Answer { server, status, bytes, watch };
                self.events.held.push_back(Held { seq, what });
            }
            None => {
                self.transactions.respond(now.mono, server, status, &bytes);
                self.first_notify(watch);
            }
        }
    }

    /// All subscriptions of this watcher end: their last NOTIFY says so. Those of others to this person end only when there
    /// is nobody any more: who merely has a new password is still to be seen.
    pub(crate) fn watcher_gone(&mut self, now: Now, watcher: &str, out: &mut Outbox) {
        let parts = watcher.split_once('@');
        let is_there = parts.and_then(|(user, domain)| self.snapshot.user(user.as_bytes(), domain.as_bytes()));
        let is_there = is_there.is_some_and(|user| user.enabled);
        for slot in self.events.watches.slots() {
            let Some((group, key)) = self.events.watches.key_at(slot) else { continue };
            let packed = self.groups[usize::from(group)].facet(facet_kind::SUBSCRIPTION, &key);
            match packed.and_then(Subscription::unpack) {
                Some(one) if one.presentity == watcher && !is_there => self.events.watches.end(slot, End::NoResource),
                Some(one) if one.watcher == watcher => self.events.watches.end(slot, End::Rejected),
                _ => {}
            }
        }
        self.pump_notifies(now, out);
    }

    /// Tells when block `seq` is durable; `None`: now.
    pub(crate) fn when_durable(&mut self, seq: Option<u64>, done: Done) {
        match seq.filter(|seq| *seq > self.withheld.committed()) {
            Some(seq) => self.events.held.push_back(Held { seq, what: Pending::Done(done) }),
            None => done(true),
        }
    }

    /// The same once block `seq` is durable; `None`: now. So a change that a crash takes back notifies nobody, and the news of
    /// one batch go out together. Who asks by themselves meanwhile is answered from memory.
    pub(crate) fn presence_changed_after(&mut self, seq: Option<u64>, aor: &str) {
        match seq.filter(|seq| *seq > self.withheld.committed()) {
            Some(seq) => {
                self.events.bodies.forget(aor);
                self.may_be_disturbed(aor);
                self.events.held.push_back(Held { seq, what: Pending::News(aor.into()) });
            }
            None => self.presence_changed(aor),
        }
    }

    pub(super) fn hold_contacts(&mut self, seq: u64, aor: &str) {
        self.events.held.push_back(Held { seq, what: Pending::Contacts(aor.into()) });
    }

    /// The SUBSCRIBE of this watch was answered: its watcher is told, whatever they said before.
    fn first_notify(&mut self, watch: Option<[u8; 16]>) {
        if let Some(slot) = watch.and_then(|key| self.events.watches.slot(&key)) {
            self.events.watches.lift(slot);
            self.events.watches.enqueue(slot);
        }
    }

    /// Blocks up to `upto` are durable: the answers that waited for them leave, and first notifications follow.
    pub(crate) fn events_committed(&mut self, now: Now, upto: u64, out: &mut Outbox) {
        while self.events.held.front().is_some_and(|held| held.seq <= upto) {
            let Some(held) = self.events.held.pop_front() else { break };
            match held.what {
                Pending::Answer { server, status, bytes, watch } => {
                    self.transactions.respond(now.mono, server, status, &bytes);
                    self.first_notify(watch);
                }
                Pending::Done(done) => done(true),
                Pending::News(aor) => self.events.watches.touch(&aor),
                Pending::Contacts(aor) => self.contacts_changed(&aor),
            }
        }
        self.pump_notifies(now, out);
        self.pump_deliveries(now, out);
    }

    /// The store refused block `from` and all after it.
    pub(crate) fn events_refused(&mut self, now: Now, from: u64, out: &mut Outbox) {
        let (kept, refused): (VecDeque<Held>, VecDeque<Held>) =
            self.events.held.drain(..).partition(|held| held.seq < from);
        self.events.held = kept;
        for held in refused {
            match held.what {
                Pending::Answer { server, bytes, .. } => {
                    let mut refusal = Vec::with_capacity(bytes.len());
                    crate::withheld::refusal_of(&bytes, &mut refusal);
                    self.transactions.respond(now.mono, server, 503, &refusal);
                }
                Pending::Done(done) => done(false),
                // What was undone was touched as such.
                Pending::News(_) | Pending::Contacts(_) => {}
            }
        }
        self.flush_transactions(now, out);
    }

    /// Time passes: presence that changes by itself, subscriptions that end.
    pub(crate) fn events_sweep(&mut self, now: Now) {
        let snapshot = Arc::clone(&self.snapshot);
        let fallback = lyceum_topology::PresencePolicy::default();
        let policy_of = |aor: &str| {
            let user = user_at(&snapshot, aor);
            user.map_or(&fallback, |user| snapshot.presence_policy(user))
        };
        let mut changed: Vec<String> = Vec::new();
        for at in 0..self.events.presentities.len() {
            let (presence, group) = (&mut self.events.presentities[at], &mut self.groups[at]);
            presence.sweep(now.wall, policy_of, group, &mut self.journal, |aor| changed.push(aor.to_owned()));
        }
        for aor in changed {
            self.presence_changed(&aor);
        }
        self.events.watches.end_expired(now.wall);
        if self.store_away.is_none() {
            self.events.watches.end_again();
        }
        for at in 0..self.messages.waiting.len() {
            self.messages.waiting[at].expire(now.wall, EXPIRED_A_SWEEP, &mut self.groups[at], &mut self.journal);
        }
        self.metrics.subscriptions.set(self.events.watches.len() as i64);
    }
}
