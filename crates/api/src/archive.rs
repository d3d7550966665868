//! The archive of messages: what is exported and purged.

use crate::Timestamp;
use crate::message::Content;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One archived message or event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Archived {
    /// Its number, rising.
    pub seq: u64,
    /// When it happened.
    pub at: Timestamp,
    /// The message's name.
    pub id: String,
    /// The conversation it belongs to.
    pub conversation: String,
    /// `message`, `file`, `join` or `leave`.
    pub kind: String,
    /// Who did it.
    pub from: String,
    /// To whom.
    pub to: Vec<String>,
    /// Media type.
    pub content_type: String,
    /// What was written.
    #[serde(flatten)]
    pub content: Content,
    /// When it was exported last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exported: Option<Timestamp>,
}

/// A page of the archive, in the order in which it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ArchivePage {
    /// The rows.
    pub items: Vec<Archived>,
    /// Pass it as `after` to get the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many rows there are from this page on, its own included.
    pub left: u64,
}

/// Which rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ArchiveQuery {
    /// With this person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Not before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Not after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// At most this many items; 500 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Rows that were exported and are safe where they went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchiveExported {
    /// With this person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Not before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Not after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// The `seq` of the last row exported.
    pub upto: u64,
}

/// What to purge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchivePurge {
    /// What happened before this time.
    pub before: Timestamp,
    /// Only what was exported.
    #[serde(default)]
    pub exported_only: bool,
}

/// What became of rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ArchiveDone {
    /// Rows marked or removed; with `what_if` none.
    pub rows: u64,
    /// Rows still to do: ask again until there are none.
    pub left: u64,
}
