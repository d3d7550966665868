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
    /// The user it reaches. Shown only: `PATCH /users/{address}` gives a number to a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The site it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Whether it is kept back from being given to anyone.
    #[serde(default)]
    pub reserved: bool,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A desk phone or other device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Hardware address, the key.
    #[schema(example = "00:0b:82:12:34:56")]
    pub mac: String,
    /// Whose it is; absent for a shared one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Make and model.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// The site it stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// What a person wants to know about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}
