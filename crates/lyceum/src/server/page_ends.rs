//! Sessions of pages that ended before their time: in memory for every check, in the store for the next start.

use std::sync::{Mutex, MutexGuard, PoisonError};

use lyceum_sip::time::WallTime;
use lyceum_sip::token::bearer::{Audience, Claims};
use lyceum_sip::token::ends::Ends;
use lyceum_store::{PageEnd, Store, StoreError};
use lyceum_topology::UserId;

/// The ends that are remembered.
pub struct PageEnds {
    store: Store,
    ends: Mutex<Ends>,
}

impl PageEnds {
    /// What the store remembers.
    pub fn load(store: &Store) -> Result<PageEnds, StoreError> {
        let mut ends = Ends::default();
        for PageEnd { user, device, at } in store.page_ends()? {
            ends.end(user.0, device, at);
        }
        Ok(PageEnds { store: store.clone(), ends: Mutex::new(ends) })
    }

    /// As they are now.
    pub fn now(&self) -> Ends {
        self.locked().clone()
    }

    /// Whether a token ended before its time.
    pub fn has_ended(&self, claims: &Claims) -> bool {
        self.locked().has_ended(claims)
    }

    /// Ends the tokens handed out to a device until now, or with `None` all of a user's. In memory they end at once, whatever
    /// the store says.
    pub fn end(&self, user: UserId, device: Option<u64>, at: WallTime) -> Result<(), StoreError> {
        // No token lives longer; a second more, because tokens carry whole seconds.
        let longest = Audience::Renewal.life().as_millis() as u64 + 1000;
        let forgotten = WallTime(at.0.saturating_sub(longest));
        let device = {
            let mut ends = self.locked();
            ends.forget(forgotten);
            ends.end(user.0, device, at)
        };
        self.store.page_end(PageEnd { user, device, at }, forgotten)
    }

    fn locked(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
