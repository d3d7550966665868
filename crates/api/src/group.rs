//! Distribution groups.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A distribution group: an address that stands for people and for other groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Where it is reached.
    #[schema(example = "sales@example.org")]
    pub address: String,
    /// The name people see; empty when none is set.
    #[serde(default)]
    pub display_name: String,
    /// Users and groups, by address.
    #[serde(default)]
    pub members: Vec<String>,
    /// How many people these are, each counted once. Shown only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<usize>,
}

/// Fields of a group to change; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupChange {
    /// The name; an empty text clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// All members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<String>>,
    /// Members to add.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<String>,
    /// Members to take out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}
