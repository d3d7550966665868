//! The one place where our time meets the clock type of the two libraries.

use std::time::{Duration, Instant};

use crate::time::Time;

/// Which moment of the system's clock [`Time`] zero is: the owner of the transports says it once.
#[derive(Clone, Copy, Debug)]
pub struct Epoch(Instant);

impl Epoch {
    /// Time zero was at `start`.
    #[must_use]
    pub fn new(start: Instant) -> Self {
        Self(start)
    }

    pub(super) fn at(self, time: Time) -> Instant {
        self.0 + Duration::from_micros(time.0)
    }

    pub(super) fn time(self, at: Instant) -> Time {
        // Rounded up: who wakes up then finds it passed.
        let since = at.saturating_duration_since(self.0) + Duration::from_nanos(999);
        Time(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
    }
}

/// A moment of the libraries.
pub(super) type Moment = Instant;
