//! Keys heard in sound, by Goertzel's algorithm over blocks of some 13 ms.
//!
//! A key counts when the strongest row and column stand out from the others, are about as strong as each other (twist),
//! hold most of the block's power (speech does not), and two blocks in a row agree; it ends after two blocks without.

use super::frequencies;

/// Samples of a block at 8 kHz; the usual 105 puts the eight frequencies between the lobes of one another.
const BLOCK: usize = 105;
/// Mean power below which nothing is listened to.
const FLOOR: f32 = 100.0 * 100.0;
/// How much stronger one of the two may be (8 dB, ITU-T Q.24 takes 4 to 8).
const TWIST: f32 = 6.3;
/// How far the winner must stand out from its row or column (8 dB).
const STAND_OUT: f32 = 6.3;
/// The part of the power that the two must have.
const SHARE: f32 = 0.65;

const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f32; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
const PAD: [&str; 4] = ["123A", "456B", "789C", "*0#D"];

/// Listens to one stream of 8 kHz.
#[derive(Clone, Debug)]
pub struct Detector {
    block: Vec<f32>,
    last: Option<char>,
    current: Option<char>,
    misses: u8,
}

impl Default for Detector {
    fn default() -> Self {
        Self { block: Vec::with_capacity(BLOCK), last: None, current: None, misses: 0 }
    }
}

impl Detector {
    /// Listens, and gives each key once, when it is sure of it. At most one key for each 26 ms of sound.
    pub fn listen(&mut self, pcm: &[i16], mut heard: impl FnMut(char)) {
        for sample in pcm {
            self.block.push(f32::from(*sample));
            if self.block.len() == BLOCK {
                let key = judge(&self.block);
                self.block.clear();
                if let Some(key) = self.follow(key) {
                    heard(key);
                }
            }
        }
    }

    /// Whether a key is held now.
    pub fn hears(&self) -> bool {
        self.current.is_some()
    }

    fn follow(&mut self, key: Option<char>) -> Option<char> {
        let again = key.is_some() && key == self.last;
        self.last = key;
        if key.is_none() || key != self.current {
            self.misses = self.misses.saturating_add(1);
            if self.misses >= 2 {
                self.current = None;
            }
        } else {
            self.misses = 0;
        }
        if again && self.current != key {
            (self.current, self.misses) = (key, 0);
            return key;
        }
        None
    }
}

fn judge(block: &[f32]) -> Option<char> {
    let power: f32 = block.iter().map(|sample| sample * sample).sum();
    if power < FLOOR * block.len() as f32 {
        return None;
    }
    let (row, low) = winner(block, ROWS)?;
    let (column, high) = winner(block, COLUMNS)?;
    // Goertzel's value of a pure tone is power * length / 2.
    let share = 2.0 * (low + high) / (power * block.len() as f32);
    let even = low <= high * TWIST && high <= low * TWIST;
    let key = PAD[row].chars().nth(column)?;
    debug_assert!(frequencies(key) == Some((ROWS[row], COLUMNS[column])));
    (even && share >= SHARE).then_some(key)
}

/// The strongest of four frequencies, if it stands out from the other three.
fn winner(block: &[f32], frequencies: [f32; 4]) -> Option<(usize, f32)> {
    let strengths = frequencies.map(|hertz| goertzel(block, hertz));
    let (at, best) = strengths.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let mut others = strengths.iter().enumerate().filter(|(other, _)| *other != at);
    others.all(|(_, value)| best > value * STAND_OUT).then_some((at, best))
}

fn goertzel(block: &[f32], hertz: f32) -> f32 {
    let twice = 2.0 * (hertz * std::f32::consts::TAU / 8000.0).cos();
    let (mut one, mut two) = (0.0, 0.0);
    for sample in block {
        (one, two) = (sample + twice * one - two, one);
    }
    one * one + two * two - twice * one * two
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::{KEYS, tone::Tone};

    fn heard(pcm: &[i16]) -> String {
        let (mut detector, mut keys) = (Detector::default(), String::new());
        pcm.chunks(160).for_each(|frame| detector.listen(frame, |key| keys.push(key)));
        keys
    }

    fn dialled(keys: &str, on_ms: usize, off_ms: usize) -> Vec<i16> {
        let mut pcm = vec![0; 400];
        for key in keys.chars() {
            Tone::of_key(key, 8000).expect("a key").fill(on_ms * 8, &mut pcm);
            pcm.resize(pcm.len() + off_ms * 8, 0);
        }
        pcm
    }

    #[test]
    fn every_key_is_heard_once() {
        let all: String = KEYS.iter().collect();
        for (on, off) in [(50, 50), (100, 60), (400, 100)] {
            assert_eq!(heard(&dialled(&all, on, off)), all, "{on} ms on, {off} ms off");
        }
        assert_eq!(heard(&dialled("11", 60, 60)), "11", "the same key twice");
    }

    #[test]
    fn keys_are_heard_through_noise_and_g711() {
        let mut state = 9u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as i16 / 40
        };
        let law = crate::codec::g711::Law::A;
        let pcm: Vec<i16> =
            dialled("2580*#", 80, 80).iter().map(|sample| law.decode(law.encode(sample / 3 + noise()))).collect();
        assert_eq!(heard(&pcm), "2580*#");
    }

    #[test]
    fn one_tone_silence_and_noise_are_no_keys() {
        let mut single = Vec::new();
        Tone::new(770.0, 0.0, 8000).fill(8000, &mut single);
        assert_eq!(heard(&single), "");
        assert_eq!(heard(&[0; 8000]), "");
        let mut state = 3u32;
        let noise: Vec<i16> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as i16
        })
        .take(80_000)
        .collect();
        assert_eq!(heard(&noise), "");
    }
}
