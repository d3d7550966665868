//! G.722 at 64 kbit/s: two bands of ADPCM, by the block diagrams and tables of ITU-T G.722.
//!
//! The lower band has six bits, the higher two. Names of variables follow the recommendation where it has any.

/// The quadrature mirror filter (table 11), first half; the second is its mirror.
const QMF: [i32; 12] = [3, -11, -11, 53, 12, -156, 32, 362, -210, -805, 951, 3876];

/// Decision levels of the lower band (table 13).
const Q6: [i32; 30] = [
    0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219, 1339,
    1458, 1612, 1765, 1980, 2195, 2557, 2919,
];
/// Values of the lower band, by code of four bits (table 14): what both ends adapt by.
const QM4: [i32; 16] =
    [0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0];
/// Values of the lower band, by code of six bits: what is heard.
const QM6: [i32; 64] = [
    -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576,
    -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040,
    -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
    4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
];
/// Values of the higher band, by code of two bits.
const QM2: [i32; 4] = [-7408, -1616, 7408, 1616];
/// Multipliers of the scale factor, lower and higher band (tables 15 and 17).
const WL: [i32; 8] = [-60, -30, 58, 172, 334, 538, 1198, 3042];
const RL42: [usize; 16] = [0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0];
const WH: [i32; 3] = [0, -214, 798];
const RH2: [usize; 4] = [2, 1, 2, 1];
/// Powers of two between one and two (table 19).
const ILB: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896, 2960, 3025,
    3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

fn saturate(value: i32) -> i32 {
    value.clamp(-32_768, 32_767)
}

/// One band's predictor and scale factor (§3.4 to §3.6 of the recommendation).
#[derive(Clone, Debug)]
struct Band {
    /// Prediction, and its two parts.
    s: i32,
    sz: i32,
    /// Reconstructed signals and partially reconstructed ones, newest first.
    r: [i32; 3],
    p: [i32; 3],
    /// Pole and zero coefficients.
    a: [i32; 3],
    b: [i32; 7],
    /// Quantized differences, newest first.
    d: [i32; 7],
    /// Logarithm of the scale factor, and the factor.
    nb: i32,
    det: i32,
}

impl Band {
    fn new(det: i32) -> Self {
        Self { s: 0, sz: 0, r: [0; 3], p: [0; 3], a: [0; 3], b: [0; 7], d: [0; 7], nb: 0, det }
    }

    /// Block 4: the predictor learns from the quantized difference.
    fn learn(&mut self, d: i32) {
        self.d[0] = d;
        self.r[0] = saturate(self.s + d);
        self.p[0] = saturate(self.sz + d);
        self.poles();
        self.zeros(d);
        for list in [&mut self.r, &mut self.p] {
            (list[2], list[1]) = (list[1], list[0]);
        }
        self.d.copy_within(0..6, 1);
        let pole = |a: i32, r: i32| (a * saturate(r + r)) >> 15;
        let sp = saturate(pole(self.a[1], self.r[1]) + pole(self.a[2], self.r[2]));
        let zeros: i32 = (1..7).map(|at| (self.b[at] * saturate(self.d[at] + self.d[at])) >> 15).sum();
        self.sz = saturate(zeros);
        self.s = saturate(sp + self.sz);
    }

    /// UPPOL2 and UPPOL1.
    fn poles(&mut self) {
        let negative = self.p.map(|p| p < 0);
        let first = saturate(self.a[1] << 2);
        let first = if negative[0] == negative[1] { (-first).min(32_767) } else { first };
        let second = if negative[0] == negative[2] { 128 } else { -128 };
        let a2 = ((first >> 7) + second + ((self.a[2] * 32_512) >> 15)).clamp(-12_288, 12_288);
        let step = if negative[0] == negative[1] { 192 } else { -192 };
        let bound = saturate(15_360 - a2);
        let a1 = saturate(step + ((self.a[1] * 32_640) >> 15)).clamp(-bound, bound);
        (self.a[1], self.a[2]) = (a1, a2);
    }

