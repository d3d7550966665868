//! Forwarding by splicing: ranges of the received bytes are copied, edits go in between.
//! Whatever no edit touches leaves byte for byte as it came.

use std::net::IpAddr;

use smallvec::SmallVec;

use crate::build::{one_line, push_body, push_field, push_text};
use crate::header::via::Via;
use crate::lex::{find_outside, is_lws, push_ip, push_number};
use crate::message::{Line, Message};
use crate::name::Name;

/// Edits on one message, applied by [`Splice::write`].
///
/// Each line has at most one edit, so edits never overlap: a removed line stays removed, a
/// replaced value wins over values cut from it.
#[derive(Clone, Debug)]
pub struct Splice<'a> {
    message: Message<'a>,
    uri: Option<&'a [u8]>,
    above: SmallVec<[&'a [u8]; 4]>,
    below: SmallVec<[&'a [u8]; 4]>,
    added: SmallVec<[(Name, &'a [u8]); 4]>,
    edits: SmallVec<[(u16, Edit<'a>); 8]>,
    via: Option<(Option<IpAddr>, Option<u16>)>,
    body: Option<(&'a [u8], &'a [u8])>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edit<'a> {
    /// The whole line goes.
    Drop,
    /// The first bytes of the value go.
    Cut(u16),
    /// Another value.
    Value(&'a [u8]),
}

impl<'a> Splice<'a> {
    /// No edits yet.
    #[must_use]
    pub fn new(message: Message<'a>) -> Splice<'a> {
        Splice {
            message,
            uri: None,
            above: SmallVec::new(),
            below: SmallVec::new(),
            added: SmallVec::new(),
            edits: SmallVec::new(),
            via: None,
            body: None,
        }
    }

    /// Another Request-URI; nothing happens to a response.
    pub fn request_uri(&mut self, uri: &'a [u8]) -> &mut Self {
        self.uri = Some(uri);
        self
    }

    /// Puts a line (`Name: value`, without CRLF) above all headers; a later call ends up above.
    pub fn prepend(&mut self, line: &'a [u8]) -> &mut Self {
        self.above.push(line);
        self
    }

    /// Puts a line (`Name: value`, without CRLF) below all headers.
    pub fn append(&mut self, line: &'a [u8]) -> &mut Self {
        self.below.push(line);
        self
    }

    /// Removes the first value of a list, and its line when nothing is left there. Repeated
    /// calls remove the next ones.
    pub fn remove_first_value(&mut self, name: Name) -> &mut Self {
        let lines = &self.message.index().lines;
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.name == name) {
            let cut = match self.edit_of(at) {
                None => 0,
                Some(Edit::Cut(cut)) => usize::from(cut),
                Some(_) => continue,
            };
            let value = self.message.line_value(line);
            let rest = value.get(cut..).unwrap_or(&[]);
            let mut next = if name.is_list() { cut + find_outside(rest, b',') + 1 } else { value.len() };
            while value.get(next).is_some_and(|&b| is_lws(b) || b == b',') {
                next += 1;
            }
            let edit = if next < value.len() { Edit::Cut(next as u16) } else { Edit::Drop };
            self.set(at, edit);
            break;
        }
        self
    }

    /// Removes every line with this name.
    pub fn remove(&mut self, name: Name) -> &mut Self {
        if self.message.index().has(name) {
            self.drop_where(|line, _| line.name == name);
        }
        self
    }

    /// Removes every line with this name, known or not, in any letter case or compact.
    pub fn remove_named(&mut self, name: &[u8]) -> &mut Self {
        match Name::from_bytes(name) {
            Name::Other => {
                self.drop_where(|line, raw| line.name == Name::Other && raw.eq_ignore_ascii_case(name));
                self
            }
            known => self.remove(known),
        }
    }

    /// Removes every line for which `unwanted` holds, given its name, the name as written and its value.
    pub fn remove_where(&mut self, unwanted: impl Fn(Name, &[u8], &[u8]) -> bool) -> &mut Self {
        let message = self.message;
        self.drop_where(|line, raw| unwanted(line.name, raw, message.line_value(line)));
        self
    }

    fn drop_where(&mut self, wanted: impl Fn(&Line, &[u8]) -> bool) {
        let message = self.message;
        for (at, line) in message.index().lines.iter().enumerate() {
            if wanted(line, message.raw_name(line)) {
                self.set(at, Edit::Drop);
            }
        }
    }

    /// Gives the first line with this name another value, or adds one below all headers.
    /// `Other` names nothing and changes nothing.
    pub fn replace(&mut self, name: Name, value: &'a [u8]) -> &mut Self {
        let at = self.message.index().first(name);
        match at {
            _ if name == Name::Other => {}
            Some(at) => self.set(at, Edit::Value(value)),
            None => {
                self.added.retain(|(n, _)| *n != name);
                self.added.push((name, value));
            }
        }
        self
    }

    /// Writes `received` and `rport` into the topmost Via of the received request, over what
    /// the sender wrote there (RFC 3261 §18.2.1, RFC 3581 §4). The port goes in only where the
    /// sender asked with an `rport` of its own, so both may always be given.
    pub fn set_top_via_params(&mut self, received: Option<IpAddr>, rport: Option<u16>) -> &mut Self {
        self.via = Some((received, rport));
        self
    }

    /// Another body with its type; encoding and length of the old one go.
    pub fn body(&mut self, content_type: &'a [u8], body: &'a [u8]) -> &mut Self {
        self.body = Some((content_type, body));
        self
    }

    fn edit_of(&self, line: usize) -> Option<Edit<'a>> {
        self.edits.iter().find(|(at, _)| usize::from(*at) == line).map(|(_, edit)| *edit)
    }

    fn set(&mut self, line: usize, edit: Edit<'a>) {
        let Ok(line) = u16::try_from(line) else {
            return;
        };
        match self.edits.iter_mut().find(|(at, _)| *at == line) {
            Some((_, Edit::Drop)) => {}
            Some((_, old)) => *old = edit,
            None => self.edits.push((line, edit)),
        }
    }

    /// Appends the edited message to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let message = &self.message;
        out.reserve(message.wire().len() + 512);
        self.start_line(out);
        for line in self.above.iter().rev() {
            push_line(out, line);
        }
        self.lines(out);
        for (name, value) in &self.added {
            push_field(out, name.as_str().as_bytes(), value);
        }
        for line in &self.below {
            push_line(out, line);
        }
        self.tail(out);
    }

    fn start_line(&self, out: &mut Vec<u8>) {
        let message = &self.message;
        let bytes = message.bytes();
        let first = message.index().lines.first();
        let end = first.map_or(message.head_end(), |line| usize::from(line.start));
        match self.uri.filter(|_| message.is_request()) {
            Some(uri) => {
                let range = message.request_uri_range();
                out.extend_from_slice(&bytes[message.start()..range.start]);
                push_text(out, uri);
                out.extend_from_slice(&bytes[range.end..end]);
            }
            None => out.extend_from_slice(&bytes[message.start()..end]),
        }
    }

    /// All header lines with their edits; untouched runs are copied in one piece.
    fn lines(&self, out: &mut Vec<u8>) {
        let message = &self.message;
        let (bytes, index) = (message.bytes(), message.index());
        let mut edits: SmallVec<[(u16, Edit<'a>); 8]> = self.edits.clone();
        self.implied(&mut edits);
        edits.sort_unstable_by_key(|(at, _)| *at);
        let via = self.via.and_then(|params| Some((index.first(Name::Via)?, params)));
        let via_edited = via.is_some_and(|(at, _)| edits.iter().any(|(e, _)| usize::from(*e) == at));
        let mut via = via.filter(|_| !via_edited);
        let mut from = index.lines.first().map_or(message.head_end(), |line| usize::from(line.start));
        let mut edits = edits.into_iter().peekable();
        loop {
            let next_edit = edits.peek().map_or(usize::MAX, |(at, _)| usize::from(*at));
            let next_via = via.map_or(usize::MAX, |(at, _)| at);
            let at = next_edit.min(next_via);
            let Some(line) = index.lines.get(at) else {
                break;
            };
            out.extend_from_slice(&bytes[from..usize::from(line.start)]);
            from = index.line_end(at);
            if next_via < next_edit {
                if let Some((_, (received, rport))) = via.take() {
                    write_via(out, message, line, Source::Params(received, rport));
                }
                continue;
            }
            match edits.next().map(|(_, edit)| edit) {
                Some(Edit::Cut(cut)) => {
                    out.extend_from_slice(&bytes[usize::from(line.start)..usize::from(line.value)]);
                    out.extend_from_slice(&bytes[usize::from(line.value) + usize::from(cut)..from]);
                }
                Some(Edit::Value(value)) => {
                    out.extend_from_slice(&bytes[usize::from(line.start)..usize::from(line.value)]);
                    push_text(out, value);
                    out.extend_from_slice(&bytes[usize::from(line.value_end)..from]);
                }
                Some(Edit::Drop) | None => {}
            }
        }
        out.extend_from_slice(&bytes[from..message.head_end()]);
    }

    /// Lines that go because the body changes or its length is not told rightly.
    fn implied(&self, edits: &mut SmallVec<[(u16, Edit<'a>); 8]>) {
        let keeps_length = self.keeps_length();
        if keeps_length && self.body.is_none() {
            return;
        }
        for (at, line) in self.message.index().lines.iter().enumerate() {
            let gone = match line.name {
                Name::ContentLength => !keeps_length,
                Name::ContentType | Name::ContentEncoding => self.body.is_some(),
                _ => false,
            };
            if gone {
                let at = at as u16;
                edits.retain(|(e, _)| *e != at);
                edits.push((at, Edit::Drop));
            }
        }
    }

    /// True when the received Content-Length line can stay.
    fn keeps_length(&self) -> bool {
        let message = &self.message;
        self.body.is_none()
            && message.content_length().is_some_and(|n| n as usize == message.body().len())
            && message.count(Name::ContentLength) == 1
            && !self.edits.iter().any(|(at, _)| {
                message.index().lines.get(usize::from(*at)).is_some_and(|line| line.name == Name::ContentLength)
            })
    }

    fn tail(&self, out: &mut Vec<u8>) {
        match self.body {
            Some((content_type, body)) => push_body(out, content_type, body),
            None if self.keeps_length() => {
                out.extend_from_slice(b"\r\n");
                out.extend_from_slice(self.message.body());
            }
            None => push_body(out, &[], self.message.body()),
        }
    }
}

fn push_line(out: &mut Vec<u8>, line: &[u8]) {
    push_text(out, line.strip_suffix(b"\r\n").unwrap_or(line));
    out.extend_from_slice(b"\r\n");
}

/// What is to be known of the sender's address in a Via line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// By RFC 3261 §18.2.1 and RFC 3581 §4: `rport` when it was asked for, `received` then or
    /// when it differs from `sent-by`.
    Address(IpAddr, u16),
    /// These, the port only when it was asked for.
    Params(Option<IpAddr>, Option<u16>),
}

impl Source {
    fn params(self, via: &Via<'_>) -> (Option<IpAddr>, Option<u16>) {
        match self {
            Source::Params(received, rport) => (received, rport.filter(|_| via.rport.is_some())),
            Source::Address(ip, port) => {
                let asked = via.rport.is_some();
                (Some(ip).filter(|_| asked || via.host.ip() != Some(ip)), Some(port).filter(|_| asked))
            }
        }
    }
}

/// Writes the Via line with the sender's address in its first value.
pub(crate) fn write_via(out: &mut Vec<u8>, message: &Message<'_>, line: &Line, source: Source) {
    let bytes = message.bytes();
    let from = out.len();
    let start = usize::from(line.start);
    let value = message.line_value(line);
    let end = usize::from(line.value_end);
    // The topmost one has been read already.
    let top = message.top_via().ok().filter(|via| via.raw.as_ptr() == value.as_ptr());
    let Some(via) = top.or_else(|| Via::parse_first(value).ok().map(|(via, _)| via)) else {
        // Broken, yet answerable: it goes back as it came.
        push_line(out, &bytes[start..end]);
        return;
    };
    let (received, rport) = source.params(&via);
    let first_end = usize::from(line.value) + via.raw.len();
    let params = first_end - via.params.raw().len();
    out.extend_from_slice(&bytes[start..params]);
    for param in via.params {
        let is = |name: &str| param.name.eq_ignore_ascii_case(name.as_bytes());
        // What the sender claims about its own address is never passed on (RFC 3581 §4).
        if is("received") || rport.is_some() && is("rport") {
            continue;
        }
        out.push(b';');
        out.extend_from_slice(param.name);
        if let Some(value) = param.value {
            out.push(b'=');
            out.extend_from_slice(value);
        }
    }
    if let Some(port) = rport {
        out.extend_from_slice(b";rport=");
        push_number(out, u64::from(port));
    }
    if let Some(ip) = received {
        out.extend_from_slice(b";received=");
        push_ip(out, ip);
    }
    out.extend_from_slice(&bytes[first_end..end]);
    one_line(out, from);
    out.extend_from_slice(b"\r\n");
}
