//! Deadlines without a heap: every delay that occurs has a line of its own, and lines are in order by themselves.

use std::collections::VecDeque;

/// RFC 3261 §17.1.1.1.
const T1: u64 = 500_000;

/// Doublings of T1 that INVITE takes: 0.5 s to 16 s.
const DOUBLINGS: usize = 6;

/// What is to be done when a deadline comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    /// Send the request again, or give up.
    Repeat,
    /// Send the 2xx to INVITE again, or give up.
    RepeatAnswer,
    /// The pause between ACK and BYE is over.
    Bye,
    /// The pause between 180 and 200 is over.
    Answer,
    /// A provisional answer came, a final one did not.
    GiveUp,
}

/// One deadline. It counts only while the operation still has this timer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deadline {
    /// When, in µs.
    pub at: u64,
    /// The operation's place.
    pub slot: u32,
    /// The operation's timer when the deadline was set.
    pub timer: u32,
    /// What to do.
    pub due: Due,
}

/// All deadlines.
#[derive(Debug)]
pub struct Lines {
    repeats: [VecDeque<Deadline>; DOUBLINGS],
    pauses: VecDeque<Deadline>,
    patience: VecDeque<Deadline>,
    pause: u64,
    longest: u64,
}

impl Lines {
    /// With the pause in calls and the longest wait for a final answer after a provisional one, in µs.
    #[must_use]
    pub fn new(pause: u64, longest: u64) -> Lines {
        Lines { repeats: Default::default(), pauses: VecDeque::new(), patience: VecDeque::new(), pause, longest }
    }

    /// Sets a deadline; `repeats` counts the sendings again that went before.
    pub fn set(&mut self, now: u64, slot: u32, timer: u32, due: Due, repeats: u8) {
        let deadline = |delay| Deadline { at: now + delay, slot, timer, due };
        match due {
            Due::Bye | Due::Answer => self.pauses.push_back(deadline(self.pause)),
            Due::GiveUp => self.patience.push_back(deadline(self.longest)),
            Due::Repeat | Due::RepeatAnswer => {
                let line = usize::from(repeats).min(DOUBLINGS - 1);
                self.repeats[line].push_back(deadline(T1 << line));
            }
        }
    }

    fn all(&mut self) -> impl Iterator<Item = &mut VecDeque<Deadline>> {
        self.repeats.iter_mut().chain([&mut self.pauses, &mut self.patience])
    }

    /// The next deadline that has come, in any order among those.
    pub fn expired(&mut self, now: u64) -> Option<Deadline> {
        self.all().find(|line| line.front().is_some_and(|first| first.at <= now))?.pop_front()
    }

    /// When the next deadline comes.
    pub fn next(&mut self) -> Option<u64> {
        self.all().filter_map(|line| line.front().map(|first| first.at)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_come_in_order_and_once() {
        let mut lines = Lines::new(20_000, 32_000_000);
        lines.set(0, 1, 0, Due::Repeat, 0);
        lines.set(0, 2, 0, Due::Bye, 0);
        lines.set(0, 3, 0, Due::Repeat, 1);
        assert_eq!((lines.next(), lines.expired(19_999)), (Some(20_000), None));
        let slots: Vec<u32> = std::iter::from_fn(|| lines.expired(1_000_000)).map(|deadline| deadline.slot).collect();
        assert_eq!(slots, [1, 3, 2]);
        assert_eq!(lines.next(), None);
    }
}
