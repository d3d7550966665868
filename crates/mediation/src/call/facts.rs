//! What records say of the media of a call.

use std::net::SocketAddr;

use lyceum_media::quality::LegRecord;
use lyceum_sdp::{Agreed, Description, Encoding, Keys, Media};
use lyceum_topology::qos::Modality;

use super::AnchorId;

/// Addresses of a browser that a record names; it may have more.
const CANDIDATES_MAX: usize = 8;

/// What happened to a medium of a call.
#[derive(Clone, Debug)]
pub struct Note {
    /// Of which call.
    pub anchor: AnchorId,
    /// The place of its `m=` line.
    pub index: usize,
    /// What it carries.
    pub modality: Modality,
    /// What happened.
    pub what: What,
}

/// See [`Note`].
#[derive(Clone, Debug)]
pub enum What {
    /// Media begins to flow; the caller's end first.
    Started(Box<[LegFacts; 2]>),
    /// Something of it changed.
    Changed(Box<[LegFacts; 2]>),
    /// It is over; how good it was, where it went through us.
    Ended(Option<Box<[LegRecord; 2]>>),
}

/// One end of a medium in numbers and names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LegFacts {
    /// Our address and port, as told to the peer; none where media goes past us.
    pub local: Option<SocketAddr>,
    /// Where the peer says it receives.
    pub remote: Option<SocketAddr>,
    /// Where a browser may be reached: it says several places, and tries them.
    pub candidates: Vec<SocketAddr>,
    /// The codec that it is sent.
    pub codec: String,
    /// `plain`, `sdes` or `dtls`.
    pub protection: &'static str,
    /// Its direction, in the peer's words.
    pub direction: String,
    /// What the peer says it takes, in bits a second.
    pub bandwidth_bps: Option<u64>,
}

impl LegFacts {
    /// Of a peer that we, or the other party, agreed with.
    pub(super) fn of(local: Option<SocketAddr>, agreed: &Agreed, peer: &Description) -> Self {
        let medium = peer.media.get(agreed.index);
        let candidates = medium.map(Media::candidates).unwrap_or_default();
        let candidates = candidates
            .iter()
            .filter(|candidate| candidate.transport == "UDP")
            .filter_map(|candidate| candidate.address)
            .take(CANDIDATES_MAX);
        Self {
            local,
            remote: agreed.rtp.filter(|_| !agreed.ice),
            candidates: candidates.collect(),
            codec: agreed.codec().map_or_else(String::new, |codec| match codec.encoding {
                Encoding::Opus => format!("opus/{}", codec.clock),
                _ => codec.encoding.to_string(),
            }),
            protection: match agreed.keys {
                Keys::Plain => "plain",
                Keys::Sdes { .. } => "sdes",
                Keys::Dtls { .. } => "dtls",
            },
            direction: peer.direction(agreed.index).to_string(),
            bandwidth_bps: medium.and_then(Media::bandwidth_bps),
        }
    }
}
