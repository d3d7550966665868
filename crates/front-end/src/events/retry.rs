//! A NOTIFY that was answered with an error which does not end the subscription (RFC 6665 §4.2.2): the state is told again,
//! whole, when Retry-After says, or after a while. Until then nothing is sent to this watcher.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use lyceum_sip::time::Time;
use lyceum_sip::{Message, Name};

use super::watches::Stage;
use super::{SUBSCRIPTIONS, Watches};

/// When the answer does not say.
const LATER: Duration = Duration::from_secs(30);
/// Nobody is believed who says longer than this: a subscription's refresh asks earlier.
const LATEST: Duration = Duration::from_secs(600);

/// What is to be told again: when, from which slot, and the mark of the NOTIFY that was refused.
#[derive(Default)]
pub(crate) struct Retries(BinaryHeap<Reverse<(Time, u32, u16)>>);

impl Retries {
    /// When the first is due.
    pub(crate) fn next(&self) -> Option<Time> {
        self.0.peek().map(|Reverse((at, ..))| *at)
    }
}

/// How long the answer asks to be left alone.
pub(crate) fn asked_for(message: &Message<'_>) -> Duration {
    let digits = |value: &[u8]| value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = message.value(Name::RetryAfter).map(|value| value.trim_ascii());
    let seconds = value.and_then(|value| std::str::from_utf8(&value[..digits(value)]).ok()?.parse().ok());
    seconds.map_or(LATER, Duration::from_secs).clamp(Duration::from_secs(1), LATEST)
}

impl Watches {
    /// The NOTIFY sent last from this slot was refused for now.
    pub(crate) fn told_later(&mut self, which: (u32, u16), at: Time) {
        self.untold(which.0);
        self.pause(which, at);
    }

    /// Nothing is sent from this slot before; then what is new, if anything is.
    pub(crate) fn pause(&mut self, (slot, mark): (u32, u16), at: Time) {
        self.rest(slot);
        // As many as there may be subscriptions: beyond that, refreshes ask.
        if self.retries.0.len() >= SUBSCRIPTIONS {
            return;
        }
        if let Some(watch) = self.get(slot) {
            watch.stage = Stage::Later;
            self.retries.0.push(Reverse((at, slot, mark)));
        }
    }

    /// Queues what is due.
    pub(crate) fn retry(&mut self, now: Time) {
        while self.retries.next().is_some_and(|at| at <= now) {
            let Some(Reverse((_, slot, mark))) = self.retries.0.pop() else { break };
            if self.is_newest(slot, mark) && self.get(slot).is_some_and(|watch| watch.stage == Stage::Later) {
                self.rest(slot);
                self.enqueue(slot);
            }
        }
    }
}
