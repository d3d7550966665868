//! What we want to say of one medium: the ingredients of an offer or an answer.

use std::net::SocketAddr;

use crate::attribute::{candidate::Candidate, crypto::Crypto, direction::Direction, dtls::Fingerprint, dtls::Setup};
use crate::codec::Codec;
use crate::line::Line;
use crate::media::{Kind, Media, Protocol};
use crate::origin::Connection;

/// Our ICE credentials and candidates.
#[derive(Clone, PartialEq, Eq)]
pub struct Ice {
    /// User fragment, at least 4 characters.
    pub ufrag: String,
    /// Password, at least 22 characters; it does not print.
    pub pwd: String,
    /// Where we may be reached.
    pub candidates: Vec<Candidate>,
}

impl std::fmt::Debug for Ice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ice {{ ufrag: {:?}, pwd: <secret>, candidates: {:?} }}", self.ufrag, self.candidates)
    }
}

/// Our certificate and who begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dtls {
    /// Of our certificate.
    pub fingerprint: Fingerprint,
    /// `ActPass` in an offer; an answer chooses.
    pub setup: Setup,
}

/// One medium as we want it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stream {
    /// What it carries.
    pub kind: Kind,
    /// Where we receive RTP.
    pub address: SocketAddr,
    /// Where we receive RTCP, when that is not the next port.
    pub rtcp_port: Option<u16>,
    /// How it is carried; an answer takes the offer's.
    pub protocol: Protocol,
    /// What we want, seen by us.
    pub direction: Direction,
    /// In order of preference, events and comfort noise included.
    pub codecs: Vec<Codec>,
    /// Milliseconds of sound in a packet.
    pub ptime: Option<u32>,
    /// Whether RTCP may come on the same port.
    pub rtcp_mux: bool,
    /// Its name; an answer takes the offer's.
    pub mid: Option<String>,
    /// Our SDES keys: several in an offer, the chosen one in an answer.
    pub crypto: Vec<Crypto>,
    /// ICE, when we speak it on this leg.
    pub ice: Option<Ice>,
    /// DTLS, when we speak it on this leg.
    pub dtls: Option<Dtls>,
    /// Further lines, as they shall stand (`extmap`, `rtcp-fb`, `ssrc`).
    pub extra: Vec<Line>,
}

impl Stream {
    /// A plain audio stream both ways.
    #[must_use]
    pub fn audio(address: SocketAddr, codecs: Vec<Codec>) -> Self {
        Self {
            kind: Kind::Audio,
            address,
            rtcp_port: None,
            protocol: Protocol::RtpAvp,
            direction: Direction::SendRecv,
            codecs,
            ptime: None,
            rtcp_mux: false,
            mid: None,
            crypto: Vec::new(),
            ice: None,
            dtls: None,
            extra: Vec::new(),
        }
    }

    /// As it stands in a description.
    #[must_use]
    pub fn to_media(&self) -> Media {
        let formats = self.codecs.iter().map(|codec| codec.payload.to_string()).collect();
        let mut media = Media::new(self.kind.clone(), self.address.port(), self.protocol.clone(), formats);
        media.lines.push(Line::new('c', &Connection::new(self.address.ip()).to_string()));
        if let Some(mid) = &self.mid {
            media.push("mid", mid);
        }
        for codec in &self.codecs {
            media.push("rtpmap", &codec.rtpmap());
            if !codec.fmtp.is_empty() {
                media.push("fmtp", &format!("{} {}", codec.payload, codec.fmtp));
            }
        }
        if let Some(ptime) = self.ptime {
            media.push("ptime", &ptime.to_string());
        }
        if self.rtcp_mux {
            media.push("rtcp-mux", "");
        }
        if let Some(port) = self.rtcp_port.filter(|_| !self.rtcp_mux) {
            media.push("rtcp", &port.to_string());
        }
        self.crypto.iter().for_each(|line| media.push("crypto", &line.to_value()));
        self.write_web(&mut media);
        media.push(&self.direction.to_string(), "");
        media.lines.extend(self.extra.iter().cloned());
        media
    }

    fn write_web(&self, media: &mut Media) {
        if let Some(ice) = &self.ice {
            media.push("ice-ufrag", &ice.ufrag);
            media.push("ice-pwd", &ice.pwd);
            ice.candidates.iter().for_each(|candidate| media.push("candidate", &candidate.to_string()));
        }
        if let Some(dtls) = &self.dtls {
            media.push("fingerprint", &dtls.fingerprint.to_string());
            media.push("setup", &dtls.setup.to_string());
        }
    }

    /// The medium refused: port 0 and what was offered besides (RFC 3264 §6).
    #[must_use]
    pub fn refused(offered: &Media) -> Media {
        let mut media = Media::new(offered.kind.clone(), 0, offered.protocol.clone(), offered.formats.clone());
        if let Some(mid) = offered.mid() {
            media.push("mid", mid);
        }
        media
    }
}
