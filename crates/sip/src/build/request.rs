//! Requests of our own: ACK and CANCEL, built-in endpoints, probes.

use smallvec::SmallVec;

use super::{push_body, push_field, push_text};
use crate::lex::push_number;
use crate::method::Method;

/// Gathers the parts of a request and writes it. Values go in as they stand on the wire.
#[derive(Clone, Debug)]
pub struct RequestBuilder<'a> {
    method: &'a [u8],
    uri: &'a [u8],
    vias: SmallVec<[&'a [u8]; 2]>,
    routes: SmallVec<[&'a [u8]; 4]>,
    from: &'a [u8],
    to: &'a [u8],
    call_id: &'a [u8],
    cseq: u32,
    max_forwards: u8,
    contact: &'a [u8],
    headers: SmallVec<[(&'a str, &'a [u8]); 8]>,
    content_type: &'a [u8],
    body: &'a [u8],
}

impl<'a> RequestBuilder<'a> {
    /// A request with Max-Forwards 70 and CSeq 1.
    #[must_use]
    pub fn new(method: Method, uri: &'a [u8]) -> RequestBuilder<'a> {
        RequestBuilder {
            method: method.as_str().as_bytes(),
            uri,
            vias: SmallVec::new(),
            routes: SmallVec::new(),
            from: &[],
            to: &[],
            call_id: &[],
            cseq: 1,
            max_forwards: 70,
            contact: &[],
            headers: SmallVec::new(),
            content_type: &[],
            body: &[],
        }
    }

    /// Another method than the ones [`Method`] names.
    pub fn method_token(&mut self, token: &'a [u8]) -> &mut Self {
        self.method = token;
        self
    }

    /// Adds a Via value below those already there.
    pub fn via(&mut self, value: &'a [u8]) -> &mut Self {
        self.vias.push(value);
        self
    }

    /// Adds a Route value below those already there.
    pub fn route(&mut self, value: &'a [u8]) -> &mut Self {
        self.routes.push(value);
        self
    }

    /// From with its tag.
    pub fn from(&mut self, value: &'a [u8]) -> &mut Self {
        self.from = value;
        self
    }

    /// To.
    pub fn to(&mut self, value: &'a [u8]) -> &mut Self {
        self.to = value;
        self
    }

    /// Call-ID.
    pub fn call_id(&mut self, value: &'a [u8]) -> &mut Self {
        self.call_id = value;
        self
    }

    /// The number of CSeq; its method is the request's.
    pub fn cseq(&mut self, number: u32) -> &mut Self {
        self.cseq = number;
        self
    }

    /// Max-Forwards.
    pub fn max_forwards(&mut self, hops: u8) -> &mut Self {
        self.max_forwards = hops;
        self
    }

    /// Contact.
    pub fn contact(&mut self, value: &'a [u8]) -> &mut Self {
        self.contact = value;
        self
    }

    /// Any other header.
    pub fn header(&mut self, name: &'a str, value: &'a [u8]) -> &mut Self {
        self.headers.push((name, value));
        self
    }

    /// The body.
    pub fn body(&mut self, content_type: &'a [u8], body: &'a [u8]) -> &mut Self {
        (self.content_type, self.body) = (content_type, body);
        self
    }

    /// Appends the request to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        push_text(out, self.method);
        out.push(b' ');
        push_text(out, self.uri);
        out.extend_from_slice(b" SIP/2.0\r\n");
        for via in &self.vias {
            push_field(out, b"Via", via);
        }
        out.extend_from_slice(b"Max-Forwards: ");
        push_number(out, u64::from(self.max_forwards));
        out.extend_from_slice(b"\r\n");
        for route in &self.routes {
            push_field(out, b"Route", route);
        }
        push_field(out, b"From", self.from);
        push_field(out, b"To", self.to);
        push_field(out, b"Call-ID", self.call_id);
        out.extend_from_slice(b"CSeq: ");
        push_number(out, u64::from(self.cseq));
        out.push(b' ');
        push_text(out, self.method);
        out.extend_from_slice(b"\r\n");
        if !self.contact.is_empty() {
            push_field(out, b"Contact", self.contact);
        }
        for (name, value) in &self.headers {
            push_text(out, name.as_bytes());
            push_field(out, b"", value);
        }
        push_body(out, self.content_type, self.body);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Index, Limits, Message, parse};

    #[test]
    fn a_built_request_is_valid_and_cannot_be_split_by_its_values() {
        let mut out = Vec::new();
        RequestBuilder::new(Method::Message, b"sip:b@example.org")
            .via(b"SIP/2.0/UDP h;branch=z9hG4bK1")
            .from(b"<sip:a@example.org>;tag=1")
            .to(b"<sip:b@example.org>")
            .call_id(b"c")
            .cseq(4)
            .header("Subject", b"x\r\nEvil: 1\0")
            .body(b"text/plain", b"hi")
            .write(&mut out);
        let mut index = Index::new();
        let used = parse(&out, &mut index, &Limits::default()).expect("parses");
        let message = Message::new(&out, &index);
        assert_eq!((used, message.validate()), (out.len(), Ok(())));
        assert_eq!(message.value_named(b"Evil"), None);
        assert_eq!(message.value_named(b"Subject"), Some(&b"x  Evil: 1"[..]));
        assert_eq!(message.body(), b"hi");
    }
}
