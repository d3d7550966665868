//! Building messages: responses to what was received, and requests of our own.

mod reason;
mod request;
mod response;

pub use reason::default_reason;
pub use request::RequestBuilder;
pub use response::ResponseBuilder;

use crate::lex::push_number;

/// Adds text that must stay on its line: CR and LF, with which a value could smuggle in
/// header lines, become spaces (which is also what folding means).
pub(crate) fn push_text(out: &mut Vec<u8>, text: &[u8]) {
    let from = out.len();
    out.extend_from_slice(text);
    one_line(out, from);
}

/// Makes one line of everything behind `from`.
pub(crate) fn one_line(out: &mut [u8], mut from: usize) {
    while let Some(hop) = memchr::memchr3(b'\r', b'\n', 0, &out[from..]) {
        from += hop;
        out[from] = b' ';
    }
}

pub(crate) fn push_field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    push_text(out, name);
    out.extend_from_slice(b": ");
    push_text(out, value);
    out.extend_from_slice(b"\r\n");
}

/// Content-Type when there is one, Content-Length, the empty line, the body.
pub(crate) fn push_body(out: &mut Vec<u8>, content_type: &[u8], body: &[u8]) {
    if !content_type.is_empty() {
        push_field(out, b"Content-Type", content_type);
    }
    out.extend_from_slice(b"Content-Length: ");
    push_number(out, body.len() as u64);
    out.extend_from_slice(b"\r\n\r\n");
    out.extend_from_slice(body);
}
