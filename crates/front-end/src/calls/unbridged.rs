//! Why a call cannot be bridged, and what is answered.

use crate::refusal::{Refusal, warning_of};

/// Whose fault it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The description cannot be read, or does not fit what was said before.
    Description,
    /// It names no medium that could be bridged.
    NoMedium,
    /// It names no codec that the other party could take or be given.
    NoCodec,
    /// The other party's offer is under way.
    Glare,
    /// Ports, streams or calls are all in use.
    NoRoom,
    /// Something else of ours.
    Failure,
}

/// Why a description cannot be passed on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unbridged {
    /// Whose fault it is.
    pub fault: Fault,
    /// A sentence for who reads the trace.
    pub why: String,
}

impl Unbridged {
    /// What a request with such a description is answered.
    pub(crate) fn refusal(&self) -> Refusal {
        match self.fault {
            Fault::Description | Fault::NoMedium | Fault::NoCodec => Refusal::MediaUnlike,
            Fault::Glare => Refusal::OfferPending,
            Fault::NoRoom => Refusal::MediaFull,
            Fault::Failure => Refusal::MediaFailed,
        }
    }

    /// The value of a Warning that says why (RFC 3261 §20.43).
    pub(crate) fn warning(&self) -> Vec<u8> {
        let code = match self.fault {
            Fault::NoMedium => 304,
            Fault::NoCodec => 305,
            _ => 399,
        };
        warning_of(code, &self.why)
    }
}
