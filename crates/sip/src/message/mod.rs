//! A message as a view over the received bytes and their [`Index`].

mod index;
mod memo;
mod scan;
mod start_line;
mod values;

use std::ops::Range;

pub use index::Index;
pub(crate) use index::Line;
pub(crate) use memo::Side;
pub use scan::parse;
pub(crate) use scan::parse_head;
pub use values::{Fields, Values};

use crate::header::contact::Contact;
use crate::header::cseq::CSeq;
use crate::header::name_addr::NameAddr;
use crate::header::via::Via;
use crate::lex::{delta_seconds, number};
use crate::limits::HeaderError;
use crate::method::Method;
use crate::name::Name;
use crate::uri::{Uri, UriError};

/// A received message: start line, fields and body where they lie. Cheap to copy; typed
/// views are made when asked for.
///
/// ```
/// use lyceum_sip::{Index, Limits, Message, Method, parse};
/// let bytes = b"OPTIONS sip:a@example.org SIP/2.0\r\nCall-ID: 1\r\nCSeq: 7 OPTIONS\r\nl: 0\r\n\r\n";
/// let mut index = Index::new();
/// parse(bytes, &mut index, &Limits::default())?;
/// let message = Message::new(bytes, &index);
/// assert_eq!(message.method(), Method::Options);
/// assert_eq!(message.cseq().number, 7);
/// # Ok::<(), lyceum_sip::ParseError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Message<'a> {
    bytes: &'a [u8],
    index: &'a Index,
}

/// One header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The recognised name.
    pub name: Name,
    /// The name as written; empty for a line without one, which [`parse`] has refused.
    pub raw_name: &'a [u8],
    /// The value, trimmed; folded lines are kept raw, every typed view reads them as white space.
    pub value: &'a [u8],
    /// The whole line with its CRLF, as offsets into [`Message::bytes`].
    pub line: Range<usize>,
}

