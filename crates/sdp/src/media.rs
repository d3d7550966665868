//! One medium: its `m=` line and the lines that follow it.

use std::fmt::{self, Write as _};

use crate::attribute::{candidate::Candidate, crypto::Crypto, direction::Direction, dtls::Fingerprint, dtls::Setup};
use crate::codec::{self, Codec};
use crate::limits::{MAX_CANDIDATES, MAX_CRYPTO, MAX_FORMATS};
use crate::line::Line;
use crate::origin::Connection;

/// What kind of thing a medium carries.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// Sound.
    Audio,
    /// Moving pictures.
    Video,
    /// Data channels and others.
    Application,
    /// Anything else, as written.
    Other(String),
}

impl Kind {
    fn of(text: &str) -> Self {
        match text {
            "audio" => Self::Audio,
            "video" => Self::Video,
            "application" => Self::Application,
            other => Self::Other(other.into()),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Application => "application",
            Self::Other(other) => other,
        })
    }
}

/// The transport of a medium, as far as we have to tell one from another.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Protocol {
    /// `RTP/AVP`.
    RtpAvp,
    /// `RTP/AVPF`.
    RtpAvpf,
    /// `RTP/SAVP`.
    RtpSavp,
    /// `RTP/SAVPF`.
    RtpSavpf,
    /// `UDP/TLS/RTP/SAVP`.
    DtlsSavp,
    /// `UDP/TLS/RTP/SAVPF`, what browsers speak.
    DtlsSavpf,
    /// Anything else, as written.
    Other(String),
}

const PROTOCOLS: &[(&str, Protocol)] = &[
    ("RTP/AVP", Protocol::RtpAvp),
    ("RTP/AVPF", Protocol::RtpAvpf),
    ("RTP/SAVP", Protocol::RtpSavp),
    ("RTP/SAVPF", Protocol::RtpSavpf),
    ("UDP/TLS/RTP/SAVP", Protocol::DtlsSavp),
    ("UDP/TLS/RTP/SAVPF", Protocol::DtlsSavpf),
];

impl Protocol {
    fn of(text: &str) -> Self {
        let known = PROTOCOLS.iter().find(|(name, _)| *name == text);
        known.map_or_else(|| Self::Other(text.into()), |(_, protocol)| protocol.clone())
    }

    /// Whether it carries RTP, secured or not.
    #[must_use]
    pub fn is_rtp(&self) -> bool {
        !matches!(self, Self::Other(_))
    }

    /// Whether its name asks for SRTP.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        matches!(self, Self::RtpSavp | Self::RtpSavpf | Self::DtlsSavp | Self::DtlsSavpf)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(other) => f.write_str(other),
            known => {
                let name = PROTOCOLS.iter().find(|(_, protocol)| protocol == known).map_or("", |(name, _)| name);
                f.write_str(name)
            }
        }
    }
}

/// One medium.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Media {
    /// What it carries.
    pub kind: Kind,
    /// Where it is received; zero refuses or removes it.
    pub port: u16,
    /// Number of ports, one as a rule.
    pub ports: u16,
    /// How it is carried.
    pub protocol: Protocol,
    /// Payload types of RTP, other words of other protocols.
    pub formats: Vec<String>,
    /// Every line up to the next `m=`, in order.
    pub lines: Vec<Line>,
}

