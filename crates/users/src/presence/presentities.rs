//! The presence of every user of one routing group.

use super::MAX_DEVICES;
use super::aggregate::{AggregateState, Situation, aggregate, next_change};
use super::calendar::BusyInterval;
use super::choice::{Choice, ChoiceIntent, ChoiceRefusal, UserChoice, bounded, check};
use super::document::{Document, FeedAddress, OutOfOffice};
use super::endpoint::{DeviceActivity, DeviceKind, Facts};
use super::pack::DocumentDamaged;
use super::publish::{PublishIntent, PublishRefusal, Published, device_of, publish};
use crate::bytes::hash64;
use crate::facet::facet_kind::PRESENCE;
use crate::group::Group;
use crate::journal::Journal;
use hashbrown::HashTable;
use lyceum_sip::time::WallTime;
use lyceum_topology::PresencePolicy;

/// Longest address of a calendar feed, in bytes.
const MAX_FEED: usize = 2_048;

/// Whose presence it is about, when, and by which policy.
#[derive(Clone, Copy, Debug)]
pub struct Presentity<'a> {
    /// Canonical address of record, `user@domain`.
    pub aor: &'a str,
    /// The time.
    pub now: WallTime,
    /// The policy that holds for the user.
    pub policy: &'a PresencePolicy,
}

/// What a mutation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Change {
    /// Watchers are to be told.
    pub changed: bool,
    /// Number of the journal block that must be durable before success is told.
    pub wait_for: Option<u64>,
}

/// The live part of one user's presence.
struct Live {
    aor: Box<str>,
    /// What watchers were told last.
    told: u64,
    /// When the outcome may change by itself, in ms; `u64::MAX`: never.
    next: u64,
    #[expect(clippy::box_collection, reason = "most users have none: 8 bytes instead of 24")]
    devices: Option<Box<Vec<DeviceActivity>>>,
    /// Seconds since 1970 at which the outcome became what it is.
    since: u32,
    registered: u8,
    calls: u8,
    in_meeting: bool,
}

impl Live {
    fn new(aor: &str) -> Live {
        Live {
            aor: aor.into(),
            told: 0,
            next: u64::MAX,
            devices: None,
            since: 0,
            registered: 0,
            calls: 0,
            in_meeting: false,
        }
    }

    fn situation(&self) -> Situation<'_> {
        let (registered, calls) = (self.registered.into(), self.calls.into());
        Situation {
            facts: Facts { registered, calls, in_meeting: self.in_meeting },
            devices: self.devices.as_ref().map_or(&[], |devices| devices),
        }
    }

    fn set_facts(&mut self, facts: Facts) {
        let most = |count: u16| u8::try_from(count).unwrap_or(u8::MAX);
        (self.registered, self.calls) = (most(facts.registered), most(facts.calls));
        self.in_meeting = facts.in_meeting;
    }

    /// False for a user of whom nothing is known but what is durable and changes no more.
    fn is_needed(&self) -> bool {
        self.registered > 0 || self.calls > 0 || self.in_meeting || self.devices.is_some() || self.next != u64::MAX
    }
}

/// The presence of every user of one routing group.
///
/// The durable part lies in the group's facets, so every call that reads or changes it takes the group. After
/// [`Group::undo`] named a facet of presence, and after a change of policy, [`Presentities::reconsider`] follows.
pub struct Presentities {
    table: HashTable<Live>,
    /// No outcome changes by itself before this, in ms; a lower bound, made exact by each sweep.
    earliest: u64,
}

impl Default for Presentities {
    fn default() -> Self {
        Presentities { table: HashTable::new(), earliest: u64::MAX }
    }
}

