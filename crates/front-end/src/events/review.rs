//! A new configuration: what watchers may see of others, and what clients are told of themselves, may be another.
//!
//! Of a changed user everybody who watches is looked at at once. When the document changed it may concern anybody: all
//! presentities and all watches are gone through, a part in each round, so that calls and messages go on beside. Who sees
//! what they saw before is not told.

use std::sync::Arc;

use lyceum_sip::time::Now;
use lyceum_topology::{AddressOfRecord, PresencePolicy, routing_group};

use super::{NOTIFIES_A_ROUND, presentity, user_at};
use crate::core::Core;

/// Watches looked at in one round of a review; a list counts as many as it has members.
const REVIEWED_A_ROUND: usize = NOTIFIES_A_ROUND;
/// Changed users that are looked at one by one; of more, everybody is.
const ONE_BY_ONE: usize = 256;

/// How far a review of everybody has come. It goes round: one that begins while another is under way goes on from there
/// and ends when everybody was looked at since, so that changes one after the other keep nobody waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Review {
    group: usize,
    groups_left: usize,
    slot: u32,
    slots_left: u32,
}

impl Review {
    pub(crate) fn is_over(&self) -> bool {
        self.groups_left == 0 && self.slots_left == 0
    }
}

impl Core {
    /// Names and policies may be others: of these users, or with `None` of everybody.
    pub(crate) fn directory_changed(&mut self, now: Now, changed: Option<Vec<AddressOfRecord>>) {
        self.events.bodies.forget_all();
        match changed.filter(|users| users.len() <= ONE_BY_ONE) {
            Some(users) => users.iter().for_each(|user| self.user_changed(now, user.as_str())),
            None => {
                self.events.review.groups_left = self.groups.len();
                self.events.review.slots_left = self.events.watches.places();
            }
        }
        self.next_notify = Some(now.mono);
    }

    fn user_changed(&mut self, now: Now, aor: &str) {
        let snapshot = Arc::clone(&self.snapshot);
        if let Some(user) = user_at(&snapshot, aor) {
            let at = usize::from(routing_group(aor));
            if self.events.presentities[at].knows(aor) {
                self.events.presentities[at].reconsider(presentity(now, &snapshot, user), &self.groups[at]);
            }
        }
        self.events.watches.touch_all(aor);
        self.may_be_disturbed(aor);
    }

    /// The next part of a review, once what is due has left.
    pub(crate) fn review(&mut self, now: Now) {
        if self.events.review.is_over() || self.events.watches.waiting() >= NOTIFIES_A_ROUND {
            return;
        }
        let mut review = self.events.review;
        if review.groups_left > 0 {
            self.review_presence(now, review.group);
            review.group = (review.group + 1) % self.groups.len();
            review.groups_left -= 1;
        }
        let (next, looked) = self.events.watches.review(review.slot, review.slots_left, REVIEWED_A_ROUND);
        review.slot = next;
        review.slots_left -= looked;
        self.events.review = review;
    }

    fn review_presence(&mut self, now: Now, at: usize) {
        let snapshot = Arc::clone(&self.snapshot);
        let fallback = PresencePolicy::default();
        let policy_of = |aor: &str| user_at(&snapshot, aor).map_or(&fallback, |user| snapshot.presence_policy(user));
        let (presence, group) = (&mut self.events.presentities[at], &mut self.groups[at]);
        presence.policy_changed();
        let mut changed: Vec<String> = Vec::new();
        presence.sweep(now.wall, policy_of, group, &mut self.journal, |aor| changed.push(aor.to_owned()));
        for aor in changed {
            self.presence_changed(&aor);
        }
    }
}
