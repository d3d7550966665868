//! Messages that wait for devices: stored before the sender's 200, delivered in order, confirmed by each device once.
//!
//! Which device a message is for:
//!
//! | the device | it gets the message |
//! |---|---|
//! | confirmed it | no |
//! | owes a confirmation | yes |
//! | any other, while nobody has confirmed it | yes |
//! | any other, of a message that came while nobody was signed in | yes; of those without an instance only one |
//! | one without an instance, while another such owes and none has confirmed | yes: it may be the same with a new port |
//! | any other | no |
//!
//! A message ends when everybody who owes has confirmed, or when its time is over. One that came while nobody was signed
//! in waits its time out for further devices, and makes room first when the user's space is full.

use super::id::{DeviceKey, MessageId, MessageIds};
use super::record::{Arrival, Key, WaitingMessage, pack};
use crate::facet::{FacetKind, Touched, facet_kind};
use crate::group::Group;
use crate::journal::Journal;
use lyceum_sip::time::WallTime;
use lyceum_topology::policy::MessagePolicy;
use std::collections::BTreeMap;

const KIND: FacetKind = facet_kind::WAITING;
const DAY_MS: u64 = 86_400_000;
/// The users' messages are looked through for those whose time is over at most this often.
const SWEEP_EVERY_MS: u64 = 60_000;
/// Most devices that a message keeps in mind.
const MAX_DEVICES: usize = 64;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is stored; the 200 waits for this block.
    New {
        /// The journal block.
        wait_for: u64,
    },
    /// It was there already, under this name.
    Already {
        /// Its name.
        id: MessageId,
        /// The newest block that is not yet durable, if any: a 200 waits for it.
        wait_for: Option<u64>,
    },
}

/// Why a message is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitingRefusal {
    /// So many messages wait for this user already, as the policy allows: 480.
    TooMany {
        /// The policy's limit.
        limit: u32,
    },
    /// So much waits for this user already, as the policy allows: 480.
    TooMuch {
        /// The policy's limit.
        limit_kib: u32,
    },
    /// It is larger than anything that can be stored: 413.
    TooLarge,
}

impl std::fmt::Display for WaitingRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooMany { limit } => {
                write!(f, "{limit} messages wait for this user, the most the message policy allows")
            }
            Self::TooMuch { limit_kib } => {
                write!(f, "{limit_kib} KiB of messages wait for this user, the most the message policy allows")
            }
            Self::TooLarge => f.write_str("the message is too large to be kept"),
        }
    }
}

impl std::error::Error for WaitingRefusal {}

/// What was done since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaitingCounts {
    /// Messages stored.
    pub stored: u64,
    /// Messages that came again and were not stored twice.
    pub repeated: u64,
    /// Confirmations by devices.
    pub confirmed: u64,
    /// Messages whose time was over.
    pub expired: u64,
    /// Messages that somebody had and that made room for others.
    pub made_room: u64,
    /// Messages refused.
    pub refused: u64,
}

/// The waiting messages of one group: an index over its facets.
#[derive(Debug, Default)]
pub struct Waiting {
    users: BTreeMap<Box<str>, Queue>,
    ids: MessageIds,
    /// No message ends before this; a lower bound.
    earliest: u64,
    swept: u64,
    counts: WaitingCounts,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Queue {
    items: BTreeMap<MessageId, Item>,
    messages: usize,
    bytes: usize,
}

/// A message and who took it. Marks may be known before their message while facets are read or put back.
#[derive(Debug, Default, PartialEq, Eq)]
struct Item {
    message: Option<Facts>,
    delivered: Vec<DeviceKey>,
}

#[derive(Debug, PartialEq, Eq)]
struct Facts {
    bytes: usize,
    expires: WallTime,
    anyone: bool,
    owes: Box<[DeviceKey]>,
    /// Hashes by which the same message is found again.
    same: [u64; 2],
}

impl Item {
    fn is_due(&self, device: DeviceKey) -> bool {
        let Some(facts) = &self.message else { return false };
        if self.delivered.contains(&device) {
            return false;
        }
        let nobody_has_it = self.delivered.is_empty();
        let first_of_its_kind = device.is_named() || self.delivered.iter().all(|other| other.is_named());
        let may_be_one_that_owes = !device.is_named() && facts.owes.iter().any(|other| !other.is_named());
        facts.owes.contains(&device) || nobody_has_it || ((facts.anyone || may_be_one_that_owes) && first_of_its_kind)
    }

