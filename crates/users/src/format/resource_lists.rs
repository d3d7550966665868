//! Lists of addresses in requests: resource lists (RFC 4826) alone (RFC 5367 §4) or as a part (RFC 5365).

use super::multipart;
use super::xml::{self, COPY_CONTROL, Element, RESOURCE_LISTS, XmlError};

/// The content type.
pub const CONTENT_TYPE: &str = "application/resource-lists+xml";
/// Largest document.
pub const MAX_BYTES: usize = 128 << 10;
/// Most entries.
pub const MAX_ENTRIES: usize = 1_000;

/// How a recipient is addressed (RFC 5364).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CopyControl {
    /// As one of whom it is meant for.
    #[default]
    To,
    /// As one who gets a copy.
    Cc,
    /// As one of whom the others are not told.
    Bcc,
}

/// One address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its URI.
    pub uri: String,
    /// Its name, if it has one.
    pub display_name: Option<String>,
    /// How it is addressed.
    pub copy_control: CopyControl,
}

/// Why a list is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListError {
    /// The document.
    Xml(XmlError),
    /// The body that it is a part of.
    Multipart(multipart::MultipartError),
    /// No part is a list of recipients.
    NoList,
    /// Over [`MAX_ENTRIES`].
    TooMany,
    /// It refers to entries elsewhere, which are not fetched.
    External,
}

impl std::fmt::Display for ListError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ListError::Xml(error) => error.fmt(f),
            ListError::Multipart(error) => error.fmt(f),
            ListError::NoList => write!(f, "no part of the body is a list of recipients"),
            ListError::TooMany => write!(f, "the list has over {MAX_ENTRIES} entries; split it"),
            ListError::External => write!(f, "the list refers to entries elsewhere; write them out"),
        }
    }
}

impl std::error::Error for ListError {}

/// Reads a document: its entries in order, those of lists within lists among them, each URI once.
pub fn read(bytes: &[u8]) -> Result<Vec<Entry>, ListError> {
    let root = xml::read(bytes, MAX_BYTES, RESOURCE_LISTS, "resource-lists").map_err(ListError::Xml)?;
    let mut entries = Vec::new();
    for list in root.all(RESOURCE_LISTS, "list") {
        collect(list, &mut entries)?;
    }
    Ok(entries)
}

/// The list of a request, and what else its body holds: a document alone, or parts of which one is the list.
pub fn of_request<'a>(content_type: &str, body: &'a [u8]) -> Result<(Vec<Entry>, Vec<multipart::Part<'a>>), ListError> {
    let media = content_type.split(';').next().unwrap_or(content_type).trim();
    if media.eq_ignore_ascii_case(CONTENT_TYPE) {
        return Ok((read(body)?, Vec::new()));
    }
    let boundary = multipart::boundary_of(content_type).filter(|_| starts_with(media, "multipart/"));
    let mut parts = multipart::read(body, boundary.ok_or(ListError::NoList)?).map_err(ListError::Multipart)?;
    let is_list =
        |part: &multipart::Part<'_>| part.content_type().is_some_and(|t| t.eq_ignore_ascii_case(CONTENT_TYPE));
    let at = parts.iter().position(is_list).ok_or(ListError::NoList)?;
    let list = read(parts.remove(at).body)?;
    Ok((list, parts))
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Depth is bounded by the reader of XML.
fn collect(list: &Element, entries: &mut Vec<Entry>) -> Result<(), ListError> {
    for child in list.children.iter().filter(|child| child.namespace == RESOURCE_LISTS) {
        match child.name.as_str() {
            "entry" => {
                let uri = child.attribute("uri").map(str::trim).filter(|uri| !uri.is_empty());
                let uri = uri.ok_or(ListError::Xml(XmlError::Invalid { what: "entry uri" }))?;
                if entries.iter().any(|entry| entry.uri == uri) {
                    continue;
                }
                if entries.len() == MAX_ENTRIES {
                    return Err(ListError::TooMany);
                }
                let name = child.child(RESOURCE_LISTS, "display-name").map(|name| name.trimmed().to_owned());
                entries.push(Entry {
                    uri: uri.to_owned(),
                    display_name: name.filter(|name| !name.is_empty()),
                    copy_control: copy_control(child),
                });
            }
            "list" => collect(child, entries)?,
            "entry-ref" | "external" => return Err(ListError::External),
            _ => {}
        }
    }
    Ok(())
}

fn copy_control(entry: &Element) -> CopyControl {
    match entry.attribute("copyControl") {
        Some("cc") => CopyControl::Cc,
        Some("bcc") => CopyControl::Bcc,
        _ => CopyControl::To,
    }
}

/// The namespace of `copyControl`, for those who write such lists.
pub const COPY_CONTROL_NAMESPACE: &str = COPY_CONTROL;
