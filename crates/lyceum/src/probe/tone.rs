//! A tone as G.711 µ-law RTP payload, and a detector for it: enough to prove that sound goes both ways.

use std::f64::consts::TAU;

/// Samples per second of G.711.
pub const SAMPLE_RATE: u32 = 8000;
/// Samples in one 20 ms packet.
pub const FRAME: usize = 160;

/// One sample as µ-law (ITU-T G.711).
pub fn encode(sample: i16) -> u8 {
    const BIAS: i32 = 0x84;
    const CLIP: i32 = 32_635;
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = i32::from(sample).abs().min(CLIP) + BIAS;
    let exponent = (magnitude as u32).ilog2() as i32 - 7;
    let mantissa = (magnitude >> (exponent + 3)) & 0x0f;
    !(sign | (exponent << 4) | mantissa) as u8
}

/// One µ-law byte as a sample.
pub fn decode(byte: u8) -> i16 {
    let byte = !byte;
    let exponent = i32::from(byte >> 4 & 0x07);
    let magnitude = (((i32::from(byte & 0x0f) << 3) + 0x84) << exponent) - 0x84;
    if byte & 0x80 == 0 { magnitude as i16 } else { -magnitude as i16 }
}

/// A steady tone, frame by frame.
pub struct Tone {
    step: f64,
    phase: f64,
}

impl Tone {
    /// A tone of `hertz`.
    pub fn new(hertz: f64) -> Self {
        Tone { step: TAU * hertz / f64::from(SAMPLE_RATE), phase: 0.0 }
    }

    /// The next 20 ms as µ-law.
    pub fn frame(&mut self) -> [u8; FRAME] {
        std::array::from_fn(|_| {
            self.phase = (self.phase + self.step) % TAU;
            encode((self.phase.sin() * 12_000.0) as i16)
        })
    }
}

/// Share of the energy of `payload` (µ-law) that lies at `hertz`: near 1 for a clean tone, near 0 for silence or others
/// (Goertzel).
pub fn purity(payload: &[u8], hertz: f64) -> f64 {
    if payload.is_empty() {
        return 0.0;
    }
    let coefficient = 2.0 * (TAU * hertz / f64::from(SAMPLE_RATE)).cos();
    let (mut a, mut b, mut energy) = (0.0, 0.0, 0.0);
    for byte in payload {
        let sample = f64::from(decode(*byte));
        energy += sample * sample;
        (a, b) = (sample + coefficient * a - b, a);
    }
    if energy == 0.0 {
        return 0.0;
    }
    let power = a * a + b * b - coefficient * a * b;
    (2.0 * power / (energy * payload.len() as f64)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mu_law_round_trip_stays_within_its_step() {
        for sample in (-32_000i16..32_000).step_by(37) {
            let back = decode(encode(sample));
            let allowed = 16.max(i32::from(sample).abs() / 16);
            assert!((i32::from(back) - i32::from(sample)).abs() <= allowed, "{sample} became {back}");
        }
        // ITU-T G.711 table 2a: the code words of the loudest and of silence.
        assert_eq!((encode(0), encode(32_635), encode(-32_635)), (0xff, 0x80, 0x00));
    }

    #[test]
    fn detector_knows_its_tone_from_others_and_from_silence() {
        let mut tone = Tone::new(440.0);
        let heard: Vec<u8> = (0..10).flat_map(|_| tone.frame()).collect();
        assert!(purity(&heard, 440.0) > 0.95);
        assert!(purity(&heard, 1000.0) < 0.05);
        assert!(purity(&[0xff; 1600], 440.0) < 0.05);
        assert!(purity(&[], 440.0) < 0.05);
    }
}