    fn is_settled(&self) -> bool {
        self.message.as_ref().is_some_and(|facts| {
            !facts.anyone && !self.delivered.is_empty() && facts.owes.iter().all(|d| self.delivered.contains(d))
        })
    }
}

impl Queue {
    fn set(&mut self, id: MessageId, message: Option<Facts>) {
        let item = self.items.entry(id).or_default();
        let (before, after) = (item.message.as_ref().map(|f| f.bytes), message.as_ref().map(|f| f.bytes));
        item.message = message;
        self.messages = self.messages - usize::from(before.is_some()) + usize::from(after.is_some());
        self.bytes = self.bytes - before.unwrap_or(0) + after.unwrap_or(0);
        self.tidy(id);
    }

    fn mark(&mut self, id: MessageId, device: DeviceKey, there: bool) {
        let delivered = &mut self.items.entry(id).or_default().delivered;
        delivered.retain(|known| *known != device);
        if there {
            delivered.push(device);
            delivered.sort_unstable();
        }
        self.tidy(id);
    }

    fn tidy(&mut self, id: MessageId) {
        if self.items.get(&id).is_some_and(|item| item.message.is_none() && item.delivered.is_empty()) {
            self.items.remove(&id);
        }
    }
}

impl Waiting {
    /// Builds the index from the group's facets, at start.
    pub fn load(group: &Group) -> Self {
        let mut waiting = Self::default();
        for (key, value) in group.facets(KIND) {
            waiting.learn(key, Some(value));
        }
        waiting
    }

    /// Builds again what an undo put back (see [`Group::undo`]); other kinds of facet are none of ours.
    pub fn touched(&mut self, touched: &Touched, group: &Group) {
        if touched.kind == KIND {
            self.learn(&touched.key, group.facet(KIND, &touched.key));
        }
    }

    fn learn(&mut self, key: &[u8], value: Option<&[u8]>) {
        let Some(key) = Key::read(key) else { return };
        self.ids.pass(key.id);
        let queue = match self.users.get_mut(key.aor) {
            Some(queue) => queue,
            None => self.users.entry(key.aor.into()).or_default(),
        };
        match key.device {
            Some(device) => queue.mark(key.id, device, value.is_some()),
            None => {
                let facts = value.and_then(|value| facts(key.id, value));
                self.earliest = self.earliest.min(facts.as_ref().map_or(u64::MAX, |facts| facts.expires.0));
                queue.set(key.id, facts);
            }
        }
        if queue.items.is_empty() {
            self.users.remove(key.aor);
        }
    }

    /// The name for a message that comes now; names rise within the group.
    pub fn next_id(&mut self, now: WallTime, random: [u8; 8]) -> MessageId {
        self.ids.next(now, random)
    }

    /// Stores a message. The same message once more (the same transaction, or the sender's own name for it) is not
    /// stored twice.
    pub fn store(
        &mut self,
        now: WallTime,
        policy: &MessagePolicy,
        arrival: &Arrival<'_>,
        group: &mut Group,
        journal: &mut Journal,
    ) -> Result<Stored, WaitingRefusal> {
        if let Some(id) = self.find_same(arrival, group) {
            self.counts.repeated += 1;
            return Ok(Stored::Already { id, wait_for: journal.last_unsettled() });
        }
        let expires = WallTime(now.0.saturating_add(u64::from(policy.waiting_days) * DAY_MS));
        let value = pack(arrival, now, expires);
        let room = self.make_room(policy, arrival.aor, value.len(), group, journal);
        let put = |group: &mut Group, journal: &mut Journal| {
            let key = Key { aor: arrival.aor, id: arrival.id, device: None }.write();
            group.put_facet(KIND, &key, &value, journal).map_err(|_| WaitingRefusal::TooLarge)
        };
        let wait_for = match room.and_then(|()| put(group, journal)) {
            Ok(wait_for) => wait_for,
            Err(refusal) => {
                self.counts.refused += 1;
                return Err(refusal);
            }
        };
        let facts = facts(arrival.id, &value);
        self.earliest = self.earliest.min(expires.0);
        self.ids.pass(arrival.id);
        let queue = self.users.entry(arrival.aor.into()).or_default();
        queue.set(arrival.id, facts);
        for device in arrival.delivered.iter().take(MAX_DEVICES) {
            put_mark(arrival.aor, arrival.id, *device, group, journal);
            queue.mark(arrival.id, *device, true);
        }
        self.counts.stored += 1;
        Ok(Stored::New { wait_for })
    }

