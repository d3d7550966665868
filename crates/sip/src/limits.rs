//! The named bounds of the parser, and the error it answers with.

/// What a message may be at most. Each excess has one stated answer: 513 for size, 400 for counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of a whole message, start line to end of body.
    pub message: usize,
    /// Header lines.
    pub headers: usize,
    /// Bytes of one header line, folded lines counted together.
    pub header_line: usize,
    /// Bytes of the body.
    pub body: usize,
}

/// The start line and headers together never exceed this, whatever [`Limits::message`] says:
/// spans are 16 bits wide.
pub const MAX_HEAD: usize = u16::MAX as usize;

impl Default for Limits {
    fn default() -> Limits {
        Limits { message: 64 * 1024, headers: 256, header_line: 8 * 1024, body: 64 * 1024 }
    }
}

/// Why bytes are not an acceptable SIP message, and how to answer them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// The status to answer a request with (400, 501, 505, 513); a response is dropped.
    pub status: u16,
    /// What is wrong, fit for a reason phrase.
    pub what: &'static str,
    /// Byte offset of the fault in the bytes given.
    pub offset: usize,
    /// True for a request with a method (other than ACK) and a Via: an answer can be built and
    /// addressed.
    pub answerable: bool,
}

impl ParseError {
    pub(crate) fn new(status: u16, what: &'static str, offset: usize) -> ParseError {
        ParseError { status, what, offset, answerable: false }
    }
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (answer {}, at byte {})", self.what, self.status, self.offset)
    }
}

impl std::error::Error for ParseError {}

/// Why one header value could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeaderError(pub &'static str);

impl std::fmt::Display for HeaderError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for HeaderError {}
