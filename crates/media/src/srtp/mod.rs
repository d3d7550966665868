//! SRTP and SRTCP (RFC 3711, RFC 7714) with keys from a description, in place and one direction at a time.
//!
//! A [`Protector`] is made from the key of who sends, an [`Unprotector`] from the peer's. Both keep, for each source, the
//! rollover counter and a window of what was seen: a number is neither accepted nor used twice.

mod derive;
mod rtcp;
mod rtp;
mod transform;
mod window;

#[cfg(test)]
mod tests;

use std::fmt;

use lyceum_sdp::{KeySalt, Suite};

use transform::Transform;
use window::Window;

/// Sources of one direction; a call has one or two, a call that was transferred and held often some more.
/// A packet of a further one is refused: forgetting a source would let its old packets in again.
pub const MAX_SOURCES: usize = 64;

/// Bytes that protection adds at most: GCM's tag, and RTCP's index.
pub const MAX_OVERHEAD: usize = 16 + 4;

/// Why a packet was not protected or not let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SrtpError {
    /// No RTP or RTCP packet, or shorter than its tag.
    Malformed,
    /// The tag is wrong: forged, damaged, or of another key.
    Forged,
    /// This number was here before, or is older than the window.
    Replayed,
    /// More sources than [`MAX_SOURCES`].
    TooManySources,
    /// The buffer has no room for the tag.
    NoRoom,
    /// The key has served 2^48 packets of RTP or 2^31 of RTCP.
    Spent,
}

impl fmt::Display for SrtpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "no RTP or RTCP packet",
            Self::Forged => "the authentication tag is wrong",
            Self::Replayed => "the packet was here before",
            Self::TooManySources => "too many sources",
            Self::NoRoom => "no room for the authentication tag",
            Self::Spent => "the key has served its time; a new offer brings a new one",
        })
    }
}

impl std::error::Error for SrtpError {}

/// What is remembered of one source.
struct Source {
    ssrc: u32,
    rtp: Window,
    rtcp: Window,
    /// The last SRTCP index used for sending.
    sent_rtcp: u32,
}

/// Sources, found by their number.
struct Sources(Vec<Source>);

impl Sources {
    fn new() -> Self {
        Self(Vec::with_capacity(4))
    }

    fn find(&self, ssrc: u32) -> Option<&Source> {
        self.0.iter().find(|source| source.ssrc == ssrc)
    }

    /// The source, made if need be.
    fn entry(&mut self, ssrc: u32) -> Result<&mut Source, SrtpError> {
        let at = match self.0.iter().position(|source| source.ssrc == ssrc) {
            Some(at) => at,
            None if self.0.len() >= MAX_SOURCES => return Err(SrtpError::TooManySources),
            None => {
                self.0.push(Source { ssrc, rtp: Window::default(), rtcp: Window::default(), sent_rtcp: 0 });
                self.0.len() - 1
            }
        };
        Ok(&mut self.0[at])
    }
}

/// Session keys of one direction.
struct Keys {
    rtp: Transform,
    rtcp: Transform,
}

impl Keys {
    fn new(suite: Suite, key: &KeySalt) -> Self {
        Self { rtp: Transform::new(suite, key, derive::RTP), rtcp: Transform::new(suite, key, derive::RTCP) }
    }
}

/// Encrypts and signs what we send on one leg.
pub struct Protector {
    keys: Keys,
    sources: Sources,
}

impl Protector {
    /// Takes our key of the agreed `a=crypto` line.
    #[must_use]
    pub fn new(suite: Suite, key: &KeySalt) -> Self {
        Self { keys: Keys::new(suite, key), sources: Sources::new() }
    }
}

/// Checks and decrypts what we receive on one leg.
pub struct Unprotector {
    keys: Keys,
    sources: Sources,
}

impl Unprotector {
    /// Takes the peer's key of the agreed `a=crypto` line.
    #[must_use]
    pub fn new(suite: Suite, key: &KeySalt) -> Self {
        Self { keys: Keys::new(suite, key), sources: Sources::new() }
    }
}

impl fmt::Debug for Protector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Protector of {} sources", self.sources.0.len())
    }
}

impl fmt::Debug for Unprotector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unprotector of {} sources", self.sources.0.len())
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
