//! Between 8, 16 and 48 kHz: a windowed-sinc filter in polyphase form, whole factors up or down.

/// Taps on each side of the middle, in samples of the slower rate.
const REACH: usize = 12;

/// Changes the rate of one stream.
#[derive(Clone, Debug)]
pub struct Resampler {
    kind: Kind,
    factor: usize,
    /// The filter at the faster rate, with a sum of one.
    taps: Vec<f32>,
    /// The last samples that came in.
    history: Vec<f32>,
    /// Samples to let pass until the next one is given, when going down.
    wait: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Same,
    Up,
    Down,
}

impl Resampler {
    /// From one rate to another; `None` when neither is a multiple of the other.
    #[must_use]
    pub fn new(from: u32, to: u32) -> Option<Self> {
        let (kind, factor) = match (from, to) {
            (0, _) | (_, 0) => return None,
            (from, to) if from == to => (Kind::Same, 1),
            (from, to) if to % from == 0 => (Kind::Up, to / from),
            (from, to) if from % to == 0 => (Kind::Down, from / to),
            _ => return None,
        };
        let factor = factor as usize;
        let taps = filter(factor);
        let length = if kind == Kind::Up { 2 * REACH } else { taps.len() };
        Some(Self { kind, factor, taps, history: vec![0.0; length], wait: 0 })
    }

    /// Appends what `input` becomes.
    pub fn process(&mut self, input: &[i16], out: &mut Vec<i16>) {
        if self.kind == Kind::Same {
            out.extend_from_slice(input);
            return;
        }
        for sample in input {
            self.history.rotate_left(1);
            if let Some(last) = self.history.last_mut() {
                *last = f32::from(*sample);
            }
            if self.kind == Kind::Up {
                self.up(out);
            } else if self.wait == 0 {
                self.wait = self.factor - 1;
                let sum: f32 = self.history.iter().zip(&self.taps).map(|(sample, tap)| sample * tap).sum();
                out.push(clip(sum));
            } else {
                self.wait -= 1;
            }
        }
    }

    /// Each phase of the filter gives one of the samples between two.
    fn up(&self, out: &mut Vec<i16>) {
        for phase in 0..self.factor {
            let taps = self.taps.iter().skip(phase).step_by(self.factor);
            let sum: f32 = self.history.iter().rev().zip(taps).map(|(sample, tap)| sample * tap).sum();
            out.push(clip(sum * self.factor as f32));
        }
    }
}

fn clip(value: f32) -> i16 {
    value.round().clamp(-32_768.0, 32_767.0) as i16
}

/// A low pass at nine tenths of the slower rate's half, under a Blackman window.
fn filter(factor: usize) -> Vec<f32> {
    let length = 2 * REACH * factor;
    let (middle, cutoff) = ((length - 1) as f64 / 2.0, 0.9 / factor as f64);
    let tap = |at: usize| {
        let x = at as f64 - middle;
        let sinc =
            if x == 0.0 { cutoff } else { (std::f64::consts::PI * cutoff * x).sin() / (std::f64::consts::PI * x) };
        let turn = std::f64::consts::TAU * at as f64 / (length - 1) as f64;
        sinc * (0.42 - 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos())
    };
    let taps: Vec<f64> = (0..length).map(tap).collect();
    let sum: f64 = taps.iter().sum();
    taps.iter().map(|tap| (tap / sum) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f64, rate: u32, count: usize) -> Vec<i16> {
        (0..count)
            .map(|at| ((at as f64 * hertz * std::f64::consts::TAU / f64::from(rate)).sin() * 10_000.0) as i16)
            .collect()
    }

    fn power(pcm: &[i16]) -> f64 {
        (pcm.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / pcm.len().max(1) as f64).sqrt()
    }

    fn run(from: u32, to: u32, pcm: &[i16]) -> Vec<i16> {
        let mut out = Vec::new();
        Resampler::new(from, to).expect("whole factors").process(pcm, &mut out);
        out
    }

    #[test]
    fn a_tone_keeps_its_strength_and_length() {
        for (from, to) in [
            (8_000, 16_000),
            (16_000, 8_000),
            (8_000, 48_000),
            (48_000, 8_000),
            (16_000, 48_000),
            (48_000, 16_000),
            (8_000, 8_000),
        ] {
            let out = run(from, to, &tone(1000.0, from, from as usize));
            assert_eq!(out.len(), to as usize, "{from} to {to}");
            let steady = &out[out.len() / 4..];
            assert!((power(steady) / 7071.0 - 1.0).abs() < 0.02, "{from} to {to}: {}", power(steady));
        }
    }

    #[test]
    fn what_the_slower_rate_cannot_carry_is_gone() {
        let out = run(16_000, 8_000, &tone(6000.0, 16_000, 16_000));
        assert!(power(&out[1000..]) < 30.0, "an alias of {}", power(&out[1000..]));
    }

    #[test]
    fn odd_packets_make_no_difference() {
        let pcm = tone(700.0, 48_000, 4_800);
        let mut resampler = Resampler::new(48_000, 8_000).expect("whole factors");
        let mut pieces = Vec::new();
        pcm.chunks(37).for_each(|chunk| resampler.process(chunk, &mut pieces));
        assert_eq!(pieces, run(48_000, 8_000, &pcm));
        assert!(Resampler::new(8_000, 44_100).is_none());
    }
}