    fn find_same(&self, arrival: &Arrival<'_>, group: &Group) -> Option<MessageId> {
        let queue = self.users.get(arrival.aor)?;
        // The same message comes again soon: the newest are looked at first.
        let wanted = arrival.fingerprint();
        let similar = |item: &Item| item.message.as_ref().is_some_and(|facts| alike(facts.same, wanted));
        let mut found = queue.items.iter().rev().filter(|(_, item)| similar(item)).map(|(id, _)| *id);
        found.find(|id| read(arrival.aor, *id, group).is_some_and(|message| message.is(arrival)))
    }

    /// Makes room for one more message by dropping the oldest that somebody has.
    fn make_room(
        &mut self,
        policy: &MessagePolicy,
        aor: &str,
        bytes: usize,
        group: &mut Group,
        journal: &mut Journal,
    ) -> Result<(), WaitingRefusal> {
        let most = policy.max_waiting_kib as usize * 1024;
        while let Some(queue) = self.users.get(aor) {
            let too_many = queue.messages >= policy.max_waiting as usize;
            if !too_many && queue.bytes + bytes <= most {
                break;
            }
            let had = queue.items.iter().find(|(_, item)| item.message.is_some() && !item.delivered.is_empty());
            let Some(id) = had.map(|(id, _)| *id) else {
                return Err(match too_many {
                    true => WaitingRefusal::TooMany { limit: policy.max_waiting },
                    false => WaitingRefusal::TooMuch { limit_kib: policy.max_waiting_kib },
                });
            };
            self.remove(aor, id, group, journal);
            self.counts.made_room += 1;
        }
        Ok(())
    }

