//! Flow records: what a network is told of a medium that it cannot see inside encrypted signalling.
//!
//! One record when a medium begins to flow, one when it changes, one when it ends; each says all that is known, so that
//! whoever hears only the last still knows what it was.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::private::Private;

/// One record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlowRecord {
    /// Names the flow, the same in all its records: the call's Call-ID and the place of the medium in it.
    pub flow: String,
    /// What happened.
    pub event: FlowEvent,
    /// When, in RFC 3339.
    pub at: String,
    /// The Call-ID of the call, by which its call record and its ladder are found.
    pub call_id: String,
    /// `audio`, `video`, `sharing` or `files`.
    pub modality: String,
    /// The mark that its packets should carry; none where nothing is marked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dscp: Option<u8>,
    /// `direct` between the parties, or `relayed` by the node that is named.
    pub path: FlowPath,
    /// The caller's end.
    pub caller: FlowEnd,
    /// The callee's end.
    pub callee: FlowEnd,
    /// How long it flowed, in a record of its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

/// What happened to a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowEvent {
    /// It begins.
    Start,
    /// Addresses, codec, direction or protection changed.
    Change,
    /// It is over.
    End,
}

/// Which way it takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowPath {
    /// Between the parties.
    Direct,
    /// Through this node.
    Relayed(String),
}

/// One end of a flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct FlowEnd {
    /// The person or number.
    pub user: Option<Private>,
    /// What the device calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Where it receives, as it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<SocketAddr>,
    /// Where a browser may be reached: it names several places and tries them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<SocketAddr>,
    /// Our address and port towards it, where the flow goes through us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<SocketAddr>,
    /// The codec that it is sent.
    pub codec: String,
    /// `plain`, `sdes` or `dtls`.
    pub protection: String,
    /// Its direction in its own words: `sendrecv`, `sendonly`, `recvonly`, `inactive`.
    pub direction: String,
    /// What it says it takes, in bits a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth_bps: Option<u64>,
    /// What came from it and what it heard, in a record of the end of a flow that went through us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<FlowQuality>,
}

/// How good an end was, each direction by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct FlowQuality {
    /// From it.
    pub received: FlowCount,
    /// To it, by its own reports.
    pub sent: FlowCount,
    /// Round trip between it and us, in milliseconds.
    pub round_trip_ms: Option<f64>,
    /// Packets refused: a stranger's, forged or replayed.
    pub refused: u64,
}

/// One direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct FlowCount {
    /// Packets.
    pub packets: u64,
    /// Bytes of media.
    pub bytes: u64,
    /// Packets lost.
    pub lost: u64,
    /// Interarrival jitter in milliseconds.
    pub jitter_ms: f64,
    /// Mean opinion score by the E-model, 1 to 4.5; 0 when nothing is known.
    pub mos: f64,
}
