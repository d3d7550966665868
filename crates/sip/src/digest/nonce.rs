//! Nonces that the server need not remember: time, sequence and worker under a MAC. Only the
//! last nonce count of each is kept, one byte in a ring that the sequence indexes.

use crate::keyed::{Mac, SecretKey, base64, same};
use crate::time::WallTime;
use std::time::Duration;

/// Nonces whose count is remembered at once, one byte each. A nonce that this many newer ones
/// have followed is stale: its client is challenged again and never asks its user.
pub const NONCE_RING: usize = 1 << 18;

/// The highest count one nonce may reach before its client gets a new one.
const LAST_COUNT: u32 = 254;

/// Never used, in the ring.
const UNUSED: u8 = 0;

const MAC_LEN: usize = 10;
const HEAD_LEN: usize = 6 + 4 + 1;
const NONCE_LEN: usize = HEAD_LEN + MAC_LEN;

/// What a nonce in credentials is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NonceVerdict {
    /// Ours, alive, and this count is new: it is spent now.
    Fresh,
    /// Ours, but this count or a higher one was spent before.
    Replay {
        /// The very last count again: a retransmission of the request, or a copy of it.
        same_nc: bool,
    },
    /// Ours, but too old, fallen off the ring, at the end of its counts, or another worker's:
    /// challenge with `stale=true`.
    Stale,
    /// Not ours, or made under an earlier key.
    Forged,
}

/// One worker's nonces.
///
/// Every worker of a server shares `key`; the ring is the worker's own, and a nonce that
/// reaches another worker is stale there. After a restart with the same key, older nonces are
/// stale, not forged.
#[derive(Debug)]
pub struct Nonces {
    mac: Secret,
    worker: u8,
    lifetime: Duration,
    ring: Box<[u8]>,
    next: u32,
    since: Option<WallTime>,
}

struct Secret(Mac);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<secret>")
    }
}

struct Head {
    time: WallTime,
    sequence: u32,
    worker: u8,
}

impl Nonces {
    /// Nonces that live for `lifetime`, with a ring of [`NONCE_RING`] bytes.
    #[must_use]
    pub fn new(key: [u8; 32], worker: u8, lifetime: Duration) -> Nonces {
        Nonces::with_ring(key, worker, lifetime, NONCE_RING)
    }

    /// The same with a ring of `len` bytes, at least one.
    #[must_use]
    pub fn with_ring(key: [u8; 32], worker: u8, lifetime: Duration, len: usize) -> Nonces {
        Nonces {
            mac: Secret(Mac::new(&SecretKey(key))),
            worker,
            lifetime,
            ring: vec![UNUSED; len.max(1)].into_boxed_slice(),
            next: 0,
            since: None,
        }
    }

    /// Adds a new nonce's 28 letters to `out`.
    pub fn issue(&mut self, now: WallTime, out: &mut Vec<u8>) {
        self.since.get_or_insert(now);
        let sequence = self.next;
        self.next = self.next.wrapping_add(1);
        let slot = self.slot(sequence);
        self.ring[slot] = UNUSED;
        let mut bytes = [0; NONCE_LEN];
        bytes[..6].copy_from_slice(&now.0.to_be_bytes()[2..]);
        bytes[6..10].copy_from_slice(&sequence.to_be_bytes());
        bytes[10] = self.worker;
        let tag: [u8; MAC_LEN] = self.mac.0.short([&bytes[..HEAD_LEN]]);
        bytes[HEAD_LEN..].copy_from_slice(&tag);
        base64::encode(&bytes, out);
    }

    /// Judges a nonce and, when it is [`NonceVerdict::Fresh`], spends the count.
    ///
    /// Credentials without `qop` have no count: they count as 1, so such a nonce serves once.
    pub fn check(&mut self, nonce: &[u8], nc: Option<u32>, now: WallTime) -> NonceVerdict {
        let Some(head) = self.open(nonce) else { return NonceVerdict::Forged };
        // `next - sequence` is 1 for the newest.
        let behind = self.next.wrapping_sub(head.sequence) as usize;
        let born_here = self.since.is_some_and(|since| head.time >= since);
        let alive = now - head.time <= self.lifetime && head.time <= now + self.lifetime;
        let nc = nc.unwrap_or(1);
        if head.worker != self.worker
            || !born_here
            || !alive
            || behind == 0
            || behind > self.ring.len()
            || nc == 0
            || nc > LAST_COUNT
        {
            return NonceVerdict::Stale;
        }
        let slot = self.slot(head.sequence);
        let last = u32::from(self.ring[slot]);
        if nc <= last {
            return NonceVerdict::Replay { same_nc: nc == last };
        }
        self.ring[slot] = nc as u8;
        NonceVerdict::Fresh
    }

