//! Concealment of lost packets in the manner of ITU-T G.711 appendix I: the last pitch period goes on, ever softer.
//!
//! The period is the lag at which the last samples are most like themselves. What is made begins where the good samples
//! ended, fades after 10 ms and is silent after 60 ms; the first good samples after it are blended in.

/// Milliseconds of history: the longest period (15 ms) three times and a little.
const HISTORY_MS: usize = 50;
/// Shortest and longest pitch period: 200 Hz to 66 Hz as in the recommendation.
const PERIOD_US: (usize, usize) = (5_000, 15_000);
/// The window over which likeness is measured.
const WINDOW_MS: usize = 20;
/// Sound goes on unchanged for 10 ms, then loses a fifth of its strength every 10 ms.
const FADE_MS: (usize, usize) = (10, 50);
/// Over how much the joints are blended.
const BLEND_US: usize = 3_750;

/// One stream's concealment.
#[derive(Clone, Debug)]
pub struct Concealer {
    per_ms: usize,
    history: Vec<i16>,
    /// The period that goes on, and where in it we are.
    period: Vec<f32>,
    phase: usize,
    /// Samples made since the last good one.
    made: usize,
}

impl Concealer {
    /// For sound of `rate` samples a second.
    #[must_use]
    pub fn new(rate: u32) -> Self {
        let per_ms = (rate / 1000).max(1) as usize;
        Self { per_ms, history: vec![0; HISTORY_MS * per_ms], period: Vec::new(), phase: 0, made: 0 }
    }

    fn blend_len(&self) -> usize {
        BLEND_US * self.per_ms / 1000
    }

    /// Good samples came; after a loss their beginning is blended with what was made.
    pub fn good(&mut self, pcm: &mut [i16]) {
        if self.made > 0 {
            let length = self.blend_len().min(pcm.len());
            for (at, sample) in pcm.iter_mut().take(length).enumerate() {
                let share = (at + 1) as f32 / (length + 1) as f32;
                let made = self.next_made();
                *sample = (f32::from(*sample) * share + made * (1.0 - share)) as i16;
            }
            (self.made, self.phase) = (0, 0);
            self.period.clear();
        }
        self.remember(pcm);
    }

    /// Appends `samples` in the place of what is lost.
    pub fn lost(&mut self, samples: usize, pcm: &mut Vec<i16>) {
        if self.made == 0 {
            self.find_period();
        }
        let from = pcm.len();
        for _ in 0..samples {
            let sample = self.next_made();
            pcm.push(sample as i16);
        }
        let made: Vec<i16> = pcm[from..].to_vec();
        self.remember(&made);
    }

    fn next_made(&mut self) -> f32 {
        let strength = self.strength();
        self.made += 1;
        let Some(sample) = self.period.get(self.phase) else { return 0.0 };
        let sample = *sample * strength;
        self.phase = (self.phase + 1) % self.period.len();
        sample
    }

    fn strength(&self) -> f32 {
        let ms = self.made as f32 / self.per_ms as f32;
        (1.0 - (ms - FADE_MS.0 as f32) / FADE_MS.1 as f32).clamp(0.0, 1.0)
    }

    fn remember(&mut self, pcm: &[i16]) {
        let kept = self.history.len();
        if pcm.len() >= kept {
            self.history.copy_from_slice(&pcm[pcm.len() - kept..]);
        } else {
            self.history.copy_within(pcm.len().., 0);
            self.history[kept - pcm.len()..].copy_from_slice(pcm);
        }
    }

    /// Takes the last period out of the history; its end is blended into what came before its beginning, so that it can
    /// follow itself without a click.
    fn find_period(&mut self) {
        let (end, lag) = (self.history.len(), self.best_lag());
        let blend = (lag / 4).max(1);
        self.phase = 0;
        self.period = self.history[end - lag..].iter().map(|sample| f32::from(*sample)).collect();
        for at in 0..blend {
            let share = (at + 1) as f32 / (blend + 1) as f32;
            let place = lag - blend + at;
            let before = f32::from(self.history[end - lag - blend + at]);
            self.period[place] = self.period[place] * (1.0 - share) + before * share;
        }
    }

    fn best_lag(&self) -> usize {
        let (short, long) = (PERIOD_US.0 * self.per_ms / 1000, PERIOD_US.1 * self.per_ms / 1000);
        let window = WINDOW_MS * self.per_ms;
        let last = &self.history[self.history.len() - window..];
        let likeness = |lag: usize| {
            let from = self.history.len() - window - lag;
            let earlier = &self.history[from..from + window];
            let (mut product, mut energy) = (0f32, 1f32);
            for (a, b) in last.iter().zip(earlier) {
                product += f32::from(*a) * f32::from(*b);
                energy += f32::from(*b) * f32::from(*b);
            }
            product / energy.sqrt()
        };
        (short..=long).max_by(|a, b| likeness(*a).total_cmp(&likeness(*b))).unwrap_or(long)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f32, from: usize, count: usize) -> Vec<i16> {
        let angle = |at: usize| (from + at) as f32 * hertz * std::f32::consts::TAU / 8000.0;
        (0..count).map(|at| (angle(at).sin() * 8000.0) as i16).collect()
    }

    fn power(pcm: &[i16]) -> f32 {
        (pcm.iter().map(|sample| f32::from(*sample).powi(2)).sum::<f32>() / pcm.len() as f32).sqrt()
    }

    #[test]
    fn a_lost_packet_of_a_tone_is_hardly_missed() {
        let mut concealer = Concealer::new(8000);
        concealer.good(&mut tone(150.0, 0, 800));
        let mut made = Vec::new();
        concealer.lost(160, &mut made);
        let truth = tone(150.0, 800, 160);
        let error: Vec<i16> = made[..80].iter().zip(&truth).map(|(made, truth)| made.saturating_sub(*truth)).collect();
        assert!(power(&error) < power(&truth) * 0.35, "{} of {}", power(&error), power(&truth));
        assert!(power(&made) > power(&truth) * 0.7);
    }

    #[test]
    fn a_long_loss_fades_to_silence() {
        let mut concealer = Concealer::new(8000);
        concealer.good(&mut tone(200.0, 0, 800));
        let mut made = Vec::new();
        (0..5).for_each(|_| concealer.lost(160, &mut made));
        let levels: Vec<f32> = made.chunks(160).map(power).collect();
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0]), "{levels:?}");
        assert_eq!(levels[4], 0.0);
    }

    #[test]
    fn there_is_no_click_at_the_joints() {
        let mut concealer = Concealer::new(8000);
        let mut all = tone(100.0, 0, 800);
        concealer.good(&mut all.clone());
        concealer.lost(160, &mut all);
        let mut after = tone(100.0, 960, 160);
        concealer.good(&mut after);
        all.extend(after);
        let step = all.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max();
        assert!(step < Some(1_600), "a full step would be 16000: {step:?}");
    }

    #[test]
    fn without_history_there_is_silence() {
        let mut made = Vec::new();
        Concealer::new(16_000).lost(320, &mut made);
        assert_eq!(made, vec![0; 320]);
    }
}
