//! Bodies of several parts (RFC 2046 §5.1): written for lists, read for requests that bring a list of recipients.

/// Most parts that are read.
pub const MAX_PARTS: usize = 16;
/// Longest boundary (RFC 2046 §5.1.1).
pub const MAX_BOUNDARY: usize = 70;

/// A body being written.
#[derive(Debug)]
pub struct Multipart<'a> {
    boundary: &'a str,
    out: &'a mut Vec<u8>,
    begun: bool,
}

impl<'a> Multipart<'a> {
    /// Begins a body at the end of the buffer.
    pub fn new(boundary: &'a str, out: &'a mut Vec<u8>) -> Self {
        Multipart { boundary, out, begun: false }
    }

    /// Begins a part; its bytes are appended to [`Multipart::body`].
    pub fn begin(&mut self, content_type: &str, content_id: Option<&str>) {
        self.delimit("");
        let id = content_id.map_or(String::new(), |id| format!("Content-ID: <{id}>\r\n"));
        let headers = format!("Content-Transfer-Encoding: binary\r\n{id}Content-Type: {content_type}\r\n\r\n");
        self.out.extend_from_slice(headers.as_bytes());
    }

    /// Where the part's bytes go.
    pub fn body(&mut self) -> &mut Vec<u8> {
        self.out
    }

    /// Ends the body.
    pub fn end(mut self) {
        self.delimit("--");
    }

    /// The line end before a boundary belongs to it; the first boundary has nothing before it.
    fn delimit(&mut self, tail: &str) {
        let before = if std::mem::replace(&mut self.begun, true) { "\r\n" } else { "" };
        for text in [before, "--", self.boundary, tail, "\r\n"] {
            self.out.extend_from_slice(text.as_bytes());
        }
    }
}

/// A part that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    headers: &'a [u8],
    /// Its bytes.
    pub body: &'a [u8],
}

impl<'a> Part<'a> {
    /// A header's value without white space around it, by its name in any letter case.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.split(|byte| *byte == b'\n').find_map(|line| {
            let line = std::str::from_utf8(line).ok()?;
            let (key, value) = line.split_once(':')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The content type without its parameters.
    pub fn content_type(&self) -> Option<&'a str> {
        self.header("Content-Type").map(|value| value.split(';').next().unwrap_or(value).trim())
    }

    /// The content disposition without its parameters.
    pub fn disposition(&self) -> Option<&'a str> {
        self.header("Content-Disposition").map(|value| value.split(';').next().unwrap_or(value).trim())
    }
}

/// Why a body is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MultipartError {
    /// No boundary, or one that may not be.
    Boundary,
    /// A part without an end.
    Unfinished,
    /// Over [`MAX_PARTS`].
    TooMany,
}

impl std::fmt::Display for MultipartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            MultipartError::Boundary => write!(f, "the body's boundary is missing or malformed"),
            MultipartError::Unfinished => write!(f, "the last part of the body has no end"),
            MultipartError::TooMany => write!(f, "the body has over {MAX_PARTS} parts"),
        }
    }
}

impl std::error::Error for MultipartError {}

/// The boundary in the value of a Content-Type.
pub fn boundary_of(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
    })
}

/// Reads the parts of a body.
pub fn read<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<Part<'a>>, MultipartError> {
    if boundary.is_empty() || boundary.len() > MAX_BOUNDARY || boundary.contains(|c: char| c.is_control()) {
        return Err(MultipartError::Boundary);
    }
    let delimiter = [b"--", boundary.as_bytes()].concat();
    let mut parts = Vec::new();
    // What stands before the first boundary is not for us.
    let (_, mut at, mut last) = next(body, 0, &delimiter).ok_or(MultipartError::Unfinished)?;
    while !last {
        if parts.len() == MAX_PARTS {
            return Err(MultipartError::TooMany);
        }
        let (end, after, is_last) = next(body, at, &delimiter).ok_or(MultipartError::Unfinished)?;
        parts.push(part(&body[at.min(end)..end]));
        (at, last) = (after, is_last);
    }
    Ok(parts)
}

/// The next line that is a boundary: where what is before it ends, where what follows begins, and whether it is the last.
fn next(body: &[u8], from: usize, delimiter: &[u8]) -> Option<(usize, usize, bool)> {
    let mut at = from;
    loop {
        let line = &body[at..];
        let length = line.iter().position(|byte| *byte == b'\n').map_or(line.len(), |end| end + 1);
        if let Some(rest) = line[..length].strip_prefix(delimiter) {
            let (is_last, rest) = rest.strip_prefix(b"--").map_or((false, rest), |rest| (true, rest));
            if rest.iter().all(u8::is_ascii_whitespace) {
                let before = body[..at].strip_suffix(b"\n").map_or(at, <[u8]>::len);
                let before = body[..before].strip_suffix(b"\r").map_or(before, <[u8]>::len);
                return Some((before.max(from.min(at)), at + length, is_last));
            }
        }
        at += length;
        if at >= body.len() {
            return None;
        }
    }
}

fn part(bytes: &[u8]) -> Part<'_> {
    let mut at = 0;
    while at < bytes.len() {
        let line = &bytes[at..];
        let length = line.iter().position(|byte| *byte == b'\n').map_or(line.len(), |end| end + 1);
        if line[..length].iter().all(u8::is_ascii_whitespace) {
            return Part { headers: &bytes[..at], body: &bytes[at + length..] };
        }
        at += length;
    }
    Part { headers: bytes, body: b"" }
}
