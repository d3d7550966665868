//! What a payload type stands for: `rtpmap`, `fmtp` and the static table of RFC 3551 §6.

use std::fmt;

use crate::attribute::fmtp::H264Parameters;
use crate::media::{Kind, Media};

/// How media is encoded.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Encoding {
    /// G.711 mu-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// G.722; its RTP clock runs at 8000 though it samples at 16000.
    G722,
    /// Opus (RFC 7587).
    Opus,
    /// Keypad tones as events (RFC 4733).
    TelephoneEvent,
    /// Comfort noise (RFC 3389).
    ComfortNoise,
    /// H.264 (RFC 6184).
    H264,
    /// VP8 (RFC 7741).
    Vp8,
    /// Anything else, by its name as written.
    Other(String),
}

const NAMES: &[(&str, Encoding)] = &[
    ("PCMU", Encoding::Pcmu),
    ("PCMA", Encoding::Pcma),
    ("G722", Encoding::G722),
    ("opus", Encoding::Opus),
    ("telephone-event", Encoding::TelephoneEvent),
    ("CN", Encoding::ComfortNoise),
    ("H264", Encoding::H264),
    ("VP8", Encoding::Vp8),
];

impl Encoding {
    /// By its registered name, in any letter case.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let known = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        known.map_or_else(|| Self::Other(name.into()), |(_, encoding)| encoding.clone())
    }

    /// Whether sound or pictures are in it; events and comfort noise only accompany.
    #[must_use]
    pub fn is_primary(&self) -> bool {
        let accompanies = ["red", "ulpfec", "flexfec-03", "rtx"];
        match self {
            Self::TelephoneEvent | Self::ComfortNoise => false,
            Self::Other(name) => !accompanies.iter().any(|known| known.eq_ignore_ascii_case(name)),
            _ => true,
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(name) => f.write_str(name),
            known => f.write_str(NAMES.iter().find(|(_, encoding)| encoding == known).map_or("", |(name, _)| name)),
        }
    }
}

/// A payload type and what it stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Codec {
    /// The number in the packets, 0 to 127.
    pub payload: u8,
    /// How it is encoded.
    pub encoding: Encoding,
    /// Clock of the RTP timestamp, in hertz.
    pub clock: u32,
    /// Channels as declared; Opus always says 2.
    pub channels: u8,
    /// Format parameters as written; empty when there are none.
    pub fmtp: String,
}

impl Codec {
    /// A codec by name with its usual clock and channels.
    #[must_use]
    pub fn new(payload: u8, encoding: Encoding) -> Self {
        let (clock, channels) = match encoding {
            Encoding::Opus => (48_000, 2),
            Encoding::H264 | Encoding::Vp8 => (90_000, 1),
            _ => (8_000, 1),
        };
        Self { payload, encoding, clock, channels, fmtp: String::new() }
    }

    /// The same codec with format parameters.
    #[must_use]
    pub fn with_fmtp(mut self, fmtp: &str) -> Self {
        self.fmtp = fmtp.into();
        self
    }

    /// What a number means without `rtpmap`.
    #[must_use]
    pub fn fixed(payload: u8) -> Option<Self> {
        let (name, clock) = match payload {
            0 => ("PCMU", 8_000),
            3 => ("GSM", 8_000),
            4 => ("G723", 8_000),
            8 => ("PCMA", 8_000),
            9 => ("G722", 8_000),
            13 => ("CN", 8_000),
            15 => ("G728", 8_000),
            18 => ("G729", 8_000),
            26 => ("JPEG", 90_000),
            31 => ("H261", 90_000),
            34 => ("H263", 90_000),
            _ => return None,
        };
        Some(Self { payload, encoding: Encoding::of(name), clock, channels: 1, fmtp: String::new() })
    }

