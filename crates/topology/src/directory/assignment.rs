//! Where a user is homed and what the user was granted, shared between all users alike.

use crate::policy::GrantKind;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A user's pool and granted policies. Thousands of users have the same, and share one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Assignment {
    /// The pool the user is homed on.
    pub pool: Box<str>,
    /// The named policies granted.
    pub grants: BTreeMap<GrantKind, Box<str>>,
}

impl Assignment {
    /// Homed on this pool, nothing granted.
    pub fn to_pool(pool: &str) -> Self {
        Self { pool: pool.into(), grants: BTreeMap::new() }
    }

    /// The name of the policy of this kind granted, if one is.
    pub fn grant(&self, kind: GrantKind) -> Option<&str> {
        self.grants.get(&kind).map(|name| &**name)
    }
}

/// An assignment with its place in the directory's list of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Placed {
    pub(crate) assignment: Assignment,
    pub(crate) slot: u32,
}

/// Every assignment in use, each once, with the number of users that have it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Assignments {
    slots: Arc<Slots>,
    users: Arc<Vec<u32>>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Slots {
    list: Vec<Arc<Placed>>,
    by_value: BTreeMap<Assignment, u32>,
}

impl Assignments {
    /// The shared form of this assignment, counted for one more user.
    pub(crate) fn join(&mut self, assignment: &Assignment) -> Arc<Placed> {
        let slot = match self.slots.by_value.get(assignment) {
            Some(&slot) => slot,
            None => self.add(assignment),
        };
        Arc::make_mut(&mut self.users)[slot as usize] += 1;
        self.slots.list[slot as usize].clone()
    }

    fn add(&mut self, assignment: &Assignment) -> u32 {
        let users = Arc::make_mut(&mut self.users);
        let slots = Arc::make_mut(&mut self.slots);
        // A slot nobody uses is taken again, so that the list does not grow over the years.
        let free = users.iter().position(|&count| count == 0);
        let slot = free.unwrap_or(slots.list.len());
        let placed = Arc::new(Placed { assignment: assignment.clone(), slot: slot as u32 });
        if free.is_some() {
            slots.by_value.remove(&slots.list[slot].assignment);
            slots.list[slot] = placed;
        } else {
            slots.list.push(placed);
            users.push(0);
        }
        slots.by_value.insert(assignment.clone(), slot as u32);
        slot as u32
    }

    pub(crate) fn leave(&mut self, placed: &Placed) {
        let users = Arc::make_mut(&mut self.users);
        if let Some(count) = users.get_mut(placed.slot as usize) {
            *count = count.saturating_sub(1);
        }
    }

    /// Every slot with its number of users, which may be 0.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<Placed>, u32)> {
        self.slots.list.iter().zip(self.users.iter().copied())
    }

    /// Whether both hold the same slots (the numbers of users may differ).
    pub(crate) fn same_slots(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.slots, &other.slots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_alike_share_one_assignment_and_free_slots_are_reused() {
        let mut all = Assignments::default();
        let first = all.join(&Assignment::to_pool("a"));
        assert!(Arc::ptr_eq(&first, &all.join(&Assignment::to_pool("a"))));
        all.leave(&first);
        all.leave(&first);
        let second = all.join(&Assignment::to_pool("b"));
        assert_eq!((second.slot, all.iter().count()), (0, 1));
        assert_eq!(all.join(&Assignment::to_pool("a")).slot, 1);
    }
}
