//! When to rest so that one wake-up serves several datagrams.
//!
//! Whether resting pays depends on how the peers send: evenly spaced datagrams wake a prompt worker once each, bursts
//! only once per burst. So the two manners are tried in turn, and the one with fewer sleeps per message is kept.
//!
//! | rate | manner |
//! |---|---|
//! | fewer than [`Coalesce::at_least`] messages per rest | prompt, always |
//! | more | what slept less per message in its last window; the other is tried again every [`AGAIN`] windows |

use std::time::Duration;

use lyceum_sip::Time;

use crate::Coalesce;

/// Length of a window in which a manner is measured.
const WINDOW: Duration = Duration::from_millis(100);
/// The manner not in use is measured again after so many windows: 5 % of the time goes to the worse one.
const AGAIN: u32 = 20;
/// The other manner must be better by this factor to be taken, or noise would make us swing.
const CLEARLY: f64 = 0.85;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manner {
    Prompt,
    Resting,
}

pub(crate) struct Pace {
    coalesce: Coalesce,
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
        if length < WINDOW {
            return;
        }
        let per_rest = f64::from(self.messages) * self.coalesce.rest.as_secs_f64() / length.as_secs_f64();
        if self.coalesce.rest.is_zero() || per_rest < f64::from(self.coalesce.at_least.max(1)) {
            (self.manner, self.trial, self.windows) = (Manner::Prompt, false, AGAIN);
        } else {
            self.choose(f64::from(self.sleeps) / f64::from(self.messages));
        }
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

    /// How long to rest before the next look at the sockets.
    pub(crate) fn rest(&self, until_deadline: Option<Duration>) -> Option<Duration> {
        if self.manner == Manner::Prompt {
            return None;
        }
        let rest = until_deadline.map_or(self.coalesce.rest, |d| d.min(self.coalesce.rest));
        (!rest.is_zero()).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a second of traffic that comes `burst` messages at a time, `per_second` in all, and gives the share of
    /// windows in which the worker rested.
    fn resting_share(per_second: u64, burst: u64) -> f64 {
        let mut pace = Pace::new(Coalesce::default(), Time(0));
        let gap = 1_000_000 * burst / per_second;
        let (mut now, mut next_burst) = (0, gap);
        let (mut rested, mut turns) = (0, 0);
        while now < 20_000_000 {
            if let Some(rest) = pace.rest(None) {
                pace.slept();
                now += rest.as_micros() as u64;
                rested += 1;
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
            pace.turn(Time(now), messages as u32);
            turns += 1;
        }
        f64::from(rested) / f64::from(turns)
    }

    #[test]
    fn even_traffic_makes_it_rest() {
        assert!(resting_share(4000, 1) > 0.5);
    }

    #[test]
    fn bursts_keep_it_prompt() {
        assert!(resting_share(4000, 16) < 0.2);
    }

    #[test]
    fn low_rates_are_answered_at_once() {
        assert!(resting_share(200, 1) == 0.0);
    }

    #[test]
    fn a_deadline_shortens_the_rest() {
        let mut pace = Pace::new(Coalesce::default(), Time(0));
        pace.manner = Manner::Resting;
        assert_eq!(pace.rest(None), Some(Coalesce::REST_MAX));
        assert_eq!(pace.rest(Some(Duration::from_micros(300))), Some(Duration::from_micros(300)));
        assert_eq!(pace.rest(Some(Duration::ZERO)), None);
    }
}
