//! The one clock: the engines are told the time, the workers read it here.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use lyceum_sip::{Now, Time, WallTime};

/// Reads monotonic and wall time. All clones share the same zero.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    zero: Instant,
}

impl Clock {
    /// A clock whose monotonic zero is one second ago (so that a zero [`Time`] is always in the past).
    pub fn start() -> Clock {
        let now = Instant::now();
        Clock { zero: now.checked_sub(std::time::Duration::from_secs(1)).unwrap_or(now) }
    }

    /// Both times now.
    pub fn now(&self) -> Now {
        Now { mono: self.mono(), wall: self.wall() }
    }

    /// Monotonic time.
    pub fn mono(&self) -> Time {
        Time(self.zero.elapsed().as_micros() as u64)
    }

    /// Time of day; 0 for a clock set before 1970.
    pub fn wall(&self) -> WallTime {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        WallTime(since.as_millis() as u64)
    }
}
