//! The direction of a medium (RFC 8866 §6.7), seen by who wrote the description.

use std::fmt;

/// Which way media flows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// The writer sends only: this is a hold.
    SendOnly,
    /// The writer receives only.
    RecvOnly,
    /// Neither way.
    Inactive,
}

impl Direction {
    /// The direction that the attribute `name` stands for.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "sendrecv" => Self::SendRecv,
            "sendonly" => Self::SendOnly,
            "recvonly" => Self::RecvOnly,
            "inactive" => Self::Inactive,
            _ => return None,
        })
    }

    /// From its two halves.
    #[must_use]
    pub fn from_halves(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether the writer sends.
    #[must_use]
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether the writer receives.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same flow seen by the other side.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self::from_halves(self.receives(), self.sends())
    }

    /// What both allow, seen by the same side.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self::from_halves(self.sends() && other.sends(), self.receives() && other.receives())
    }

    pub(crate) fn without_receive(self) -> Self {
        Self::from_halves(self.sends(), false)
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_mirrors_and_never_widens() {
        use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
        // offered, wished by us, answered (RFC 3264 §6.1)
        let cases = [
            (SendRecv, SendRecv, SendRecv),
            (SendOnly, SendRecv, RecvOnly),
            (RecvOnly, SendRecv, SendOnly),
            (Inactive, SendRecv, Inactive),
            (SendRecv, SendOnly, SendOnly),
            (SendOnly, SendOnly, Inactive),
        ];
        for (offered, wished, answered) in cases {
            assert_eq!(wished.within(offered.reversed()), answered, "{offered} and {wished}");
        }
    }
}
