//! The Common Presence and Instant Messaging wrapper (RFC 3862): headers of the message itself, then a MIME part.
//!
//! ```text
//! From: Anna <sip:anna@example.org>     message headers
//! imdn.Message-ID: 34jk324j
//!
//! Content-Type: text/plain              headers of the part
//!
//! Hello.                                the part
//! ```

/// Longest block of headers that is looked through, in bytes.
pub const MAX_HEADERS: usize = 16 << 10;

/// The media type of the wrapper.
pub const MEDIA_TYPE: &str = "message/cpim";

/// A wrapped message, viewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpim<'a> {
    /// The message's headers, without the empty line.
    pub headers: &'a [u8],
    /// The headers of the part.
    pub part_headers: &'a [u8],
    /// The part.
    pub body: &'a [u8],
}

impl<'a> Cpim<'a> {
    /// Reads a wrapper; `None` when an empty line is missing or the headers are over [`MAX_HEADERS`].
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (headers, rest) = block(bytes)?;
        let (part_headers, body) = block(rest)?;
        Some(Self { headers, part_headers, body })
    }

    /// A header of the message, as `imdn.Message-ID`; names are compared as they stand (RFC 3862 §2.2), folding is not
    /// part of the format.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        lines(self.headers).find_map(|(is, value)| (is == name.as_bytes()).then_some(value))
    }

    /// The media type of the part with its parameters; `text/plain` when the part does not say.
    pub fn content_type(&self) -> &'a [u8] {
        let named = lines(self.part_headers).find(|(name, _)| name.eq_ignore_ascii_case(b"content-type"));
        named.map_or(b"text/plain", |(_, value)| value)
    }

    /// How the part is encoded; empty when it is not.
    pub fn transfer_encoding(&self) -> &'a [u8] {
        let named = lines(self.part_headers).find(|(name, _)| name.eq_ignore_ascii_case(b"content-transfer-encoding"));
        named.map_or(b"", |(_, value)| value)
    }

    /// The sender's own name for the message (RFC 5438 §6.1): the prefix is the sender's to choose.
    pub fn message_id(&self) -> Option<&'a [u8]> {
        lines(self.headers).find_map(|(name, value)| {
            let local = name.rsplit(|b| *b == b'.').next().unwrap_or(name);
            (local == b"Message-ID" && !value.is_empty()).then_some(value)
        })
    }

    /// The URI in `From`, if the header is there.
    pub fn from(&self) -> Option<&'a [u8]> {
        let value = self.header("From")?;
        let bracketed = value.iter().rposition(|b| *b == b'<').map(|at| &value[at + 1..]);
        Some(bracketed.map_or(value, |rest| rest.strip_suffix(b">").unwrap_or(rest)).trim_ascii())
    }

    /// The same wrapper around another part of the same type.
    pub fn with_body(&self, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.headers.len() + self.part_headers.len() + body.len() + 8);
        for piece in [self.headers, b"\r\n\r\n", self.part_headers, b"\r\n\r\n", body] {
            out.extend_from_slice(piece);
        }
        out
    }

    /// Whether the message asks for this notice in `imdn.Disposition-Notification` (RFC 5438 §6.2).
    pub fn asks_for(&self, notice: &str) -> bool {
        self.header("imdn.Disposition-Notification").is_some_and(|value| {
            value.split(|b| *b == b',').any(|word| word.trim_ascii().eq_ignore_ascii_case(notice.as_bytes()))
        })
    }
}

/// Headers up to an empty line, and what follows it.
fn block(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let window = &bytes[..bytes.len().min(MAX_HEADERS)];
    let mut from = 0;
    // Headers may be none at all: then the empty line is the first.
    if let Some(rest) = bytes.strip_prefix(b"\r\n").or_else(|| bytes.strip_prefix(b"\n")) {
        return Some((b"", rest));
    }
    while let Some(at) = window[from..].iter().position(|b| *b == b'\n').map(|at| from + at) {
        let rest = &bytes[at + 1..];
        if let Some(after) = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")) {
            let headers = &bytes[..at];
            return Some((headers.strip_suffix(b"\r").unwrap_or(headers), after));
        }
        from = at + 1;
    }
    None
}

fn lines(headers: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    headers.split(|b| *b == b'\n').filter_map(|line| {
        let colon = line.iter().position(|b| *b == b':')?;
        Some((line[..colon].trim_ascii(), line[colon + 1..].trim_ascii()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRAPPED: &[u8] = b"From: Anna <sip:anna@example.org>\r\nNS: imdn <urn:ietf:params:imdn>\r\n\
        imdn.Message-ID: 34jk324j\r\nimdn.Disposition-Notification: positive-delivery, Display\r\n\r\n\
        Content-type: text/html; charset=utf-8\r\n\r\n<b>Hello</b>\r\n\r\nagain";

    #[test]
    fn a_wrapper_is_taken_apart_and_put_together() {
        let cpim = Cpim::parse(WRAPPED).unwrap();
        assert_eq!(cpim.header("imdn.Message-ID"), Some(&b"34jk324j"[..]));
        assert_eq!(cpim.header("imdn.message-id"), None);
        assert_eq!((cpim.message_id(), cpim.from()), (Some(&b"34jk324j"[..]), Some(&b"sip:anna@example.org"[..])));
        assert_eq!(cpim.transfer_encoding(), b"");
        assert_eq!(cpim.content_type(), b"text/html; charset=utf-8");
        assert_eq!(cpim.body, b"<b>Hello</b>\r\n\r\nagain");
        assert!(cpim.asks_for("positive-delivery") && cpim.asks_for("display") && !cpim.asks_for("processing"));
        assert_eq!(cpim.with_body(cpim.body), WRAPPED);
    }

    #[test]
    fn what_is_no_wrapper_is_none() {
        for bytes in [&b""[..], b"Hello", b"From: a\r\n\r\n", b"From: a\r\n\r\nContent-Type: text/plain\r\n"] {
            assert_eq!(Cpim::parse(bytes), None, "{bytes:?}");
        }
        let long = [b"A: ".as_slice(), &vec![b'a'; MAX_HEADERS], b"\r\n\r\n\r\nx"].concat();
        assert_eq!(Cpim::parse(&long), None);
        let bare = Cpim::parse(b"From: a\n\n\nHello").unwrap();
        assert_eq!((bare.content_type(), bare.body), (&b"text/plain"[..], &b"Hello"[..]));
    }
}
