//! How much a relay carries, in the measure of Lync's MaxBandwidthPerUserKb and MaxBandwidthPerPortKb.

/// Bounds of use; `None` lifts one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quotas {
    /// Kilobits a second of payload for a user, each direction; more is dropped.
    pub user_kbps: Option<u32>,
    /// The same for one relay port.
    pub port_kbps: Option<u32>,
    /// Allocations of one user at a time; the next gets 486.
    pub allocations_per_user: Option<u32>,
    /// Allocations of everybody; the next gets 508.
    pub allocations: u32,
}

impl Default for Quotas {
    fn default() -> Quotas {
        // A browser gathers for each connection, interface, address family and transport to us: some dozens in a call.
        Quotas { user_kbps: Some(10_000), port_kbps: Some(3_000), allocations_per_user: Some(64), allocations: 10_000 }
    }
}

/// What a new bucket holds, so that making new ones gains nobody much.
const FIRST_BYTES: u64 = 16_384;
const MICROS: u64 = 1_000_000;

/// A token bucket that holds one second's worth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    /// Bytes times microseconds: small steps lose nothing.
    level: u64,
    at: u64,
}

impl Bucket {
    pub(crate) fn new(now_micros: u64) -> Bucket {
        Bucket { level: FIRST_BYTES * MICROS, at: now_micros }
    }

    /// Whether `bytes` may pass now.
    pub(crate) fn take(&mut self, kbps: Option<u32>, now_micros: u64, bytes: usize) -> bool {
        let Some(kbps) = kbps else { return true };
        self.fill(kbps, now_micros);
        let cost = bytes as u64 * MICROS;
        let passes = cost <= self.level;
        if passes {
            self.level -= cost;
        }
        passes
    }

    /// How many bytes may pass now.
    pub(crate) fn left(&mut self, kbps: Option<u32>, now_micros: u64) -> usize {
        let Some(kbps) = kbps else { return usize::MAX };
        self.fill(kbps, now_micros);
        (self.level / MICROS) as usize
    }

    /// So many have passed.
    pub(crate) fn spend(&mut self, bytes: usize) {
        self.level = self.level.saturating_sub(bytes as u64 * MICROS);
    }

    fn fill(&mut self, kbps: u32, now_micros: u64) {
        let rate = u64::from(kbps) * 125;
        let elapsed = now_micros.saturating_sub(self.at).min(MICROS);
        self.at = now_micros.max(self.at);
        self.level = (self.level + elapsed * rate).min(rate * MICROS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_any_time_no_more_passes_than_the_rate() {
        let mut bucket = Bucket::new(0);
        let passed: usize = (0..10_000_000).step_by(100).filter(|now| bucket.take(Some(3000), *now, 200)).count();
        let bytes = (passed * 200) as u64;
        assert!((10 * 375_000 - 400..=10 * 375_000 + FIRST_BYTES).contains(&bytes), "{bytes}");
    }

    #[test]
    fn a_lifted_bound_lets_everything_pass_and_time_may_stand_still() {
        let mut bucket = Bucket::new(5);
        assert!(bucket.take(None, 0, 1 << 30));
        assert!(bucket.take(Some(8000), 0, 16_384));
        assert!(!bucket.take(Some(8000), 0, 1));
        assert!(bucket.take(Some(8000), 6, 1));
    }

    #[test]
    fn what_is_left_passes_and_not_a_byte_more() {
        let mut bucket = Bucket::new(0);
        assert_eq!(bucket.left(None, 0), usize::MAX);
        assert_eq!(bucket.left(Some(8), 0), 1000);
        assert!(!bucket.take(Some(8), 0, 1001));
        assert!(bucket.take(Some(8), 0, 1000));
        assert_eq!((bucket.left(Some(8), 0), bucket.left(Some(8), 2_500)), (0, 2));
    }
}
