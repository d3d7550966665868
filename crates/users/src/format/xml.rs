//! XML of strangers, read into a small tree; and the escapes that writing needs.
//!
//! No document type is read, so no entity can be declared: what expands is only the five names of XML and characters by
//! number. Size, depth, elements and attributes are bounded before anything is kept.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

/// RFC 3863.
pub const PIDF: &str = "urn:ietf:params:xml:ns:pidf";
/// RFC 4479.
pub const DATA_MODEL: &str = "urn:ietf:params:xml:ns:pidf:data-model";
/// RFC 4480.
pub const RPID: &str = "urn:ietf:params:xml:ns:pidf:rpid";
/// RFC 3858.
pub const WATCHERINFO: &str = "urn:ietf:params:xml:ns:watcherinfo";
/// RFC 4662.
pub const RLMI: &str = "urn:ietf:params:xml:ns:rlmi";
/// RFC 4826.
pub const RESOURCE_LISTS: &str = "urn:ietf:params:xml:ns:resource-lists";
/// RFC 5364.
pub const COPY_CONTROL: &str = "urn:ietf:params:xml:ns:copycontrol";
/// RFC 3994.
pub const IS_COMPOSING: &str = "urn:ietf:params:xml:ns:im-iscomposing";
/// RFC 5438.
pub const IMDN: &str = "urn:ietf:params:xml:ns:imdn";
/// What we say beyond the standards.
pub const OURS: &str = "urn:lyceum:presence";

const KNOWN: &[&str] =
    &[PIDF, DATA_MODEL, RPID, WATCHERINFO, RLMI, RESOURCE_LISTS, COPY_CONTROL, IS_COMPOSING, IMDN, OURS];

/// Deepest nesting that is read.
pub const MAX_DEPTH: usize = 16;
/// Most elements in a document.
pub const MAX_ELEMENTS: usize = 2_000;
/// Most attributes of an element, namespace declarations among them.
pub const MAX_ATTRIBUTES: usize = 32;
/// Most namespaces declared at one place of a document.
const MAX_NAMESPACES: usize = 64;

/// Why a document is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XmlError {
    /// Longer than its bound.
    TooLarge {
        /// The bound in bytes.
        limit: usize,
    },
    /// Not UTF-8, or declared to be something else.
    Encoding,
    /// It has a document type, which could declare entities.
    DocumentType,
    /// An entity that is not one of XML's five.
    Entity,
    /// Nested deeper than [`MAX_DEPTH`], or more elements or attributes than their bound.
    TooComplex,
    /// Not well-formed.
    Malformed {
        /// Where it went wrong, in bytes from the beginning.
        at: u64,
    },
    /// Another document than was expected.
    WrongRoot {
        /// The element that was expected.
        expected: &'static str,
    },
    /// An element or attribute that must be there is not, or its value makes no sense.
    Invalid {
        /// Which one.
        what: &'static str,
    },
}

impl std::fmt::Display for XmlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            XmlError::TooLarge { limit } => write!(f, "the document is over {limit} bytes"),
            XmlError::Encoding => write!(f, "the document is not UTF-8"),
            XmlError::DocumentType => write!(f, "the document has a DOCTYPE, which is not read"),
            XmlError::Entity => write!(f, "the document uses an entity that is not one of XML's five"),
            XmlError::TooComplex => write!(
                f,
                "the document nests deeper than {MAX_DEPTH}, or has over {MAX_ELEMENTS} elements or {MAX_ATTRIBUTES} \
                 attributes of one"
            ),
            XmlError::Malformed { at } => write!(f, "the document is not well-formed XML, at byte {at}"),
            XmlError::WrongRoot { expected } => write!(f, "the document is not a <{expected}>"),
            XmlError::Invalid { what } => write!(f, "the document's {what} is missing or makes no sense"),
        }
    }
}

impl std::error::Error for XmlError {}

/// An element with what is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Its namespace, if it is one of those known here; else empty.
    pub namespace: &'static str,
    /// Its local name.
    pub name: String,
    /// Its attributes by local name, without namespace declarations.
    pub attributes: Vec<(String, String)>,
    /// The characters directly in it, those of its children left out.
    pub text: String,
    /// The elements in it.
    pub children: Vec<Element>,
}

impl Element {
    /// True for an element of this name.
    pub fn is(&self, namespace: &str, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }

    /// The first child of this name.
    pub fn child(&self, namespace: &str, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.is(namespace, name))
    }

    /// All children of this name.
    pub fn all<'a>(&'a self, namespace: &'a str, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.is(namespace, name))
    }

    /// An attribute's value.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| &**value)
    }

    /// The text without white space around it.
    pub fn trimmed(&self) -> &str {
        self.text.trim()
    }
}

