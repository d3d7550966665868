//! The subscriptions of one worker as they live: what each was told, what waits to be told, who watches whom.

use std::collections::{HashMap, VecDeque};

use lyceum_sip::time::{Time, WallTime};
use lyceum_users::subscription::{EventPackage, Subscription};
use lyceum_users::{Group, facet_kind, hash64};

use super::list_watch::ListWatch;
use super::retry::Retries;
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
    /// It was refused for now, and is told again later.
    Later,
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
    /// It is gone for a reason of ours: the watcher is to subscribe anew.
    Deactivated,
}

impl End {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            End::Timeout => "timeout",
            End::NoResource => "noresource",
            End::Rejected => "rejected",
            End::Deactivated => "deactivated",
        }
    }
}

/// One subscription beside its durable record.
#[derive(Debug)]
pub(crate) struct Watch {
    /// Key of the record.
    pub(crate) key: [u8; 16],
    /// Hash of the presentity's address.
    pub(super) presentity: u64,
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
    /// Its end was told and could not be stored: it is told again.
    again: bool,
    /// It counts among those under way.
    counted: bool,
    pub(super) list: bool,
}

/// What a document is known by afterwards; never 0.
pub(crate) fn mark(document: &[u8]) -> u32 {
    hash64(document) as u32 | 1
}

/// All watches of a worker.
#[derive(Default)]
pub struct Watches {
    pub(super) slots: Vec<Option<Watch>>,
    /// The mark of the NOTIFY sent last from each slot, whoever has it: an answer to one who had it before means nothing.
    marks: Vec<u16>,
    free: Vec<u32>,
    by_key: HashMap<[u8; 16], u32>,
    /// By the hash of the presentity's address; members of lists too.
    pub(super) by_presentity: HashMap<u64, Vec<u32>>,
    pub(crate) lists: HashMap<u32, ListWatch>,
    pub(crate) retries: Retries,
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
            again: false,
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
        } else if subscription.package == EventPackage::Presence {
            self.touch_watchers(presentity);
        }
        slot
    }

    /// The store did not take what was done last: the watch is as its record says. One whose end was not stored ends again
    /// when the store can be written.
    pub(crate) fn undo(
        &mut self,
        key: [u8; 16],
        group: u8,
        stored: &Subscription<'_>,
        (now, why): (WallTime, End),
    ) -> u32 {
        if let Some(slot) = self.slot(&key) {
            if let Some(watch) = self.get(slot) {
                watch.expires = stored.expires;
                watch.reserved = stored.reserved;
                // A watcher's own end was answered with 503; that they may not watch any longer still holds.
                watch.end = watch.end.filter(|end| *end != End::Timeout || stored.expires <= now);
            }
            return slot;
        }
        let slot = self.put(key, group, stored);
        if let Some(watch) = self.get(slot) {
            // Which of the reserved numbers were used is not known.
            watch.cseq = stored.reserved;
            watch.end = Some(why);
            watch.again = true;
        }
        slot
    }

    /// Those whose end could not be stored are told of it once more.
    pub(crate) fn end_again(&mut self) {
        let ended = |watch: &Watch| watch.again && watch.stage == Stage::Idle;
        for slot in 0..self.slots.len() as u32 {
            if self.slots[slot as usize].as_ref().is_some_and(ended) {
                self.enqueue(slot);
            }
        }
    }

    pub(super) fn unlink(&mut self, presentity: u64, slot: u32) {
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
            for member in list.members.iter().map(|member| hash64(member.as_bytes())) {
                self.unlink(member, slot);
                self.touch_watchers(member);
            }
        } else if watch.package == EventPackage::Presence {
            self.touch_watchers(watch.presentity);
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

    /// Anything about this address may be otherwise, what its own clients are told of themselves too.
    pub(crate) fn touch_all(&mut self, aor: &str) {
        let Some(all) = self.by_presentity.get(&hash64(aor.as_bytes())) else { return };
        for slot in all.clone() {
            match self.package_at(slot) {
                Some(EventPackage::Profile) => self.enqueue(slot),
                _ => self.news_of(slot, aor),
            }
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

    /// Who watches the address with this hash is not as before.
    pub(super) fn touch_watchers(&mut self, presentity: u64) {
        let Some(all) = self.by_presentity.get(&presentity) else { return };
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
            Stage::Ready | Stage::Behind | Stage::Later => {}
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
            list.full = true;
            list.tell_all();
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
        self.lift(slot);
        self.enqueue(slot);
    }

    /// What was to be told later may be told now.
    pub(crate) fn lift(&mut self, slot: u32) {
        if let Some(watch) = self.get(slot).filter(|watch| watch.stage == Stage::Later) {
            watch.stage = Stage::Idle;
        }
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
}

#[cfg(test)]
mod tests;
