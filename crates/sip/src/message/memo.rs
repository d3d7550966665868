//! What was read of a message once and is asked for again on its way: kept as spans, so that a second look costs no
//! second parse. Rare forms are not kept, they are read again.

use std::cell::Cell;
use std::net::Ipv4Addr;

use super::index::Span;
use crate::header::params::Params;
use crate::header::via::Via;
use crate::uri::{Host, Scheme, Uri};

/// The notes beside an index; empty for every new message.
#[derive(Clone, Default, Debug)]
pub(crate) struct Memo {
    via: Cell<Option<ViaSpans>>,
    uri: Cell<Option<UriSpans>>,
    from_tag: Cell<Option<Option<Span>>>,
    to_tag: Cell<Option<Option<Span>>>,
}

/// Which of the two tags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    From,
    To,
}

#[derive(Clone, Copy, Debug)]
enum HostSpan {
    Name(Span),
    V4(Ipv4Addr),
}

#[derive(Clone, Copy, Debug)]
struct ViaSpans {
    raw: Span,
    transport: Span,
    host: HostSpan,
    branch: Span,
    received: Option<Span>,
    params: Span,
    port: Option<u16>,
    rport: Option<Option<u16>>,
    alias: bool,
}

#[derive(Clone, Copy, Debug)]
struct UriSpans {
    scheme: Scheme,
    opaque: Span,
    user: Option<Span>,
    host: HostSpan,
    host_text: Span,
    port: Option<u16>,
    params: Span,
}

/// Where a part lies in the bytes it was taken from.
fn span(bytes: &[u8], part: &[u8]) -> Option<Span> {
    if part.is_empty() {
        return Some(Span::default());
    }
    let start = (part.as_ptr() as usize).checked_sub(bytes.as_ptr() as usize)?;
    let end = start + part.len();
    (end <= bytes.len()).then_some(Span { start: u16::try_from(start).ok()?, end: u16::try_from(end).ok()? })
}

impl HostSpan {
    fn of(bytes: &[u8], host: Host<'_>) -> Option<HostSpan> {
        match host {
            Host::Name(name) => span(bytes, name).map(HostSpan::Name),
            Host::V4(address) => Some(HostSpan::V4(address)),
            Host::V6(_) => None,
        }
    }

    fn host<'a>(self, bytes: &'a [u8]) -> Host<'a> {
        match self {
            HostSpan::Name(name) => Host::Name(name.of(bytes)),
            HostSpan::V4(address) => Host::V4(address),
        }
    }
}

impl Memo {
    pub(crate) fn clear(&mut self) {
        *self = Memo::default();
    }

    /// The topmost Via, when it was read before.
    pub(crate) fn via<'a>(&self, bytes: &'a [u8]) -> Option<Via<'a>> {
        let spans = self.via.get()?;
        Some(Via {
            transport: spans.transport.of(bytes),
            host: spans.host.host(bytes),
            port: spans.port,
            branch: spans.branch.of(bytes),
            received: spans.received.map(|received| received.of(bytes)),
            rport: spans.rport,
            ttl: None,
            maddr: None,
            alias: spans.alias,
            params: Params::new(spans.params.of(bytes)),
            raw: spans.raw.of(bytes),
        })
    }

    /// Notes the topmost Via.
    pub(crate) fn note_via(&self, bytes: &[u8], via: &Via<'_>) {
        self.via.set(ViaSpans::of(bytes, via));
    }

    /// The Request-URI, when it was read before.
    pub(crate) fn uri<'a>(&self, bytes: &'a [u8], raw: Span) -> Option<Uri<'a>> {
        let spans = self.uri.get()?;
        let user = spans.user.map(|user| user.of(bytes));
        let host = (spans.host.host(bytes), spans.host_text.of(bytes), spans.port);
        let rest = (spans.opaque.of(bytes), Params::new(spans.params.of(bytes)));
        Some(Uri::of_parts(spans.scheme, raw.of(bytes), user, host, rest))
    }

    /// Notes the Request-URI.
    pub(crate) fn note_uri(&self, bytes: &[u8], uri: &Uri<'_>) {
        self.uri.set(UriSpans::of(bytes, uri));
    }

    /// The tag of one side, when it was looked for before.
    pub(crate) fn tag<'a>(&self, bytes: &'a [u8], side: Side) -> Option<Option<&'a [u8]>> {
        Some(self.cell(side).get()?.map(|tag| tag.of(bytes)))
    }

    /// Notes the tag of one side, or that there is none.
    pub(crate) fn note_tag(&self, bytes: &[u8], side: Side, tag: Option<&[u8]>) {
        match tag.map(|tag| span(bytes, tag)) {
            None => self.cell(side).set(Some(None)),
            Some(Some(tag)) => self.cell(side).set(Some(Some(tag))),
            Some(None) => {}
        }
    }

    fn cell(&self, side: Side) -> &Cell<Option<Option<Span>>> {
        match side {
            Side::From => &self.from_tag,
            Side::To => &self.to_tag,
        }
    }
}

