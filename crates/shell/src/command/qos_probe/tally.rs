//! What arrived: how many, with which marks, how evenly.

use std::collections::{BTreeMap, HashSet};

/// Counts of one modality in one direction.
#[derive(Debug, Default)]
pub struct Tally {
    numbers: HashSet<u32>,
    marks: BTreeMap<u8, u32>,
    last_transit_us: Option<i64>,
    jitter_us: f64,
    round_trip_us: u64,
}

impl Tally {
    /// A probe arrived. Times are in µs; the clocks of both ends may differ, only their course matters.
    pub fn add(&mut self, number: u32, dscp: u8, sent_us: u64, arrived_us: u64) {
        if !self.numbers.insert(number) {
            return;
        }
        *self.marks.entry(dscp).or_default() += 1;
        let transit = arrived_us as i64 - sent_us as i64;
        if let Some(last) = self.last_transit_us.replace(transit) {
            // RFC 3550 §6.4.1.
            self.jitter_us += ((transit - last).abs() as f64 - self.jitter_us) / 16.0;
        }
        self.round_trip_us += arrived_us.saturating_sub(sent_us);
    }

    pub fn received(&self) -> u32 {
        self.numbers.len() as u32
    }

    pub fn marks(&self) -> Vec<(u8, u32)> {
        self.marks.iter().map(|(mark, count)| (*mark, *count)).collect()
    }

    pub fn has_others_than(&self, dscp: u8) -> bool {
        self.marks.keys().any(|mark| *mark != dscp)
    }

    pub fn jitter_ms(&self) -> f64 {
        self.jitter_us / 1000.0
    }

    /// Mean time from sending to arrival, where both are of one clock.
    pub fn round_trip_ms(&self) -> Option<f64> {
        (self.received() > 0).then(|| self.round_trip_us as f64 / f64::from(self.received()) / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_count_once_and_even_arrival_has_no_jitter() {
        let mut tally = Tally::default();
        for number in [0, 1, 1, 2] {
            tally.add(number, 46, u64::from(number) * 20_000, 1_000_000 + u64::from(number) * 20_000);
        }
        assert_eq!((tally.received(), tally.marks(), tally.jitter_ms()), (3, vec![(46, 3)], 0.0));
        tally.add(3, 0, 60_000, 1_061_600);
        assert_eq!((tally.marks(), tally.jitter_ms()), (vec![(0, 1), (46, 3)], 0.1));
    }

    #[test]
    fn the_round_trip_is_the_mean() {
        let mut tally = Tally::default();
        assert_eq!(tally.round_trip_ms(), None);
        tally.add(0, 46, 0, 1_000);
        tally.add(1, 46, 10_000, 13_000);
        assert_eq!(tally.round_trip_ms(), Some(2.0));
    }
}
