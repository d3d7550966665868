//! Who watches a resource (RFC 3857), as documents (RFC 3858): the whole list, or what changed in it.

use super::xml::{WATCHERINFO, attribute, escape};

/// The content type.
pub const CONTENT_TYPE: &str = "application/watcherinfo+xml";

/// Where a subscription stands (RFC 3857 §4.7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatcherStatus {
    /// Nobody has decided yet, and it is not answered with state.
    Pending,
    /// It is answered.
    Active,
    /// It ended before anybody decided.
    Waiting,
    /// It ended.
    Terminated,
}

impl WatcherStatus {
    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            WatcherStatus::Pending => "pending",
            WatcherStatus::Active => "active",
            WatcherStatus::Waiting => "waiting",
            WatcherStatus::Terminated => "terminated",
        }
    }
}

/// What brought a subscription there (RFC 3857 §4.7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatcherEvent {
    /// A SUBSCRIBE came.
    Subscribe,
    /// It was allowed at last.
    Approved,
    /// The server ended it for now.
    Deactivated,
    /// The server ended it, and it may come back.
    Probation,
    /// It was refused.
    Rejected,
    /// It was not refreshed.
    Timeout,
    /// Nobody decided for too long.
    Giveup,
    /// What it watched is gone.
    NoResource,
}

impl WatcherEvent {
    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            WatcherEvent::Subscribe => "subscribe",
            WatcherEvent::Approved => "approved",
            WatcherEvent::Deactivated => "deactivated",
            WatcherEvent::Probation => "probation",
            WatcherEvent::Rejected => "rejected",
            WatcherEvent::Timeout => "timeout",
            WatcherEvent::Giveup => "giveup",
            WatcherEvent::NoResource => "noresource",
        }
    }
}

/// One subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watcher<'a> {
    /// What tells it from others; says nothing else.
    pub id: &'a str,
    /// The watcher's URI.
    pub uri: &'a str,
    /// Their name, if it is known.
    pub display_name: Option<&'a str>,
    /// Where it stands.
    pub status: WatcherStatus,
    /// What brought it there.
    pub event: WatcherEvent,
    /// Seconds since it began.
    pub subscribed: Option<u32>,
    /// Seconds until it ends.
    pub expires: Option<u32>,
}

/// Whether a document is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Everything.
    Full,
    /// What changed since the version before.
    Partial,
}

impl Extent {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Extent::Full => "full",
            Extent::Partial => "partial",
        }
    }
}

/// Appends a document. `version` begins with 0 and rises by one with each document of a subscription.
pub fn write<'a>(
    version: u32,
    extent: Extent,
    resource: &str,
    package: &str,
    watchers: impl IntoIterator<Item = Watcher<'a>>,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<watcherinfo");
    attribute(out, "xmlns", WATCHERINFO);
    attribute(out, "version", &version.to_string());
    attribute(out, "state", extent.as_str());
    out.extend_from_slice(b"><watcher-list");
    attribute(out, "resource", resource);
    attribute(out, "package", package);
    out.push(b'>');
    for watcher in watchers {
        out.extend_from_slice(b"<watcher");
        attribute(out, "id", watcher.id);
        attribute(out, "status", watcher.status.as_str());
        attribute(out, "event", watcher.event.as_str());
        if let Some(name) = watcher.display_name {
            attribute(out, "display-name", name);
        }
        for (name, seconds) in [("expiration", watcher.expires), ("duration-subscribed", watcher.subscribed)] {
            if let Some(seconds) = seconds {
                attribute(out, name, &seconds.to_string());
            }
        }
        out.push(b'>');
        escape(out, watcher.uri);
        out.extend_from_slice(b"</watcher>");
    }
    out.extend_from_slice(b"</watcher-list></watcherinfo>\n");
}
