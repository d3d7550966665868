//! Traced messages: what went over the wire, secrets blanked before anything is kept.

use crate::decision::Wire;
use crate::head::Head;
use crate::private::Private;
use crate::redact::redact;
use crate::stamp::Stamp;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// One message seen by this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceEntry {
    /// When.
    pub time: Stamp,
    /// Which way.
    pub direction: Direction,
    /// Our end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// What carried it.
    pub transport: Wire,
    /// The start line: `INVITE sip:ben@contoso.com SIP/2.0`. It may hold a number.
    pub first_line: Private,
    /// The transaction: branch and method of RFC 3261 §17.1.3.
    pub transaction: String,
    /// The Call-ID.
    pub call_id: String,
    /// The message, secrets blanked.
    pub message: Private,
}

/// Which way a message went, as this node sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To us.
    Received,
    /// From us.
    Sent,
}

/// Where and how a message travelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passage {
    /// When.
    pub time: Stamp,
    /// Which way.
    pub direction: Direction,
    /// Our end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// What carried it.
    pub transport: Wire,
}

impl TraceEntry {
    /// Keeps a message, secrets blanked. Messages the parser refuses are kept as well.
    pub fn capture(passage: Passage, message: &[u8]) -> Self {
        let text = redact(message);
        let head = Head::of(&text);
        let (first_line, transaction, call_id) = (head.first_line.into(), head.transaction(), head.call_id.to_owned());
        let Passage { time, direction, local, remote, transport } = passage;
        Self { time, direction, local, remote, transport, first_line, transaction, call_id, message: text.into() }
    }

    pub(crate) fn head(&self) -> Head<'_> {
        Head::of(self.message.reveal())
    }
}
