//! The topology document and its versions.

use crate::{Difference, FieldProblem, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The document of one version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Topology {
    /// The version.
    pub version: u64,
    /// Who published it.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// The document itself; its fields are in `docs/reference/topology.md`.
    #[schema(value_type = Object)]
    pub document: serde_json::Value,
}

/// One line of the list of versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Version {
    /// The version.
    pub version: u64,
    /// Who published it.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// Whether it is in force.
    pub current: bool,
    /// The version whose document it brought back, after a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_from: Option<u64>,
}

/// A document to publish.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// The version that the author saw; another one in force is a conflict. Absent: whatever is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u64>,
    /// The whole document.
    #[schema(value_type = Object)]
    pub document: serde_json::Value,
}

/// A version to return to; the directory of users stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// The version whose document is published again, as a new version.
    pub to: u64,
    /// The version that the author saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u64>,
}

/// What validation found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Verdict {
    /// Whether the document could be published.
    pub valid: bool,
    /// What stands against it.
    pub problems: Vec<FieldProblem>,
}

/// Two documents to compare: each a version, a document, or the one in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Compare {
    /// Version before; the one in force when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// Version after; the one in force when absent and no document is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
    /// A document to compare with instead of `to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub document: Option<serde_json::Value>,
}

/// Where two documents differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Comparison {
    /// The single differences.
    pub changes: Vec<Difference>,
}
