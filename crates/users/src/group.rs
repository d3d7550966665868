//! The registrar of one routing group.

use crate::SWEEP_EVERY_MS;
use crate::bytes::hash64;
use crate::entry::{Entry, EntryError};
use crate::facet::{Facets, Undone};
use crate::intent::{Contacts, RegisterIntent};
use crate::journal::{Before, Journal, Undo};
use crate::matching::same_uri;
use crate::plan::{Order, Plan, binding_of, check_bounds, granted, order, plan};
use crate::record::{AorBindings, Binding, Bindings, Record, STAMP, Stamp, pack};
use crate::refusal::RegisterRefusal;
use hashbrown::HashTable;
use lyceum_sip::time::{Now, WallTime};
use lyceum_topology::{RegistrarPolicy, UserId};

/// Bindings and facets of all users of one routing group.
pub struct Group {
    pub(crate) id: u8,
    pub(crate) epoch: u64,
    pub(crate) table: HashTable<Box<[u8]>>,
    pub(crate) bindings: usize,
    /// No binding ends before this, in ms; a lower bound, made exact by each sweep.
    pub(crate) earliest: u64,
    swept: u64,
    pub(crate) facets: Facets,
}

/// What a REGISTER did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Bindings changed.
    Changed,
    /// A question, or a removal of what was not there.
    Unchanged,
    /// The same request again.
    Retransmission,
}

/// A REGISTER that is answered with 200.
pub struct Outcome<'a> {
    /// What it did.
    pub effect: Effect,
    /// Number of the journal block that must be durable before the 200 leaves; `None`: at once.
    pub wait_for: Option<u64>,
    /// All live bindings, for the Contact headers of the 200.
    pub bindings: Bindings<'a>,
}

impl Group {
    /// An empty group.
    pub fn new(id: u8) -> Self {
        Group {
            id,
            epoch: 0,
            table: HashTable::new(),
            bindings: 0,
            earliest: u64::MAX,
            swept: 0,
            facets: Facets::default(),
        }
    }

    /// The group's number.
    pub fn id(&self) -> u8 {
        self.id
    }

    /// Sets the epoch under which this node owns the group; it goes into every entry.
    pub fn set_epoch(&mut self, epoch: u64) {
        self.epoch = epoch;
    }

    /// Addresses with at least one binding.
    pub fn addresses(&self) -> usize {
        self.table.len()
    }

    /// Bindings, those included that ended since the last sweep.
    pub fn binding_count(&self) -> usize {
        self.bindings
    }

