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
const ONE_BY_ONE: usize = 10_000;

/// How far a review of everybody has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Review {
    /// Presence is computed again, from this group on.
    Presence(usize),
    /// Watches are queued, from this slot on.
    Watches(u32),
}

impl Core {
    /// Names and policies may be others: of these users, or with `None` of everybody.
    pub(crate) fn directory_changed(&mut self, now: Now, changed: Option<Vec<AddressOfRecord>>) {
        self.events.bodies.forget_all();
        match changed.filter(|users| users.len() <= ONE_BY_ONE) {
            Some(users) => users.iter().for_each(|user| self.user_changed(now, user.as_str())),
            None => self.events.review = Some(Review::Presence(0)),
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
        let Some(review) = self.events.review.filter(|_| self.events.watches.waiting() < NOTIFIES_A_ROUND) else {
            return;
        };
        self.events.review = match review {
            Review::Presence(at) if at < self.groups.len() => {
                self.review_presence(now, at);
                Some(Review::Presence(at + 1))
            }
            Review::Presence(_) => Some(Review::Watches(0)),
            Review::Watches(from) => self.events.watches.review(from, REVIEWED_A_ROUND).map(Review::Watches),
        };
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
