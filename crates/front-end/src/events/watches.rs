//! The subscriptions of one worker as they live: what each was told, what waits to be told, who watches whom.

use std::collections::{HashMap, VecDeque};

use lyceum_sip::time::{Time, WallTime};
use lyceum_users::subscription::{EventPackage, Subscription};
use lyceum_users::{Group, facet_kind, hash64};

use super::{NOTIFIES_UNDER_WAY, SLOW};

/// Where the notification of a watch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Everything was told.
    Idle,
    /// In the queue.
    Ready,
    /// A NOTIFY is on its way.
    UnderWay,
    /// A NOTIFY is on its way, and there is news already.
    Behind,
}

/// Why a subscription ends: the reason in Subscription-State.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It ran out, or the watcher ended it.
    Timeout,
    /// The presentity is gone.
    NoResource,
    /// The watcher may no longer.
    Rejected,
}

impl End {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            End::Timeout => "timeout",
            End::NoResource => "noresource",
            End::Rejected => "rejected",
        }
    }
}

/// One subscription beside its durable record.
#[derive(Debug)]
pub(crate) struct Watch {
    /// Key of the record.
    pub(crate) key: [u8; 16],
    /// Hash of the presentity's address.
    presentity: u64,
    /// When it ends.
    pub(crate) expires: WallTime,
    /// CSeq of the last NOTIFY.
    pub(crate) cseq: u32,
    /// CSeqs are durable up to this one.
    pub(crate) reserved: u32,
    /// Number of the next document.
    pub(crate) version: u32,
    /// Mark of the document told last; 0 when the next is told whatever it says.
    pub(crate) told: u32,
    /// The routing group that holds the record.
    pub(crate) group: u8,
    pub(crate) package: EventPackage,
    pub(crate) stage: Stage,
    /// The next NOTIFY is the last one.
    pub(crate) end: Option<End>,
    /// It counts among those under way.
    counted: bool,
    list: bool,
}

/// What a watch of a list has beside.
#[derive(Debug, Default)]
pub(crate) struct ListWatch {
    /// Canonical addresses of the members.
    pub(crate) members: Vec<Box<str>>,
    /// What the SUBSCRIBE called them, when it brought the list; `None` for a contact list.
    pub(crate) uris: Option<Vec<Box<str>>>,
    /// Places of those whose state is to be told.
    pub(crate) news: Vec<u16>,
    /// The whole list is to be told.
    pub(crate) full: bool,
    /// Mark of the document told last of each member; 0 for none.
    pub(crate) told: Vec<u32>,
}

impl ListWatch {
    /// What the member at this place is called.
    pub(crate) fn uri(&self, at: usize) -> String {
        let given = self.uris.as_ref().and_then(|uris| uris.get(at)).map(|uri| uri.to_string());
        given.unwrap_or_else(|| format!("sip:{}", self.members.get(at).map_or("", |member| member)))
    }
}

/// What a document is known by afterwards; never 0.
pub(crate) fn mark(document: &[u8]) -> u32 {
    hash64(document) as u32 | 1
}

/// All watches of a worker.
#[derive(Default)]
pub struct Watches {
    slots: Vec<Option<Watch>>,
    /// The mark of the NOTIFY sent last from each slot, whoever has it: an answer to one who had it before means nothing.
    marks: Vec<u16>,
    free: Vec<u32>,
    by_key: HashMap<[u8; 16], u32>,
    /// By the hash of the presentity's address; members of lists too.
    by_presentity: HashMap<u64, Vec<u32>>,
    pub(crate) lists: HashMap<u32, ListWatch>,
    ready: VecDeque<u32>,
    sent: VecDeque<(u32, u32, Time)>,
    under_way: usize,
}

impl Watches {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// NOTIFY requests that wait to be sent.
    pub fn waiting(&self) -> usize {
        self.ready.len()
    }

    pub(crate) fn get(&mut self, slot: u32) -> Option<&mut Watch> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    pub(crate) fn slot(&self, key: &[u8; 16]) -> Option<u32> {
        self.by_key.get(key).copied()
    }

