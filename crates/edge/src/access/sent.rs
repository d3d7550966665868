//! Requests of the pool on their way out, until their first answer: so that it hears of a flow or a partner that is dead.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use lyceum_sip::Time;

/// No request is remembered for longer; a handshake with a partner takes less.
pub const FORGET_AFTER: Duration = Duration::from_secs(12);
/// Requests remembered at a time; of further ones the pool's own timers tell.
const REQUESTS: usize = 4_096;
/// Bytes of them.
const BYTES: usize = 16 << 20;

/// One request.
pub(super) struct Sent {
    /// As the pool sent it, to be answered.
    pub(super) request: Box<[u8]>,
    /// As it goes on; empty when it went down a client's flow, which has no second way.
    pub(super) forwarded: Box<[u8]>,
    /// The partner it goes to; empty for a client's flow.
    pub(super) domain: Box<str>,
    /// Further addresses of the partner.
    pub(super) later: Vec<SocketAddr>,
    /// Tells apart what was kept under one transaction.
    serial: u64,
}

impl Sent {
    pub(super) fn new(request: &[u8], forwarded: &[u8], domain: &str) -> Sent {
        Sent {
            request: request.into(),
            forwarded: forwarded.into(),
            domain: domain.into(),
            later: Vec::new(),
            serial: 0,
        }
    }

    fn bytes(&self) -> usize {
        self.request.len() + self.forwarded.len()
    }
}

/// All of them, by their transaction.
#[derive(Default)]
pub(super) struct SentRequests {
    by_transaction: HashMap<u64, Sent>,
    /// When which entry ends, with its transaction and serial.
    ends: VecDeque<(Time, u64, u64)>,
    bytes: usize,
    serial: u64,
}

impl SentRequests {
    /// Remembers one; false when there is no room.
    pub(super) fn keep(&mut self, now: Time, transaction: u64, mut sent: Sent) -> bool {
        if self.by_transaction.len() >= REQUESTS || self.bytes + sent.bytes() > BYTES {
            return false;
        }
        self.bytes += sent.bytes();
        self.serial += 1;
        sent.serial = self.serial;
        if let Some(before) = self.by_transaction.insert(transaction, sent) {
            self.bytes -= before.bytes();
        }
        self.ends.push_back((now + FORGET_AFTER, transaction, self.serial));
        true
    }

    /// Takes one out.
    pub(super) fn take(&mut self, transaction: u64) -> Option<Sent> {
        let sent = self.by_transaction.remove(&transaction)?;
        self.bytes -= sent.bytes();
        if self.by_transaction.is_empty() {
            self.ends = VecDeque::new();
        }
        Some(sent)
    }

    /// When [`SentRequests::forget`] is due.
    pub(super) fn next_timeout(&self) -> Option<Time> {
        self.ends.front().map(|(at, ..)| *at)
    }

    /// Forgets what is over its time.
    pub(super) fn forget(&mut self, now: Time) {
        while let Some((at, transaction, serial)) = self.ends.front().copied()
            && at <= now
        {
            self.ends.pop_front();
            if self.by_transaction.get(&transaction).is_some_and(|sent| sent.serial == serial) {
                self.take(transaction);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(bytes: usize) -> Sent {
        Sent::new(&vec![1; bytes], b"", "")
    }

    #[test]
    fn what_is_sent_is_forgotten_in_time_and_bounded() {
        let mut all = SentRequests::default();
        assert!(all.keep(Time(0), 1, sent(10)) && all.keep(Time(1), 2, sent(10)));
        assert_eq!(all.take(1).map(|sent| sent.request.len()), Some(10));
        assert!(all.take(1).is_none());
        all.forget(Time(1) + FORGET_AFTER);
        assert!(all.take(2).is_none() && all.bytes == 0 && all.next_timeout().is_none());
        assert!((0..5_000).filter(|n| all.keep(Time(2), *n, sent(1))).count() == REQUESTS);
        let mut large = SentRequests::default();
        assert!(large.keep(Time(0), 1, sent(BYTES)) && !large.keep(Time(0), 2, sent(1)));
    }
}
