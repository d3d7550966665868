//! Synthetic transactions: two built-in test users try what people do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What to try.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeRequest {
    /// `udp`, `tcp` or `tls`; the server's first listener when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<String>,
    /// Domain of the test users; the default domain when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// How long the call stays up, in milliseconds; 2000 when absent, 30,000 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub talk_ms: Option<u64>,
    /// Within how many milliseconds a change of presence or a message has to arrive; 2000 when absent, 30,000 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_ms: Option<u64>,
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProbeResult {
    /// Whether everything that was tried worked.
    pub passed: bool,
    /// One sentence.
    pub summary: String,
    /// The steps in order; the first that failed is the last.
    pub steps: Vec<ProbeStep>,
}

/// One step of a synthetic transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProbeStep {
    /// What was done.
    pub step: String,
    /// Whether it worked.
    pub passed: bool,
    /// How long it took.
    pub milliseconds: u64,
    /// What was seen.
    pub detail: String,
}
