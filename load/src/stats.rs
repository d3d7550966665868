//! What happened: counts by status, and times in a histogram of fixed size.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Buckets per doubling: times are right to 3 %.
const STEPS: usize = 32;
const BUCKETS: usize = STEPS * 32;

/// Durations in µs, kept in buckets.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Box<[u32]>,
    total: u64,
    sum: u64,
    longest: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { counts: vec![0; BUCKETS].into(), total: 0, sum: 0, longest: 0 }
    }
}

fn bucket(micros: u64) -> usize {
    if micros < STEPS as u64 {
        return micros as usize;
    }
    let doublings = micros.ilog2() as usize - STEPS.ilog2() as usize;
    (STEPS * (doublings + 1) + (micros >> doublings) as usize - STEPS).min(BUCKETS - 1)
}

fn lower_bound(bucket: usize) -> u64 {
    if bucket < STEPS {
        return bucket as u64;
    }
    let doublings = bucket / STEPS - 1;
    ((bucket % STEPS + STEPS) as u64) << doublings
}

impl Histogram {
    /// Adds one duration.
    pub fn add(&mut self, micros: u64) {
        self.counts[bucket(micros)] += 1;
        self.total += 1;
        self.sum += micros;
        self.longest = self.longest.max(micros);
    }

    /// The duration under which this share of all lie, in µs.
    #[must_use]
    pub fn percentile(&self, share: f64) -> u64 {
        let wanted = (self.total as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (at, count) in self.counts.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= wanted && seen > 0 {
                return lower_bound(at);
            }
        }
        0
    }

    fn to_json(&self) -> Value {
        let ms = |micros: u64| micros as f64 / 1000.0;
        json!({
            "mean_ms": ms(self.sum / self.total.max(1)),
            "p50_ms": ms(self.percentile(0.5)),
            "p95_ms": ms(self.percentile(0.95)),
            "p99_ms": ms(self.percentile(0.99)),
            "max_ms": ms(self.longest),
        })
    }
}

/// How the operations of one kind went.
#[derive(Clone, Default, Debug)]
pub struct Stats {
    /// Operations begun.
    pub sent: u64,
    /// Ended as they should.
    pub ok: u64,
    /// Ended otherwise, or never.
    pub failed: u64,
    /// Of the failed: no answer within patience.
    pub timed_out: u64,
    /// Of the failed: not even begun, because too many were under way.
    pub skipped: u64,
    /// Requests and 2xx answers sent again.
    pub retransmissions: u64,
    /// Answers that came twice or too late.
    pub strays: u64,
    /// 503 answers without Retry-After.
    pub bare_503: u64,
    /// Every final status, challenges included.
    pub statuses: BTreeMap<u16, u64>,
    /// From the first request to the end of the operation.
    pub times: Histogram,
}

impl Stats {
    /// One final answer.
    pub fn status(&mut self, status: u16) {
        *self.statuses.entry(status).or_default() += 1;
    }

    /// How often this status came.
    #[must_use]
    pub fn count_of(&self, status: u16) -> u64 {
        self.statuses.get(&status).copied().unwrap_or(0)
    }

    /// For scripts.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "sent": self.sent, "ok": self.ok, "failed": self.failed, "timed_out": self.timed_out,
            "skipped": self.skipped, "retransmissions": self.retransmissions, "strays": self.strays,
            "bare_503": self.bare_503, "time": self.times.to_json(),
            "statuses": self.statuses.iter().map(|(k, v)| (k.to_string(), json!(v))).collect::<serde_json::Map<_, _>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_what_they_should() {
        for micros in [0, 1, 31, 32, 33, 63, 64, 65, 100, 1000, 1_000_000, 32_000_000] {
            let low = lower_bound(bucket(micros));
            assert!(low <= micros && micros - low <= micros / STEPS as u64, "{micros} in the bucket from {low}");
        }
        let mut last = 0;
        for at in 1..BUCKETS {
            assert!(lower_bound(at) > last || last > 1 << 30, "bucket {at}");
            last = lower_bound(at);
        }
    }

    #[test]
    fn percentiles_are_right_to_three_percent() {
        let mut times = Histogram::default();
        (1..=10_000).for_each(|micros| times.add(micros));
        for (share, micros) in [(0.5, 5000.0), (0.99, 9900.0), (1.0, 10_000.0)] {
            let got = times.percentile(share) as f64;
            assert!((got / micros - 1.0).abs() < 0.032, "{share}: {got}");
        }
        assert_eq!(Histogram::default().percentile(0.5), 0);
    }
}
