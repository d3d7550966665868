//! Losses in bursts and in gaps, counted as in RFC 3611 appendix A.2.

/// Packets in a row without loss that end a burst.
const GMIN: u32 = 16;

/// Counts as packets come and go missing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Runs {
    since_loss: u32,
    in_burst: u32,
    c11: u32,
    c13: u32,
    c14: u32,
    c22: u32,
    c23: u32,
    c33: u32,
    runs: u32,
    lost: u32,
    received: u32,
}

/// What the counts come to.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Bursts {
    /// Part of the packets lost within bursts.
    pub burst_density: f32,
    /// Part of the packets lost between them.
    pub gap_density: f32,
    /// Mean length of a burst, in milliseconds.
    pub burst_ms: u32,
    /// Mean length of a gap, in milliseconds.
    pub gap_ms: u32,
    /// How much longer losses in a row are than chance would make them; 1 for chance (G.107).
    pub burst_ratio: f32,
}

impl Runs {
    /// A packet came.
    pub fn came(&mut self) {
        self.since_loss = self.since_loss.saturating_add(1);
        self.received = self.received.saturating_add(1);
    }

    /// `count` packets in a row are missing.
    pub fn missing(&mut self, count: u16) {
        if count > 0 {
            self.runs = self.runs.saturating_add(1);
        }
        for _ in 0..count {
            self.lost_one();
        }
    }

    fn lost_one(&mut self) {
        self.lost = self.lost.saturating_add(1);
        if self.since_loss >= GMIN {
            if self.in_burst == 1 {
                self.c14 = self.c14.saturating_add(1);
            } else {
                self.c13 = self.c13.saturating_add(1);
            }
            self.in_burst = 1;
            self.c11 = self.c11.saturating_add(self.since_loss);
        } else {
            self.in_burst = self.in_burst.saturating_add(1);
            if self.since_loss == 0 {
                self.c33 = self.c33.saturating_add(1);
            } else {
                self.c23 = self.c23.saturating_add(1);
                self.c22 = self.c22.saturating_add(self.since_loss - 1);
            }
        }
        self.since_loss = 0;
    }

    /// Part of the packets lost.
    #[must_use]
    pub fn loss(&self) -> f32 {
        let all = self.lost as f32 + self.received as f32;
        if all > 0.0 { self.lost as f32 / all } else { 0.0 }
    }

    /// What the counts come to when a packet holds `packet_ms`.
    #[must_use]
    pub fn bursts(&self, packet_ms: u32) -> Bursts {
        let [c11, c13, c14, c22, c23, c33] =
            [self.c11 + self.since_loss, self.c13, self.c14, self.c22, self.c23, self.c33].map(f64::from);
        let (c31, c32) = (c13, c23);
        let part = |of: f64, whole: f64| if whole > 0.0 { of / whole } else { 0.0 };
        let p32 = part(c32, c31 + c32 + c33);
        let p23 = if c22 + c23 < 1.0 { 1.0 } else { 1.0 - c22 / (c22 + c23) };
        let total = c11 + c14 + c13 + c22 + c23 + c31 + c32 + c33;
        let ms = f64::from(packet_ms);
        // Without a burst the whole is one gap.
        let gap = if c13 > 0.0 { (c11 + c14 + c13) * ms / c13 } else { total * ms };
        let burst = if c13 > 0.0 { total * ms / c13 - gap } else { 0.0 };
        let in_bursts = c22 + c23 + c33 > 0.0;
        let mean_run = part(f64::from(self.lost), f64::from(self.runs));
        let by_chance = 1.0 / (1.0 - f64::from(self.loss()).min(0.99));
        Bursts {
            burst_density: if in_bursts { part(p23, p23 + p32) as f32 } else { 0.0 },
            gap_density: part(c14, c11 + c14) as f32,
            burst_ms: burst.max(0.0) as u32,
            gap_ms: gap as u32,
            burst_ratio: if self.runs > 0 { (mean_run / by_chance).max(1.0) as f32 } else { 1.0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(pattern: impl IntoIterator<Item = u16>) -> Runs {
        let mut runs = Runs::default();
        for missing in pattern {
            runs.missing(missing);
            runs.came();
        }
        runs
    }

    #[test]
    fn a_perfect_stream_is_one_gap() {
        let bursts = runs([0; 100]).bursts(20);
        assert_eq!((bursts.burst_density, bursts.gap_density, bursts.burst_ms, bursts.gap_ms), (0.0, 0.0, 0, 2000));
        assert_eq!(bursts.burst_ratio, 1.0);
    }

    #[test]
    fn losses_far_apart_are_no_burst_and_losses_together_are() {
        let lonely = runs((0..1000).map(|at| u16::from(at % 50 == 49)));
        let together = runs((0..1000).map(|at| if at % 250 == 249 { 5 } else { 0 }));
        assert_eq!((lonely.loss() * 1000.0).round(), (together.loss() * 1000.0).round());
        assert_eq!(lonely.bursts(20).burst_density, 0.0);
        assert!(lonely.bursts(20).gap_density > 0.01);
        assert!(together.bursts(20).burst_density > 0.9, "{:?}", together.bursts(20));
        assert!(together.bursts(20).burst_ratio > 4.0 && lonely.bursts(20).burst_ratio < 1.01);
        assert!((80..=200).contains(&together.bursts(20).burst_ms), "{:?}", together.bursts(20));
    }
}
