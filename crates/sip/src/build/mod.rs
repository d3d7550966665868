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
pub(crate) fn one_line(out: &mut [u8], from: usize) {
    let text = &mut out[from..];
    let breaks = |byte: u8| matches!(byte, b'\r' | b'\n' | 0);
    // No branch for each byte: nearly every text is one line already.
    if text.iter().fold(false, |bad, byte| bad | breaks(*byte)) {
        text.iter_mut().filter(|byte| breaks(**byte)).for_each(|byte| *byte = b' ');
    }
}

/// A header line; its name is one of ours and needs no look.
pub(crate) fn push_field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
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
