//! Policies: settings with a scope, global < site < pool < tag (granted to users by name).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One policy at one scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Policy {
    /// Kind: `registrar`, `authentication`, …
    pub kind: String,
    /// `global`, `site:NAME`, `pool:NAME` or `tag:NAME`.
    pub scope: String,
    /// The settings that this scope decides; what is absent comes from the wider scope.
    #[schema(value_type = Object)]
    pub settings: serde_json::Value,
}

/// Settings to change; `null` gives a setting back to the wider scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub struct PolicyChange(pub serde_json::Map<String, serde_json::Value>);

/// A policy to give to a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The user.
    pub user: String,
    /// Policy name (a `tag:` scope without its prefix); absent takes the grant back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}
