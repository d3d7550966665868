//! The rules that indexing leaves open: is this message well formed (RFC 3261, RFC 4475
//! §3.1.2), and may this element refuse it (§3.3).

use std::net::IpAddr;

use crate::header::name_addr::NameAddr;
use crate::header::option_tag;
use crate::header::route;
use crate::header::via::Via;
use crate::header::{cseq::CSeq, date};
use crate::lex::is_lws;
use crate::limits::{HeaderError, ParseError};
use crate::message::{Message, Side};
use crate::method::Method;
use crate::name::Name;
use crate::uri::Scheme;

impl Message<'_> {
    /// Checks what [`crate::parse`] leaves to lazy views. An `Err` names the status for a
    /// request; a response that fails is to be dropped.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), ParseError> {
        self.singletons()?;
        self.mandatory()?;
        self.sequence()?;
        self.target()?;
        self.addresses()?;
        if let Some(Err(e)) = self.max_forwards() {
            return Err(self.broken(Name::MaxForwards, e));
        }
        match self.value(Name::Date).map(date::parse) {
            // RFC 4475 §3.1.2.12: it may be refused or ignored; a refusal tells the sender.
            Some(Err(e)) => Err(self.broken(Name::Date, e)),
            _ => Ok(()),
        }
    }

    fn fault(&self, status: u16, what: &'static str, name: Name) -> ParseError {
        let offset = self.field(name).map_or(0, |f| f.line.start);
        ParseError { status, what, offset, answerable: self.index().answerable() }
    }

    fn broken(&self, name: Name, error: HeaderError) -> ParseError {
        self.fault(400, error.0, name)
    }

    /// RFC 4475 §3.3.8: a header with one value occurs once.
    fn singletons(&self) -> Result<(), ParseError> {
        let mut seen: u128 = 0;
        for line in &self.index().lines {
            // Credentials and challenges come one for each realm and algorithm.
            let several = line.name == Name::Other
                || line.name.is_list()
                || (line.name >= Name::WwwAuthenticate && line.name <= Name::AuthenticationInfo)
                || matches!(line.name, Name::Authorization | Name::ProxyAuthorization);
            let bit = 1u128 << line.name as u32;
            if !several && seen & bit != 0 {
                return Err(self.fault(400, "Header that may occur once occurs twice", line.name));
            }
            seen |= bit;
        }
        Ok(())
    }

    fn mandatory(&self) -> Result<(), ParseError> {
        let needed = [
            (Name::Via, "Via is missing"),
            (Name::From, "From is missing"),
            (Name::To, "To is missing"),
            (Name::CallId, "Call-ID is missing"),
            (Name::CSeq, "CSeq is missing"),
        ];
        for (name, what) in needed {
            if !self.index().has(name) {
                return Err(self.fault(400, what, name));
            }
        }
        let call_id = self.call_id();
        if call_id.is_empty() || call_id.iter().any(|&b| is_lws(b)) {
            return Err(self.fault(400, "Broken Call-ID", Name::CallId));
        }
        Ok(())
    }

    fn sequence(&self) -> Result<(), ParseError> {
        let value = self.value(Name::CSeq).unwrap_or(&[]);
        let cseq = CSeq::parse(value).map_err(|e| self.broken(Name::CSeq, e))?;
        if self.is_request() && cseq.method != self.method_token() {
            // RFC 4475 §3.1.2.18: for an unknown method 501 tells more than 400.
            return Err(match self.method() {
                Method::Other => self.fault(501, "Unknown method, and CSeq names another", Name::CSeq),
                _ => self.fault(400, "CSeq names another method", Name::CSeq),
            });
        }
        Ok(())
    }

    /// A SIP Request-URI is whole and carries no headers (RFC 3261 §19.1.1, RFC 4475
    /// §3.1.2.11); other schemes are for [`refusal`].
    fn target(&self) -> Result<(), ParseError> {
        if !self.is_request() {
            return Ok(());
        }
        let offset = self.request_uri_range().start;
        let at = |what| ParseError { offset, ..self.fault(400, what, Name::Via) };
        let uri = self.parsed_request_uri().map_err(|_| at("Broken Request-URI"))?;
        if uri.headers().is_some() {
            return Err(at("Request-URI with headers"));
        }
        Ok(())
    }

    fn addresses(&self) -> Result<(), ParseError> {
        self.top_via().map_err(|e| self.broken(Name::Via, e))?;
        for value in self.values(Name::Via).skip(1) {
            Via::parse(value).map_err(|e| self.broken(Name::Via, e))?;
        }
        for (name, side, address) in [(Name::From, Side::From, self.from()), (Name::To, Side::To, self.to())] {
            let address = address.map_err(|e| self.broken(name, e))?;
            let tag = check(&address).map_err(|e| self.broken(name, e))?;
            self.index().memo.note_tag(self.bytes(), side, tag);
        }
        for contact in self.contacts() {
            let contact = contact.map_err(|e| self.broken(Name::Contact, e))?;
            if let Some(address) = contact.address() {
                check(address).map_err(|e| self.broken(Name::Contact, e))?;
            }
        }
        for name in [Name::Route, Name::RecordRoute] {
            for hop in route::hops(self, name) {
                hop.map_err(|e| self.broken(name, e))?;
            }
        }
        Ok(())
    }
}

/// Checks an address and gives its tag.
fn check<'a>(address: &NameAddr<'a>) -> Result<Option<&'a [u8]>, HeaderError> {
    let mut tag = None;
    address.params.check_each(|param| {
        if param.name.eq_ignore_ascii_case(b"tag") {
            tag.get_or_insert(param.value);
        }
    })?;
    address.parsed_uri().map(|_| tag.flatten()).map_err(|_| HeaderError("Broken URI in an address"))
}