    /// UPZERO.
    fn zeros(&mut self, d: i32) {
        let step = if d == 0 { 0 } else { 128 };
        for at in 1..7 {
            let same = (self.d[at] < 0) == (d < 0);
            self.b[at] = saturate((if same { step } else { -step }) + ((self.b[at] * 32_640) >> 15));
        }
    }

    /// LOGSCL and SCALEL of the lower band, by its four upper bits.
    fn scale_low(&mut self, code: usize) {
        self.nb = (((self.nb * 127) >> 7) + WL[RL42[code]]).clamp(0, 18_432);
        self.det = scale(self.nb, 8);
    }

    /// LOGSCH and SCALEH of the higher band.
    fn scale_high(&mut self, code: usize) {
        self.nb = (((self.nb * 127) >> 7) + WH[RH2[code]]).clamp(0, 22_528);
        self.det = scale(self.nb, 10);
    }
}

fn scale(nb: i32, top: i32) -> i32 {
    let (fraction, shift) = (ILB[((nb >> 6) & 31) as usize], top - (nb >> 11));
    (if shift < 0 { fraction << -shift } else { fraction >> shift }) << 2
}

/// Code of the lower band's difference, six bits.
fn quantize_low(difference: i32, det: i32) -> usize {
    let magnitude = if difference >= 0 { difference } else { -(difference + 1) };
    let level = (1..30).find(|at| magnitude < (Q6[*at] * det) >> 12).unwrap_or(30);
    // Tables 15: codes of negative and positive differences.
    match (difference < 0, level) {
        (true, 1) => 63,
        (true, 2) => 62,
        (true, level) => 34 - level,
        (false, level) => 62 - level,
    }
}

/// Code of the higher band's difference, two bits.
fn quantize_high(difference: i32, det: i32) -> usize {
    let magnitude = if difference >= 0 { difference } else { -(difference + 1) };
    let far = magnitude >= (564 * det) >> 12;
    match (difference < 0, far) {
        (true, false) => 1,
        (true, true) => 0,
        (false, false) => 3,
        (false, true) => 2,
    }
}

/// The delay line of the mirror filter: 24 samples, the newest last.
#[derive(Clone, Debug)]
struct Mirror([i32; 24]);

impl Mirror {
    fn push(&mut self, one: i32, two: i32) {
        self.0.copy_within(2.., 0);
        (self.0[22], self.0[23]) = (one, two);
    }

    /// The sums over even and odd places.
    fn sums(&self) -> (i32, i32) {
        let (mut even, mut odd) = (0, 0);
        for at in 0..12 {
            even += self.0[2 * at] * COEFFICIENTS[at];
            odd += self.0[2 * at + 1] * COEFFICIENTS[11 - at];
        }
        (even, odd)
    }
}

/// The coefficients of the even places, oldest first: every second of the 24.
const COEFFICIENTS: [i32; 12] = {
    let mut list = [0; 12];
    let mut at = 0;
    while at < 12 {
        let place = 2 * at;
        list[at] = if place < 12 { QMF[place] } else { QMF[23 - place] };
        at += 1;
    }
    list
};

/// Samples at 16 kHz to bytes.
#[derive(Clone, Debug)]
pub struct Encoder {
    mirror: Mirror,
    low: Band,
    high: Band,
}

impl Default for Encoder {
    fn default() -> Self {
        Self { mirror: Mirror([0; 24]), low: Band::new(32), high: Band::new(8) }
    }
}

impl Encoder {
    /// Writes a byte for every two samples and gives their number; `None` when there is no room.
    pub fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> Option<usize> {
        let count = pcm.len() / 2;
        let out = out.get_mut(..count)?;
        for (byte, pair) in out.iter_mut().zip(pcm.chunks_exact(2)) {
            self.mirror.push(i32::from(pair[0]), i32::from(pair[1]));
            let (even, odd) = self.mirror.sums();
            let (low, high) = (saturate((even + odd) >> 14), saturate((odd - even) >> 14));
            *byte = (self.high_code(high) << 6 | self.low_code(low)) as u8;
        }
        Some(count)
    }

    fn low_code(&mut self, sample: i32) -> usize {
        let code = quantize_low(saturate(sample - self.low.s), self.low.det);
        let d = (self.low.det * QM4[code >> 2]) >> 15;
        self.low.scale_low(code >> 2);
        self.low.learn(d);
        code
    }

