//! When to rest so that one wake-up serves several datagrams.
//!
//! Whether resting pays depends on how the peers send: evenly spaced datagrams wake a prompt worker once each, bursts
//! only once per burst. So the two manners are tried in turn, and the one with fewer sleeps per message is kept.
//!
//! | rate | manner |
//! |---|---|
//! | fewer than [`Coalesce::at_least`] messages per rest | prompt, always |
//! | more | what slept less per message in its last window; the other is tried again every [`AGAIN`] windows |
//!
//! A rest is as long as [`WORTH`] messages take to come, and no longer than [`Coalesce::rest`]: who gets many rests
//! little, because the wake-up is shared by enough of them already.

use std::time::Duration;

use lyceum_sip::Time;

use crate::Coalesce;

/// Least length of a window in which a manner is measured.
const WINDOW: Duration = Duration::from_millis(100);
/// A window with fewer messages goes on, up to [`LONGEST`]: the bursts of a quiet server are hundreds of milliseconds apart,
/// and a window that catches one more or less of them would tell of chance.
const ENOUGH: u32 = 512;
/// Longest window.
const LONGEST: Duration = Duration::from_millis(800);
/// The manner not in use is measured again after so many windows: 5 % of the time goes to the worse one.
const AGAIN: u32 = 20;
/// The other manner must be better by this factor to be taken, or noise would make us swing.
const CLEARLY: f64 = 0.85;

/// Messages that share a wake-up; more of them in one save little and wait the longer.
const WORTH: u32 = 32;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manner {
    Prompt,
    Resting,
}

pub(crate) struct Pace {
    coalesce: Coalesce,
    /// How long one rests at the rate of the last window.
    rest: Duration,
    manner: Manner,
    window_start: Time,
    messages: u32,
    sleeps: u32,
    /// Sleeps per message of each manner when last measured.
    prompt: f64,
    resting: f64,
    /// Windows since the other manner was measured.
    windows: u32,
    /// The manner in use is only being tried.
    trial: bool,
}

impl Pace {
    pub(crate) fn new(coalesce: Coalesce, now: Time) -> Pace {
        let rest = coalesce.rest.min(Coalesce::REST_MAX);
        Pace {
            coalesce: Coalesce { rest, ..coalesce },
            rest,
            manner: Manner::Prompt,
            window_start: now,
            messages: 0,
            sleeps: 0,
            prompt: f64::INFINITY,
            resting: 0.0,
            windows: AGAIN,
            trial: false,
        }
    }

    /// The worker slept: it rested, or waited with nothing ready.
    pub(crate) fn slept(&mut self) {
        self.sleeps = self.sleeps.saturating_add(1);
    }

    /// Counts what a turn brought, and at the end of a window decides on the manner of the next.
    pub(crate) fn turn(&mut self, now: Time, messages: u32) {
        self.messages = self.messages.saturating_add(messages);
        let length = now - self.window_start;
        if length < WINDOW || (length < LONGEST && self.messages < ENOUGH) {
            return;
        }
        let per_rest = f64::from(self.messages) * self.coalesce.rest.as_secs_f64() / length.as_secs_f64();
        if self.coalesce.rest.is_zero() || per_rest < f64::from(self.coalesce.at_least.max(1)) {
            (self.manner, self.trial, self.windows) = (Manner::Prompt, false, AGAIN);
        } else {
            self.choose(f64::from(self.sleeps) / f64::from(self.messages));
        }
        self.rest = self.coalesce.rest.min(length * WORTH / self.messages.max(1));
        (self.window_start, self.messages, self.sleeps) = (now, 0, 0);
    }

    fn choose(&mut self, cost: f64) {
        match self.manner {
            Manner::Prompt => self.prompt = cost,
            Manner::Resting => self.resting = cost,
        }
        self.windows += 1;
        let other = match self.manner {
            Manner::Prompt => Manner::Resting,
            Manner::Resting => Manner::Prompt,
        };
        let other_cost = if other == Manner::Prompt { self.prompt } else { self.resting };
        if self.trial {
            // Back to what was in use before, unless this was clearly better.
            self.trial = false;
            self.windows = 0;
            if cost > other_cost * CLEARLY {
                self.manner = other;
            }
        } else if self.windows >= AGAIN {
            self.trial = true;
            self.manner = other;
        }
    }

    /// How long to rest before the next look at sockets and timers. A timer does not shorten it: under load one of the
    /// many that only end what lingers is always due soon, and the shortest that matters is T1, half a second.
    pub(crate) fn rest(&self) -> Option<Duration> {
        (self.manner == Manner::Resting && !self.rest.is_zero()).then_some(self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs twenty seconds of traffic that comes `burst` messages at a time, `per_second` in all, and gives the share of
    /// the time in which the worker was in the manner of resting.
    fn resting_share(per_second: u64, burst: u64) -> f64 {
        const WHOLE: u64 = 20_000_000;
        let mut pace = Pace::new(Coalesce::default(), Time(0));
        let gap = 1_000_000 * burst / per_second;
        let (mut now, mut next_burst, mut rested) = (0, gap, 0);
        while now < WHOLE {
            let begin = now;
            let rest = pace.rest();
            if let Some(rest) = rest {
                pace.slept();
                now += rest.as_micros() as u64;
            }
            if next_burst > now {
                pace.slept();
                now = next_burst;
            }
            let mut messages = 0;
            while next_burst <= now {
                messages += burst;
                next_burst += gap;
            }
            if rest.is_some() {
                rested += now - begin;
            }
            pace.turn(Time(now), messages as u32);
        }
        rested as f64 / WHOLE as f64
    }

    #[test]
    fn even_traffic_makes_it_rest() {
        assert!(resting_share(4000, 1) > 0.8);
    }

    #[test]
    fn bursts_keep_it_prompt() {
        assert!(resting_share(4000, 64) < 0.2);
    }

    #[test]
    fn low_rates_are_answered_at_once() {
        assert!(resting_share(200, 1) == 0.0);
    }

    #[test]
    fn who_gets_many_rests_little() {
        let rest_at = |per_second: u32| {
            let mut pace = Pace::new(Coalesce::default(), Time(0));
            pace.turn(Time(100_000), per_second / 10);
            pace.rest
        };
        assert_eq!(rest_at(1_000), Coalesce::REST_MAX);
        assert_eq!(rest_at(32_000), Duration::from_millis(1));
    }

    #[test]
    fn who_is_prompt_never_rests() {
        let mut pace = Pace::new(Coalesce::default(), Time(0));
        assert_eq!(pace.rest(), None);
        pace.manner = Manner::Resting;
        assert_eq!(pace.rest(), Some(Coalesce::REST_MAX));
    }
}