    /// Whether packets of one can be given to the other with nothing but another payload type.
    #[must_use]
    pub fn fits(&self, other: &Self) -> bool {
        if self.encoding != other.encoding || self.clock != other.clock {
            // Names beyond ours compare without their case.
            let same_other = match (&self.encoding, &other.encoding) {
                (Encoding::Other(a), Encoding::Other(b)) => a.eq_ignore_ascii_case(b) && self.clock == other.clock,
                _ => false,
            };
            return same_other && self.channels == other.channels && self.fmtp == other.fmtp;
        }
        match self.encoding {
            Encoding::H264 => H264Parameters::parse(&self.fmtp).fits(&H264Parameters::parse(&other.fmtp)),
            Encoding::Other(_) => self.channels == other.channels && self.fmtp == other.fmtp,
            _ => self.channels == other.channels,
        }
    }

    /// The value of its `rtpmap`.
    #[must_use]
    pub fn rtpmap(&self) -> String {
        let channels = if self.channels > 1 { format!("/{}", self.channels) } else { String::new() };
        format!("{} {}/{}{channels}", self.payload, self.encoding, self.clock)
    }
}

/// The codecs of a medium, in its order; a number that nothing explains is left out.
pub(crate) fn read(media: &Media) -> Vec<Codec> {
    if !media.protocol.is_rtp() || !matches!(media.kind, Kind::Audio | Kind::Video) {
        return Vec::new();
    }
    let numbers = media.formats.iter().filter_map(|format| format.parse::<u8>().ok()).filter(|number| *number < 128);
    numbers.filter_map(|number| explained(media, number)).collect()
}

fn explained(media: &Media, payload: u8) -> Option<Codec> {
    let own = |value: &str| -> Option<String> {
        let (number, rest) = value.split_once(' ')?;
        (number.parse() == Ok(payload)).then(|| rest.trim().to_owned())
    };
    let mut codec = match media.attributes("rtpmap").find_map(own) {
        Some(map) => {
            let mut parts = map.split('/');
            let encoding = Encoding::of(parts.next()?);
            let clock = parts.next()?.trim().parse().ok().filter(|clock| *clock > 0)?;
            let channels = parts.next().map_or(Some(1), |channels| channels.trim().parse().ok())?;
            Codec { payload, encoding, clock, channels, fmtp: String::new() }
        }
        None => Codec::fixed(payload)?,
    };
    codec.fmtp = media.attributes("fmtp").find_map(own).unwrap_or_default();
    Some(codec)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Protocol;

    fn medium(kind: Kind, formats: &[&str], lines: &[(&str, &str)]) -> Media {
        let formats = formats.iter().map(|format| (*format).to_owned()).collect();
        let mut media = Media::new(kind, 4000, Protocol::RtpAvp, formats);
        lines.iter().for_each(|(name, value)| media.push(name, value));
        media
    }

    #[test]
    fn payload_types_are_explained_or_left_out() {
        let lines = [
            ("rtpmap", "111 OPUS/48000/2"),
            ("fmtp", "111 useinbandfec=1"),
            ("rtpmap", "101 telephone-event/8000"),
            ("rtpmap", "98 x/0"),
        ];
        let codecs = medium(Kind::Audio, &["111", "0", "9", "101", "98", "99", "300"], &lines).codecs();
        let shown: Vec<_> = codecs.iter().map(Codec::rtpmap).collect();
        assert_eq!(shown, ["111 opus/48000/2", "0 PCMU/8000", "9 G722/8000", "101 telephone-event/8000"]);
        assert_eq!(codecs[0].fmtp, "useinbandfec=1");
    }

    #[test]
    fn what_fits_needs_no_transcoding() {
        let opus = Codec::new(111, Encoding::Opus);
        assert!(opus.fits(&Codec::new(96, Encoding::Opus).with_fmtp("stereo=1")), "numbers and wishes may differ");
        assert!(!opus.fits(&Codec::new(0, Encoding::Pcmu)));
        let h264 = |fmtp| Codec::new(97, Encoding::H264).with_fmtp(fmtp);
        assert!(!h264("packetization-mode=1").fits(&h264("")));
        let other = |name: &str| Codec::new(98, Encoding::Other(name.into()));
        assert!(other("iLBC").fits(&other("ILBC")));
        assert!(!other("iLBC").fits(&other("iLBC").with_fmtp("mode=20")));
    }
}
