//! Time as the engines see it: a value handed in, never read from a clock.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment on a monotonic scale in microseconds, the one that `sip::Time` counts on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Time(pub u64);

impl Time {
    /// The time passed since `earlier`, or zero when that is later.
    #[must_use]
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// The middle 32 bits of an NTP timestamp, as RTCP counts (RFC 3550 §4), from this scale's own zero.
    #[must_use]
    pub fn ntp_middle(self) -> u32 {
        (self.ntp() >> 16) as u32
    }

    /// As a 64-bit NTP timestamp from this scale's own zero; only differences mean something to the peer.
    #[must_use]
    pub fn ntp(self) -> u64 {
        let (seconds, micros) = (self.0 / 1_000_000, self.0 % 1_000_000);
        (seconds << 32) | ((micros << 32) / 1_000_000)
    }
}

impl Add<Duration> for Time {
    type Output = Time;

    fn add(self, by: Duration) -> Time {
        Time(self.0.saturating_add(u64::try_from(by.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Time> for Time {
    type Output = Duration;

    fn sub(self, earlier: Time) -> Duration {
        self.since(earlier)
    }
}
