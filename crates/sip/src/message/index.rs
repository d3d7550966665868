//! One pass over the received bytes that records where things are.

use crate::lex::{is_lws, is_token_byte, number, trim_end};
use crate::limits::{Limits, MAX_HEAD, ParseError};
use crate::method::Method;
use crate::name::{HOT, Name};

/// One header line, eight bytes: offsets are 16 bits because a head never exceeds [`MAX_HEAD`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) start: u16,
    pub(crate) value: u16,
    pub(crate) value_end: u16,
    pub(crate) name: Name,
    /// 255 stands for "longer": the colon is then looked up.
    pub(crate) name_len: u8,
}

/// A half-open range of the head.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Span {
    pub(crate) start: u16,
    pub(crate) end: u16,
}

impl Span {
    #[inline]
    pub(crate) fn of<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(usize::from(self.start)..usize::from(self.end)).unwrap_or(&[])
    }
}

/// Where the parts of one message are. Keep one and hand it to every [`parse`]: after the
/// first few messages it allocates no more. A clone takes eight bytes per header line.
#[derive(Clone, Default, Debug)]
pub struct Index {
    pub(crate) lines: Vec<Line>,
    /// Line number plus one of the first field of each hot name.
    first: [u16; HOT],
    /// One bit per known name that occurs.
    present: u128,
    pub(crate) method: Method,
    /// Zero for a request.
    pub(crate) status: u16,
    /// The method of a request or the reason phrase of a response.
    pub(crate) word: Span,
    pub(crate) uri: Span,
    /// Start of the start line, after leading empty lines.
    pub(crate) start: u16,
    /// Offset of the empty line that ends the head, or the end when it is missing.
    pub(crate) head_end: u16,
    pub(crate) body: (u32, u32),
    pub(crate) content_length: Option<u32>,
    /// How many Content-Length lines there are.
    lengths: u16,
}

impl Index {
    /// An empty index.
    #[must_use]
    pub fn new() -> Index {
        Index::default()
    }

    fn clear(&mut self) {
        self.lines.clear();
        self.first = [0; HOT];
        self.present = 0;
        self.method = Method::Other;
        self.status = 0;
        self.word = Span::default();
        self.uri = Span::default();
        self.start = 0;
        self.head_end = 0;
        self.body = (0, 0);
        self.content_length = None;
        self.lengths = 0;
    }

    #[inline]
    fn push(&mut self, line: Line) {
        self.lines.push(line);
        let name = line.name as usize;
        if line.name != Name::Other {
            self.present |= 1 << name;
            if name < HOT && self.first[name] == 0 {
                self.first[name] = u16::try_from(self.lines.len()).unwrap_or(0);
            }
        }
    }

    /// The line number of the first field with this name.
    #[inline]
    pub(crate) fn first(&self, name: Name) -> Option<usize> {
        let id = name as usize;
        if id < HOT {
            return usize::from(self.first[id]).checked_sub(1);
        }
        if name != Name::Other && self.present & (1 << id) == 0 {
            return None;
        }
        self.lines.iter().position(|line| line.name == name)
    }

    pub(crate) fn has(&self, name: Name) -> bool {
        name != Name::Other && self.present & (1 << name as usize) != 0
    }

    /// The end of line `at`, its CRLF included.
    #[inline]
    pub(crate) fn line_end(&self, at: usize) -> usize {
        usize::from(self.lines.get(at + 1).map_or(self.head_end, |line| line.start))
    }

    /// Bytes of heap in use, for memory accounts.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.lines.capacity() * size_of::<Line>()
    }

    /// Gives back the room that this message does not need, before the index is kept.
    pub fn shrink(&mut self) {
        self.lines.shrink_to_fit();
    }

    /// Via alone decides where an answer goes; RFC 4475 §3.3.1 wants one even if From, To and
    /// Call-ID are missing.
    pub(crate) fn answerable(&self) -> bool {
        self.status == 0 && self.word.end > self.word.start && self.has(Name::Via)
    }

    /// True when start line and Content-Length are sound enough to find the next message.
    pub(crate) fn is_framed(&self) -> bool {
        let started = self.status != 0 || self.uri.end > self.uri.start;
        started && self.lengths == 1
    }
}

/// Indexes one message that fills a datagram or a WebSocket frame.
///
/// Returns the bytes used: up to the end of the body by Content-Length, or all of them when
/// there is none (RFC 3261 §18.3; the excess is to be discarded). Checks what is needed to
/// find everything: start line, header lines, Content-Length, limits. What a value means is
/// checked by [`crate::Message::validate`] and by the typed views.
///
/// # Errors
/// For a request that is broken but [`ParseError::answerable`], the index is filled as far as
/// possible, so that [`crate::ResponseBuilder`] can build the refusal.
pub fn parse(bytes: &[u8], index: &mut Index, limits: &Limits) -> Result<usize, ParseError> {
    let head = parse_head(bytes, index, limits);
    let body = index.body.0 as usize;
    let available = bytes.len().saturating_sub(body);
    let outcome = head.and_then(|()| match index.content_length {
        Some(length) if length as usize > available => {
            Err(ParseError::new(400, "Content-Length exceeds the datagram", body))
        }
        Some(length) => Ok(body + length as usize),
        None => Ok(bytes.len()),
    });
    let end = *outcome.as_ref().unwrap_or(&bytes.len());
    let outcome = outcome.and_then(|end| match end {
        _ if end - body > limits.body => Err(ParseError::new(513, "Body too large", body)),
        _ if end > limits.message => Err(ParseError::new(513, "Message too large", end)),
        _ => Ok(end),
    });
    index.body.1 = u32::try_from(end).unwrap_or(u32::MAX).max(index.body.0);
    outcome.map_err(|e| ParseError { answerable: index.answerable(), ..e })
}

