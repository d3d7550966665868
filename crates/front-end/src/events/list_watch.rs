//! Watches of lists (RFC 4662): their members, and what of them is to be told.

use std::collections::HashSet;

use lyceum_users::hash64;
use lyceum_users::subscription::EventPackage;

use super::Watches;

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
    /// Every member is to be looked at.
    pub(crate) fn tell_all(&mut self) {
        self.news = (0..u16::try_from(self.members.len()).unwrap_or(u16::MAX)).collect();
    }

    /// What the member at this place is called.
    pub(crate) fn uri(&self, at: usize) -> String {
        let given = self.uris.as_ref().and_then(|uris| uris.get(at)).map(|uri| uri.to_string());
        given.unwrap_or_else(|| format!("sip:{}", self.members.get(at).map_or("", |member| member)))
    }
}

impl Watches {
    /// The members of a list watch; all of them are to be told. Gives those who were not on it before.
    pub(crate) fn set_members(
        &mut self,
        slot: u32,
        members: Vec<Box<str>>,
        uris: Option<Vec<Box<str>>>,
    ) -> Vec<Box<str>> {
        let Some(list) = self.lists.get_mut(&slot) else { return Vec::new() };
        let before = std::mem::replace(&mut list.members, members);
        list.uris = uris;
        list.full = true;
        list.told = vec![0; list.members.len()];
        list.tell_all();
        let hash = |member: &str| hash64(member.as_bytes());
        let (was, is): (HashSet<u64>, HashSet<u64>) = (
            before.iter().map(|member| hash(member)).collect(),
            list.members.iter().map(|member| hash(member)).collect(),
        );
        let added = list.members.iter().filter(|member| !was.contains(&hash(member))).cloned().collect();
        let now: Vec<u64> = list.members.iter().map(|member| hash(member)).collect();
        for member in before.iter().map(|member| hash(member)) {
            self.unlink(member, slot);
        }
        for member in now {
            self.by_presentity.entry(member).or_default().push(slot);
        }
        for member in was.symmetric_difference(&is) {
            self.touch_watchers(*member);
        }
        added
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

    /// Slots that there are, in use or not.
    pub(crate) fn places(&self) -> u32 {
        self.slots.len() as u32
    }

    /// Queues up to `left` watches from this slot on, round and round, as many as `most` allows, lists counted by their
    /// members; gives the slot that is next, and how many were looked at.
    pub(crate) fn review(&mut self, from: u32, left: u32, most: usize) -> (u32, u32) {
        let (mut slot, mut looked, mut weight) = (from, 0, 0);
        while looked < left && weight < most {
            if slot >= self.places() {
                slot = 0;
            }
            weight += 1;
            if let Some(list) = self.lists.get_mut(&slot) {
                list.tell_all();
                weight += list.members.len();
            }
            // Who watches is not the configuration's affair.
            if self.package_at(slot).is_some_and(|package| package != EventPackage::WatcherInfo) {
                self.enqueue(slot);
            }
            (slot, looked) = (slot + 1, looked + 1);
        }
        (slot, looked)
    }

    /// What clients are told of themselves may be otherwise.
    pub(crate) fn touch_profiles(&mut self) {
        for slot in 0..self.places() {
            if self.package_at(slot) == Some(EventPackage::Profile) {
                self.enqueue(slot);
            }
        }
    }

    /// Slots of all list watches, with their records.
    pub(crate) fn list_slots(&self) -> Vec<u32> {
        let is_list = |slot: &u32| self.slots[*slot as usize].as_ref().is_some_and(|watch| watch.list);
        (0..self.slots.len() as u32).filter(is_list).collect()
    }
}
