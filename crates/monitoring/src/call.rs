//! Call detail records: one per call, with every branch and the decision that made it.

use crate::decision::{DecisionStep, Wire};
use crate::private::Private;
use crate::stamp::Stamp;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// What is kept of a call. Written when the call begins, and again when it changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The record's identifier; unique in the pool, given by the node that made it.
    pub id: String,
    /// The SIP Call-ID on the caller's side.
    pub call_id: String,
    /// The RFC 7989 Session-ID, which joins the legs of a call across servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The node that routed it.
    pub node: String,
    /// Who called.
    pub caller: Party,
    /// Who was called, once the target is known.
    pub callee: Option<Party>,
    /// What the caller dialled.
    pub dialled: Private,
    /// When the INVITE came.
    pub started: Stamp,
    /// When the first endpoint rang.
    pub ringing: Option<Stamp>,
    /// When it was answered.
    pub answered: Option<Stamp>,
    /// When it was over.
    pub ended: Option<Stamp>,
    /// How it went.
    pub outcome: Outcome,
    /// The final SIP status the caller got; 0 while there is none.
    pub status: u16,
    /// The diagnostics code of our own refusal, or of the ladder's explanation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Who ended it.
    pub hung_up: Option<Side>,
    /// What became of each endpoint it was forked to.
    pub branches: Vec<BranchRecord>,
    /// How the target was found.
    pub decision: Vec<DecisionStep>,
}

/// One end of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// The SIP address, or the `tel:` URI.
    pub address: Private,
    /// The user's number in the store, for one of our users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<u32>,
    /// What the endpoint calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// What carried its messages.
    pub transport: Option<Wire>,
    /// Where it is.
    pub source: Option<SocketAddr>,
}

/// One branch of a forked call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchRecord {
    /// The contact it went to.
    pub contact: Private,
    /// The address it went to.
    pub remote: Option<SocketAddr>,
    /// What carried it.
    pub transport: Option<Wire>,
    /// What the endpoint calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// When it rang.
    pub ringing: Option<Stamp>,
    /// When its final answer came, or it was given up.
    pub ended: Option<Stamp>,
    /// Its final status; 0 while there is none, 408 when it never answered, 487 when we cancelled it.
    pub status: u16,
}

/// How a call went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not decided yet.
    Ringing,
    /// Answered; see `ended` for whether it still goes on.
    Answered,
    /// The caller gave up.
    Cancelled,
    /// Busy (486, 600).
    Busy,
    /// Declined (603, 403 from the callee).
    Declined,
    /// It rang and nobody took it, or nobody was there (408, 480).
    NoAnswer,
    /// There is no such target (404, 410, 484, 604).
    Unreachable,
    /// We refused it (401, 403, 407, 483…).
    Refused,
    /// Something was broken.
    Failed,
}

impl Outcome {
    /// What a final status says of a call.
    pub fn of_status(status: u16) -> Self {
        match status {
            0..=199 => Self::Ringing,
            200..=299 => Self::Answered,
            486 | 600 => Self::Busy,
            603 | 607 => Self::Declined,
            408 | 480 => Self::NoAnswer,
            404 | 410 | 416 | 484 | 604 => Self::Unreachable,
            401 | 403 | 407 | 420 | 421 | 428..=438 | 482 | 483 => Self::Refused,
            487 => Self::Cancelled,
            _ => Self::Failed,
        }
    }

    /// Whether something went wrong, as far as a status can tell: neither person said no.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::NoAnswer | Self::Unreachable | Self::Refused | Self::Failed)
    }
}

/// Which side did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The caller.
    Caller,
    /// The callee.
    Callee,
    /// The server itself: a session timer ran out, an administrator ended the call.
    Server,
}

impl CallRecord {
    /// How long the two talked, in milliseconds; `None` until the call is answered and over.
    pub fn talk_millis(&self) -> Option<u64> {
        Some(self.ended?.millis_since(self.answered?))
    }

    /// How long it rang before it was answered or over, in milliseconds.
    pub fn ring_millis(&self) -> Option<u64> {
        Some(self.answered.or(self.ended)?.millis_since(self.ringing?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_have_outcomes() {
        use Outcome::*;
        for (status, outcome) in [
            (0, Ringing),
            (180, Ringing),
            (200, Answered),
            (404, Unreachable),
            (403, Refused),
            (407, Refused),
            (408, NoAnswer),
            (480, NoAnswer),
            (486, Busy),
            (487, Cancelled),
            (488, Failed),
            (503, Failed),
            (600, Busy),
            (603, Declined),
        ] {
            assert_eq!(Outcome::of_status(status), outcome, "{status}");
        }
    }
}
