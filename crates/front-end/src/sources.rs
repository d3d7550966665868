//! How many new requests each untrusted source sends: a token bucket per address, in a bounded table.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use lyceum_sip::time::Time;

/// Sources remembered at once; when full, those whose bucket has filled up again are forgotten.
const CAPACITY: usize = 65_536;
/// A bucket holds this many seconds' worth of requests, so that a restart of a whole office passes.
const BURST_SECONDS: u64 = 4;
/// Tokens are counted in thousandths.
const TOKEN: u64 = 1000;

struct Bucket {
    tokens: u64,
    filled: Time,
}

/// The buckets of one worker.
#[derive(Default)]
pub struct Sources {
    buckets: HashMap<IpAddr, Bucket>,
}

impl Sources {
    /// May `source` send one more new request, at `rate` a second?
    pub fn admits(&mut self, now: Time, source: IpAddr, rate: u32) -> bool {
        let full = u64::from(rate) * BURST_SECONDS * TOKEN;
        if self.buckets.len() >= CAPACITY && !self.buckets.contains_key(&source) {
            self.forget(now, Duration::from_secs(BURST_SECONDS));
        }
        let bucket = self.buckets.entry(source).or_insert(Bucket { tokens: full, filled: now });
        let passed = (now - bucket.filled).as_micros() as u64;
        bucket.tokens = (bucket.tokens + passed * u64::from(rate) * TOKEN / 1_000_000).min(full);
        bucket.filled = now;
        if bucket.tokens < TOKEN {
            return false;
        }
        bucket.tokens -= TOKEN;
        true
    }

    /// Forgets sources that were quiet for `idle`; if none was, all of them, which errs towards letting in.
    pub fn forget(&mut self, now: Time, idle: Duration) {
        self.buckets.retain(|_, bucket| now - bucket.filled < idle);
        if self.buckets.len() >= CAPACITY {
            self.buckets.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_gets_its_burst_then_its_rate_and_harms_no_other() {
        let mut sources = Sources::default();
        let (one, two) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let start = Time(1_000_000);
        let passed = (0..100).filter(|_| sources.admits(start, one, 10)).count();
        assert_eq!(passed, 40);
        assert!(sources.admits(start, two, 10));
        let later = start + Duration::from_millis(500);
        assert_eq!((0..100).filter(|_| sources.admits(later, one, 10)).count(), 5);
    }

    #[test]
    fn the_table_stays_bounded() {
        let mut sources = Sources::default();
        for n in 0..200_000_u32 {
            sources.admits(Time(u64::from(n)), IpAddr::from(n.to_be_bytes()), 10);
        }
        assert!(sources.buckets.len() <= CAPACITY);
    }
}