impl Presentities {
    /// What the group remembers, at start. Nobody is registered yet: [`Presentities::facts`] follows for who is.
    pub fn load<'p>(
        now: WallTime,
        group: &Group,
        policy_of: impl Fn(&str) -> &'p PresencePolicy,
    ) -> Result<Presentities, DocumentDamaged> {
        let mut loaded = Presentities::default();
        for (key, packed) in group.facets(PRESENCE) {
            let aor = std::str::from_utf8(key).ok();
            let (Some(aor), Some(document)) = (aor, Document::unpack(packed)) else {
                return Err(DocumentDamaged { aor: String::from_utf8_lossy(key).into_owned() });
            };
            let presentity = Presentity { aor, now, policy: policy_of(aor) };
            let told = loaded.told(presentity, &document);
            loaded.settle(presentity, told, &document, |_| {});
        }
        Ok(loaded)
    }

    /// What is remembered of a user.
    pub fn document(group: &Group, aor: &str) -> Document {
        group.facet(PRESENCE, aor.as_bytes()).and_then(Document::unpack).unwrap_or_default()
    }

    /// What a user's presence comes to.
    pub fn state(&self, presentity: Presentity<'_>, group: &Group) -> AggregateState {
        let Presentity { aor, now, policy } = presentity;
        let document = Presentities::document(group, aor);
        let live = self.find(aor);
        let situation = live.map(Live::situation).unwrap_or_default();
        let since = live.filter(|live| live.since != 0).map(|live| WallTime(u64::from(live.since) * 1000));
        AggregateState { since, ..aggregate(now, policy, &document, situation) }
    }

    /// Carries out a PUBLISH.
    pub fn publish(
        &mut self,
        presentity: Presentity<'_>,
        intent: &PublishIntent<'_>,
        group: &mut Group,
        journal: &mut Journal,
    ) -> Result<Published, PublishRefusal> {
        let mut document = Presentities::document(group, presentity.aor);
        let told = self.told(presentity, &document);
        let registered = self.find(presentity.aor).is_some_and(|live| live.registered > 0);
        let (etag, expires) = publish(presentity.now, presentity.policy, intent, registered, &mut document)?;
        let wait_for = write(presentity.aor, &document, group, journal)
            .map_err(|_| PublishRefusal::TooLarge { limit: crate::MAX_FACET_VALUE })?;
        let changed = self.settle(presentity, told, &document, |_| {});
        Ok(Published { etag, expires, wait_for, changed })
    }

    /// Sets what a person says of themselves.
    pub fn choose(
        &mut self,
        presentity: Presentity<'_>,
        intent: &ChoiceIntent<'_>,
        group: &mut Group,
        journal: &mut Journal,
    ) -> Result<Change, ChoiceRefusal> {
        check(presentity.policy, intent)?;
        self.edit(presentity, group, journal, |document| {
            if let Some((choice, label, until)) = intent.choice {
                let label = label.filter(|label| !label.is_empty()).map(Into::into);
                document.choice = match choice {
                    UserChoice::Automatic => Choice::default(),
                    choice => Choice { choice, label, since: Some(presentity.now), until },
                };
            }
            if let Some(note) = intent.note {
                document.note = (!note.is_empty()).then(|| note.into());
            }
            if let Some((note, until)) = intent.out_of_office {
                document.out_of_office = (!note.is_empty()).then(|| OutOfOffice { note: note.into(), until });
            }
            if !intent.by_administrator {
                document.last_active = document.last_active.max(Some(presentity.now));
            }
        })
    }

    /// Sets the busy times of the user's calendar.
    pub fn set_calendar(
        &mut self,
        presentity: Presentity<'_>,
        calendar: Vec<BusyInterval>,
        group: &mut Group,
        journal: &mut Journal,
    ) -> Result<Change, ChoiceRefusal> {
        self.edit(presentity, group, journal, |document| document.calendar = calendar)
    }

    /// Sets where the user's calendar is fetched from; without one its busy times are forgotten.
    pub fn set_feed(
        &mut self,
        presentity: Presentity<'_>,
        feed: Option<&str>,
        group: &mut Group,
        journal: &mut Journal,
    ) -> Result<Change, ChoiceRefusal> {
        bounded("calendar's address", feed.map_or(0, str::len), MAX_FEED)?;
        self.edit(presentity, group, journal, |document| {
            document.feed = feed.map(|address| FeedAddress(address.into()));
            if feed.is_none() {
                document.calendar.clear();
            }
        })
    }

    /// Tells what the server knows of a user: bindings, calls, meetings. When the last binding of a user ends whose
    /// presence is remembered, so is the moment.
    pub fn facts(
        &mut self,
        presentity: Presentity<'_>,
        facts: Facts,
        group: &mut Group,
        journal: &mut Journal,
    ) -> Change {
        let mut document = Presentities::document(group, presentity.aor);
        let before = self.find(presentity.aor).map(Live::situation).unwrap_or_default();
        let mut wait_for = None;
        if before.facts.registered > 0 && facts.registered == 0 && !document.is_empty() {
            let seen = aggregate(presentity.now, presentity.policy, &document, before).last_active;
            if seen > document.last_active {
                document.last_active = seen;
                // It only grew by a number: it is as far below its bound as before.
                wait_for = write(presentity.aor, &document, group, journal).unwrap_or_default();
            }
        }
        let told = self.told(presentity, &document);
        let changed = self.settle(presentity, told, &document, |live| live.set_facts(facts));
        Change { changed, wait_for }
    }

    /// A device tells how long it was not used. Kept in memory alone: devices report again.
    pub fn used(
        &mut self,
        presentity: Presentity<'_>,
        device: &str,
        kind: DeviceKind,
        idle_seconds: u32,
        group: &Group,
    ) -> bool {
        let last_active = WallTime(presentity.now.0.saturating_sub(u64::from(idle_seconds) * 1000));
        let report = DeviceActivity { device: device_of(device), kind, last_active, reported: presentity.now };
        let document = Presentities::document(group, presentity.aor);
        let told = self.told(presentity, &document);
        self.settle(presentity, told, &document, |live| {
            let devices = live.devices.get_or_insert_default();
            devices.retain(|other| other.device != report.device && other.expires() > presentity.now);
            if devices.len() >= MAX_DEVICES {
                let oldest = devices.iter().enumerate().min_by_key(|(_, other)| other.last_active).map(|(at, _)| at);
                oldest.map(|at| devices.remove(at));
            }
            devices.push(report);
        })
    }

    /// A device signed out: its use no longer counts.
    pub fn forget_device(&mut self, presentity: Presentity<'_>, device: &str, group: &Group) -> bool {
        let device = device_of(device);
        let document = Presentities::document(group, presentity.aor);
        let told = self.told(presentity, &document);
        self.settle(presentity, told, &document, |live| {
            if let Some(devices) = &mut live.devices {
                devices.retain(|other| other.device != device);
            }
        })
    }

    /// Looks at a user again, after an undo or a change of policy; true when watchers are to be told. Of a user without a
    /// live part it is not known what they were told, so they are told again.
    pub fn reconsider(&mut self, presentity: Presentity<'_>, group: &Group) -> bool {
        let document = Presentities::document(group, presentity.aor);
        let unknown = self.find(presentity.aor).is_none();
        let told = self.told(presentity, &document);
        self.settle(presentity, told, &document, |_| {}) || unknown
    }

    /// Is anything kept in memory of this user?
    pub fn knows(&self, aor: &str) -> bool {
        self.find(aor).is_some()
    }

    /// Policies are others: the next [`Presentities::sweep`] looks at everybody.
    pub fn policy_changed(&mut self) {
        self.table.iter_mut().for_each(|live| live.next = 0);
        self.earliest = 0;
    }

    /// Forgets a user who was removed.
    pub fn remove(&mut self, aor: &str, group: &mut Group, journal: &mut Journal) -> Option<u64> {
        if let Ok(entry) = self.table.find_entry(hash64(aor.as_bytes()), |live| *live.aor == *aor) {
            entry.remove();
        }
        group.remove_facet(PRESENCE, aor.as_bytes(), journal)
    }

    /// The moment from which [`Presentities::sweep`] has work: a whole second, so that it is not called for each change.
    pub fn next_change(&self) -> Option<WallTime> {
        (self.earliest != u64::MAX).then(|| WallTime(self.earliest.div_ceil(1000) * 1000))
    }

    /// Ends what has run out, and names the users of whom watchers are to be told.
    pub fn sweep<'p>(
        &mut self,
        now: WallTime,
        policy_of: impl Fn(&str) -> &'p PresencePolicy,
        group: &mut Group,
        journal: &mut Journal,
        mut changed: impl FnMut(&str),
    ) {
        if self.earliest > now.0 {
            return;
        }
        self.earliest = u64::MAX;
        let due = |live: &Live| live.next <= now.0;
        let all: Vec<Box<str>> = self.table.iter().filter(|live| due(live)).map(|live| live.aor.clone()).collect();
        self.earliest = self.table.iter().filter(|live| !due(live)).map(|live| live.next).min().unwrap_or(u64::MAX);
        for aor in &all {
            let presentity = Presentity { aor, now, policy: policy_of(aor) };
            let mut document = Presentities::document(group, aor);
            let told = self.told(presentity, &document);
            let published = document.publications.len();
            document.publications.retain(|publication| publication.expires > now);
            if document.publications.len() < published {
                // It only shrank: it is below its bound.
                let _ = write(aor, &document, group, journal);
            }
            let forget = |live: &mut Live| {
                if let Some(devices) = &mut live.devices {
                    devices.retain(|device| device.expires() > now);
                }
            };
            if self.settle(presentity, told, &document, forget) {
                changed(aor);
            }
        }
    }

    /// Users of whom something is kept in memory.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// True when nothing is kept in memory.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    fn find(&self, aor: &str) -> Option<&Live> {
        self.table.find(hash64(aor.as_bytes()), |live| *live.aor == *aor)
    }

    fn edit(
        &mut self,
        presentity: Presentity<'_>,
        group: &mut Group,
        journal: &mut Journal,
        edit: impl FnOnce(&mut Document),
    ) -> Result<Change, ChoiceRefusal> {
        let mut document = Presentities::document(group, presentity.aor);
        let told = self.told(presentity, &document);
        edit(&mut document);
        let wait_for = write(presentity.aor, &document, group, journal).map_err(|_| ChoiceRefusal::TooLarge)?;
        Ok(Change { changed: self.settle(presentity, told, &document, |_| {}), wait_for })
    }

    /// What watchers were told last: of a user without a live part, what the document alone comes to.
    fn told(&self, presentity: Presentity<'_>, document: &Document) -> u64 {
        let alone = || aggregate(presentity.now, presentity.policy, document, Situation::default()).digest();
        self.find(presentity.aor).map_or_else(alone, |live| live.told)
    }

    /// Changes the live part, computes the outcome and when it may change; tells whether it is another than was told.
    fn settle(
        &mut self,
        presentity: Presentity<'_>,
        told: u64,
        document: &Document,
        edit: impl FnOnce(&mut Live),
    ) -> bool {
        let Presentity { aor, now, policy } = presentity;
        let hash = hash64(aor.as_bytes());
        let entry = self.table.entry(hash, |live| *live.aor == *aor, |live| hash64(live.aor.as_bytes()));
        let mut entry = entry.or_insert_with(|| Live::new(aor));
        let live = entry.get_mut();
        edit(live);
        live.devices.take_if(|devices| devices.is_empty());
        live.next = next_change(now, policy, document, live.situation()).map_or(u64::MAX, |at| at.0);
        self.earliest = self.earliest.min(live.next);
        live.told = aggregate(now, policy, document, live.situation()).digest();
        let changed = live.told != told;
        if changed {
            live.since = u32::try_from(now.seconds()).unwrap_or(u32::MAX);
        }
        if !live.is_needed() {
            entry.remove();
            if self.table.len() < self.table.capacity() / 4 {
                self.table.shrink_to(self.table.len() * 2, |live| hash64(live.aor.as_bytes()));
            }
        }
        changed
    }
}

fn write(
    aor: &str,
    document: &Document,
    group: &mut Group,
    journal: &mut Journal,
) -> Result<Option<u64>, crate::FacetTooLarge> {
    if document.is_empty() {
        return Ok(group.remove_facet(PRESENCE, aor.as_bytes(), journal));
    }
    let mut packed = Vec::with_capacity(128);
    document.pack(&mut packed);
    group.put_facet(PRESENCE, aor.as_bytes(), &packed, journal).map(Some)
}
