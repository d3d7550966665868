//! Responses (RFC 3261 §8.2.6): what has to be copied is copied from the request's bytes.

use std::net::IpAddr;

use smallvec::SmallVec;

use super::{default_reason, push_body, push_field, push_text};
use crate::lex::push_number;
use crate::message::Message;
use crate::name::Name;
use crate::splice::{Source, write_via};

/// Answers one request. Also works on a request that [`crate::parse`] refused, as long as it
/// is answerable: what is missing is left out.
#[derive(Clone, Debug)]
pub struct ResponseBuilder<'a> {
    request: Message<'a>,
    code: u16,
    reason: &'a str,
    to_tag: &'a [u8],
    received: Option<(IpAddr, u16)>,
    record_route: bool,
    headers: SmallVec<[(&'a str, &'a [u8]); 6]>,
    lines: &'a [u8],
    content_type: &'a [u8],
    body: &'a [u8],
}

impl<'a> ResponseBuilder<'a> {
    /// A response with this status; an empty reason stands for [`default_reason`].
    #[must_use]
    pub fn new(request: &Message<'a>, code: u16, reason: &'a str) -> ResponseBuilder<'a> {
        ResponseBuilder {
            request: *request,
            code,
            reason,
            to_tag: &[],
            received: None,
            record_route: false,
            headers: SmallVec::new(),
            lines: &[],
            content_type: &[],
            body: &[],
        }
    }

    /// The tag for To, used when the request has none and the status is not 100.
    pub fn to_tag(&mut self, tag: &'a [u8]) -> &mut Self {
        self.to_tag = tag;
        self
    }

    /// Where the request came from: written into the top Via by RFC 3261 §18.2.1 (`received`
    /// when it differs from `sent-by`) and RFC 3581 (`rport` filled in when it was asked for,
    /// `received` then always).
    pub fn received(&mut self, ip: IpAddr, port: u16) -> &mut Self {
        self.received = Some((ip, port));
        self
    }

    /// Copies Record-Route, for answers that make a dialog.
    pub fn copy_record_route(&mut self) -> &mut Self {
        self.record_route = true;
        self
    }

    /// Any other header.
    pub fn header(&mut self, name: &'a str, value: &'a [u8]) -> &mut Self {
        self.headers.push((name, value));
        self
    }

    /// Whole header lines, each with its CRLF, as [`crate::build`] or digest challenges write
    /// them; taken as they are.
    pub fn lines(&mut self, lines: &'a [u8]) -> &mut Self {
        self.lines = lines;
        self
    }

    /// The body.
    pub fn body(&mut self, content_type: &'a [u8], body: &'a [u8]) -> &mut Self {
        (self.content_type, self.body) = (content_type, body);
        self
    }

    /// Appends the response to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.reserve(self.request.head_end() + self.body.len() + 128);
        out.extend_from_slice(b"SIP/2.0 ");
        push_number(out, u64::from(self.code));
        out.push(b' ');
        let reason = if self.reason.is_empty() { default_reason(self.code) } else { self.reason };
        push_text(out, reason.as_bytes());
        out.extend_from_slice(b"\r\n");
        self.copy_fields(out);
        for (name, value) in &self.headers {
            push_text(out, name.as_bytes());
            push_field(out, b"", value);
        }
        out.extend_from_slice(self.lines);
        push_body(out, self.content_type, self.body);
    }

    fn copy_fields(&self, out: &mut Vec<u8>) {
        let bytes = self.request.bytes();
        let index = self.request.index();
        let mut top = true;
        for (at, line) in index.lines.iter().enumerate() {
            let whole = bytes.get(usize::from(line.start)..index.line_end(at)).unwrap_or(&[]);
            match line.name {
                Name::Via => {
                    match self.received.filter(|_| top) {
                        Some((ip, port)) => write_via(out, &self.request, line, Source::Address(ip, port)),
                        None => copy_line(out, whole),
                    }
                    top = false;
                }
                Name::From | Name::CallId | Name::CSeq => copy_line(out, whole),
                Name::Timestamp if self.code == 100 => copy_line(out, whole),
                Name::RecordRoute if self.record_route => copy_line(out, whole),
                Name::To => self.copy_to(out, whole),
                _ => {}
            }
        }
    }

    fn copy_to(&self, out: &mut Vec<u8>, line: &[u8]) {
        // RFC 3261 §8.2.6.2: every answer but 100 has a To tag.
        if self.to_tag.is_empty() || self.code == 100 || self.request.to_tag().is_some() {
            copy_line(out, line);
            return;
        }
        push_text(out, crate::lex::trim_end(line));
        out.extend_from_slice(b";tag=");
        push_text(out, self.to_tag);
        out.extend_from_slice(b"\r\n");
    }
}

/// Folds come undone, and a bare CR or LF of a refused request does not come back.
fn copy_line(out: &mut Vec<u8>, line: &[u8]) {
    push_text(out, line.strip_suffix(b"\r\n").unwrap_or(line));
    out.extend_from_slice(b"\r\n");
}
