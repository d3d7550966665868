//! What the two descriptions of a leg come to, medium by medium.

use std::net::SocketAddr;

use crate::attribute::{crypto::Crypto, direction::Direction, dtls::Fingerprint, dtls::Setup};
use crate::codec::{Codec, Encoding};
use crate::description::Description;
use crate::media::Kind;

/// How packets of a medium are protected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Keys {
    /// Not at all.
    Plain,
    /// By keys from the descriptions.
    Sdes {
        /// Ours: what we send.
        send: Crypto,
        /// Theirs: what we receive.
        receive: Crypto,
    },
    /// By keys from a DTLS handshake.
    Dtls {
        /// Of the certificate that the peer has to show.
        fingerprint: Fingerprint,
        /// Whether we begin the handshake.
        we_begin: bool,
    },
}

/// One medium that both sides took.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Agreed {
    /// Its place among the `m=` lines.
    pub index: usize,
    /// What it carries.
    pub kind: Kind,
    /// Where we send RTP; `None` for a name, a hold by 0.0.0.0, or ICE without candidates yet.
    pub rtp: Option<SocketAddr>,
    /// Where we send RTCP.
    pub rtcp: Option<SocketAddr>,
    /// Seen by us.
    pub direction: Direction,
    /// What we may send, with the peer's payload types, the peer's favourite first.
    pub send: Vec<Codec>,
    /// What we may receive, with our payload types.
    pub receive: Vec<Codec>,
    /// How packets are protected.
    pub keys: Keys,
    /// Whether RTP and RTCP share a port.
    pub rtcp_mux: bool,
    /// Whether both speak ICE.
    pub ice: bool,
    /// Milliseconds of sound in a packet, as the peer likes it.
    pub ptime: Option<u32>,
}

impl Agreed {
    /// The codec to send sound or pictures with.
    #[must_use]
    pub fn codec(&self) -> Option<&Codec> {
        self.send.iter().find(|codec| codec.encoding.is_primary())
    }

    /// The payload type for events that runs on the clock of the codec we send.
    #[must_use]
    pub fn telephone_event(&self) -> Option<&Codec> {
        let clock = self.codec()?.clock;
        let events = || self.send.iter().filter(|codec| codec.encoding == Encoding::TelephoneEvent);
        events().find(|codec| codec.clock == clock).or_else(|| events().next())
    }
}

/// The agreed media of a leg; `ours_offered` says whose description the offer was.
#[must_use]
pub fn of(local: &Description, remote: &Description, ours_offered: bool) -> Vec<Agreed> {
    let both = local.media.len().min(remote.media.len());
    (0..both).filter_map(|index| medium(local, remote, index, ours_offered)).collect()
}

fn medium(local: &Description, remote: &Description, index: usize, ours_offered: bool) -> Option<Agreed> {
    let (ours, theirs) = (local.media.get(index)?, remote.media.get(index)?);
    if ours.port == 0 || theirs.port == 0 {
        return None;
    }
    let (own, peer) = (ours.codecs(), theirs.codecs());
    let keys = keys(local, remote, index, ours_offered)?;
    Some(Agreed {
        index,
        kind: ours.kind.clone(),
        rtp: remote.rtp_address(index),
        rtcp: remote.rtcp_address(index),
        direction: local.direction(index).within(remote.direction(index).reversed()),
        send: peer.iter().filter(|codec| own.iter().any(|other| other.fits(codec))).cloned().collect(),
        receive: own.iter().filter(|codec| peer.iter().any(|other| other.fits(codec))).cloned().collect(),
        keys,
        rtcp_mux: ours.rtcp_mux() && theirs.rtcp_mux(),
        ice: local.has_ice(index) && remote.has_ice(index),
        ptime: theirs.ptime(),
    })
}

fn keys(local: &Description, remote: &Description, index: usize, ours_offered: bool) -> Option<Keys> {
    let (ours, theirs) = (local.media.get(index)?, remote.media.get(index)?);
    if let (Some(_), Some(fingerprint)) = (local.fingerprint(index), remote.fingerprint(index)) {
        let chosen = if ours_offered { remote.setup(index).map(Setup::answer) } else { local.setup(index) };
        return Some(Keys::Dtls { fingerprint, we_begin: chosen == Some(Setup::Active) });
    }
    let (sent, received) = (ours.crypto(), theirs.crypto());
    // The answer has one line, whose tag says which line of the offer it took.
    let answer = if ours_offered { received.first() } else { sent.first() };
    let tag = answer.map(|line| line.tag);
    let by_tag = |lines: &[Crypto]| lines.iter().find(|line| Some(line.tag) == tag).cloned();
    match (by_tag(&sent), by_tag(&received)) {
        (Some(send), Some(receive)) if send.suite == receive.suite => Some(Keys::Sdes { send, receive }),
        // A secure profile without keys is no medium at all.
        _ if ours.protocol.is_secure() => None,
        _ => Some(Keys::Plain),
    }
}
