//! Format parameters (`a=fmtp`) of the formats we understand: Opus, H.264, VP8, telephone-event.

/// The value of `name` in `key=value;key=value`, whatever its letters' case.
#[must_use]
pub fn parameter<'a>(fmtp: &'a str, name: &str) -> Option<&'a str> {
    let pairs = fmtp.split(';').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|it| it.1)
}

fn number(fmtp: &str, name: &str) -> Option<u32> {
    parameter(fmtp, name)?.parse().ok()
}

/// Opus (RFC 7587 §6.1): what the writer likes to receive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpusParameters {
    /// Hertz worth sending, 48000 when nothing is said.
    pub max_playback_rate: u32,
    /// Bits per second at most.
    pub max_average_bitrate: Option<u32>,
    /// Whether it wants two channels.
    pub stereo: bool,
    /// Whether it makes use of in-band error correction.
    pub in_band_fec: bool,
    /// Whether it wants silence to be left out.
    pub dtx: bool,
}

impl OpusParameters {
    /// Reads an `fmtp`.
    #[must_use]
    pub fn parse(fmtp: &str) -> Self {
        Self {
            max_playback_rate: number(fmtp, "maxplaybackrate").unwrap_or(48_000).clamp(8_000, 48_000),
            max_average_bitrate: number(fmtp, "maxaveragebitrate").map(|bits| bits.clamp(6_000, 510_000)),
            stereo: number(fmtp, "stereo") == Some(1),
            in_band_fec: number(fmtp, "useinbandfec") == Some(1),
            dtx: number(fmtp, "usedtx") == Some(1),
        }
    }
}

/// H.264 (RFC 6184 §8.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct H264Parameters {
    /// `profile_idc`: 66 baseline, 77 main, 100 high.
    pub profile: u8,
    /// Constraint flags.
    pub constraints: u8,
    /// Level times ten.
    pub level: u8,
    /// 0 single units, 1 non-interleaved.
    pub packetization_mode: u8,
}

impl H264Parameters {
    /// Reads an `fmtp`; without a profile it is baseline at level 1 (RFC 6184 §8.1).
    #[must_use]
    pub fn parse(fmtp: &str) -> Self {
        let id = parameter(fmtp, "profile-level-id").filter(|id| id.len() == 6);
        let id = id.and_then(|id| u32::from_str_radix(id, 16).ok()).unwrap_or(0x42_00_0A);
        let [_, profile, constraints, level] = id.to_be_bytes();
        let mode = number(fmtp, "packetization-mode").unwrap_or(0).min(2) as u8;
        Self { profile, constraints, level, packetization_mode: mode }
    }

    /// Whether pictures of one are understood by the other: profile and packetization must be the same, level need not.
    #[must_use]
    pub fn fits(&self, other: &Self) -> bool {
        // Constrained baseline is written as 42 with flag e or 4d/58 with others; the two that occur are told apart.
        let constrained = |it: &Self| it.profile == 66 && it.constraints & 0x40 != 0;
        self.profile == other.profile
            && self.packetization_mode == other.packetization_mode
            && constrained(self) == constrained(other)
    }
}

/// VP8 (RFC 7741 §6.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Vp8Parameters {
    /// Pictures a second at most.
    pub max_frame_rate: Option<u32>,
    /// Macroblocks of a picture at most.
    pub max_frame_size: Option<u32>,
}

impl Vp8Parameters {
    /// Reads an `fmtp`.
    #[must_use]
    pub fn parse(fmtp: &str) -> Self {
        Self { max_frame_rate: number(fmtp, "max-fr"), max_frame_size: number(fmtp, "max-fs") }
    }
}

/// The telephone events somebody takes (RFC 4733 §2.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Events([u64; 4]);

impl Events {
    /// The sixteen of a keypad, which is also what a missing `fmtp` means.
    pub const KEYPAD: Self = Self([0xFFFF, 0, 0, 0]);

    /// Reads `0-15,66`.
    #[must_use]
    pub fn parse(fmtp: &str) -> Self {
        if fmtp.trim().is_empty() {
            return Self::KEYPAD;
        }
        let mut events = Self([0; 4]);
        for part in fmtp.split(',').map(str::trim) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            if let (Ok(first), Ok(last)) = (first.trim().parse::<u8>(), last.trim().parse::<u8>()) {
                (first..=last).for_each(|event| events.0[usize::from(event / 64)] |= 1 << (event % 64));
            }
        }
        events
    }

    /// Whether `event` is taken.
    #[must_use]
    pub fn takes(&self, event: u8) -> bool {
        self.0[usize::from(event / 64)] & (1 << (event % 64)) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opus_wishes_are_read() {
        let browser = OpusParameters::parse("minptime=10;useinbandfec=1");
        assert_eq!((browser.in_band_fec, browser.stereo, browser.max_playback_rate), (true, false, 48_000));
        let narrow = OpusParameters::parse("maxplaybackrate=16000; maxaveragebitrate=1; stereo=1;usedtx=1");
        assert_eq!((narrow.max_playback_rate, narrow.max_average_bitrate), (16_000, Some(6_000)));
        assert!(narrow.stereo && narrow.dtx);
    }

    #[test]
    fn h264_needs_one_profile_and_packetization() {
        let of = H264Parameters::parse;
        let cases = [
            ("profile-level-id=42e01f;packetization-mode=1", "profile-level-id=42e034;packetization-mode=1", true),
            ("profile-level-id=42e01f;packetization-mode=1", "profile-level-id=42e01f", false),
            ("profile-level-id=42e01f", "profile-level-id=640028", false),
            ("profile-level-id=42001f", "profile-level-id=42e01f", false),
            ("", "profile-level-id=42000a;packetization-mode=0", true),
        ];
        for (a, b, fits) in cases {
            assert_eq!(of(a).fits(&of(b)), fits, "{a} and {b}");
        }
    }

    #[test]
    fn events_are_ranges_and_numbers() {
        let events = Events::parse("0-11,66, 200-255,x");
        for (event, takes) in [(0, true), (11, true), (12, false), (66, true), (67, false), (255, true), (199, false)] {
            assert_eq!(events.takes(event), takes, "{event}");
        }
        assert_eq!(Events::parse(""), Events::parse("0-15"));
    }

    #[test]
    fn vp8_bounds_are_read() {
        let both = Vp8Parameters::parse("max-fr=30; max-fs=3600");
        assert_eq!((both.max_frame_rate, both.max_frame_size), (Some(30), Some(3600)));
    }
}
