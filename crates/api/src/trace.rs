//! SIP traces: capture, search, and the ladder of one call.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What to capture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceStart {
    /// Only calls and registrations of this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Stop by itself after so many minutes; 30 when absent, 1440 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
}

/// Whether a trace runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TraceStatus {
    /// Whether a trace runs.
    pub running: bool,
    /// Only this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When it stops by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Messages captured.
    pub messages: u64,
    /// Messages not captured because the buffer was full.
    pub dropped: u64,
}

/// Which captured messages a search shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceQuery {
    /// Only this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Only this Call-ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// Only messages that contain this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// With the whole messages, secrets blanked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<bool>,
    /// Not before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Not after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// At most this many items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// How a ladder is shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LadderQuery {
    /// With the whole messages, secrets blanked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<bool>,
}

/// One captured message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TraceMessage {
    /// When it passed.
    pub at: Timestamp,
    /// SIP Call-ID.
    pub call_id: String,
    /// Who sent it: a remote address or `server`.
    pub from: String,
    /// Who got it.
    pub to: String,
    /// `udp`, `tcp`, …
    pub transport: String,
    /// The first line: `INVITE sip:bob@example.org` or `486 Busy Here`.
    pub summary: String,
    /// The whole message, secrets blanked, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The ladder of one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ladder {
    /// SIP Call-ID.
    pub call_id: String,
    /// Who takes part, from left to right.
    pub parties: Vec<String>,
    /// The arrows in order of time.
    pub arrows: Vec<Arrow>,
    /// The code of the verdict; see `docs/errors/`.
    pub code: String,
    /// One sentence: what failed and why, or that nothing did.
    pub verdict: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
    /// The ladder drawn as text, for a terminal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub drawing: String,
}

/// One message of a ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Arrow {
    /// When.
    pub at: Timestamp,
    /// Index of the sender in `parties`.
    pub from: usize,
    /// Index of the receiver in `parties`.
    pub to: usize,
    /// The first line.
    pub summary: String,
    /// Number of the transaction, counted from 1 in order of appearance.
    pub transaction: usize,
    /// Whether this transaction failed.
    pub failed: bool,
    /// Whether the same message was sent before.
    #[serde(default)]
    pub repeated: bool,
    /// The whole message, secrets blanked, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
