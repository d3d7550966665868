//! Nonces that the server need not remember: time, sequence and worker under a MAC, which also covers whom the nonce
//! was given to and for which kind of challenge. Only the last nonce count of each is kept, one byte in a ring that the
//! sequence indexes.

use super::Kind;
use crate::keyed::{Mac, SecretKey, base64, same};
use crate::time::WallTime;
use std::net::IpAddr;
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
    /// Not ours, made under an earlier key, or given to somebody else or for another kind of challenge.
    Forged,
}

/// What a nonce is good for: an answer to this kind of challenge, from this source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NonceUse {
    /// 401 or 407.
    pub kind: Kind,
    /// Who was asked. A phone that has moved since is asked again.
    pub source: IpAddr,
}

impl NonceUse {
    /// As the MAC covers it.
    fn bytes(&self) -> [u8; 17] {
        let mut bytes = [0; 17];
        // An IPv4 address that came by way of IPv6 is the same one.
        match self.source.to_canonical() {
            IpAddr::V4(ip) => bytes[1..5].copy_from_slice(&ip.octets()),
            IpAddr::V6(ip) => bytes[1..].copy_from_slice(&ip.octets()),
        }
        bytes[0] = u8::from(self.kind == Kind::Proxy) << 1 | u8::from(self.source.to_canonical().is_ipv4());
        bytes
    }
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
    pub fn issue(&mut self, of: NonceUse, now: WallTime, out: &mut Vec<u8>) {
        self.since.get_or_insert(now);
        let sequence = self.next;
        self.next = self.next.wrapping_add(1);
        let slot = self.slot(sequence);
        self.ring[slot] = UNUSED;
        let mut bytes = [0; NONCE_LEN];
        bytes[..6].copy_from_slice(&now.0.to_be_bytes()[2..]);
        bytes[6..10].copy_from_slice(&sequence.to_be_bytes());
        bytes[10] = self.worker;
        let tag: [u8; MAC_LEN] = self.mac.0.short([&bytes[..HEAD_LEN], &of.bytes()]);
        bytes[HEAD_LEN..].copy_from_slice(&tag);
        base64::encode(&bytes, out);
    }

    /// Judges a nonce and, when it is [`NonceVerdict::Fresh`], spends the count.
    ///
    /// Credentials without `qop` have no count: they count as 1, so such a nonce serves once.
    pub fn check(&mut self, nonce: &[u8], nc: Option<u32>, of: NonceUse, now: WallTime) -> NonceVerdict {
        let Some(head) = self.open(nonce, of) else { return NonceVerdict::Forged };
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
    pub fn owner(&self, nonce: &[u8], of: NonceUse) -> Option<u8> {
        self.open(nonce, of).map(|head| head.worker)
    }

    fn slot(&self, sequence: u32) -> usize {
        sequence as usize % self.ring.len()
    }

    fn open(&self, nonce: &[u8], of: NonceUse) -> Option<Head> {
        let mut out = [0; NONCE_LEN];
        let bytes = base64::decode(nonce, &mut out)?;
        let (head, tag) = bytes.split_at_checked(HEAD_LEN)?;
        let want: [u8; MAC_LEN] = self.mac.0.short([head, &of.bytes()]);
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

    const OF: NonceUse = NonceUse { kind: Kind::Www, source: IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)) };

    fn issue(nonces: &mut Nonces, at: WallTime) -> Vec<u8> {
        let mut out = Vec::new();
        nonces.issue(OF, at, &mut out);
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
            assert_eq!(n.check(&nonce, nc, OF, START), want, "{nc:?}");
        }
    }

    #[test]
    fn a_nonce_serves_whom_it_was_given_to_and_for_what() {
        let mut n = Nonces::new([1; 32], 0, LIFE);
        let nonce = issue(&mut n, START);
        let source = |text: &str| NonceUse { source: text.parse().expect("an address"), ..OF };
        for other in [NonceUse { kind: Kind::Proxy, ..OF }, source("192.0.2.2"), source("c000:201::"), source("::1")] {
            assert_eq!(n.check(&nonce, Some(1), other, START), Forged, "{other:?}");
        }
        assert_eq!(n.check(&nonce, Some(1), source("::ffff:192.0.2.1"), START), Fresh);
    }

    #[test]
    fn without_a_count_a_nonce_serves_once() {
        let mut n = Nonces::new([1; 32], 0, LIFE);
        let nonce = issue(&mut n, START);
        assert_eq!(n.check(&nonce, None, OF, START), Fresh);
        assert_eq!(n.check(&nonce, None, OF, START), Replay { same_nc: true });
    }

    #[test]
    fn old_fallen_and_foreign_nonces_are_stale() {
        let mut n = Nonces::with_ring([1; 32], 0, LIFE, 4);
        let first = issue(&mut n, START);
        assert_eq!(n.check(&first, Some(1), OF, START + LIFE + Duration::from_millis(1)), Stale);
        for _ in 0..3 {
            issue(&mut n, START);
        }
        assert_eq!(n.check(&first, Some(1), OF, START), Fresh);
        issue(&mut n, START);
        assert_eq!(n.check(&first, Some(2), OF, START), Stale, "five issued, four remembered");

        let mut other = Nonces::new([1; 32], 1, LIFE);
        let theirs = issue(&mut other, START);
        assert_eq!(n.check(&theirs, Some(1), OF, START), Stale);
        assert_eq!(n.owner(&theirs, OF), Some(1));
    }

    #[test]
    fn after_a_restart_nonces_are_stale_and_cannot_be_replayed() {
        let mut before = Nonces::new([1; 32], 0, LIFE);
        let nonce = issue(&mut before, START);
        let mut after = Nonces::new([1; 32], 0, LIFE);
        assert_eq!(after.check(&nonce, Some(1), OF, START), Stale);
        issue(&mut after, START + Duration::from_secs(1));
        assert_eq!(after.check(&nonce, Some(1), OF, START + Duration::from_secs(1)), Stale);
    }

    #[test]
    fn forgeries_fail() {
        let mut n = Nonces::new([1; 32], 0, LIFE);
        let nonce = issue(&mut n, START);
        for at in 0..nonce.len() {
            let mut bad = nonce.clone();
            bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(n.check(&bad, Some(1), OF, START), Forged, "letter {at}");
        }
        let mut other = Nonces::new([2; 32], 0, LIFE);
        let theirs = issue(&mut other, START);
        assert_eq!(n.check(&theirs, Some(1), OF, START), Forged);
        assert_eq!(n.check(b"", Some(1), OF, START), Forged);
        assert!(!format!("{n:?}").contains("Hmac"));
    }
}