    fn high_code(&mut self, sample: i32) -> usize {
        let code = quantize_high(saturate(sample - self.high.s), self.high.det);
        let d = (self.high.det * QM2[code]) >> 15;
        self.high.scale_high(code);
        self.high.learn(d);
        code
    }
}

/// Bytes to samples at 16 kHz.
#[derive(Clone, Debug)]
pub struct Decoder {
    mirror: Mirror,
    low: Band,
    high: Band,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { mirror: Mirror([0; 24]), low: Band::new(32), high: Band::new(8) }
    }
}

impl Decoder {
    /// Appends two samples for every byte.
    pub fn decode(&mut self, payload: &[u8], pcm: &mut Vec<i16>) {
        for byte in payload {
            let (low, high) = (self.low_sample(usize::from(byte & 63)), self.high_sample(usize::from(byte >> 6)));
            self.mirror.push(low + high, low - high);
            let (even, odd) = self.mirror.sums();
            pcm.push(saturate(odd >> 11) as i16);
            pcm.push(saturate(even >> 11) as i16);
        }
    }

    fn low_sample(&mut self, code: usize) -> i32 {
        let heard = (self.low.s + ((self.low.det * QM6[code]) >> 15)).clamp(-16_384, 16_383);
        let d = (self.low.det * QM4[code >> 2]) >> 15;
        self.low.scale_low(code >> 2);
        self.low.learn(d);
        heard
    }

    fn high_sample(&mut self, code: usize) -> i32 {
        let d = (self.high.det * QM2[code]) >> 15;
        let heard = (self.high.s + d).clamp(-16_384, 16_383);
        self.high.scale_high(code);
        self.high.learn(d);
        heard
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Signal to noise in decibels, once the codec's own delay of 22 samples is taken off.
    fn fidelity(pcm: &[i16], heard: &[i16]) -> f64 {
        let best = (15..30).map(|delay| {
            let pairs = || pcm[2000..].iter().zip(&heard[2000 + delay..]);
            let signal: f64 = pairs().map(|(a, _)| f64::from(*a).powi(2)).sum();
            let noise: f64 = pairs().map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
            10.0 * (signal / noise.max(1.0)).log10()
        });
        best.fold(f64::MIN, f64::max)
    }

    fn there_and_back(pcm: &[i16]) -> Vec<i16> {
        let mut bytes = vec![0; pcm.len() / 2];
        assert_eq!(Encoder::default().encode(pcm, &mut bytes), Some(pcm.len() / 2));
        let mut heard = Vec::new();
        Decoder::default().decode(&bytes, &mut heard);
        heard
    }

    #[test]
    fn tones_of_both_bands_come_back() {
        for (hertz, least) in [(300.0, 25.0), (1000.0, 25.0), (2500.0, 20.0), (5500.0, 8.0), (6500.0, 8.0)] {
            let angle = |at: usize| at as f64 * hertz * std::f64::consts::TAU / 16_000.0;
            let pcm: Vec<i16> = (0..16_000).map(|at| (angle(at).sin() * 8000.0) as i16).collect();
            let ratio = fidelity(&pcm, &there_and_back(&pcm));
            assert!(ratio > least, "{hertz} Hz: {ratio} dB");
        }
    }

    #[test]
    fn silence_stays_silent_and_noise_stays_bounded() {
        let quiet = there_and_back(&[0; 4000]);
        assert!(quiet.iter().all(|sample| sample.abs() < 20));
        let mut state = 1u32;
        let loud: Vec<i16> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as i16
        })
        .take(16_000)
        .collect();
        assert_eq!(there_and_back(&loud).len(), loud.len());
        let mut pcm = Vec::new();
        Decoder::default().decode(&loud.iter().map(|sample| *sample as u8).collect::<Vec<_>>(), &mut pcm);
        assert_eq!(pcm.len(), 2 * loud.len());
    }

    #[test]
    fn a_byte_needs_room() {
        assert_eq!(Encoder::default().encode(&[0; 320], &mut [0; 159]), None);
    }
}