    /// How many watch this address.
    pub(crate) fn of(&self, aor: &str) -> &[u32] {
        self.by_presentity.get(&hash64(aor.as_bytes())).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn package_at(&self, slot: u32) -> Option<EventPackage> {
        self.slots.get(slot as usize)?.as_ref().map(|watch| watch.package)
    }

    pub(crate) fn key_at(&self, slot: u32) -> Option<(u8, [u8; 16])> {
        self.slots.get(slot as usize)?.as_ref().map(|watch| (watch.group, watch.key))
    }

    /// Adds a watch, or changes the one with this key.
    pub(crate) fn put(&mut self, key: [u8; 16], group: u8, subscription: &Subscription<'_>) -> u32 {
        if let Some(slot) = self.slot(&key) {
            if let Some(watch) = self.get(slot) {
                watch.expires = subscription.expires;
                watch.reserved = subscription.reserved;
                watch.told = 0;
            }
            return slot;
        }
        let presentity = hash64(subscription.presentity.as_bytes());
        let watch = Watch {
            key,
            presentity,
            expires: subscription.expires,
            cseq: subscription.reserved.saturating_sub(lyceum_users::subscription::CSEQ_BLOCK),
            reserved: subscription.reserved,
            version: 0,
            told: 0,
            group,
            package: subscription.package,
            stage: Stage::Idle,
            end: None,
            counted: false,
            list: subscription.list,
        };
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.marks.push(0);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        self.slots[slot as usize] = Some(watch);
        self.by_key.insert(key, slot);
        self.by_presentity.entry(presentity).or_default().push(slot);
        if subscription.list {
            self.lists.insert(slot, ListWatch::default());
        }
        slot
    }

    /// The members of a list watch; all of them are to be told.
    pub(crate) fn set_members(&mut self, slot: u32, members: Vec<Box<str>>, uris: Option<Vec<Box<str>>>) {
        let Some(list) = self.lists.get_mut(&slot) else { return };
        let before = std::mem::replace(&mut list.members, members);
        list.uris = uris;
        list.full = true;
        list.told = vec![0; list.members.len()];
        list.news = (0..u16::try_from(list.members.len()).unwrap_or(u16::MAX)).collect();
        let now: Vec<u64> = list.members.iter().map(|member| hash64(member.as_bytes())).collect();
        for member in before {
            self.unlink(hash64(member.as_bytes()), slot);
        }
        for member in now {
            self.by_presentity.entry(member).or_default().push(slot);
        }
    }

    /// Did a SUBSCRIBE bring the list of this watch?
    pub(crate) fn is_given(&self, slot: u32) -> bool {
        self.lists.get(&slot).is_some_and(|list| list.uris.is_some())
    }

    /// How many watches of lists that came with a SUBSCRIBE are of this address.
    pub(crate) fn lists_given(&self, owner: &str) -> usize {
        let owner_hash = hash64(owner.as_bytes());
        let is_own = |slot: &&u32| self.slots[**slot as usize].as_ref().is_some_and(|one| one.presentity == owner_hash);
        let mut own: Vec<u32> =
            self.of(owner).iter().filter(is_own).copied().filter(|slot| self.is_given(*slot)).collect();
        // Who is on their own list watches twice.
        own.sort_unstable();
        own.dedup();
        own.len()
    }

    fn unlink(&mut self, presentity: u64, slot: u32) {
        if let Some(all) = self.by_presentity.get_mut(&presentity) {
            if let Some(at) = all.iter().position(|one| *one == slot) {
                all.swap_remove(at);
            }
            if all.is_empty() {
                self.by_presentity.remove(&presentity);
            }
        }
    }

    /// The mark of the next NOTIFY from a slot.
    pub(crate) fn next_mark(&mut self, slot: u32) -> u16 {
        let Some(mark) = self.marks.get_mut(slot as usize) else { return 0 };
        *mark = mark.wrapping_add(1);
        *mark
    }

    /// Is this the NOTIFY that was sent last from a slot, to the watch that is there now?
    pub(crate) fn is_newest(&self, slot: u32, mark: u16) -> bool {
        let is_there = self.slots.get(slot as usize).is_some_and(Option::is_some);
        is_there && self.marks.get(slot as usize) == Some(&mark)
    }

    pub(crate) fn remove(&mut self, slot: u32) -> Option<Watch> {
        let watch = self.slots.get_mut(slot as usize)?.take()?;
        if watch.counted {
            self.under_way -= 1;
        }
        self.by_key.remove(&watch.key);
        self.unlink(watch.presentity, slot);
        if let Some(list) = self.lists.remove(&slot) {
            for member in &list.members {
                self.unlink(hash64(member.as_bytes()), slot);
            }
        }
        self.marks[slot as usize] = self.marks[slot as usize].wrapping_add(1);
        self.free.push(slot);
        Some(watch)
    }

    pub(crate) fn remove_key(&mut self, key: &[u8; 16]) {
        if let Some(slot) = self.slot(key) {
            self.remove(slot);
        }
    }

    /// There is news of this address.
    pub(crate) fn touch(&mut self, aor: &str) {
        let Some(all) = self.by_presentity.get(&hash64(aor.as_bytes())) else { return };
        for slot in all.clone() {
            self.news_of(slot, aor);
        }
    }

    fn news_of(&mut self, slot: u32, aor: &str) {
        if let Some(list) = self.lists.get_mut(&slot) {
            let Some(at) = list.members.iter().position(|member| **member == *aor) else { return };
            let at = u16::try_from(at).unwrap_or(u16::MAX);
            if !list.news.contains(&at) {
                list.news.push(at);
            }
        } else if self.package_at(slot) != Some(EventPackage::Presence) {
            return;
        }
        self.enqueue(slot);
    }

    /// Who watches this address is not as before.
    pub(crate) fn touch_watchers(&mut self, aor: &str) {
        let Some(all) = self.by_presentity.get(&hash64(aor.as_bytes())) else { return };
        for slot in all.clone() {
            if self.package_at(slot) == Some(EventPackage::WatcherInfo) {
                self.enqueue(slot);
            }
        }
    }

    /// A NOTIFY is due.
    pub(crate) fn enqueue(&mut self, slot: u32) {
        let Some(watch) = self.get(slot) else { return };
        match watch.stage {
            Stage::Idle => {
                watch.stage = Stage::Ready;
                self.ready.push_back(slot);
            }
            Stage::UnderWay => watch.stage = Stage::Behind,
            Stage::Ready | Stage::Behind => {}
        }
    }

    /// The next watch to be notified, if there is room for one more under way.
    pub(crate) fn next_ready(&mut self, now: Time) -> Option<u32> {
        while let Some((slot, cseq, at)) = self.sent.front().copied() {
            let answered = self.get(slot).is_none_or(|watch| !watch.counted || watch.cseq != cseq);
            if !answered && now < at + SLOW {
                break;
            }
            self.sent.pop_front();
            if !answered {
                self.uncount(slot);
            }
        }
        if self.under_way >= NOTIFIES_UNDER_WAY {
            return None;
        }
        loop {
            let slot = self.ready.pop_front()?;
            if self.get(slot).is_some_and(|watch| watch.stage == Stage::Ready) {
                return Some(slot);
            }
        }
    }

    /// A NOTIFY has been sent.
    pub(crate) fn sent(&mut self, now: Time, slot: u32) {
        let Some(watch) = self.get(slot) else { return };
        watch.stage = Stage::UnderWay;
        watch.counted = true;
        let cseq = watch.cseq;
        self.under_way += 1;
        self.sent.push_back((slot, cseq, now));
    }

    fn uncount(&mut self, slot: u32) {
        if self.get(slot).is_some_and(|watch| std::mem::take(&mut watch.counted)) {
            self.under_way -= 1;
        }
    }

    /// The NOTIFY with this CSeq was answered; more is sent if there is news.
    pub(crate) fn answered(&mut self, slot: u32) {
        self.uncount(slot);
        let Some(watch) = self.get(slot) else { return };
        let more = watch.stage == Stage::Behind;
        watch.stage = Stage::Idle;
        if more {
            self.enqueue(slot);
        }
    }

    /// What was told last did not arrive, or was not understood: the next is told whatever it says.
    pub(crate) fn untold(&mut self, slot: u32) {
        if let Some(watch) = self.get(slot) {
            watch.told = 0;
        }
        if let Some(list) = self.lists.get_mut(&slot) {
            list.told.fill(0);
        }
    }

    /// Nothing can be told for now.
    pub(crate) fn rest(&mut self, slot: u32) {
        self.uncount(slot);
        if let Some(watch) = self.get(slot) {
            watch.stage = Stage::Idle;
        }
    }

    /// Ends what has run out: a last NOTIFY says so.
    pub(crate) fn end_expired(&mut self, now: WallTime) {
        let over = |watch: &Watch| watch.end.is_none() && watch.expires <= now;
        let due: Vec<u32> =
            (0..self.slots.len() as u32).filter(|slot| self.slots[*slot as usize].as_ref().is_some_and(over)).collect();
        for slot in due {
            self.end(slot, End::Timeout);
        }
    }

    /// A last NOTIFY is due.
    pub(crate) fn end(&mut self, slot: u32, end: End) {
        self.last(slot, end);
        self.enqueue(slot);
    }

    /// The next NOTIFY is the last; it comes when the answer to the SUBSCRIBE has left.
    pub(crate) fn last(&mut self, slot: u32, end: End) {
        if let Some(watch) = self.get(slot) {
            watch.end = Some(end);
        }
    }

    /// What a group remembers, at start. Numbers go on behind the reserved ones: which of those were used is not known.
    pub(crate) fn load(&mut self, now: WallTime, group: &Group) {
        for (key, packed) in group.facets(facet_kind::SUBSCRIPTION) {
            let (Ok(key), Some(subscription)) = (key.try_into(), Subscription::unpack(packed)) else { continue };
            let slot = self.put(key, group.id(), &subscription);
            if let Some(watch) = self.get(slot) {
                watch.cseq = subscription.reserved;
            }
            if subscription.expires > now {
                self.enqueue(slot);
            }
        }
    }

    /// All slots in use.
    pub(crate) fn slots(&self) -> Vec<u32> {
        (0..self.slots.len() as u32).filter(|slot| self.slots[*slot as usize].is_some()).collect()
    }

    /// Slots of all list watches, with their records.
    pub(crate) fn list_slots(&self) -> Vec<u32> {
        let is_list = |slot: &u32| self.slots[*slot as usize].as_ref().is_some_and(|watch| watch.list);
        (0..self.slots.len() as u32).filter(is_list).collect()
    }
}

#[cfg(test)]
mod tests;
