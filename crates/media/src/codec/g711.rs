//! G.711: A-law and mu-law by the formulas of ITU-T G.711.

/// Which of the two laws.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Law {
    /// A-law: Europe and between continents.
    A,
    /// Mu-law: North America and Japan.
    Mu,
}

/// What mu-law adds before it takes the logarithm, on a scale of 16 bits.
const MU_BIAS: i32 = 132;
/// The loudest sample of mu-law.
const MU_CLIP: i32 = 32_635;

const A_TABLE: [i16; 256] = table(Law::A);
const MU_TABLE: [i16; 256] = table(Law::Mu);

const fn table(law: Law) -> [i16; 256] {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = match law {
            Law::A => a_value(code as u8),
            Law::Mu => mu_value(code as u8),
        };
        code += 1;
    }
    table
}

/// Every second bit of A-law is turned over (G.711 table 1a, note 2); then a sign, a chord of 3 bits, a step of 4.
const fn a_value(code: u8) -> i16 {
    let plain = code ^ 0x55;
    let (chord, step) = ((plain >> 4) & 7, (plain & 15) as i16);
    let magnitude = match chord {
        0 => (step << 4) + 8,
        chord => ((step << 4) + 0x108) << (chord - 1),
    };
    if plain & 0x80 != 0 { magnitude } else { -magnitude }
}

/// All bits of mu-law are turned over (G.711 table 2a, note 2).
const fn mu_value(code: u8) -> i16 {
    let plain = !code;
    let (chord, step) = ((plain >> 4) & 7, (plain & 15) as i32);
    let magnitude = (((step << 3) + MU_BIAS) << chord) - MU_BIAS;
    if plain & 0x80 != 0 { -magnitude as i16 } else { magnitude as i16 }
}

impl Law {
    /// The sample of a code, on a scale of 16 bits.
    #[must_use]
    pub fn decode(self, code: u8) -> i16 {
        match self {
            Self::A => A_TABLE[usize::from(code)],
            Self::Mu => MU_TABLE[usize::from(code)],
        }
    }

    /// The code of a sample.
    #[must_use]
    pub fn encode(self, sample: i16) -> u8 {
        match self {
            Self::A => a_code(sample),
            Self::Mu => mu_code(sample),
        }
    }

    /// What silence is coded as.
    #[must_use]
    pub fn silence(self) -> u8 {
        self.encode(0)
    }
}

fn a_code(sample: i16) -> u8 {
    let (sign, magnitude) = if sample >= 0 { (0x80, sample as u16) } else { (0, !sample as u16) };
    // The chord is the place of the highest bit above the eight lowest.
    let chord = (16 - (magnitude >> 8).leading_zeros()) as u16;
    let step = if chord < 2 { magnitude >> 4 } else { magnitude >> (chord + 3) };
    (sign | (chord << 4) as u8 | (step & 15) as u8) ^ 0x55
}

fn mu_code(sample: i16) -> u8 {
    let sample = i32::from(sample);
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = sample.abs().min(MU_CLIP) + MU_BIAS;
    let chord = 24 - magnitude.leading_zeros();
    let step = (magnitude >> (chord + 3)) & 15;
    !(sign | (chord << 4) as u8 | step as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_recommendation() {
        // G.711 tables 1a/1b and 2a/2b: code, value on a scale of 13 and 14 bits.
        let a = [(0xD5, 1), (0x55, -1), (0xD4, 3), (0xC5, 33), (0xAA, 4032), (0x2A, -4032)];
        for (code, value) in a {
            assert_eq!(i32::from(Law::A.decode(code)), value * 8, "A-law {code:02X}");
        }
        let mu = [(0xFF, 0), (0x7F, 0), (0xFE, 2), (0x7E, -2), (0xEF, 33), (0x80, 8031), (0x00, -8031)];
        for (code, value) in mu {
            assert_eq!(i32::from(Law::Mu.decode(code)), value * 4, "mu-law {code:02X}");
        }
        assert_eq!((Law::A.silence(), Law::Mu.silence()), (0xD5, 0xFF));
    }

    #[test]
    fn every_code_comes_back() {
        for code in 0..=255u8 {
            assert_eq!(Law::A.encode(Law::A.decode(code)), code, "A-law {code:02X}");
            // Mu-law has two zeros.
            let back = Law::Mu.encode(Law::Mu.decode(code));
            assert!(back == code || code == 0x7F && back == 0xFF, "mu-law {code:02X}");
        }
    }

    #[test]
    fn no_sample_is_off_by_more_than_half_a_step() {
        for law in [Law::A, Law::Mu] {
            for sample in (-MU_CLIP..=MU_CLIP).step_by(7) {
                let given = i32::from(law.decode(law.encode(sample as i16)));
                // A step is a sixteenth of its chord; mu-law counts its chords from the bias on.
                let loud = sample.abs().max(given.abs()) + if law == Law::Mu { MU_BIAS } else { 1 };
                let step = (1 << loud.ilog2() >> 4).max(if law == Law::A { 16 } else { 8 });
                assert!((given - sample).abs() <= step / 2 + 1, "{law:?}: {sample} became {given}, a step is {step}");
            }
        }
    }
}
