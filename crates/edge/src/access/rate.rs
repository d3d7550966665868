//! Token buckets in a bounded table.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use lyceum_sip::Time;

/// Buckets kept; when full those that are full again are forgotten, and if none is all are, which errs towards letting in.
const CAPACITY: usize = 16_384;
/// Tokens are counted in thousandths.
const TOKEN: u64 = 1_000;

struct Bucket {
    tokens: u64,
    filled: Time,
}

/// One bucket for each key.
pub(super) struct Buckets<K> {
    buckets: HashMap<K, Bucket>,
    /// A full bucket holds this many seconds' worth.
    burst: u64,
}

impl<K: Hash + Eq> Buckets<K> {
    pub(super) fn new(burst_seconds: u64) -> Self {
        Buckets { buckets: HashMap::new(), burst: burst_seconds }
    }

    /// May `key` do it once more, at `rate` a second?
    pub(super) fn admits(&mut self, now: Time, key: K, rate: u32) -> bool {
        let full = u64::from(rate) * self.burst * TOKEN;
        if self.buckets.len() >= CAPACITY && !self.buckets.contains_key(&key) {
            let burst = Duration::from_secs(self.burst);
            self.buckets.retain(|_, bucket| now - bucket.filled < burst);
            if self.buckets.len() >= CAPACITY {
                self.buckets.clear();
            }
        }
        let bucket = self.buckets.entry(key).or_insert(Bucket { tokens: full, filled: now });
        let passed = (now - bucket.filled).as_micros() as u64;
        bucket.tokens = (bucket.tokens + passed.saturating_mul(u64::from(rate)) * TOKEN / 1_000_000).min(full);
        bucket.filled = now;
        if bucket.tokens < TOKEN {
            return false;
        }
        bucket.tokens -= TOKEN;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_a_second_is_twenty_a_second() {
        let mut buckets = Buckets::new(1);
        let start = Time(1_000_000);
        assert_eq!((0..100).filter(|_| buckets.admits(start, "a", 20)).count(), 20);
        assert_eq!((0..100).filter(|_| buckets.admits(start, "b", 20)).count(), 20, "one harms no other");
        let later = start + Duration::from_millis(500);
        assert_eq!((0..100).filter(|_| buckets.admits(later, "a", 20)).count(), 10);
    }

    #[test]
    fn the_table_stays_bounded() {
        let mut buckets = Buckets::new(1);
        for n in 0..100_000_u32 {
            buckets.admits(Time(u64::from(n)), n, 1);
        }
        assert!(buckets.buckets.len() <= CAPACITY);
    }
}
