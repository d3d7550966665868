//! One pass over the received bytes that fills the [`Index`].

use super::index::{Index, Line};
use super::start_line;
use crate::lex::{is_lws, is_token_byte, number, trim_end};
use crate::limits::{Limits, MAX_HEAD, ParseError};
use crate::name::Name;

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
        Some(length) if length as usize > limits.body => Err(ParseError::new(513, "Body too large", body)),
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
    // No offset exceeds the 16 bits of a span, so the casts below lose nothing.
    let head = &bytes[..bytes.len().min(MAX_HEAD)];
    let cut = bytes.len() > head.len();
    let outcome = Scan { head, cut, limits, index, fault: None }.run();
    outcome.map_err(|e| ParseError { answerable: index.answerable(), ..e })
}

struct Scan<'a> {
    head: &'a [u8],
    /// More bytes follow than a head may have.
    cut: bool,
    limits: &'a Limits,
    index: &'a mut Index,
    /// The first fault found: later ones are its consequences.
    fault: Option<ParseError>,
}

impl Scan<'_> {
    fn run(mut self) -> Result<(), ParseError> {
        let head = self.head;
        let mut at = 0;
        // RFC 3261 §7.5: empty lines before the start line are ignored.
        while head[at..].starts_with(b"\r\n") {
            at += 2;
        }
        self.index.start = at as u16;
        let end = self.line_end(at).ok_or_else(|| self.unfinished(at))?;
        if let Err(e) = start_line::read(head, at, end - 2, self.index) {
            self.note(e);
        }
        at = end;
        loop {
            self.index.head_end = at as u16;
            self.index.body.0 = at as u32;
            match head[at..] {
                [b'\r', b'\n', ..] => {
                    self.index.body.0 = at as u32 + 2;
                    break;
                }
                // The empty line is missing at the very end of a datagram: nothing is lost.
                [] if !self.cut => break,
                [] => return Err(self.unfinished(at)),
                [..] => at = self.header_line(at)?,
            }
        }
        self.fault.map_or(Ok(()), Err)
    }

    fn note(&mut self, error: ParseError) {
        self.fault.get_or_insert(error);
    }

    fn unfinished(&self, at: usize) -> ParseError {
        if self.cut {
            ParseError::new(513, "Message head too large", at)
        } else {
            self.fault.unwrap_or(ParseError::new(400, "Header line without an end", at))
        }
    }

    /// Offset after the CRLF that ends the (unfolded) line at `from`.
    #[inline]
    fn line_end(&mut self, from: usize) -> Option<usize> {
        let mut at = from;
        loop {
            at += memchr::memchr2(b'\r', b'\n', &self.head[at..])?;
            if self.head[at..].starts_with(b"\r\n") {
                return Some(at + 2);
            }
            // A bare CR or LF is a line end to some elements and none to others: never guess.
            self.note(ParseError::new(400, "Bare CR or LF", at));
            at += 1;
        }
    }

    /// The end of the line at `start` with all that continue it, read from `at` on:
    /// RFC 3261 §7.3.1, a line that begins with white space continues the one before.
    #[inline]
    fn folded_end(&mut self, mut at: usize) -> Option<usize> {
        loop {
            let end = self.line_end(at)?;
            match self.head.get(end) {
                Some(b' ' | b'\t') => at = end,
                _ => return Some(end),
            }
        }
    }

    /// Indexes the header line at `start` and returns where the next one begins.
    fn header_line(&mut self, start: usize) -> Result<usize, ParseError> {
        let line = &self.head[start..];
        let mut name_len = line.iter().position(|&b| !is_token_byte(b)).unwrap_or(line.len());
        let gap = line[name_len..].iter().position(|&b| !matches!(b, b' ' | b'\t')).unwrap_or(0);
        let named = name_len > 0 && line.get(name_len + gap) == Some(&b':');
        let mut value = if named { start + name_len + gap + 1 } else { start };
        let end = self.folded_end(value).ok_or_else(|| self.unfinished(start))?;
        if end - start > self.limits.header_line {
            return Err(ParseError::new(513, "Header line too long", start));
        }
        if self.index.lines.len() >= self.limits.headers {
            return Err(ParseError::new(400, "Too many header lines", start));
        }
        let mut value_end = end - 2;
        while value < value_end && is_lws(self.head[value]) {
            value += 1;
        }
        while value_end > value && is_lws(self.head[value_end - 1]) {
            value_end -= 1;
        }
        if !named {
            // Kept as a line of its own, so that no neighbour's range covers it.
            self.note(ParseError::new(400, "Header line without a name", start));
            name_len = 0;
        }
        let name = Name::from_bytes(&line[..name_len]);
        if name == Name::ContentLength {
            self.content_length(&self.head[value..value_end], start);
        }
        self.index.push(Line {
            start: start as u16,
            value: value as u16,
            value_end: value_end as u16,
            name,
            name_len: name_len.min(255) as u8,
        });
        Ok(end)
    }

    fn content_length(&mut self, value: &[u8], at: usize) {
        self.index.lengths += 1;
        if self.index.lengths > 1 {
            // RFC 4475 §3.3.9: nobody knows how long the body is meant to be.
            self.note(ParseError::new(400, "More than one Content-Length", at));
            return;
        }
        match number(trim_end(value), u64::from(u32::MAX)) {
            Some(length) => self.index.content_length = Some(length as u32),
            None => self.note(ParseError::new(400, "Content-Length is not a length", at)),
        }
    }
}
