//! A user's presence as an administrator sees and sets it.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a user's presence comes to, and what the user chose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserPresence {
    /// Whose it is.
    pub address: String,
    /// Lync's bands, 3000 to 18000; 0 when nothing is known.
    pub availability: u16,
    /// What the person is doing.
    pub activity: String,
    /// When a device was last used.
    #[schema(value_type = Option<String>)]
    pub last_active: Option<Timestamp>,
    /// The personal note.
    pub note: Option<String>,
    /// The out-of-office note.
    pub out_of_office: Option<String>,
    /// What the person chose; absent where somebody else's view was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<String>,
    /// When the choice ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub until: Option<Timestamp>,
}

/// What is to be another in what a user says of themselves; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PresenceChange {
    /// `automatic`, `available`, `busy`, `do-not-disturb`, `be-right-back`, `away`, `off-work` or `appear-offline`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<String>,
    /// When the choice ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub until: Option<Timestamp>,
    /// The note; empty takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The out-of-office note; empty takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_of_office: Option<String>,
}

/// One subscription to a user's presence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Watcher {
    /// Who watches.
    pub watcher: String,
    /// What they are to the user, and so what they may see.
    pub relationship: String,
    /// Whether the user is watched as one of the watcher's contact list.
    pub list: bool,
    /// Seconds until the subscription ends, unless it is renewed.
    pub expires_in: u32,
}