    /// Carries out a REGISTER: all its contacts or none.
    pub fn register(
        &mut self,
        now: Now,
        policy: &RegistrarPolicy,
        intent: &RegisterIntent<'_>,
        journal: &mut Journal,
    ) -> Result<Outcome<'_>, RegisterRefusal> {
        check_bounds(intent)?;
        let hash = hash64(intent.aor.as_bytes());
        let effect = match self.refresh(hash, now, policy, intent, journal)? {
            Some(effect) => effect,
            None => self.rebind(hash, now, policy, intent, journal)?,
        };
        let wait_for = journal.last_unsettled();
        Ok(Outcome { effect, wait_for, bindings: self.bindings(now, intent.aor) })
    }

    /// Answers from memory while the store is away: only what changes nothing, or a refresh of
    /// live bindings, each with the time it has left. Nothing is written, no expiry moves. What is on trial at the
    /// store is waited for: memory is ahead of the store until then.
    pub fn register_without_store(
        &self,
        now: Now,
        intent: &RegisterIntent<'_>,
        journal: &Journal,
    ) -> Result<Outcome<'_>, RegisterRefusal> {
        check_bounds(intent)?;
        let bindings = self.bindings(now, intent.aor);
        let Contacts::List(contacts) = intent.contacts else { return Err(RegisterRefusal::StoreAway) };
        let stored = |uri: &[u8]| {
            bindings.clone().find(|b| b.flow == intent.flow && b.path == intent.path && same_uri(b.uri, uri))
        };
        for contact in contacts {
            let asked = contact.expires.or(intent.expires);
            // To take a binding away, or to cut it short, is a new fact too: a copy of the request that comes when the
            // store is back would do it, after the client was told of more time.
            let keeps = |b: &Binding<'_>| asked.is_none_or(|asked| asked > 0 && asked >= b.expires_in(now.wall));
            if !stored(contact.uri).as_ref().is_some_and(keeps) {
                return Err(RegisterRefusal::StoreAway);
            }
        }
        Ok(Outcome { effect: Effect::Unchanged, wait_for: journal.last_unsettled(), bindings })
    }

    /// Live bindings of an address, best first.
    pub fn bindings(&self, now: Now, aor: &str) -> Bindings<'_> {
        match self.find(hash64(aor.as_bytes()), aor.as_bytes()) {
            Some(record) => record.live(now.wall),
            None => Bindings::none(),
        }
    }

    /// Every address of the group, in no order.
    pub fn iter(&self, now: Now) -> impl Iterator<Item = AorBindings<'_>> {
        self.table.iter().filter_map(move |record| {
            let record = Record(record);
            let bindings = record.live(now.wall);
            bindings.clone().next()?;
            let aor = std::str::from_utf8(record.aor()).ok()?;
            Some(AorBindings { aor, user: record.user(), bindings })
        })
    }

    /// Removes all bindings of an address, as when its user is removed or disabled.
    pub fn remove_user(&mut self, aor: &str, journal: &mut Journal) -> bool {
        self.retain(aor, journal, |_| false) > 0
    }

    /// Keeps the bindings for which `keep` is true, as when a stream was lost; tells how many
    /// were removed.
    pub fn retain(&mut self, aor: &str, journal: &mut Journal, mut keep: impl FnMut(&Binding<'_>) -> bool) -> usize {
        let hash = hash64(aor.as_bytes());
        let Some(record) = self.find(hash, aor.as_bytes()) else { return 0 };
        let (user, before) = (record.user(), record.stamped().count());
        let left: Vec<Binding<'_>> = record.stamped().map(|(_, b)| b).filter(|b| keep(b)).collect();
        let removed = before - left.len();
        if removed > 0 {
            let packed = pack(user, aor.as_bytes(), &left);
            self.store(hash, aor.as_bytes(), user, packed, journal);
        }
        removed
    }

    /// The moment from which [`Group::expire`] has work; `None` when nothing is bound.
    pub fn next_expiry(&self) -> Option<WallTime> {
        (!self.table.is_empty()).then(|| WallTime(self.earliest.max(self.swept.saturating_add(SWEEP_EVERY_MS))))
    }

    /// Frees what has ended and tells each ended binding. Nothing is journalled: a binding carries
    /// its end, so that a replay reaches the same state by itself.
    pub fn expire(&mut self, now: Now, mut ended: impl FnMut(&str, UserId, &Binding<'_>)) {
        if self.next_expiry().is_none_or(|at| at > now.wall) {
            return;
        }
        let (mut earliest, mut count) = (u64::MAX, 0);
        self.table.retain(|packed| {
            let record = Record(packed);
            let (aor, user) = (std::str::from_utf8(record.aor()).unwrap_or(""), record.user());
            let (mut live, mut dead) = (0, 0);
            for (_, binding) in record.stamped() {
                if binding.is_live(now.wall) {
                    live += 1;
                    earliest = earliest.min(binding.stamp.expires.0);
                } else {
                    dead += 1;
                    ended(aor, user, &binding);
                }
            }
            count += live;
            if live > 0 && dead > 0 {
                let left: Vec<_> = record.live(now.wall).collect();
                *packed = pack(user, aor.as_bytes(), &left);
            }
            live > 0
        });
        (self.earliest, self.bindings, self.swept) = (earliest, count, now.wall.0);
        if self.table.len() < self.table.capacity() / 4 {
            self.table.shrink_to(self.table.len() * 2, |r| hash64(Record(r).aor()));
        }
    }

    /// Applies a journal entry at start. Applying one again, or entries that the base image
    /// already holds, ends in the same state as long as all later ones follow.
    pub fn apply(&mut self, entry: &[u8]) -> Result<(), EntryError> {
        match Entry::read(entry)? {
            Entry::Put(record) => {
                self.replace(hash64(Record(record).aor()), record.into());
            }
            Entry::Remove(aor) => {
                self.take(hash64(aor), |r| r.aor() == aor);
            }
            Entry::Refresh { aor, identity, stamp } => {
                self.patch(hash64(aor), |r| r.aor() == aor, identity, stamp);
            }
            Entry::PutFacet(packed) => drop(self.facets.insert(packed.into())),
            Entry::RemoveFacet { kind, key } => drop(self.facets.remove(kind, key)),
        }
        Ok(())
    }

    /// Puts back what a refused block changed; see [`Journal::failed`]. What others know of is named.
    pub fn undo(&mut self, undo: Undo) -> Option<Undone> {
        let mine = |r: Record<'_>| r.user() == undo.user;
        match undo.before {
            Before::Stamp { identity, stamp } => {
                self.patch(undo.hash, mine, identity, stamp);
                None
            }
            Before::Record(before) => {
                let named = |packed: &[u8]| std::str::from_utf8(Record(packed).aor()).ok().map(Box::from);
                let after = self.take(undo.hash, mine);
                let aor = before.as_deref().or(after.as_deref()).and_then(named);
                if let Some(record) = before {
                    self.replace(undo.hash, record);
                }
                aor.map(Undone::Bindings)
            }
            Before::Facet { packed, existed } => self.facets.restore(packed, existed).map(Undone::Facet),
        }
    }

    fn find(&self, hash: u64, aor: &[u8]) -> Option<Record<'_>> {
        self.table.find(hash, |r| Record(r).aor() == aor).map(|r| Record(r))
    }

    /// The hot path: one contact that repeats a binding in all but time and order.
    fn refresh(
        &mut self,
        hash: u64,
        now: Now,
        policy: &RegistrarPolicy,
        intent: &RegisterIntent<'_>,
        journal: &mut Journal,
    ) -> Result<Option<Effect>, RegisterRefusal> {
        let Contacts::List([contact]) = intent.contacts else { return Ok(None) };
        let aor = intent.aor.as_bytes();
        let Some(packed) = self.table.find_mut(hash, |r| Record(r).aor() == aor) else { return Ok(None) };
        let granted = granted(contact, intent, policy)?;
        let asked = binding_of(contact, intent, granted, now.wall);
        let found = Record(packed).stamped().find(|(_, b)| b.is_live(now.wall) && b.same_facts(&asked));
        let Some((offset, stored)) = found.filter(|_| granted > 0 && Record(packed).user() == intent.user) else {
            return Ok(None);
        };
        match order(&stored.stamp, intent, asked.stamp.call) {
            Order::Newer if intent.repeated => return Err(RegisterRefusal::Replayed),
            Order::Newer => {}
            Order::Retransmission => return Ok(Some(Effect::Retransmission)),
            Order::Older => return Err(RegisterRefusal::OutOfOrder),
        }
        let (identity, before) = (stored.identity(), stored.stamp);
        packed[offset..offset + STAMP].copy_from_slice(&asked.stamp.encode());
        self.earliest = self.earliest.min(asked.stamp.expires.0);
        let entry = Entry::Refresh { aor, identity, stamp: asked.stamp };
        let before = Before::Stamp { identity, stamp: before };
        journal.record(self.epoch, &entry, Undo { group: self.id, hash, user: intent.user, before });
        Ok(Some(Effect::Changed))
    }

    fn rebind(
        &mut self,
        hash: u64,
        now: Now,
        policy: &RegistrarPolicy,
        intent: &RegisterIntent<'_>,
        journal: &mut Journal,
    ) -> Result<Effect, RegisterRefusal> {
        let aor = intent.aor.as_bytes();
        let live = self.bindings(now, intent.aor);
        match plan(now, policy, intent, live)? {
            Plan::Same { retransmission: true } => Ok(Effect::Retransmission),
            Plan::Same { retransmission: false } => Ok(Effect::Unchanged),
            Plan::Change(_) if intent.repeated => Err(RegisterRefusal::Replayed),
            Plan::Change(bindings) => {
                let packed = pack(intent.user, aor, &bindings);
                self.store(hash, aor, intent.user, packed, journal);
                Ok(Effect::Changed)
            }
        }
    }

    /// Replaces the record of an address (one without bindings removes it) and journals it.
    fn store(&mut self, hash: u64, aor: &[u8], user: UserId, packed: Box<[u8]>, journal: &mut Journal) {
        let empty = Record(&packed).stamped().next().is_none();
        let entry = if empty { Entry::Remove(aor) } else { Entry::Put(&packed) };
        let undo = Undo { group: self.id, hash, user, before: Before::Record(None) };
        journal.record(self.epoch, &entry, undo);
        let before = if empty { self.take(hash, |r| r.aor() == aor) } else { self.replace(hash, packed) };
        journal.complete(Before::Record(before));
    }

    fn replace(&mut self, hash: u64, packed: Box<[u8]>) -> Option<Box<[u8]>> {
        let before = self.take(hash, |r| r.aor() == Record(&packed).aor());
        let (mut count, mut earliest) = (0, self.earliest);
        for (_, binding) in Record(&packed).stamped() {
            count += 1;
            earliest = earliest.min(binding.stamp.expires.0);
        }
        self.earliest = earliest;
        if count > 0 {
            self.bindings += count;
            self.table.insert_unique(hash, packed, |r| hash64(Record(r).aor()));
        }
        before
    }

    pub(crate) fn insert_image(&mut self, record: &[u8]) {
        self.replace(hash64(Record(record).aor()), record.into());
    }

    fn take(&mut self, hash: u64, is: impl Fn(Record<'_>) -> bool) -> Option<Box<[u8]>> {
        let (packed, _) = self.table.find_entry(hash, |r| is(Record(r))).ok()?.remove();
        self.bindings -= Record(&packed).stamped().count();
        Some(packed)
    }

    fn patch(&mut self, hash: u64, is: impl Fn(Record<'_>) -> bool, identity: u64, stamp: Stamp) {
        let Some(packed) = self.table.find_mut(hash, |r| is(Record(r))) else { return };
        let Some((offset, _)) = Record(packed).stamped().find(|(_, b)| b.identity() == identity) else {
            return;
        };
        packed[offset..offset + STAMP].copy_from_slice(&stamp.encode());
        self.earliest = self.earliest.min(stamp.expires.0);
    }
}
