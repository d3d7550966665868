//! SIP domains of the organisation.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A SIP domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Domain {
    /// Name, lower case.
    #[schema(example = "example.org")]
    pub name: String,
    /// Whether it is the default domain.
    #[serde(default)]
    pub default: bool,
    /// How many users are in it.
    #[serde(default)]
    pub users: u64,
}

/// A domain to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDomain {
    /// Name.
    pub name: String,
    /// Whether to make it the default domain.
    #[serde(default)]
    pub default: bool,
}

/// What to change of a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DomainChange {
    /// Make it the default domain; the other one stops being it.
    pub default: bool,
}
