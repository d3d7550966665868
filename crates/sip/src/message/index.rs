//! Where the parts of a message are: the table that one pass over its bytes fills.

use super::memo::Memo;
use crate::method::Method;
use crate::name::{HOT, Name};

/// One header line, eight bytes: offsets are 16 bits because a head never exceeds
/// [`crate::limits::MAX_HEAD`].
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

/// Where the parts of one message are. Keep one and hand it to every [`crate::parse`]: after the
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
    pub(super) lengths: u16,
    pub(crate) memo: Memo,
}

impl Index {
    /// An empty index.
    #[must_use]
    pub fn new() -> Index {
        Index::default()
    }

    pub(crate) fn clear(&mut self) {
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
        self.memo.clear();
    }

    #[inline]
    pub(super) fn push(&mut self, line: Line) {
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
        // `Other` is no name: a field without one of ours is asked for by its text.
        if !self.has(name) {
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
    /// Call-ID are missing. An ACK is never answered.
    pub(crate) fn answerable(&self) -> bool {
        let named = self.status == 0 && self.word.end > self.word.start;
        named && self.has(Name::Via) && self.method != Method::Ack
    }

    /// Tells where the body ends, counted from where the message begins.
    pub(crate) fn end_at(&mut self, end: usize) {
        self.body.1 = u32::try_from(end).unwrap_or(u32::MAX).max(self.body.0);
    }

    /// True when start line and Content-Length are sound enough to find the next message.
    pub(crate) fn is_framed(&self) -> bool {
        let started = self.status != 0 || self.uri.end > self.uri.start;
        started && self.lengths == 1
    }
}
