//! How much a description may hold, and what is said of one that is too big or broken.

use std::fmt;

/// Bytes of a whole description; a browser with video sends some 6,000.
pub const MAX_BYTES: usize = 64 * 1024;
/// Lines of a whole description.
pub const MAX_LINES: usize = 1024;
/// Media of one description, those with port 0 included.
pub const MAX_MEDIA: usize = 32;
/// Formats of one medium (payload types have seven bits).
pub const MAX_FORMATS: usize = 128;
/// ICE candidates read of one medium; further ones are ignored.
pub const MAX_CANDIDATES: usize = 64;
/// Crypto attributes read of one medium; further ones are ignored.
pub const MAX_CRYPTO: usize = 16;

/// Why bytes are no description: the line, counted from one, and what is wrong there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// Line number, from one; zero when the whole is meant.
    pub line: usize,
    /// What is wrong, as a clause without a full stop.
    pub what: &'static str,
}

impl ParseError {
    pub(crate) fn new(line: usize, what: &'static str) -> Self {
        Self { line, what }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "session description: {}", self.what),
            line => write!(f, "session description, line {line}: {}", self.what),
        }
    }
}

impl std::error::Error for ParseError {}