    /// The worker that issued an authentic nonce, so that its request may be handed there.
    #[must_use]
    pub fn owner(&self, nonce: &[u8]) -> Option<u8> {
        self.open(nonce).map(|head| head.worker)
    }

    fn slot(&self, sequence: u32) -> usize {
        sequence as usize % self.ring.len()
    }

    fn open(&self, nonce: &[u8]) -> Option<Head> {
        let mut out = [0; NONCE_LEN];
        let bytes = base64::decode(nonce, &mut out)?;
        let (head, tag) = bytes.split_at_checked(HEAD_LEN)?;
        let want: [u8; MAC_LEN] = self.mac.0.short([head]);
        if !same(tag, &want) {
            return None;
        }
        let number = |range: std::ops::Range<usize>| head[range].iter().fold(0_u64, |n, &b| n << 8 | u64::from(b));
        Some(Head { time: WallTime(number(0..6)), sequence: number(6..10) as u32, worker: head[10] })
    }
}

#[cfg(test)]
mod tests {
    use super::NonceVerdict::*;
    use super::*;

    const LIFE: Duration = Duration::from_secs(600);
    const START: WallTime = WallTime(1_700_000_000_000);

    fn issue(nonces: &mut Nonces, at: WallTime) -> Vec<u8> {
        let mut out = Vec::new();
        nonces.issue(at, &mut out);
        assert_eq!(out.len(), 28);
        out
    }

    #[test]
    fn counts_must_rise() {
        let mut n = Nonces::new([1; 32], 3, LIFE);
        let nonce = issue(&mut n, START);
        let steps = [
            (Some(1), Fresh),
            (Some(1), Replay { same_nc: true }),
            (Some(3), Fresh),
            (Some(2), Replay { same_nc: false }),
            (Some(3), Replay { same_nc: true }),
            (None, Replay { same_nc: false }),
            (Some(0), Stale),
            (Some(254), Fresh),
            (Some(255), Stale),
        ];
        for (nc, want) in steps {
            assert_eq!(n.check(&nonce, nc, START), want, "{nc:?}");
        }
    }

    #[test]
    fn without_a_count_a_nonce_serves_once() {
        let mut n = Nonces::new([1; 32], 0, LIFE);
        let nonce = issue(&mut n, START);
        assert_eq!(n.check(&nonce, None, START), Fresh);
        assert_eq!(n.check(&nonce, None, START), Replay { same_nc: true });
    }

    #[test]
    fn old_fallen_and_foreign_nonces_are_stale() {
        let mut n = Nonces::with_ring([1; 32], 0, LIFE, 4);
        let first = issue(&mut n, START);
        assert_eq!(n.check(&first, Some(1), START + LIFE + Duration::from_millis(1)), Stale);
        for _ in 0..3 {
            issue(&mut n, START);
        }
        assert_eq!(n.check(&first, Some(1), START), Fresh);
        issue(&mut n, START);
        assert_eq!(n.check(&first, Some(2), START), Stale, "five issued, four remembered");

        let mut other = Nonces::new([1; 32], 1, LIFE);
        let theirs = issue(&mut other, START);
        assert_eq!(n.check(&theirs, Some(1), START), Stale);
        assert_eq!(n.owner(&theirs), Some(1));
    }

    #[test]
    fn after_a_restart_nonces_are_stale_and_cannot_be_replayed() {
        let mut before = Nonces::new([1; 32], 0, LIFE);
        let nonce = issue(&mut before, START);
        let mut after = Nonces::new([1; 32], 0, LIFE);
        assert_eq!(after.check(&nonce, Some(1), START), Stale);
        issue(&mut after, START + Duration::from_secs(1));
        assert_eq!(after.check(&nonce, Some(1), START + Duration::from_secs(1)), Stale);
    }

    #[test]
    fn forgeries_fail() {
        let mut n = Nonces::new([1; 32], 0, LIFE);
        let nonce = issue(&mut n, START);
        for at in 0..nonce.len() {
            let mut bad = nonce.clone();
            bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(n.check(&bad, Some(1), START), Forged, "letter {at}");
        }
        let mut other = Nonces::new([2; 32], 0, LIFE);
        let theirs = issue(&mut other, START);
        assert_eq!(n.check(&theirs, Some(1), START), Forged);
        assert_eq!(n.check(b"", Some(1), START), Forged);
        assert!(!format!("{n:?}").contains("Hmac"));
    }
}
