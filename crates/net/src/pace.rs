//! When to rest so that one wake-up serves several datagrams.

use std::time::Duration;

use lyceum_sip::Time;

use crate::Coalesce;

/// The rate is measured over windows of this length; a busy worker begins to rest, and a calm one stops, within one.
const WINDOW: Duration = Duration::from_millis(50);

pub(crate) struct Pace {
    coalesce: Coalesce,
    window_start: Time,
    in_window: u32,
    resting: bool,
}

impl Pace {
    pub(crate) fn new(coalesce: Coalesce, now: Time) -> Pace {
        let rest = coalesce.rest.min(Coalesce::REST_MAX);
        Pace { coalesce: Coalesce { rest, ..coalesce }, window_start: now, in_window: 0, resting: false }
    }

    /// Counts what a turn brought.
    pub(crate) fn turn(&mut self, now: Time, messages: u32) {
        self.in_window = self.in_window.saturating_add(messages);
        let length = now - self.window_start;
        if length >= WINDOW {
            let per_rest = f64::from(self.in_window) * self.coalesce.rest.as_secs_f64() / length.as_secs_f64();
            self.resting = per_rest >= f64::from(self.coalesce.at_least.max(1));
            self.window_start = now;
            self.in_window = 0;
        }
    }

    /// How long to rest before the next look at the sockets.
    pub(crate) fn rest(&self, until_deadline: Option<Duration>) -> Option<Duration> {
        if !self.resting || self.coalesce.rest.is_zero() {
            return None;
        }
        let rest = until_deadline.map_or(self.coalesce.rest, |d| d.min(self.coalesce.rest));
        (!rest.is_zero()).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resting_at(per_second: u32) -> bool {
        let mut pace = Pace::new(Coalesce { rest: Duration::from_millis(2), at_least: 2 }, Time(0));
        for ms in 1..=200u64 {
            pace.turn(Time(ms * 1000), per_second / 1000);
        }
        pace.rest(None).is_some()
    }

    #[test]
    fn rests_only_above_the_rate() {
        assert!(resting_at(2000));
        assert!(!resting_at(0));
    }

    #[test]
    fn a_calm_second_ends_the_rest() {
        let mut pace = Pace::new(Coalesce::default(), Time(0));
        pace.turn(Time(60_000), 1000);
        assert_eq!(pace.rest(None), Some(Coalesce::REST_MAX));
        assert_eq!(pace.rest(Some(Duration::from_micros(300))), Some(Duration::from_micros(300)));
        pace.turn(Time(1_060_000), 1);
        assert_eq!(pace.rest(None), None);
    }
}
