//! Comfort noise (RFC 3389): what the other room sounds like while nobody speaks.

/// The most coefficients that are used; more are read as if they were not there (RFC 3389 §3.2 lets us).
const MAX_ORDER: usize = 12;

/// The payload: a level, and the colour of the noise as reflection coefficients.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Noise {
    /// Decibels below the loudest (0 to 127).
    pub level: u8,
    reflection: [f32; MAX_ORDER],
}

impl Noise {
    /// Reads a payload; an empty one is none.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let (level, coefficients) = payload.split_first()?;
        let mut reflection = [0.0; MAX_ORDER];
        for (place, byte) in reflection.iter_mut().zip(coefficients) {
            // RFC 3389 §3.2: 127 stands for zero, the scale is 1/128; below one, so that the filter stays stable.
            *place = ((f32::from(*byte) - 127.0) / 128.0).clamp(-0.99, 0.99);
        }
        Some(Self { level: level & 0x7F, reflection })
    }

    /// White noise of a level.
    #[must_use]
    pub fn white(level: u8) -> Self {
        Self { level: level.min(127), reflection: [0.0; MAX_ORDER] }
    }

    /// The level of `pcm`, as it is sent.
    #[must_use]
    pub fn of(pcm: &[i16]) -> Self {
        let energy: f64 = pcm.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        let level = if pcm.is_empty() || energy == 0.0 {
            127.0
        } else {
            -20.0 * ((energy / pcm.len() as f64).sqrt() / 32_768.0).log10()
        };
        Self::white(level.round().clamp(0.0, 127.0) as u8)
    }
}

/// Makes noise. Its numbers come from a seed that the caller draws.
#[derive(Clone, Debug)]
pub struct Generator {
    state: u64,
    lattice: [f32; MAX_ORDER],
}

impl Generator {
    /// A generator from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed | 1, lattice: [0.0; MAX_ORDER] }
    }

    /// Between -1 and 1 (xorshift; it only has to sound random).
    fn next(&mut self) -> f32 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    }

    /// Appends `samples` of noise.
    pub fn fill(&mut self, noise: &Noise, samples: usize, pcm: &mut Vec<i16>) {
        // An even distribution over -1..1 has a third of its power; the filter raises it by the product below.
        let gain: f32 = noise.reflection.iter().map(|k| 1.0 - k * k).product();
        let scale = 32_768.0 * 10f32.powf(-f32::from(noise.level) / 20.0) * (3.0 * gain).sqrt();
        for _ in 0..samples {
            let mut forward = self.next() * scale;
            for at in (0..MAX_ORDER).rev() {
                let k = noise.reflection[at];
                forward -= k * self.lattice[at];
                if at + 1 < MAX_ORDER {
                    self.lattice[at + 1] = self.lattice[at] + k * forward;
                }
            }
            self.lattice[0] = forward;
            pcm.push(forward.clamp(-32_768.0, 32_767.0) as i16);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_the_level_that_was_asked_for() {
        for payload in [&[40][..], &[60], &[40, 170, 100, 127]] {
            let noise = Noise::parse(payload).expect("a payload");
            let mut pcm = Vec::new();
            Generator::new(7).fill(&noise, 16_000, &mut pcm);
            let level = Noise::of(&pcm).level;
            assert!(level.abs_diff(payload[0]) <= 2, "{payload:?} gave {level}");
        }
        assert_eq!(Noise::parse(&[]), None);
        assert_eq!(Noise::of(&[0; 160]).level, 127);
    }

    #[test]
    fn the_wildest_colour_stays_bounded_and_a_seed_repeats_itself() {
        let noise = Noise::parse(&[[0u8].as_slice(), &[255; 40]].concat()).expect("a payload");
        let (mut one, mut two) = (Vec::new(), Vec::new());
        Generator::new(3).fill(&noise, 8000, &mut one);
        Generator::new(3).fill(&noise, 8000, &mut two);
        assert_eq!(one, two);
        assert!(Generator::new(3).lattice.iter().all(|value| value.is_finite()));
    }
}
