//! The two deadlines a transaction can have at once: one that sends again, one that ends.

use crate::time::Time;
use crate::transaction::machine::{Timer, Timers};
use std::time::Duration;

/// Running timers of one transaction.
#[derive(Clone, Copy, Default)]
pub(super) struct Clock {
    repeat: Option<(Timer, Time)>,
    end: Option<(Timer, Time)>,
    interval_micros: u32,
}

impl Clock {
    pub(super) fn start(&mut self, timer: Timer, now: Time, timers: &Timers) {
        self.start_at(timer, now + timers.duration(timer));
        if timer.repeats() {
            self.interval_micros = micros(timers.duration(timer));
        }
    }

    pub(super) fn start_at(&mut self, timer: Timer, at: Time) {
        if timer.repeats() {
            self.repeat = Some((timer, at));
        } else {
            self.end = Some((timer, at));
        }
    }

    pub(super) fn again(&mut self, timer: Timer, now: Time, timers: &Timers) {
        let last = Duration::from_micros(u64::from(self.interval_micros));
        self.repeat_in(timer, now, timers.again(timer, last));
    }

    pub(super) fn again_at_t2(&mut self, timer: Timer, now: Time, timers: &Timers) {
        self.repeat_in(timer, now, timers.t2);
    }

    fn repeat_in(&mut self, timer: Timer, now: Time, interval: Duration) {
        self.interval_micros = micros(interval);
        self.repeat = Some((timer, now + interval));
    }

    pub(super) fn stop_repeating(&mut self) {
        self.repeat = None;
    }

    /// True while this ending timer runs.
    pub(super) fn runs(&self, timer: Timer) -> bool {
        self.end.is_some_and(|(t, _)| t == timer)
    }

    pub(super) fn next(&self) -> Option<Time> {
        match (self.repeat, self.end) {
            (Some((_, a)), Some((_, b))) => Some(a.min(b)),
            (a, b) => a.or(b).map(|(_, at)| at),
        }
    }

    /// Takes a timer that is due. The ending one first: after a long sleep there is no sense
    /// in sending again what ends now.
    pub(super) fn due(&mut self, now: Time) -> Option<Timer> {
        let due = |slot: &mut Option<(Timer, Time)>| slot.take_if(|(_, at)| *at <= now).map(|(timer, _)| timer);
        due(&mut self.end).or_else(|| due(&mut self.repeat))
    }
}

fn micros(interval: Duration) -> u32 {
    u32::try_from(interval.as_micros()).unwrap_or(u32::MAX)
}