impl ViaSpans {
    fn of(bytes: &[u8], via: &Via<'_>) -> Option<ViaSpans> {
        if via.ttl.is_some() || via.maddr.is_some() {
            return None;
        }
        let received = match via.received {
            Some(received) => Some(span(bytes, received)?),
            None => None,
        };
        Some(ViaSpans {
            raw: span(bytes, via.raw)?,
            transport: span(bytes, via.transport)?,
            host: HostSpan::of(bytes, via.host)?,
            branch: span(bytes, via.branch)?,
            received,
            params: span(bytes, via.params.raw())?,
            port: via.port,
            rport: via.rport,
            alias: via.alias,
        })
    }
}

impl UriSpans {
    fn of(bytes: &[u8], uri: &Uri<'_>) -> Option<UriSpans> {
        if uri.password().is_some() || uri.headers().is_some() {
            return None;
        }
        let user = match uri.user() {
            Some(user) => Some(span(bytes, user)?),
            None => None,
        };
        Some(UriSpans {
            scheme: uri.scheme(),
            opaque: span(bytes, uri.opaque())?,
            user,
            host: HostSpan::of(bytes, uri.host())?,
            host_text: span(bytes, uri.host_text())?,
            port: uri.port(),
            params: span(bytes, uri.params().raw())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::{Index, Limits, Message, Uri, Via, parse};

    const HEAD: &str =
        "From: <sip:b@example.org>;tag=f\r\nTo: <sip:a@example.org>\r\nCall-ID: 1\r\nCSeq: 7 OPTIONS\r\nl: 0\r\n\r\n";

    /// A second look gives what the first gave, for forms that are noted and for those that are not.
    #[test]
    fn a_second_look_gives_the_same() {
        for (target, via) in [
            ("sip:a@example.org", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport"),
            (
                "sips:example.org:5061;transport=tcp;lr",
                "SIP/2.0/TCP p.example.org;branch=z9hG4bK1;received=192.0.2.9;alias",
            ),
            ("sip:a:secret@192.0.2.7?Subject=x", "SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bK1;rport=7"),
            ("tel:+4930123;phone-context=x", "SIP/2.0/UDP 192.0.2.1;maddr=224.2.0.1;ttl=1;branch=z9hG4bK1"),
        ] {
            let text = format!("OPTIONS {target} SIP/2.0\r\nVia: {via}, SIP/2.0/UDP q.example.org\r\n{HEAD}");
            let mut index = Index::new();
            parse(text.as_bytes(), &mut index, &Limits::default()).expect("sound");
            let message = Message::new(text.as_bytes(), &index);
            for _ in 0..3 {
                assert_eq!(message.top_via(), Via::parse(via.as_bytes()));
                assert_eq!(message.parsed_request_uri(), Uri::parse(target.as_bytes()));
                assert_eq!((message.from_tag(), message.to_tag()), (Some(&b"f"[..]), None));
            }
        }
    }

    #[test]
    fn a_new_message_has_no_notes() {
        let mut index = Index::new();
        for tag in ["one", "two"] {
            let text = format!(
                "OPTIONS sip:{tag}@example.org SIP/2.0\r\nVia: SIP/2.0/UDP {tag}.example.org;branch=z9hG4bK{tag}\r\n{HEAD}"
            );
            parse(text.as_bytes(), &mut index, &Limits::default()).expect("sound");
            let message = Message::new(text.as_bytes(), &index);
            assert_eq!(message.top_via().map(|via| via.branch), Ok(format!("z9hG4bK{tag}").as_bytes()));
            assert_eq!(message.parsed_request_uri().map(|uri| uri.user()), Ok(Some(tag.as_bytes())));
        }
    }
}