impl<'a> Message<'a> {
    /// Joins bytes with the index that [`parse`] or a framer filled from these same bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8], index: &'a Index) -> Message<'a> {
        Message { bytes, index }
    }

    /// The bytes given, which may begin with empty lines and end with an excess.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The index.
    #[must_use]
    pub fn index(&self) -> &'a Index {
        self.index
    }

    /// The message itself: start line to end of body.
    #[must_use]
    pub fn wire(&self) -> &'a [u8] {
        self.bytes.get(self.start()..self.index.body.1 as usize).unwrap_or(&[])
    }

    pub(crate) fn start(&self) -> usize {
        usize::from(self.index.start)
    }

    /// Where the empty line between head and body is.
    pub(crate) fn head_end(&self) -> usize {
        usize::from(self.index.head_end)
    }

    /// True for a request.
    #[must_use]
    pub fn is_request(&self) -> bool {
        self.index.status == 0
    }

    /// The method of the request line, or of CSeq in a response.
    #[must_use]
    pub fn method(&self) -> Method {
        if self.is_request() { self.index.method } else { Method::from_bytes(self.cseq().method) }
    }

    /// The method's token as written.
    #[must_use]
    pub fn method_token(&self) -> &'a [u8] {
        if self.is_request() { self.index.word.of(self.bytes) } else { self.cseq().method }
    }

    /// The Request-URI; empty in a response.
    #[must_use]
    pub fn request_uri(&self) -> &'a [u8] {
        self.index.uri.of(self.bytes)
    }

    /// The Request-URI, taken apart.
    ///
    /// # Errors
    /// Which part is broken.
    pub fn parsed_request_uri(&self) -> Result<Uri<'a>, UriError> {
        if let Some(uri) = self.index.memo.uri(self.bytes, self.index.uri) {
            return Ok(uri);
        }
        let uri = Uri::parse(self.request_uri())?;
        self.index.memo.note_uri(self.bytes, &uri);
        Ok(uri)
    }

    pub(crate) fn request_uri_range(&self) -> Range<usize> {
        usize::from(self.index.uri.start)..usize::from(self.index.uri.end)
    }

    /// The status code; 0 in a request.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.index.status
    }

    /// The reason phrase; empty in a request.
    #[must_use]
    pub fn reason(&self) -> &'a [u8] {
        if self.is_request() { &[] } else { self.index.word.of(self.bytes) }
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.bytes.get(self.index.body.0 as usize..self.index.body.1 as usize).unwrap_or(&[])
    }

    /// All fields in order.
    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        Fields::new(*self)
    }

    /// The first field with this name.
    #[must_use]
    pub fn field(&self, name: Name) -> Option<Field<'a>> {
        self.index.first(name).and_then(|at| self.field_at(at))
    }

    /// How many fields (lines) carry this name.
    #[must_use]
    pub fn count(&self, name: Name) -> usize {
        if !self.index.has(name) {
            return 0;
        }
        self.index.lines.iter().filter(|line| line.name == name).count()
    }

    pub(crate) fn field_at(&self, at: usize) -> Option<Field<'a>> {
        let line = self.index.lines.get(at)?;
        let start = usize::from(line.start);
        Some(Field {
            name: line.name,
            raw_name: self.raw_name(line),
            value: self.line_value(line),
            line: start..self.index.line_end(at),
        })
    }

    pub(crate) fn raw_name(&self, line: &Line) -> &'a [u8] {
        let start = usize::from(line.start);
        if line.name_len < 255 {
            return self.bytes.get(start..start + usize::from(line.name_len)).unwrap_or(&[]);
        }
        let text = self.bytes.get(start..usize::from(line.value)).unwrap_or(&[]);
        let end = text.iter().position(|&b| !crate::lex::is_token_byte(b)).unwrap_or(text.len());
        &text[..end]
    }

    #[inline]
    pub(crate) fn line_value(&self, line: &Line) -> &'a [u8] {
        self.bytes.get(usize::from(line.value)..usize::from(line.value_end)).unwrap_or(&[])
    }

    /// The value of the first field with this name.
    #[must_use]
    #[inline]
    pub fn value(&self, name: Name) -> Option<&'a [u8]> {
        let at = self.index.first(name)?;
        self.index.lines.get(at).map(|line| self.line_value(line))
    }

    /// The value of the first field with this name, known or not, in any letter case.
    #[must_use]
    pub fn value_named(&self, name: &[u8]) -> Option<&'a [u8]> {
        match Name::from_bytes(name) {
            Name::Other => self.fields().find(|f| f.raw_name.eq_ignore_ascii_case(name)).map(|f| f.value),
            known => self.value(known),
        }
    }

    /// Every value of this name: comma lists are split where the field is a list, across
    /// lines, with quotes and angle brackets respected.
    #[must_use]
    pub fn values(&self, name: Name) -> Values<'a> {
        Values::new(*self, name)
    }

    /// Call-ID; empty when there is none.
    #[must_use]
    pub fn call_id(&self) -> &'a [u8] {
        self.value(Name::CallId).unwrap_or(&[])
    }

    /// CSeq; number 0 and no method when it is missing or broken ([`Message::validate`] tells).
    #[must_use]
    pub fn cseq(&self) -> CSeq<'a> {
        self.value(Name::CSeq).and_then(|v| CSeq::parse(v).ok()).unwrap_or_default()
    }

    /// The topmost Via value.
    ///
    /// # Errors
    /// When it is missing or broken.
    pub fn top_via(&self) -> Result<Via<'a>, HeaderError> {
        if let Some(via) = self.index.memo.via(self.bytes) {
            return Ok(via);
        }
        let value = self.value(Name::Via).ok_or(HeaderError("Via is missing"))?;
        let (via, _) = Via::parse_first(value)?;
        self.index.memo.note_via(self.bytes, &via);
        Ok(via)
    }

    /// All Via values, topmost first.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via<'a>, HeaderError>> + use<'a> {
        self.values(Name::Via).map(Via::parse)
    }

    /// From.
    ///
    /// # Errors
    /// When it is missing or broken.
    pub fn from(&self) -> Result<NameAddr<'a>, HeaderError> {
        NameAddr::parse(self.value(Name::From).ok_or(HeaderError("From is missing"))?)
    }

    /// To.
    ///
    /// # Errors
    /// When it is missing or broken.
    pub fn to(&self) -> Result<NameAddr<'a>, HeaderError> {
        NameAddr::parse(self.value(Name::To).ok_or(HeaderError("To is missing"))?)
    }

    /// The tag of From.
    #[must_use]
    pub fn from_tag(&self) -> Option<&'a [u8]> {
        self.tag(Side::From)
    }

    /// The tag of To.
    #[must_use]
    pub fn to_tag(&self) -> Option<&'a [u8]> {
        self.tag(Side::To)
    }

    fn tag(&self, side: Side) -> Option<&'a [u8]> {
        if let Some(tag) = self.index.memo.tag(self.bytes, side) {
            return tag;
        }
        let address = if side == Side::From { self.from() } else { self.to() };
        let tag = address.ok()?.tag();
        self.index.memo.note_tag(self.bytes, side, tag);
        tag
    }

    /// Max-Forwards, if there is one.
    #[must_use]
    pub fn max_forwards(&self) -> Option<Result<u8, HeaderError>> {
        let value = self.value(Name::MaxForwards)?;
        Some(
            number(value, 255)
                .and_then(|n| u8::try_from(n).ok())
                .ok_or(HeaderError("Max-Forwards is not a number from 0 to 255")),
        )
    }

    /// Expires in seconds; what exceeds 2^32-1 counts as 2^32-1, what is no number as absent.
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        delta_seconds(self.value(Name::Expires)?)
    }

    /// All Contact values.
    pub fn contacts(&self) -> impl Iterator<Item = Result<Contact<'a>, HeaderError>> + use<'a> {
        self.values(Name::Contact).map(Contact::parse)
    }

    /// Content-Length as written, if there is one.
    #[must_use]
    pub fn content_length(&self) -> Option<u32> {
        self.index.content_length
    }

    /// True when the option tag is listed in Supported, Require, Proxy-Require or Unsupported.
    #[must_use]
    pub fn has_option(&self, name: Name, tag: &str) -> bool {
        self.index.has(name) && self.values(name).any(|v| v.eq_ignore_ascii_case(tag.as_bytes()))
    }
}

impl std::fmt::Debug for Message<'_> {
    // Bodies and credentials stay out of logs: only the start line is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_request() {
            write!(f, "Message({} …)", self.method())
        } else {
            write!(f, "Message({} {})", self.status(), self.method())
        }
    }
}
