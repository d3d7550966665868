//! Which messages a trace takes, and the ring they are kept in.

use crate::head::address;
use crate::stamp::Stamp;
use crate::trace::TraceEntry;
use lyceum_sip::{Message, Name};
use lyceum_topology::Cidr;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::net::IpAddr;

/// What a message must be to be taken. What is not given does not matter; an empty filter takes all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TraceFilter {
    /// The user in From, To or the Request-URI: `anna@contoso.com`, or only `anna` or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The Call-ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// The other party's address or block of addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Cidr>,
    /// The method, of a request or of the request answered. `INVITE` takes ACK and CANCEL with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
}

/// The parts of a message that a filter looks at.
struct Parts<'a> {
    remote: IpAddr,
    method: &'a str,
    call_id: &'a str,
    addresses: [&'a str; 3],
}

impl TraceFilter {
    /// Whether to take this message, to or from `remote`. Allocates nothing.
    pub fn takes(&self, remote: IpAddr, message: &Message<'_>) -> bool {
        let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
        let value = |name| text(message.value(name).unwrap_or_default());
        self.fits(&Parts {
            remote,
            method: text(if message.is_request() { message.method_token() } else { message.cseq().method }),
            call_id: text(message.call_id()),
            addresses: [value(Name::From), value(Name::To), text(message.request_uri())],
        })
    }

    /// Whether a message that was kept fits.
    pub fn matches(&self, entry: &TraceEntry) -> bool {
        let head = entry.head();
        self.fits(&Parts {
            remote: entry.remote.ip(),
            method: head.method,
            call_id: head.call_id,
            addresses: [head.from, head.to, head.request_uri()],
        })
    }

    fn fits(&self, parts: &Parts<'_>) -> bool {
        self.source.is_none_or(|source| source.contains(parts.remote))
            && self.call_id.as_ref().is_none_or(|call_id| call_id == parts.call_id)
            && self.method.as_ref().is_none_or(|method| same_method(method, parts.method))
            && self.user.as_ref().is_none_or(|user| parts.addresses.iter().any(|value| names(value, user)))
    }
}

fn same_method(wanted: &str, method: &str) -> bool {
    let is = |name: &str| method.eq_ignore_ascii_case(name);
    is(wanted) || wanted.eq_ignore_ascii_case("INVITE") && (is("ACK") || is("CANCEL"))
}

/// Whether the address in this value is that user's.
fn names(value: &str, user: &str) -> bool {
    let wanted = user.strip_prefix("sip:").or(user.strip_prefix("tel:")).unwrap_or(user);
    let found = address(value);
    match wanted.contains('@') {
        true => found.eq_ignore_ascii_case(wanted),
        false => found.split('@').next().unwrap_or(found).eq_ignore_ascii_case(wanted),
    }
}

/// How much a ring keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingBounds {
    /// Messages.
    pub entries: usize,
    /// Bytes of message text.
    pub bytes: usize,
}

impl Default for RingBounds {
    /// 20,000 messages and 20 MB, the size at which Lync's logging service began a new file.
    fn default() -> Self {
        Self { entries: 20_000, bytes: 20 << 20 }
    }
}

/// The newest traced messages; when it is full the oldest go.
#[derive(Debug, Clone, Default)]
pub struct TraceRing {
    bounds: RingBounds,
    entries: VecDeque<TraceEntry>,
    bytes: usize,
    dropped: u64,
}

impl TraceRing {
    /// Everything that is kept, oldest first.
    pub fn entries(&self) -> impl Iterator<Item = &TraceEntry> {
        self.entries.iter()
    }

    /// An empty ring.
    pub fn new(bounds: RingBounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    /// Keeps a message.
    pub fn push(&mut self, entry: TraceEntry) {
        self.bytes += entry.message.reveal().len();
        self.entries.push_back(entry);
        while self.entries.len() > self.bounds.entries || self.bytes > self.bounds.bytes {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.message.reveal().len();
            self.dropped += 1;
        }
    }

    /// The messages that fit, oldest first, from `since` on.
    pub fn search<'a>(&'a self, filter: &'a TraceFilter, since: Stamp) -> impl Iterator<Item = &'a TraceEntry> {
        self.entries.iter().filter(move |entry| entry.time >= since && filter.matches(entry))
    }

    /// The messages of a call, ready for [`crate::Ladder::build`].
    pub fn call(&self, call_id: &str) -> Vec<TraceEntry> {
        self.entries.iter().filter(|entry| entry.call_id == call_id).cloned().collect()
    }

    /// How many messages are kept.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many messages had to go since the ring was made.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}
