//! The server itself: health, status, backup, certificates.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Whether the server works; says nothing else, because anyone may ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`, `degraded` (the store is away) or `draining`.
    pub status: String,
}

/// What the server is and does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// `ok`, `degraded` or `draining`.
    pub status: String,
    /// Name of the node.
    #[serde(default)]
    pub node: String,
    /// Version of the program.
    pub program: String,
    /// Process identity.
    pub pid: u32,
    /// Since when it runs.
    pub started: Timestamp,
    /// Version of the topology document in force.
    pub topology_version: u64,
    /// Users in the directory.
    pub users: u64,
    /// Addresses with a registration.
    pub registered: u64,
    /// Calls that are up or being set up.
    pub calls: u64,
    /// Listeners: `udp 192.0.2.1:5060`…
    pub listeners: Vec<String>,
    /// Certificates in use.
    pub certificates: Vec<Certificate>,
    /// Further figures by name.
    pub figures: BTreeMap<String, f64>,
}

/// A certificate in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Certificate {
    /// Names it is good for.
    pub names: Vec<String>,
    /// When it ends.
    pub expires: Timestamp,
}

/// Where to write a backup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupRequest {
    /// A file on the server; only allowed on the local socket. A dated file in the backup folder when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// How a backup stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupStatus {
    /// `none`, `running`, `done` or `failed`.
    pub state: String,
    /// The file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Parts done.
    pub done: u64,
    /// Parts in all; 0 while unknown.
    pub total: u64,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
