//! Who watches a user, for an administrator.

use lyceum_sip::time::Now;
use lyceum_users::contacts::ContactList;
use lyceum_users::facet_kind;
use lyceum_users::presence::Relationship;
use lyceum_users::subscription::{EventPackage, Subscription};

use super::body::is_ours;
use crate::core::Core;

/// One subscription to a user's presence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watching {
    /// Canonical address of who watches.
    pub watcher: String,
    /// What they are to the user.
    pub relationship: Relationship,
    /// Whether it is a subscription to the watcher's whole contact list, or to a list that they gave.
    pub list: bool,
    /// Seconds left.
    pub expires_in: u32,
}

impl Core {
    /// The subscriptions to a user's presence, in the order of watchers; `None` for an unknown user.
    pub fn watchers_of(&self, now: Now, aor: &str) -> Option<Vec<Watching>> {
        let contacts = self.contacts_of(aor)?;
        let of = |slot: &u32| self.watching(now, *slot, aor, &contacts);
        let mut found: Vec<Watching> = self.events.watches.of(aor).iter().filter_map(of).collect();
        found.sort_by(|one, other| one.watcher.cmp(&other.watcher));
        Some(found)
    }

    fn watching(&self, now: Now, slot: u32, aor: &str, contacts: &ContactList) -> Option<Watching> {
        let (group, key) = self.events.watches.key_at(slot)?;
        let packed = self.groups[usize::from(group)].facet(facet_kind::SUBSCRIPTION, &key)?;
        let one = Subscription::unpack(packed)?;
        // Watches are found by a hash, and the person's own list is theirs to watch.
        let other = one.package == EventPackage::Presence && (one.list || one.presentity == aor);
        if !other || (one.list && one.presentity == aor) {
            return None;
        }
        let left = one.expires.0.saturating_sub(now.wall.0) / 1000;
        Some(Watching {
            watcher: one.watcher.to_owned(),
            relationship: contacts.relationship_of(one.watcher, is_ours(&self.snapshot, one.watcher)),
            list: one.list,
            expires_in: u32::try_from(left).unwrap_or(u32::MAX),
        })
    }
}
