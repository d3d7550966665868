//! SIP ladders of calls that nobody traces: kept in memory while a call is set up, written when it fails, so that
//! `lyceum trace show CALL` explains it after the fact. Which calls are written is policy (`keep_ladders`).
//!
//! Messages are copied as they pass; secrets are blanked on the way to the store ([`Ladder::into_entries`]), by the thread
//! that writes. Nothing of a call that is not written outlives its set-up.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use lyceum_monitoring::{Direction, Passage, Stamp, TraceEntry, Wire};
use lyceum_net::Flow;
use lyceum_sip::time::{Now, Time};
use lyceum_topology::KeepLadders;

/// Bytes of messages that one worker keeps; the call begun first gives way.
pub const BYTES_MOST: usize = 16 << 20;
/// Messages of one call; what comes after them is not kept.
pub const MESSAGES_MOST: usize = 200;
/// Bytes of one call; what would go beyond is not kept.
pub const CALL_BYTES_MOST: usize = 256 << 10;
/// So long after its end a call is written: its last answer and the ACK belong to it.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Failed calls written at once and then per second; more are dropped, for a flood of them explains itself.
const BURST: f64 = 200.0;
const PER_SECOND: f64 = 10.0;

/// How a message travelled, as far as is known when it passes.
#[derive(Clone, Copy, Debug)]
pub struct Travel {
    /// Which way.
    pub direction: Direction,
    /// The connection, if it is one: a message received on it tells the addresses of those sent.
    pub stream: Option<Flow>,
    /// Our end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// What carried it.
    pub transport: Wire,
}

struct Note {
    at: Stamp,
    travel: Travel,
    /// Where its bytes end.
    end: usize,
}

/// The messages of one call, in order.
#[derive(Default)]
pub struct Ladder {
    notes: Vec<Note>,
    bytes: Vec<u8>,
}

impl fmt::Debug for Ladder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ladder").field("messages", &self.notes.len()).finish_non_exhaustive()
    }
}

impl Ladder {
    /// The messages for the store, secrets blanked.
    pub fn into_entries(self) -> Vec<TraceEntry> {
        let heard = |stream: Option<Flow>| {
            let on = |note: &&Note| note.travel.direction == Direction::Received && note.travel.stream == stream;
            self.notes.iter().find(on).filter(|_| stream.is_some()).map(|note| note.travel)
        };
        let mut start = 0;
        let mut entries = Vec::with_capacity(self.notes.len());
        for note in &self.notes {
            let Travel { direction, local, remote, transport, .. } = note.travel;
            let known = heard(note.travel.stream).unwrap_or(note.travel);
            let passage = match direction {
                Direction::Received => Passage { time: note.at, direction, local, remote, transport },
                Direction::Sent => Passage {
                    time: note.at,
                    direction,
                    local: known.local,
                    remote: known.remote,
                    transport: known.transport,
                },
            };
            entries.push(TraceEntry::capture(passage, &self.bytes[start..note.end]));
            start = note.end;
        }
        entries
    }

    fn push(&mut self, now: Now, travel: Travel, bytes: &[u8]) -> usize {
        if self.notes.len() >= MESSAGES_MOST || self.bytes.len() + bytes.len() > CALL_BYTES_MOST {
            return 0;
        }
        self.bytes.extend_from_slice(bytes);
        self.notes.push(Note { at: Stamp(now.wall.0), travel, end: self.bytes.len() });
        bytes.len()
    }
}

#[derive(Default)]
struct Call {
    ladder: Ladder,
    /// When it is written; `None` while it goes on.
    due: Option<Time>,
}

/// The calls of one worker.
#[derive(Default)]
pub struct Ladders {
    policy: Option<KeepLadders>,
    calls: HashMap<u64, Call>,
    /// In the order they began; those that ended are still in it.
    order: VecDeque<u64>,
    due: VecDeque<(Time, u64)>,
    bytes: usize,
    allowance: f64,
    counted: Time,
    /// Ladders that were to be written and were not.
    dropped: u64,
}

impl Ladders {
    /// What the policy says.
    pub fn set_policy(&mut self, policy: KeepLadders) {
        self.policy = Some(policy).filter(|policy| *policy != KeepLadders::None);
        if self.policy.is_none() {
            *self = Ladders { dropped: self.dropped, ..Ladders::default() };
        }
    }

    /// True when no call is kept: then messages need not be looked at.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Is a ladder of this key kept?
    pub fn keeps(&self, key: u64) -> bool {
        self.calls.contains_key(&key)
    }

    /// Every call is written, answered ones too.
    pub fn keeps_all(&self) -> bool {
        self.policy == Some(KeepLadders::All)
    }

    /// A call begins, or goes on after it was written.
    pub fn begin(&mut self, key: u64) {
        if self.policy.is_none() {
            return;
        }
        self.calls.entry(key).or_default().due = None;
        self.order.push_back(key);
        if self.order.len() > 2 * self.calls.len() + 64 {
            let calls = &self.calls;
            self.order.retain(|key| calls.contains_key(key));
        }
    }

