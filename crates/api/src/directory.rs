//! Numbers and devices: directory records beside the users.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A number and what it reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Number {
    /// E.164, `+441632960123`.
    #[schema(example = "+441632960123")]
    pub number: String,
    /// The user it reaches; absent when it is only reserved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A desk phone or other device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Hardware address or serial number, the key.
    pub id: String,
    /// Whose it is; absent for a shared one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Make and model.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// What it is for, where it stands.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}
