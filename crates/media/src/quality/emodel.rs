//! The E-model: from delay and loss to a mean opinion score (ITU-T G.107, defaults of its table 3).

use lyceum_sdp::Encoding;

/// What a codec costs on G.107's scale (G.113 appendix I).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Impairment {
    /// Without loss (Ie).
    pub equipment: f32,
    /// How well it bears loss (Bpl).
    pub robustness: f32,
}

impl Impairment {
    /// The figures of a codec. G.113 gives those of G.711 with concealment, G.729A and GSM; G.722 and Opus sound no worse
    /// than G.711 on this narrow-band scale, and what nobody measured is taken for a middling codec.
    #[must_use]
    pub fn of(encoding: &Encoding) -> Self {
        let (equipment, robustness) = match encoding {
            Encoding::Pcmu | Encoding::Pcma | Encoding::G722 | Encoding::Opus => (0.0, 25.1),
            Encoding::Other(name) if name.eq_ignore_ascii_case("G729") => (11.0, 19.0),
            Encoding::Other(name) if name.eq_ignore_ascii_case("GSM") => (20.0, 10.0),
            _ => (15.0, 10.0),
        };
        Self { equipment, robustness }
    }
}

/// R0 less Is with the defaults of G.107.
const BASE: f32 = 93.2;

/// The rating R from the one-way delay, the part lost and how bursty losses are (1 for chance).
#[must_use]
pub fn rating(codec: Impairment, delay_ms: f32, loss: f32, burst_ratio: f32) -> f32 {
    let percent = loss.clamp(0.0, 1.0) * 100.0;
    let spread = percent / burst_ratio.max(1.0) + codec.robustness;
    let equipment = codec.equipment + (95.0 - codec.equipment) * percent / spread;
    BASE - delay_impairment(delay_ms) - equipment
}

/// Idd of G.107 §7.4: nothing up to 100 ms.
fn delay_impairment(delay_ms: f32) -> f32 {
    if delay_ms <= 100.0 {
        return 0.0;
    }
    let x = (delay_ms / 100.0).log2();
    let root = |value: f32| (1.0 + value.powi(6)).powf(1.0 / 6.0);
    25.0 * (root(x) - 3.0 * root(x / 3.0) + 2.0)
}

/// The mean opinion score of a rating (G.107 annex B).
#[must_use]
pub fn mos(rating: f32) -> f32 {
    match rating {
        r if r <= 0.0 => 1.0,
        r if r >= 100.0 => 4.5,
        r => (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).max(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_ratings() {
        let g711 = Impairment::of(&Encoding::Pcma);
        // delay, loss, expected score: the first is G.107's own default, 4.41.
        let cases = [
            (0.0, 0.0, 4.41),
            (100.0, 0.0, 4.41),
            (200.0, 0.0, 4.34),
            (400.0, 0.0, 3.3),
            (20.0, 0.05, 3.99),
            (20.0, 0.20, 2.66),
        ];
        for (delay, loss, expected) in cases {
            let score = mos(rating(g711, delay, loss, 1.0));
            assert!((score - expected).abs() < 0.3, "{delay} ms, {loss}: {score}");
        }
    }

    #[test]
    fn worse_is_never_better() {
        let g729 = Impairment::of(&Encoding::Other("g729".into()));
        let score =
            |delay: u16, loss: u16, burst: f32| mos(rating(g729, f32::from(delay), f32::from(loss) / 100.0, burst));
        for step in 0..50 {
            assert!(score(step * 20 + 20, 0, 1.0) <= score(step * 20, 0, 1.0));
            assert!(score(0, step + 1, 1.0) <= score(0, step, 1.0));
            assert!(score(0, step, 3.0) <= score(0, step, 1.0));
        }
        assert_eq!((mos(-5.0), mos(120.0)), (1.0, 4.5));
    }
}
