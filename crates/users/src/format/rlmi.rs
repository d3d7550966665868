//! Notifications of resource lists (RFC 4662): which resources there are, and the state of each as a part beside it.

use super::multipart::Multipart;
pub use super::winfo::Extent;
use super::xml::{RLMI, attribute, escape};

/// The content type of the list; the whole is `multipart/related`.
pub const CONTENT_TYPE: &str = "application/rlmi+xml";

/// Where the subscription to one resource stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceState<'a> {
    /// Its state is a part of the document.
    Active {
        /// The content type of its state.
        content_type: &'a str,
        /// Its state.
        body: &'a [u8],
    },
    /// Nobody has decided about it yet.
    Pending,
    /// It is refused or gone.
    Terminated {
        /// Why, as in Subscription-State: `rejected`, `noresource`, `deactivated`.
        reason: &'a str,
    },
}

/// One resource of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resource<'a> {
    /// Its URI.
    pub uri: &'a str,
    /// Its name, if the list has one.
    pub name: Option<&'a str>,
    /// What tells its instance from others of the same URI.
    pub instance: &'a str,
    /// Where it stands.
    pub state: ResourceState<'a>,
}

/// The list as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List<'a> {
    /// Its URI, as subscribed.
    pub uri: &'a str,
    /// Begins with 0 and rises by one with each notification of the subscription.
    pub version: u32,
    /// All resources, or those that changed.
    pub extent: Extent,
    /// A word that appears nowhere else in the document; random.
    pub boundary: &'a str,
}

/// Appends the body; its content type is [`content_type`] of the same boundary.
pub fn write(list: List<'_>, resources: &[Resource<'_>], out: &mut Vec<u8>) {
    let mut parts = Multipart::new(list.boundary, out);
    parts.begin(CONTENT_TYPE, Some(&content_id("list", list.boundary)));
    description(list, resources, parts.body());
    for (at, resource) in resources.iter().enumerate() {
        if let ResourceState::Active { content_type, body } = resource.state {
            parts.begin(content_type, Some(&content_id(&at.to_string(), list.boundary)));
            parts.body().extend_from_slice(body);
        }
    }
    parts.end();
}

/// The value of Content-Type for a body of that boundary.
pub fn content_type(boundary: &str) -> String {
    let start = content_id("list", boundary);
    format!("multipart/related;type=\"{CONTENT_TYPE}\";start=\"<{start}>\";boundary=\"{boundary}\"")
}

fn content_id(part: &str, boundary: &str) -> String {
    format!("{part}.{boundary}@lists.invalid")
}

fn description(list: List<'_>, resources: &[Resource<'_>], out: &mut Vec<u8>) {
    out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<list");
    attribute(out, "xmlns", RLMI);
    attribute(out, "uri", list.uri);
    attribute(out, "version", &list.version.to_string());
    attribute(out, "fullState", if list.extent == Extent::Full { "true" } else { "false" });
    out.push(b'>');
    for (at, resource) in resources.iter().enumerate() {
        out.extend_from_slice(b"<resource");
        attribute(out, "uri", resource.uri);
        out.push(b'>');
        if let Some(name) = resource.name {
            out.extend_from_slice(b"<name>");
            escape(out, name);
            out.extend_from_slice(b"</name>");
        }
        out.extend_from_slice(b"<instance");
        attribute(out, "id", resource.instance);
        match resource.state {
            ResourceState::Active { .. } => {
                attribute(out, "state", "active");
                attribute(out, "cid", &content_id(&at.to_string(), list.boundary));
            }
            ResourceState::Pending => attribute(out, "state", "pending"),
            ResourceState::Terminated { reason } => {
                attribute(out, "state", "terminated");
                attribute(out, "reason", reason);
            }
        }
        out.extend_from_slice(b"/></resource>");
    }
    out.extend_from_slice(b"</list>");
}
