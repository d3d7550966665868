//! A signed-in user's share of the server: so many requests at a time, the others wait for their turn and for nobody else's.

use crate::locked;
use lyceum_topology::UserId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests of one user that are answered at a time, on all their pages.
const OF_ONE: usize = 4;
/// Users remembered before those who ask for nothing are forgotten.
const REMEMBERED: usize = 4_096;

/// Who is being answered.
#[derive(Default)]
pub(crate) struct Places(Mutex<HashMap<UserId, Arc<Semaphore>>>);

impl Places {
    /// A place for one request of this user; it is given back when it is dropped. `None` cannot come: places are never
    /// closed.
    pub(crate) async fn take(&self, user: UserId) -> Option<OwnedSemaphorePermit> {
        let own = {
            let mut all = locked(&self.0);
            if all.len() >= REMEMBERED {
                // Whoever has or awaits a place holds a handle of their own.
                all.retain(|_, places| Arc::strong_count(places) > 1);
            }
            Arc::clone(all.entry(user).or_insert_with(|| Arc::new(Semaphore::new(OF_ONE))))
        };
        own.acquire_owned().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn taken(places: &Places, user: u32) -> Option<OwnedSemaphorePermit> {
        match pin!(places.take(UserId(user))).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(place) => place,
            Poll::Pending => None,
        }
    }

    #[test]
    fn who_asks_for_much_waits_and_others_do_not() {
        let places = Places::default();
        let mut held: Vec<_> = (0..OF_ONE).map(|_| taken(&places, 1).expect("a place")).collect();
        assert!(taken(&places, 1).is_none());
        assert!(taken(&places, 2).is_some());
        held.pop();
        assert!(taken(&places, 1).is_some());
    }

    #[test]
    fn who_asks_for_nothing_is_forgotten() {
        let places = Places::default();
        let held = taken(&places, 0);
        (1..2 * REMEMBERED as u32).for_each(|user| drop(taken(&places, user)));
        assert!(locked(&places.0).len() <= REMEMBERED);
        assert!(held.is_some() && locked(&places.0).contains_key(&UserId(0)));
    }
}
