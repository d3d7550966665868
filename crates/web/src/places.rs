//! A signed-in user's share of the server: so many requests at a time, the others wait for their turn and for nobody else's.

use crate::locked;
use crate::refused::Refused;
use lyceum_api::Refusal;
use lyceum_topology::UserId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests of one user that are answered at a time, on all their pages.
const OF_ONE: usize = 4;
/// Requests of one user that wait at a time; a further one is refused.
const WAITING: usize = 64;
/// Users remembered before those who ask for nothing are forgotten.
const REMEMBERED: usize = 4_096;

/// Who is being answered.
#[derive(Default)]
pub(crate) struct Places(Mutex<HashMap<UserId, Arc<Semaphore>>>);

impl Places {
    /// A place for one request of this user; it is given back when it is dropped.
    ///
    /// # Errors
    /// Too many of this user's requests wait already.
    pub(crate) async fn take(&self, user: UserId) -> Result<OwnedSemaphorePermit, Refused> {
        let own = {
            let mut all = locked(&self.0);
            if all.len() >= REMEMBERED {
                // Whoever has or awaits a place holds a handle of their own.
                all.retain(|_, places| Arc::strong_count(places) > 1);
            }
            Arc::clone(all.entry(user).or_insert_with(|| Arc::new(Semaphore::new(OF_ONE))))
        };
        // The table's handle, this one, and one for each place that is held or awaited.
        if Arc::strong_count(&own) >= 2 + OF_ONE + WAITING {
            return Err(Refused::new(
                Refusal::ServerBusy,
                format!("more than {WAITING} of your requests wait"),
                "server",
            ));
        }
        let closed = |_| Refused::new(Refusal::InternalFault, "the server stops", "server");
        own.acquire_owned().await.map_err(closed)
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
            Poll::Ready(place) => place.ok(),
            Poll::Pending => None,
        }
    }

    #[test]
    fn only_so_many_wait() {
        let places = Places::default();
        let _held: Vec<_> = (0..OF_ONE).map(|_| taken(&places, 1).expect("a place")).collect();
        let waker = Waker::noop();
        let mut asked: Vec<_> = (0..WAITING).map(|_| Box::pin(places.take(UserId(1)))).collect();
        asked.iter_mut().for_each(|one| assert!(one.as_mut().poll(&mut Context::from_waker(waker)).is_pending()));
        let mut last = Box::pin(places.take(UserId(1)));
        assert!(matches!(last.as_mut().poll(&mut Context::from_waker(waker)), Poll::Ready(Err(_))));
        asked.clear();
        let mut last = Box::pin(places.take(UserId(1)));
        assert!(last.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
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
