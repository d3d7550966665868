//! Tones as sound: keys, and the tones that a caller hears.

use super::frequencies;

/// One or two frequencies at a strength, continuing without a click from call to call.
#[derive(Clone, Debug)]
pub struct Tone {
    steps: [f32; 2],
    phases: [f32; 2],
    strength: f32,
}

/// The strength of one of two frequencies: -9 dBm0 or so, as phones send them.
const STRENGTH: f32 = 8_000.0;

impl Tone {
    /// Two frequencies in hertz at `rate` samples a second; zero leaves one out.
    #[must_use]
    pub fn new(low: f32, high: f32, rate: u32) -> Self {
        let step = |hertz: f32| hertz * std::f32::consts::TAU / rate.max(1) as f32;
        Self { steps: [step(low), step(high)], phases: [0.0; 2], strength: STRENGTH }
    }

    /// A key's tone.
    #[must_use]
    pub fn of_key(key: char, rate: u32) -> Option<Self> {
        frequencies(key).map(|(low, high)| Self::new(low, high, rate))
    }

    /// The ring-back tone of Europe: 425 Hz.
    #[must_use]
    pub fn ring_back(rate: u32) -> Self {
        Self::new(425.0, 0.0, rate)
    }

    /// Appends `samples` of it.
    pub fn fill(&mut self, samples: usize, pcm: &mut Vec<i16>) {
        for _ in 0..samples {
            let sum: f32 =
                self.phases.iter().zip(self.steps).filter(|(_, step)| *step > 0.0).map(|(phase, _)| phase.sin()).sum();
            pcm.push((sum * self.strength) as i16);
            for (phase, step) in self.phases.iter_mut().zip(self.steps) {
                *phase = (*phase + step) % std::f32::consts::TAU;
            }
        }
    }
}
