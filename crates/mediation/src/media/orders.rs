//! Orders that wait for a thread. Who gives one never waits: it is taken, or refused at once.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::handle::Order;

/// Orders that may wait before no stream is opened any more.
const OPENINGS: usize = 1024;
/// Orders that may wait before nothing is changed of streams that live. Their end is always taken: each ends once.
const CHANGES: usize = 4 * OPENINGS;

/// What waits for one thread.
#[derive(Default)]
pub(super) struct Orders(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    orders: VecDeque<Order>,
    ended: bool,
}

/// Why an order is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NotTaken {
    /// As many wait as may.
    Full,
    /// The thread ends, or has ended.
    Ended,
}

impl Orders {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives an order.
    pub fn give(&self, order: Order) -> Result<(), NotTaken> {
        let mut waiting = self.waiting();
        let room = match &order {
            Order::Open(_) => OPENINGS,
            Order::Agree(..) | Order::Restart(..) | Order::Press(..) => CHANGES,
            Order::Close(_) => usize::MAX,
        };
        match waiting.ended {
            true => Err(NotTaken::Ended),
            false if waiting.orders.len() >= room => Err(NotTaken::Full),
            false => {
                waiting.orders.push_back(order);
                Ok(())
            }
        }
    }

    /// Everything that waits, and whether nothing comes after it.
    pub fn take(&self) -> (VecDeque<Order>, bool) {
        let mut waiting = self.waiting();
        (std::mem::take(&mut waiting.orders), waiting.ended)
    }

    /// Nothing is taken any more.
    pub fn end(&self) {
        self.waiting().ended = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::StreamId;
    use lyceum_media::bridge::Side;

    #[test]
    fn a_thread_that_is_behind_takes_nothing_but_ends() {
        let orders = Orders::default();
        let key = || Order::Press(StreamId(1), Side::A, '1');
        for _ in 0..CHANGES {
            assert_eq!(orders.give(key()), Ok(()));
        }
        assert_eq!(orders.give(key()), Err(NotTaken::Full), "who gives does not wait");
        assert_eq!(orders.give(Order::Close(StreamId(1))), Ok(()));
        let (taken, ended) = orders.take();
        assert_eq!((taken.len(), ended), (CHANGES + 1, false));
        assert_eq!(orders.give(key()), Ok(()));
        orders.end();
        assert_eq!(orders.give(Order::Close(StreamId(1))), Err(NotTaken::Ended));
        assert!(orders.take().1);
    }
}
