//! Messages out of a stream, by Content-Length (RFC 3261 §18.3), with the keep-alives of
//! RFC 5626 §3.5.1 between them.

use crate::limits::{Limits, MAX_HEAD, ParseError};
use crate::message::{Index, parse_head};

/// What a stream carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Frame<'a> {
    /// One whole message; the index given to [`Framer::next`] belongs to it.
    Message(&'a [u8]),
    /// CRLF CRLF: to be answered with CRLF.
    Ping,
    /// CRLF: the answer to our ping, or half of a ping whose other half is still under way.
    Pong,
}

/// Bytes that are no acceptable message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FramingError<'a> {
    /// What is wrong. When it is answerable, the index belongs to `bytes`, so that the
    /// refusal can be built.
    pub error: ParseError,
    /// The refused bytes.
    pub bytes: &'a [u8],
    /// True when nobody can tell where the next message begins: the framer yields nothing
    /// more, and the connection is to be closed after the answer.
    pub fatal: bool,
}

/// Cuts a stream into messages. Holds nothing while the stream is idle between messages.
#[derive(Debug, Default)]
pub struct Framer {
    limits: Limits,
    buffer: Vec<u8>,
    /// Bytes of `buffer` already handed out.
    used: usize,
    /// Bytes of `buffer` already searched for the end of the head.
    searched: usize,
    /// Bytes of the whole message behind `used`, once its head is known.
    whole: Option<usize>,
    /// What is wrong with the message whose head was read last, though its end is known.
    fault: Option<ParseError>,
    /// One CRLF was the last thing on the stream: the next one makes it a ping.
    half_ping: bool,
    dead: bool,
}

impl Framer {
    /// An empty framer.
    #[must_use]
    pub fn new(limits: Limits) -> Framer {
        Framer { limits, ..Framer::default() }
    }

    /// Adds bytes as they arrived. Call [`Framer::next`] until it returns `None` before
    /// pushing more, then at most one incomplete message is held.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.dead {
            return;
        }
        self.compact();
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.buffer.len() - self.used
    }

    /// True after a fatal error.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.dead
    }

    fn compact(&mut self) {
        if self.used == self.buffer.len() {
            // Thousands of idle connections hold no buffer.
            self.buffer = Vec::new();
        } else if self.used > 0 {
            self.buffer.drain(..self.used);
        }
        self.searched = self.searched.saturating_sub(self.used);
        self.used = 0;
    }

    /// The next frame; `None` when more bytes are needed.
    // Not an iterator: the frame borrows the framer's buffer.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self, index: &mut Index) -> Option<Result<Frame<'_>, FramingError<'_>>> {
        if self.dead {
            return None;
        }
        if self.whole.is_none() {
            match &self.buffer[self.used..] {
                [] => {
                    self.compact();
                    return None;
                }
                [b'\r'] => return None,
                [b'\r', b'\n', ..] => return Some(Ok(self.keep_alive())),
                _ => {}
            }
        }
        let head = match self.whole.take() {
            // The index has been through other hands since.
            Some(whole) if self.held() >= whole => self.head(index).map(|_| Some(whole)),
            Some(whole) => Ok(Some(whole)),
            None => self.head(index),
        };
        match head {
            Ok(Some(whole)) if self.held() >= whole => Some(self.message(whole, index)),
            Ok(whole) => {
                self.whole = whole;
                None
            }
            Err(error) => Some(Err(self.fail(error))),
        }
    }

    fn message(&mut self, whole: usize, index: &mut Index) -> Result<Frame<'_>, FramingError<'_>> {
        let from = self.used;
        self.used += whole;
        self.searched = self.used;
        self.half_ping = false;
        index.end_at(whole);
        let bytes = &self.buffer[from..self.used];
        match self.fault.take() {
            None => Ok(Frame::Message(bytes)),
            Some(error) => Err(FramingError { error, bytes, fatal: false }),
        }
    }

    fn keep_alive(&mut self) -> Frame<'static> {
        let doubled = self.buffer[self.used..].starts_with(b"\r\n\r\n");
        let ping = self.half_ping || doubled;
        self.used += if doubled && !self.half_ping { 4 } else { 2 };
        self.searched = self.used;
        self.half_ping = !ping && self.held() < 2;
        if ping { Frame::Ping } else { Frame::Pong }
    }

    /// The length of the message behind `used`, once its head is complete.
    fn head(&mut self, index: &mut Index) -> Result<Option<usize>, ParseError> {
        let room = self.limits.message.min(MAX_HEAD);
        let from = self.searched.saturating_sub(3).max(self.used);
        let found = memchr::memmem::find(&self.buffer[from..], b"\r\n\r\n");
        let head_len = found.map_or(self.held(), |hop| from + hop + 4 - self.used);
        if head_len > room {
            index.clear();
            return Err(ParseError::new(513, "Message head too large", room));
        }
        if found.is_none() {
            self.searched = self.buffer.len();
            return Ok(None);
        }
        let head = &self.buffer[self.used..self.used + head_len];
        let outcome = parse_head(head, index, &self.limits);
        let Some(length) = index.content_length else {
            // RFC 3261 §20.14 demands it on streams; without it there is no next message.
            return Err(outcome.err().unwrap_or(ParseError {
                answerable: index.answerable(),
                ..ParseError::new(400, "Content-Length is missing on a stream", head_len)
            }));
        };
        self.fault = outcome.err();
        if let Some(error) = self.fault.filter(|_| !index.is_framed()) {
            // Nobody knows which of two lengths is right, nor whether this is SIP at all.
            return Err(error);
        }
        let length = length as usize;
        if length > self.limits.body || length > self.limits.message - head_len.min(self.limits.message) {
            return Err(ParseError {
                answerable: index.answerable(),
                ..ParseError::new(513, "Body too large", head_len)
            });
        }
        Ok(Some(head_len + length))
    }

    fn fail(&mut self, error: ParseError) -> FramingError<'_> {
        self.dead = true;
        let from = self.used;
        self.used = self.buffer.len();
        FramingError { error, bytes: &self.buffer[from..], fatal: true }
    }
}

#[cfg(test)]
mod tests;
