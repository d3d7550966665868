//! Shedding of new work while the worker cannot keep up.
//!
//! The driver says when it is overloaded ([`lyceum_net::Load::is_overload`]): half of T1 behind, so that a pause of the
//! machine alone refuses nobody. From that a share of new work to refuse is steered: up fast, down slowly, so that the
//! server answers 503 with Retry-After instead of letting everything time out, and recovers by itself. What belongs to
//! calls in progress is never refused.

use std::time::Duration;

use lyceum_net::Load;
use lyceum_sip::time::Time;

/// How often the refused share is adjusted.
const ADJUST_EVERY: Duration = Duration::from_millis(50);
/// Added to the share while behind, in 1/256.
const STEP_UP: u16 = 48;
/// Taken from the share while keeping up, in 1/256.
const STEP_DOWN: u16 = 8;
/// Never refuse everything: some work goes through and tells whether the load is gone. In 1/256.
const CEILING: u16 = 244;
/// Retry-After spans these seconds, spread by Call-ID so that the refused do not come back together.
const RETRY_AFTER: std::ops::Range<u64> = 5..35;

/// The share of new work that is refused at the moment.
#[derive(Debug, Default)]
pub struct Shedder {
    share: u16,
    adjusted: Time,
    turn: u16,
    /// Requests refused since the start.
    pub refused: u64,
}

impl Shedder {
    /// Steers by the driver's figure; called after each round of input.
    pub fn observe(&mut self, now: Time, load: &Load) {
        if now - self.adjusted < ADJUST_EVERY {
            return;
        }
        self.adjusted = now;
        self.share =
            if load.is_overload() { (self.share + STEP_UP).min(CEILING) } else { self.share.saturating_sub(STEP_DOWN) };
    }

    /// May one more piece of new work in? Spreads the refusals evenly.
    pub fn admits(&mut self) -> bool {
        if self.share == 0 {
            return true;
        }
        self.turn += self.share;
        if self.turn >= 256 {
            self.turn -= 256;
            self.refused += 1;
            return false;
        }
        true
    }

    /// Is anything refused at the moment?
    pub fn is_shedding(&self) -> bool {
        self.share > 0
    }
}

/// Seconds for Retry-After, from any stable hash of the Call-ID.
pub fn retry_after(hash: u64) -> u64 {
    RETRY_AFTER.start + hash % (RETRY_AFTER.end - RETRY_AFTER.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(shedder: &mut Shedder, from_ms: u64, rounds: u64, behind: Duration) -> u64 {
        for round in 0..rounds {
            shedder.observe(Time((from_ms + round * 60) * 1000), &Load { behind, ..Load::default() });
        }
        from_ms + rounds * 60
    }

    #[test]
    fn refuses_more_the_longer_it_lags_and_recovers_by_itself() {
        let mut shedder = Shedder::default();
        assert!(shedder.admits());
        let mut at = run(&mut shedder, 1_000, 3, Load::SHED_AFTER);
        let refused = (0..256).filter(|_| !shedder.admits()).count();
        assert_eq!(refused, 3 * usize::from(STEP_UP));
        at = run(&mut shedder, at, 50, Load::SHED_AFTER);
        assert!((0..256).any(|_| shedder.admits()), "some work always goes through");
        run(&mut shedder, at, 50, Duration::ZERO);
        assert!(!shedder.is_shedding());
        assert!((0..256).all(|_| shedder.admits()));
    }

    #[test]
    fn a_pause_of_the_machine_refuses_nobody() {
        let mut shedder = Shedder::default();
        run(&mut shedder, 1_000, 3, Load::SHED_AFTER / 2);
        assert!(!shedder.is_shedding());
    }

    #[test]
    fn retry_after_is_spread() {
        let values: std::collections::HashSet<_> = (0..1000).map(retry_after).collect();
        assert_eq!(values.len(), 30);
        assert!(values.iter().all(|seconds| RETRY_AFTER.contains(seconds)));
    }
}