    /// The messages for this device, in the order in which they came.
    pub fn due<'a>(
        &'a self,
        now: WallTime,
        aor: &'a str,
        device: DeviceKey,
        group: &'a Group,
    ) -> impl Iterator<Item = WaitingMessage<'a>> {
        let items = self.users.get(aor).into_iter().flat_map(|queue| &queue.items);
        let is_due =
            move |item: &Item| item.is_due(device) && item.message.as_ref().is_some_and(|facts| facts.expires > now);
        items.filter(move |(_, item)| is_due(item)).filter_map(move |(id, _)| read(aor, *id, group))
    }

    /// Whether anything waits for this device: then what comes now has to wait its turn.
    pub fn has_due(&self, now: WallTime, aor: &str, device: DeviceKey) -> bool {
        let alive = |item: &Item| item.message.as_ref().is_some_and(|facts| facts.expires > now);
        self.users.get(aor).is_some_and(|queue| queue.items.values().any(|item| item.is_due(device) && alive(item)))
    }

    /// Notes that a device took a message, or refused it for good. Returns the journal block; `None` when there is
    /// nothing to note.
    pub fn confirm(
        &mut self,
        aor: &str,
        id: MessageId,
        device: DeviceKey,
        group: &mut Group,
        journal: &mut Journal,
    ) -> Option<u64> {
        let queue = self.users.get_mut(aor)?;
        let item = queue.items.get(&id).filter(|item| item.message.is_some())?;
        if item.delivered.contains(&device) || item.delivered.len() >= MAX_DEVICES {
            return None;
        }
        self.counts.confirmed += 1;
        queue.mark(id, device, true);
        let seq = journal.seq();
        if queue.items.get(&id).is_some_and(Item::is_settled) {
            // The mark of this device was never written.
            queue.mark(id, device, false);
            self.remove(aor, id, group, journal);
        } else {
            put_mark(aor, id, device, group, journal);
        }
        Some(seq)
    }

    /// Removes everything that waits for a user, as when the user is removed.
    pub fn forget_user(&mut self, aor: &str, group: &mut Group, journal: &mut Journal) -> usize {
        let ids: Vec<MessageId> = self.users.get(aor).into_iter().flat_map(|q| q.items.keys().copied()).collect();
        for id in &ids {
            self.remove(aor, *id, group, journal);
        }
        ids.len()
    }

    fn remove(&mut self, aor: &str, id: MessageId, group: &mut Group, journal: &mut Journal) {
        let Some(queue) = self.users.get_mut(aor) else { return };
        let delivered = queue.items.get(&id).map(|item| item.delivered.clone()).unwrap_or_default();
        group.remove_facet(KIND, &Key { aor, id, device: None }.write(), journal);
        queue.set(id, None);
        for device in delivered {
            group.remove_facet(KIND, &Key { aor, id, device: Some(device) }.write(), journal);
            queue.mark(id, device, false);
        }
        if queue.items.is_empty() {
            self.users.remove(aor);
        }
    }

    /// The moment from which [`Waiting::expire`] has work; `None` when nothing waits.
    pub fn next_expiry(&self) -> Option<WallTime> {
        (!self.users.is_empty()).then(|| WallTime(self.earliest.max(self.swept.saturating_add(SWEEP_EVERY_MS))))
    }

    /// Removes at most `most` messages whose time is over, and marks whose message is gone. Tells how many; when that
    /// is `most` there may be more, and it is to be called again.
    pub fn expire(&mut self, now: WallTime, most: usize, group: &mut Group, journal: &mut Journal) -> usize {
        if self.next_expiry().is_none_or(|at| at > now) {
            return 0;
        }
        let (mut over, mut earliest) = (Vec::new(), u64::MAX);
        for (aor, queue) in &self.users {
            for (id, item) in &queue.items {
                match item.message.as_ref().map(|facts| facts.expires) {
                    Some(expires) if expires > now => earliest = earliest.min(expires.0),
                    _ if over.len() < most => over.push((aor.clone(), *id)),
                    _ => earliest = 0,
                }
            }
        }
        for (aor, id) in &over {
            self.remove(aor, *id, group, journal);
        }
        self.counts.expired += over.len() as u64;
        self.earliest = earliest;
        self.swept = if earliest == 0 { 0 } else { now.0 };
        over.len()
    }

    /// How many messages wait for a user, and their bytes.
    pub fn load_of(&self, aor: &str) -> (usize, usize) {
        self.users.get(aor).map_or((0, 0), |queue| (queue.messages, queue.bytes))
    }

    /// Users for whom something waits.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.users.keys().map(|aor| &**aor)
    }

    /// What was done since the start.
    pub fn counts(&self) -> WaitingCounts {
        self.counts
    }
}

impl PartialEq for Waiting {
    /// Whether the same messages wait for the same devices.
    fn eq(&self, other: &Self) -> bool {
        self.users == other.users
    }
}

fn facts(id: MessageId, value: &[u8]) -> Option<Facts> {
    let message = WaitingMessage::read(id, value)?;
    Some(Facts {
        bytes: value.len(),
        expires: message.expires,
        anyone: message.anyone,
        owes: message.owes().take(MAX_DEVICES).collect(),
        same: message.fingerprint(),
    })
}

fn alike(one: [u64; 2], other: [u64; 2]) -> bool {
    one[0] == other[0] || one[1] == other[1]
}

fn read<'g>(aor: &str, id: MessageId, group: &'g Group) -> Option<WaitingMessage<'g>> {
    let value = group.facet(KIND, &Key { aor, id, device: None }.write())?;
    WaitingMessage::read(id, value)
}

fn put_mark(aor: &str, id: MessageId, device: DeviceKey, group: &mut Group, journal: &mut Journal) {
    let key = Key { aor, id, device: Some(device) }.write();
    // Keys of marks are bounded by the address, which a stored message has shown to be short enough, but for the eight
    // bytes of the device: a mark too long is not kept, and the device gets the message once more.
    let _ = group.put_facet(KIND, &key, b"", journal);
}