/// Reads a document of at most `limit` bytes whose root has this name.
pub fn read(bytes: &[u8], limit: usize, namespace: &str, root: &'static str) -> Result<Element, XmlError> {
    if bytes.len() > limit {
        return Err(XmlError::TooLarge { limit });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| XmlError::Encoding)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(at) = text.find(|c| !allowed(c)) {
        return Err(XmlError::Malformed { at: at as u64 });
    }
    let element = Tree::default().read(text)?;
    if element.is(namespace, root) { Ok(element) } else { Err(XmlError::WrongRoot { expected: root }) }
}

#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn read(mut self, text: &str) -> Result<Element, XmlError> {
        let mut reader = NsReader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        reader.resolver_mut().set_max_namespace_bindings(MAX_NAMESPACES);
        loop {
            let at = reader.buffer_position();
            let malformed = XmlError::Malformed { at };
            match reader.read_event().map_err(|_| malformed)? {
                Event::Start(start) => {
                    let namespace = known(&reader.resolver().resolve_element(start.name()).0).ok_or(malformed)?;
                    let element = Element {
                        namespace,
                        name: start.local_name().as_ref().to_owned(),
                        attributes: attributes(&start, malformed)?,
                        ..Element::default()
                    };
                    self.begin(element, malformed)?;
                }
                Event::End(_) => self.end(),
                Event::Text(text) => self.text(&text.xml10_content(), malformed)?,
                Event::CData(text) => self.text(&text.xml10_content(), malformed)?,
                Event::GeneralRef(name) => {
                    let character = match name.resolve_char_ref() {
                        Ok(Some(character)) => Some(character),
                        Ok(None) => predefined(&name),
                        Err(_) => None,
                    };
                    let character = character.filter(|c| allowed(*c)).ok_or(XmlError::Entity)?;
                    self.text(character.encode_utf8(&mut [0; 4]), malformed)?;
                }
                Event::Decl(declared) => {
                    let encoding = declared.encoding().transpose().map_err(|_| malformed)?;
                    if encoding
                        .is_some_and(|e| !(e.eq_ignore_ascii_case("utf-8") || e.eq_ignore_ascii_case("us-ascii")))
                    {
                        return Err(XmlError::Encoding);
                    }
                }
                Event::DocType(_) => return Err(XmlError::DocumentType),
                Event::Comment(_) | Event::PI(_) | Event::Empty(_) => {}
                Event::Eof if self.open.is_empty() => return self.root.ok_or(malformed),
                Event::Eof => return Err(malformed),
            }
        }
    }

    fn begin(&mut self, element: Element, malformed: XmlError) -> Result<(), XmlError> {
        if self.open.is_empty() && self.root.is_some() {
            return Err(malformed);
        }
        self.elements += 1;
        if self.elements > MAX_ELEMENTS || self.open.len() == MAX_DEPTH {
            return Err(XmlError::TooComplex);
        }
        self.open.push(element);
        Ok(())
    }

    /// The reader has made sure that the names match.
    fn end(&mut self) {
        let Some(element) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }

    fn text(&mut self, text: &str, malformed: XmlError) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(malformed),
        }
        Ok(())
    }
}

/// The namespace among those known here, empty for another; `None` for a prefix that was never declared.
fn known(resolved: &ResolveResult<'_>) -> Option<&'static str> {
    match resolved {
        ResolveResult::Bound(namespace) => {
            Some(KNOWN.iter().copied().find(|known| *known == namespace.0).unwrap_or_default())
        }
        ResolveResult::Unbound => Some(""),
        ResolveResult::Unknown(_) => None,
    }
}

fn attributes(start: &BytesStart<'_>, malformed: XmlError) -> Result<Vec<(String, String)>, XmlError> {
    let mut all = Vec::new();
    for (count, attribute) in start.attributes().enumerate() {
        if count == MAX_ATTRIBUTES {
            return Err(XmlError::TooComplex);
        }
        let attribute = attribute.map_err(|_| malformed)?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let value = attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|_| XmlError::Entity)?;
        if !value.chars().all(allowed) {
            return Err(malformed);
        }
        all.push((attribute.key.local_name().as_ref().to_owned(), value.into_owned()));
    }
    Ok(all)
}

fn predefined(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => return None,
    })
}

/// Characters that an XML document may hold (XML 1.0 §2.2).
fn allowed(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        other => other >= ' ',
    }
}

/// Appends text, or an attribute's value, with what would be markup escaped and what XML cannot hold left out.
pub fn escape(out: &mut Vec<u8>, text: &str) {
    for character in text.chars().filter(|c| allowed(*c)) {
        match character {
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '&' => out.extend_from_slice(b"&amp;"),
            '"' => out.extend_from_slice(b"&quot;"),
            '\r' => out.extend_from_slice(b"&#13;"),
            '\n' => out.extend_from_slice(b"&#10;"),
            '\t' => out.extend_from_slice(b"&#9;"),
            other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// Appends ` name="value"`.
pub fn attribute(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    escape(out, value);
    out.push(b'"');
}

#[cfg(test)]
mod tests;
