//! Presence documents (RFC 3863 with the data model of RFC 4479), read into what matters for presence.

use super::datetime;
use super::rpid::{self, Activities, UserInput};
use super::xml::{self, DATA_MODEL, Element, OURS, PIDF, XmlError};
use lyceum_sip::time::WallTime;

/// The content type.
pub const CONTENT_TYPE: &str = "application/pidf+xml";
/// Most tuples read; further ones are left out.
pub const MAX_TUPLES: usize = 32;
/// Longest note kept, in bytes; a longer one is cut at a character.
pub const MAX_NOTE: usize = 512;

/// Whether a device can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basic {
    /// It can.
    Open,
    /// It cannot, or does not want to.
    Closed,
}

/// A way to reach the person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tuple {
    /// Its name in the document.
    pub id: String,
    /// Whether it is open; a document may leave it out.
    pub basic: Option<Basic>,
    /// Where it is reached.
    pub contact: Option<String>,
    /// The first note.
    pub note: Option<String>,
    /// When that was so.
    pub timestamp: Option<WallTime>,
    /// The device behind it (RFC 4479 §3.2).
    pub device: Option<String>,
}

/// A document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pidf {
    /// Whose presence it is, as a URI.
    pub entity: String,
    /// The ways to reach them.
    pub tuples: Vec<Tuple>,
    /// What they are doing: of the person element, else of the first tuple that says so (as before RFC 4479).
    pub activities: Option<Activities>,
    /// The device's own word on its use.
    pub user_input: Option<UserInput>,
    /// The first note of the person, a tuple or the document, in this order.
    pub note: Option<String>,
    /// The numeric availability of our own namespace.
    pub availability: Option<u16>,
    /// The activity of our own namespace.
    pub own_activity: Option<String>,
}

impl Pidf {
    /// Reads a document of at most `limit` bytes.
    pub fn read(bytes: &[u8], limit: usize) -> Result<Pidf, XmlError> {
        let root = xml::read(bytes, limit, PIDF, "presence")?;
        let entity = root.attribute("entity").filter(|e| !e.trim().is_empty());
        let entity = entity.ok_or(XmlError::Invalid { what: "entity" })?.trim().to_owned();
        let tuples = root.all(PIDF, "tuple").take(MAX_TUPLES).map(tuple).collect::<Result<Vec<_>, _>>()?;
        let person = root.child(DATA_MODEL, "person");
        // Whoever speaks of the person may do so in the person, in a device, or in a tuple or its status.
        let holders = || {
            let tuples = root.all(PIDF, "tuple");
            let statuses = root.all(PIDF, "tuple").filter_map(|t| t.child(PIDF, "status"));
            person.into_iter().chain(root.all(DATA_MODEL, "device")).chain(tuples).chain(statuses)
        };
        let own = holders().find_map(|element| element.child(OURS, "state"));
        let note = person.and_then(|person| note_in(person, DATA_MODEL));
        let note = note.or_else(|| tuples.iter().find_map(|tuple| tuple.note.clone()));
        Ok(Pidf {
            entity,
            activities: holders().find_map(rpid::activities),
            user_input: holders().find_map(rpid::user_input),
            note: note.or_else(|| note_in(&root, PIDF)),
            availability: own.and_then(|own| own.attribute("availability")).and_then(|value| value.parse().ok()),
            own_activity: own.and_then(|own| own.attribute("activity")).map(str::to_owned),
            tuples,
        })
    }

    /// Whether the document as a whole is open: one tuple is, or none says anything.
    pub fn basic(&self) -> Basic {
        let said = || self.tuples.iter().filter_map(|tuple| tuple.basic);
        let open = said().any(|basic| basic == Basic::Open) || said().next().is_none();
        if open { Basic::Open } else { Basic::Closed }
    }

    /// The device that the document speaks of, if it names one.
    pub fn device(&self) -> Option<&str> {
        self.tuples.iter().find_map(|tuple| tuple.device.as_deref())
    }
}

fn tuple(element: &Element) -> Result<Tuple, XmlError> {
    let id = element.attribute("id").ok_or(XmlError::Invalid { what: "tuple id" })?;
    let basic = element.child(PIDF, "status").and_then(|status| status.child(PIDF, "basic"));
    let basic = match basic.map(Element::trimmed) {
        Some("open") => Some(Basic::Open),
        Some("closed") => Some(Basic::Closed),
        // Phones are known that write other words there for a state that is neither.
        _ => None,
    };
    let text = |namespace: &str, name: &str| element.child(namespace, name).map(|e| e.trimmed().to_owned());
    Ok(Tuple {
        id: id.to_owned(),
        basic,
        contact: text(PIDF, "contact"),
        note: note_in(element, PIDF),
        timestamp: text(PIDF, "timestamp").and_then(|text| datetime::read(&text)),
        device: text(DATA_MODEL, "deviceID"),
    })
}

fn note_in(element: &Element, namespace: &str) -> Option<String> {
    element
        .all(namespace, "note")
        .map(|note| cut(note.trimmed(), MAX_NOTE))
        .find(|note| !note.is_empty())
        .map(Into::into)
}

/// As many whole characters as fit.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