/// What an element is to a request, for [`refusal`].
#[derive(Clone, Copy, Debug)]
pub enum Role<'k> {
    /// It forwards the request.
    Proxy {
        /// Option tags understood in Proxy-Require.
        options: &'k [&'k str],
    },
    /// It answers the request itself.
    UserAgent {
        /// Methods it allows.
        methods: &'k [Method],
        /// Option tags understood in Require.
        options: &'k [&'k str],
        /// Body types (`type/subtype`) it reads; empty when it ignores bodies.
        bodies: &'k [&'k str],
    },
    /// It is the registrar of a REGISTER.
    Registrar {
        /// Option tags understood in Require.
        options: &'k [&'k str],
    },
}

/// Why an element refuses a well-formed request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// The reason in words.
    pub what: &'static str,
}

fn refuse(status: u16, what: &'static str) -> Option<Refusal> {
    Some(Refusal { status, what })
}

/// The refusals that every element of a kind owes (RFC 3261 §8.2.1 to §8.2.3, §10.3, §16.3),
/// in the RFC's order. ACK is never answered, so a refused ACK is dropped. A 420 lists
/// [`option_tag::unknown`] in Unsupported, a 405 its Allow, a 415 its Accept.
#[must_use]
pub fn refusal(request: &Message<'_>, role: &Role<'_>) -> Option<Refusal> {
    match role {
        Role::Proxy { options } => {
            scheme(request).or_else(|| hops(request)).or_else(|| extension(request, Name::ProxyRequire, options))
        }
        Role::UserAgent { methods, options, bodies } => method(request, methods)
            .or_else(|| scheme(request))
            .or_else(|| extension(request, Name::Require, options))
            .or_else(|| content(request, bodies)),
        Role::Registrar { options } => scheme(request)
            .or_else(|| extension(request, Name::Require, options))
            .or_else(|| registered_address(request)),
    }
}

fn scheme(request: &Message<'_>) -> Option<Refusal> {
    match request.parsed_request_uri() {
        Ok(uri) if uri.scheme() == Scheme::Other => refuse(416, "Unsupported URI scheme"),
        Ok(_) => None,
        Err(_) => refuse(400, "Broken Request-URI"),
    }
}

fn hops(request: &Message<'_>) -> Option<Refusal> {
    match request.max_forwards() {
        Some(Ok(0)) => refuse(483, "Max-Forwards is zero"),
        _ => None,
    }
}

fn method(request: &Message<'_>, allowed: &[Method]) -> Option<Refusal> {
    match request.method() {
        Method::Other => refuse(501, "Unknown method"),
        method if !allowed.contains(&method) => refuse(405, "Method not allowed here"),
        _ => None,
    }
}

fn extension(request: &Message<'_>, name: Name, known: &[&str]) -> Option<Refusal> {
    // RFC 3261 §8.2.2.3 and §16.3: neither in CANCEL nor in the ACK of a refusal.
    if matches!(request.method(), Method::Cancel | Method::Ack) || !request.index().has(name) {
        return None;
    }
    option_tag::unknown(request, name, known).next().and_then(|_| refuse(420, "Unknown extension required"))
}

fn content(request: &Message<'_>, bodies: &[&str]) -> Option<Refusal> {
    if bodies.is_empty() || request.body().is_empty() {
        return acceptable(request, bodies);
    }
    let value = request.value(Name::ContentType).unwrap_or(&[]);
    if bodies.iter().any(|b| media_type(value).eq_ignore_ascii_case(b.as_bytes())) {
        return acceptable(request, bodies);
    }
    refuse(415, "Body of an unknown type")
}

/// RFC 4475 §3.3.15: an INVITE whose Accept allows none of our session descriptions.
fn acceptable(request: &Message<'_>, bodies: &[&str]) -> Option<Refusal> {
    if request.method() != Method::Invite || bodies.is_empty() || !request.index().has(Name::Accept) {
        return None;
    }
    let fits = |range: &[u8]| {
        let wanted = media_type(range);
        bodies.iter().any(|b| {
            let main = b.split('/').next().unwrap_or_default();
            wanted == b"*/*"
                || wanted.eq_ignore_ascii_case(b.as_bytes())
                || wanted.strip_suffix(b"/*").is_some_and(|m| m.eq_ignore_ascii_case(main.as_bytes()))
        })
    };
    if request.values(Name::Accept).any(fits) {
        return None;
    }
    refuse(406, "No acceptable description")
}

fn media_type(value: &[u8]) -> &[u8] {
    let end = value.iter().position(|&b| b == b';').unwrap_or(value.len());
    crate::lex::trim(&value[..end])
}

/// RFC 3261 §10.2 by way of RFC 4475 §3.3.4: an address of record is a SIP URI.
fn registered_address(request: &Message<'_>) -> Option<Refusal> {
    let uri = request.to().ok().and_then(|to| to.parsed_uri().ok());
    match uri.map(|u| u.scheme()) {
        Some(Scheme::Sip | Scheme::Sips) => None,
        _ => refuse(400, "To is no SIP address"),
    }
}

/// True for an address that a response may be sent to: never broadcast, multicast or
/// unspecified (RFC 4475 §3.3.10).
#[must_use]
pub fn may_answer_to(ip: IpAddr) -> bool {
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    !(broadcast || ip.is_multicast() || ip.is_unspecified())
}
