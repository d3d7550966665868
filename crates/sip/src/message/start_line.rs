//! Request-Line and Status-Line (RFC 3261 §7.1, §7.2).

use super::index::{Index, Span};
use crate::lex::{is_token, is_token_byte, number};
use crate::limits::ParseError;
use crate::method::Method;

fn span(start: usize, end: usize) -> Span {
    Span { start: start as u16, end: end as u16 }
}

fn bad(what: &'static str, at: usize) -> ParseError {
    ParseError::new(400, what, at)
}

/// Reads the start line `head[at..end]`; on a fault, what could be told apart is in the index.
pub(super) fn read(head: &[u8], at: usize, end: usize, index: &mut Index) -> Result<(), ParseError> {
    let line = &head[at..end];
    if line.len() > 4 && line[..4].eq_ignore_ascii_case(b"SIP/") {
        return status_line(head, at, end, index);
    }
    request_line(head, at, end, index)
}

fn request_line(head: &[u8], at: usize, end: usize, index: &mut Index) -> Result<(), ParseError> {
    let mut method_end = at;
    while method_end < end && is_token_byte(head[method_end]) {
        method_end += 1;
    }
    if method_end == at || head.get(method_end) != Some(&b' ') {
        return Err(bad("Not a SIP start line", at));
    }
    index.word = span(at, method_end);
    index.method = Method::from_bytes(&head[at..method_end]);
    let uri = method_end + 1;
    if head[at..end].ends_with(b" SIP/2.0") && uri < end - 8 {
        let uri_end = end - 8;
        index.uri = span(uri, uri_end);
        return match head[uri..uri_end].iter().position(|b| matches!(b, b' ' | b'\t' | b'<' | b'>' | b'"')) {
            // RFC 4475 §3.1.2.7 to §3.1.2.9: angle brackets and white space are refused, not repaired.
            Some(hop) => Err(bad("White space, quote or bracket in the Request-URI", uri + hop)),
            None => Ok(()),
        };
    }
    broken_version(head, uri, end, index)
}

fn broken_version(head: &[u8], uri: usize, end: usize, index: &mut Index) -> Result<(), ParseError> {
    let Some(line) = head.get(uri..end) else {
        return Err(bad("Not a SIP start line", uri));
    };
    let uri_end = uri + line.iter().position(|&b| b == b' ').unwrap_or(line.len());
    index.uri = span(uri, uri_end);
    let version = head.get(uri_end + 1..end).unwrap_or(&[]);
    if version.eq_ignore_ascii_case(b"SIP/2.0") && uri_end > uri {
        return Ok(());
    }
    let shaped = version.len() > 4
        && version[..4].eq_ignore_ascii_case(b"SIP/")
        && version[4..].iter().all(|b| b.is_ascii_digit() || *b == b'.');
    if shaped && version != b"SIP/2.0" {
        return Err(ParseError::new(505, "SIP version not supported", uri_end + 1));
    }
    Err(bad("Broken Request-Line", uri_end))
}

fn status_line(head: &[u8], at: usize, end: usize, index: &mut Index) -> Result<(), ParseError> {
    let line = &head[at..end];
    let version_end = line.iter().position(|&b| b == b' ').unwrap_or(line.len());
    // Anything that begins with "SIP/" is a response, hence never answered.
    index.status = 1;
    if !line[..version_end].eq_ignore_ascii_case(b"SIP/2.0") {
        let shaped = is_token(&line[4..version_end]);
        return Err(ParseError::new(if shaped { 505 } else { 400 }, "SIP version not supported", at));
    }
    let code = line.get(version_end + 1..).unwrap_or(&[]);
    let code_len = code.iter().position(|&b| b == b' ').unwrap_or(code.len());
    let status = number(&code[..code_len], 699).filter(|&s| s >= 100 && code_len == 3);
    let Some(status) = status else {
        return Err(bad("Status code out of range", at + version_end + 1));
    };
    index.status = status as u16;
    // RFC 4475 §3.1.1.13: the reason may be empty; some elements leave out its space as well.
    let reason = (at + version_end + 1 + code_len + 1).min(end);
    index.word = span(reason, end);
    Ok(())
}