impl Media {
    /// A medium without lines.
    #[must_use]
    pub fn new(kind: Kind, port: u16, protocol: Protocol, formats: Vec<String>) -> Self {
        Self { kind, port, ports: 1, protocol, formats, lines: Vec::new() }
    }

    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut words = text.split_ascii_whitespace();
        let mut next = || words.next().ok_or("m= needs kind, port, protocol and formats");
        let (kind, port, protocol) = (Kind::of(next()?), next()?, Protocol::of(next()?));
        let (port, ports) = port.split_once('/').unwrap_or((port, "1"));
        let port = port.parse().map_err(|_| "the port of m= is no number up to 65535")?;
        let ports = ports.parse().map_err(|_| "the number of ports of m= is no number up to 65535")?;
        let formats: Vec<String> = words.map(Into::into).collect();
        if formats.len() > MAX_FORMATS {
            return Err("m= names more formats than there are payload types");
        }
        if formats.is_empty() && protocol.is_rtp() && port != 0 {
            return Err("m= names no format");
        }
        Ok(Self { kind, port, ports, protocol, formats, lines: Vec::new() })
    }

    pub(crate) fn head(&self) -> String {
        let mut head = format!("{} {}", self.kind, self.port);
        if self.ports != 1 {
            let _ = write!(head, "/{}", self.ports);
        }
        let _ = write!(head, " {}", self.protocol);
        for format in &self.formats {
            let _ = write!(head, " {format}");
        }
        head
    }

    /// The value of the first attribute `name`; empty for a flag.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| line.value_of(name))
    }

    /// The values of every attribute `name`.
    pub fn attributes<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.lines.iter().filter_map(move |line| line.value_of(name))
    }

    /// Takes every attribute `name` away.
    pub fn remove(&mut self, name: &str) {
        self.lines.retain(|line| line.value_of(name).is_none());
    }

    /// Appends an attribute.
    pub fn push(&mut self, name: &str, value: &str) {
        self.lines.push(Line::attribute(name, value));
    }

    /// The medium's own `c=`.
    #[must_use]
    pub fn connection(&self) -> Option<Connection> {
        self.lines.iter().find(|line| line.letter() == 'c').and_then(|line| Connection::parse(line.text()))
    }

    /// What its own attribute says of the direction.
    #[must_use]
    pub fn own_direction(&self) -> Option<Direction> {
        self.lines.iter().find_map(|line| Direction::of(line.as_attribute()?.0))
    }

    /// The codecs in the order of preference, by `rtpmap` and the static table of RFC 3551.
    #[must_use]
    pub fn codecs(&self) -> Vec<Codec> {
        codec::read(self)
    }

    /// The SDES keys it offers, in order; what cannot be read is left out.
    #[must_use]
    pub fn crypto(&self) -> Vec<Crypto> {
        self.attributes("crypto").take(MAX_CRYPTO).filter_map(Crypto::parse).collect()
    }

    /// The ICE candidates; what cannot be read is left out.
    #[must_use]
    pub fn candidates(&self) -> Vec<Candidate> {
        self.attributes("candidate").take(MAX_CANDIDATES).filter_map(Candidate::parse).collect()
    }

    /// The certificate's fingerprint, if it stands here rather than in the session.
    #[must_use]
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.attributes("fingerprint").find_map(Fingerprint::parse)
    }

    /// Who begins the DTLS handshake.
    #[must_use]
    pub fn setup(&self) -> Option<Setup> {
        self.attribute("setup").and_then(Setup::parse)
    }

    /// Whether RTP and RTCP share a port (RFC 5761).
    #[must_use]
    pub fn rtcp_mux(&self) -> bool {
        self.attribute("rtcp-mux").is_some()
    }

    /// Its name within the description (RFC 5888).
    #[must_use]
    pub fn mid(&self) -> Option<&str> {
        self.attribute("mid")
    }

    /// Milliseconds of sound in a packet, as wished.
    #[must_use]
    pub fn ptime(&self) -> Option<u32> {
        self.attribute("ptime").and_then(|value| value.trim().parse().ok()).filter(|value| (1..=200).contains(value))
    }

    /// Bits per second it wants at most: `TIAS`, else `AS` (RFC 3890, RFC 8866 §5.8).
    #[must_use]
    pub fn bandwidth_bps(&self) -> Option<u64> {
        let of = |name: &str| {
            let lines = self.lines.iter().filter(|line| line.letter() == 'b');
            let found = lines.filter_map(|line| line.text().split_once(':')).find(|(own, _)| *own == name);
            found.and_then(|(_, value)| value.trim().parse().ok())
        };
        of("TIAS").or_else(|| of("AS").and_then(|kilo: u64| kilo.checked_mul(1000)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_and_written() {
        for head in [
            "audio 4000 RTP/AVP 0 8 101",
            "video 0 RTP/SAVP 96",
            "audio 9 UDP/TLS/RTP/SAVPF 111",
            "application 9 UDP/DTLS/SCTP webrtc-datachannel",
            "audio 4000/2 RTP/AVP 0",
            "image 5000 udptl t38",
        ] {
            assert_eq!(Media::parse(head).expect(head).head(), head);
        }
        for bad in ["", "audio", "audio x RTP/AVP 0", "audio 70000 RTP/AVP 0", "audio 1 RTP/AVP", "audio 1/x RTP/AVP 0"]
        {
            assert!(Media::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn bandwidth_prefers_bits_to_kilobits() {
        let mut media = Media::parse("audio 1 RTP/AVP 0").expect("a head");
        media.lines.push(Line::new('b', "AS:64"));
        assert_eq!(media.bandwidth_bps(), Some(64_000));
        media.lines.push(Line::new('b', "TIAS:50000"));
        assert_eq!(media.bandwidth_bps(), Some(50_000));
    }
}
