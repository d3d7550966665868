//! Who has allocations, and how much of their share is used.

use std::collections::HashMap;

use super::Now;
use crate::hash::Seeded;
use crate::quota::Bucket;

/// Number of a user while they have allocations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct UserId(u32);

#[derive(Debug)]
pub(crate) struct User {
    name: Box<str>,
    pub(crate) allocations: u32,
    pub(crate) up: Bucket,
    pub(crate) down: Bucket,
}

#[derive(Debug)]
pub(crate) struct Users {
    names: HashMap<Box<str>, UserId, Seeded>,
    slots: Vec<User>,
    free: Vec<UserId>,
}

impl Users {
    pub(crate) fn new(seed: Seeded) -> Users {
        Users { names: HashMap::with_hasher(seed), slots: Vec::new(), free: Vec::new() }
    }

    pub(crate) fn find(&self, name: &str) -> Option<UserId> {
        self.names.get(name).copied()
    }

    pub(crate) fn get(&mut self, user: UserId) -> &mut User {
        &mut self.slots[user.0 as usize]
    }

    /// Counts one more allocation, if the user may have it.
    pub(crate) fn take(&mut self, name: &str, most: Option<u32>, now: Now) -> Option<UserId> {
        let fits = |count: u32| most.is_none_or(|most| count < most);
        if let Some(user) = self.find(name) {
            let found = self.get(user);
            let taken = fits(found.allocations);
            found.allocations += u32::from(taken);
            return taken.then_some(user);
        }
        if !fits(0) {
            return None;
        }
        let bucket = Bucket::new(now.micros());
        let new = User { name: name.into(), allocations: 1, up: bucket, down: bucket };
        let user = match self.free.pop() {
            Some(user) => {
                *self.get(user) = new;
                user
            }
            None => {
                self.slots.push(new);
                UserId((self.slots.len() - 1) as u32)
            }
        };
        self.names.insert(name.into(), user);
        Some(user)
    }

    /// One allocation less; who has none is forgotten.
    pub(crate) fn release(&mut self, user: UserId) {
        let found = &mut self.slots[user.0 as usize];
        found.allocations -= 1;
        if found.allocations == 0 {
            self.names.remove(&found.name);
            found.name = "".into();
            self.free.push(user);
        }
    }
}