    /// A message of a call passes. Of a call that is not kept it is forgotten.
    pub fn note(&mut self, now: Now, key: u64, travel: Travel, bytes: &[u8]) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        self.bytes += call.ladder.push(now, travel, bytes);
        while self.bytes > BYTES_MOST {
            let Some(oldest) = self.order.pop_front() else { return };
            if self.remove(oldest).is_some() {
                self.dropped += 1;
            }
        }
    }

    /// The call has come to its end, or to its answer.
    pub fn end(&mut self, now: Time, key: u64, failed: bool) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        if failed || self.policy == Some(KeepLadders::All) {
            call.due = Some(now + LAST_WORDS);
            self.due.push_back((now + LAST_WORDS, key));
        } else {
            self.remove(key);
        }
    }

    /// When [`Ladders::take_due`] has something.
    pub fn next_timeout(&self) -> Option<Time> {
        self.due.front().map(|(at, _)| *at)
    }

    /// A ladder that is to be written now; with no time, any that has ended.
    pub fn take_due(&mut self, now: Option<Time>) -> Option<Ladder> {
        while let Some((at, key)) = self.due.front().copied()
            && now.is_none_or(|now| at <= now)
        {
            self.due.pop_front();
            if self.calls.get(&key).is_none_or(|call| call.due != Some(at)) {
                continue;
            }
            let ladder = self.remove(key);
            if self.may_write(at) {
                return ladder;
            }
            self.dropped += 1;
        }
        None
    }

    /// Ladders that were lost since the last question.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    fn may_write(&mut self, at: Time) -> bool {
        if self.keeps_all() {
            return true;
        }
        let earned =
            if self.counted == Time::default() { BURST } else { (at - self.counted).as_secs_f64() * PER_SECOND };
        self.allowance = (self.allowance + earned).min(BURST);
        self.counted = at;
        let may = self.allowance >= 1.0;
        if may {
            self.allowance -= 1.0;
        }
        may
    }

    fn remove(&mut self, key: u64) -> Option<Ladder> {
        let call = self.calls.remove(&key)?;
        self.bytes -= call.ladder.bytes.len();
        Some(call.ladder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lyceum_sip::WallTime;

    fn now(secs: u64) -> Now {
        Now { mono: Time(1) + Duration::from_secs(secs), wall: WallTime(1_700_000_000_000 + secs * 1000) }
    }

    fn travel() -> Travel {
        let addr = SocketAddr::from(([192, 0, 2, 1], 5060));
        Travel { direction: Direction::Received, stream: None, local: addr, remote: addr, transport: Wire::Udp }
    }

    fn ladders(policy: KeepLadders) -> Ladders {
        let mut ladders = Ladders::default();
        ladders.set_policy(policy);
        ladders
    }

    #[test]
    fn a_failed_call_is_written_with_its_last_words_and_an_answered_one_is_not() {
        let mut ladders = ladders(KeepLadders::Failed);
        for (key, failed) in [(1, true), (2, false)] {
            ladders.begin(key);
            ladders.note(now(0), key, travel(), b"INVITE");
            ladders.end(now(1).mono, key, failed);
            ladders.note(now(1), key, travel(), b"ACK");
        }
        assert_eq!(ladders.next_timeout(), Some(now(2).mono));
        assert!(ladders.take_due(Some(now(1).mono)).is_none());
        let ladder = ladders.take_due(Some(now(2).mono)).expect("the failed call");
        assert_eq!((ladder.notes.len(), ladder.bytes.as_slice()), (2, b"INVITEACK".as_slice()));
        assert!(ladders.take_due(None).is_none() && ladders.is_empty());
        assert_eq!((ladders.bytes, ladders.take_dropped()), (0, 0));
    }

    #[test]
    fn memory_and_writing_are_bounded_and_what_is_lost_is_counted() {
        let mut ladders = ladders(KeepLadders::Failed);
        let message = vec![0; 64 << 10];
        for key in 0..100 {
            ladders.begin(key);
            for _ in 0..10 {
                ladders.note(now(0), key, travel(), &message);
            }
        }
        assert!(ladders.bytes <= BYTES_MOST);
        assert_eq!(ladders.calls.len(), BYTES_MOST / CALL_BYTES_MOST);
        assert_eq!(ladders.take_dropped() as usize, 100 - ladders.calls.len());
        for key in 1000..1300 {
            ladders.begin(key);
            ladders.end(now(1).mono, key, true);
        }
        let mut written = 0;
        while ladders.take_due(None).is_some() {
            written += 1;
        }
        assert_eq!((written, ladders.take_dropped()), (200, 100));
        ladders.begin(2000);
        assert!(ladders.order.len() <= 2 * ladders.calls.len() + 64);
    }

    #[test]
    fn none_keeps_nothing_and_all_keeps_the_answered() {
        let mut none = ladders(KeepLadders::None);
        none.begin(1);
        assert!(none.is_empty());
        let mut all = ladders(KeepLadders::All);
        all.begin(1);
        all.end(now(0).mono, 1, false);
        assert!(all.take_due(Some(now(1).mono)).is_some());
        all.begin(2);
        all.set_policy(KeepLadders::None);
        assert!(all.is_empty());
    }
}