/// Indexes start line and headers; the body start is known afterwards, its end is not.
pub(crate) fn parse_head(bytes: &[u8], index: &mut Index, limits: &Limits) -> Result<(), ParseError> {
    index.clear();
    // Offsets beyond the limit are never read, so the casts below cannot lose bits.
    let room = bytes.len().min(MAX_HEAD);
    let head = &bytes[..room];
    let mut at = 0;
    while head[at..].starts_with(b"\r\n") {
        at += 2;
    }
    index.start = at as u16;
    let mut fault = Fault(None);
    let too_long = bytes.len() > room;
    let Some(line_end) = line_end(head, at, &mut fault) else {
        return Err(unfinished(too_long, at));
    };
    if let Err(e) = super::start_line::read(head, at, line_end - 2, index) {
        fault.note(e);
    }
    at = line_end;
    loop {
        index.head_end = at as u16;
        index.body.0 = at as u32;
        match head.get(at) {
            Some(b'\r') if head.get(at + 1) == Some(&b'\n') => {
                index.body.0 = at as u32 + 2;
                break;
            }
            // The empty line is missing at the very end of a datagram: nothing is lost.
            None if !too_long => break,
            None => return Err(unfinished(true, at)),
            Some(_) => at = header_line(head, at, too_long, index, limits, &mut fault)?,
        }
    }
    fault.0.map_or(Ok(()), |e| Err(ParseError { answerable: index.answerable(), ..e }))
}

fn unfinished(too_long: bool, at: usize) -> ParseError {
    if too_long {
        ParseError::new(513, "Message head too large", at)
    } else {
        ParseError::new(400, "Header line without an end", at)
    }
}

/// The first fault found: later ones are consequences.
pub(super) struct Fault(Option<ParseError>);

impl Fault {
    fn note(&mut self, error: ParseError) {
        self.0.get_or_insert(error);
    }
}

/// Offset after the CRLF that ends the (unfolded) line at `from`.
#[inline]
fn line_end(head: &[u8], from: usize, fault: &mut Fault) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr::memchr2(b'\r', b'\n', &head[at..])?;
        if head[at] == b'\r' && head.get(at + 1) == Some(&b'\n') {
            return Some(at + 2);
        }
        // A bare CR or LF is a line end to some elements and none to others: never guess.
        fault.note(ParseError::new(400, "Bare CR or LF", at));
        at += 1;
    }
}

/// Indexes the header line at `start` and returns where the next one begins.
fn header_line(
    head: &[u8],
    start: usize,
    too_long: bool,
    index: &mut Index,
    limits: &Limits,
    fault: &mut Fault,
) -> Result<usize, ParseError> {
    let mut name_end = start;
    while head.get(name_end).is_some_and(|&b| is_token_byte(b)) {
        name_end += 1;
    }
    let mut colon = name_end;
    while matches!(head.get(colon), Some(b' ' | b'\t')) {
        colon += 1;
    }
    let named = name_end > start && head.get(colon) == Some(&b':');
    let mut at = if named { colon + 1 } else { start };
    while matches!(head.get(at), Some(b' ' | b'\t')) {
        at += 1;
    }
    let mut value = at;
    let end = loop {
        let Some(end) = line_end(head, at, fault) else {
            return Err(unfinished(too_long, start));
        };
        // RFC 3261 §7.3.1: a line that begins with white space continues the one before.
        match head.get(end) {
            Some(b' ' | b'\t') => at = end,
            _ => break end,
        }
    };
    if end - start > limits.header_line {
        return Err(ParseError::new(513, "Header line too long", start));
    }
    if index.lines.len() >= limits.headers {
        return Err(ParseError::new(400, "Too many header lines", start));
    }
    let mut value_end = end - 2;
    while value < value_end && is_lws(head[value]) {
        value += 1;
    }
    while value_end > value && is_lws(head[value_end - 1]) {
        value_end -= 1;
    }
    if !named {
        // Kept as a line of its own, so that no neighbour's range covers it.
        fault.note(ParseError::new(400, "Header line without a name", start));
        name_end = start;
    }
    let name = Name::from_bytes(&head[start..name_end]);
    if name == Name::ContentLength {
        content_length(&head[value..value_end], start, index, fault);
    }
    index.push(Line {
        start: start as u16,
        value: value as u16,
        value_end: value_end as u16,
        name,
        name_len: (name_end - start).min(255) as u8,
    });
    Ok(end)
}

fn content_length(value: &[u8], at: usize, index: &mut Index, fault: &mut Fault) {
    index.lengths += 1;
    if index.lengths > 1 {
        // RFC 4475 §3.3.9: nobody knows how long the body is meant to be.
        fault.note(ParseError::new(400, "More than one Content-Length", at));
        return;
    }
    match number(trim_end(value), u64::from(u32::MAX)) {
        Some(length) => index.content_length = Some(length as u32),
        None => fault.note(ParseError::new(400, "Content-Length is not a length", at)),
    }
}
