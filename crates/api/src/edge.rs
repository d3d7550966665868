//! Access Edges.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An Access Edge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Edge {
    /// Its name.
    pub name: String,
    /// Its number, for life.
    pub number: u32,
    /// Whether its link stands now.
    pub linked: bool,
    /// When it was enrolled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrolled: Option<Timestamp>,
    /// When the one-time token that is out ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_ends: Option<Timestamp>,
}

/// For which Edge a one-time token is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEdgeToken {
    /// The Edge's name.
    pub name: String,
    /// How long the token is good; 60 when absent, a day at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
}

/// A one-time token. It is shown once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EdgeToken {
    /// The Edge's name.
    pub name: String,
    /// For `lyceum edge enrol TOKEN`.
    pub token: String,
    /// When it ends.
    pub expires: Timestamp,
}
