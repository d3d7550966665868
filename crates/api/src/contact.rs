//! A user's contacts as an administrator sees and changes them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A contact of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Contact {
    /// Who it is.
    pub address: String,
    /// The name that the user gave them.
    pub display_name: Option<String>,
    /// Names of the groups that they are in.
    pub groups: Vec<String>,
    /// Shown first.
    pub favourite: bool,
}

/// A contact to add, or what is to be another in one that is there; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactChange {
    /// The name that the user gave them; empty takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Names of the groups that they are in; a group that is not there is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// Shown first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub favourite: Option<bool>,
}

/// What somebody may see of a user, where it is not the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Relation {
    /// `user@domain`, or `@domain` for everybody of a domain.
    pub who: String,
    /// `blocked`, `external`, `colleagues`, `workgroup` or `friends-and-family`.
    pub relationship: String,
}
