//! URIs: `sip:` and `sips:` in full (RFC 3261 §19.1), `tel:`, `urn:` and others by scheme.

mod compare;
mod escape;
mod host;
mod plain;
pub mod tel;
pub mod urn;

pub use escape::{Unescaped, escape_user, unescape};
pub use host::Host;

use crate::header::params::Params;
use crate::lex::number;
use crate::transport::Transport;

/// What kind of URI it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:` (RFC 3966), see [`tel`].
    Tel,
    /// `urn:`, see [`urn`].
    Urn,
    /// Any other; a Request-URI with one is answered 416.
    Other,
}

/// Why text is no URI.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UriError {
    /// No scheme and colon.
    Scheme,
    /// Illegal characters or escapes before the `@`.
    User,
    /// Neither a name nor an address.
    Host,
    /// Not a number from 0 to 65535.
    Port,
    /// Broken parameters.
    Params,
    /// Broken headers behind the question mark.
    Headers,
    /// Nothing behind the scheme, or a character that no URI may hold.
    Opaque,
}

impl std::fmt::Display for UriError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            UriError::Scheme => "URI without a scheme",
            UriError::User => "broken user part in the URI",
            UriError::Host => "broken host in the URI",
            UriError::Port => "broken port in the URI",
            UriError::Params => "broken parameter in the URI",
            UriError::Headers => "broken headers in the URI",
            UriError::Opaque => "illegal character in the URI",
        })
    }
}

impl std::error::Error for UriError {}

/// A URI taken apart; the parts are as written, escapes included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Uri<'a> {
    scheme: Scheme,
    raw: &'a [u8],
    opaque: &'a [u8],
    user: Option<&'a [u8]>,
    password: Option<&'a [u8]>,
    host: Host<'a>,
    host_text: &'a [u8],
    port: Option<u16>,
    params: Params<'a>,
    headers: Option<&'a [u8]>,
}

impl<'a> Uri<'a> {
    /// Reads a URI.
    ///
    /// # Errors
    /// Which part is broken.
    pub fn parse(raw: &'a [u8]) -> Result<Uri<'a>, UriError> {
        match plain::parse(raw) {
            Some(uri) => Ok(uri),
            None => Uri::parse_any(raw),
        }
    }

    fn parse_any(raw: &'a [u8]) -> Result<Uri<'a>, UriError> {
        let colon = memchr::memchr(b':', raw).ok_or(UriError::Scheme)?;
        let (scheme, rest) = (scheme(&raw[..colon])?, &raw[colon + 1..]);
        let mut uri = Uri {
            scheme,
            raw,
            opaque: rest,
            user: None,
            password: None,
            host: Host::Name(&[]),
            host_text: &[],
            port: None,
            params: Params::default(),
            headers: None,
        };
        if matches!(scheme, Scheme::Sip | Scheme::Sips) {
            uri.read_sip(rest)?;
        } else {
            if rest.is_empty() || rest.iter().any(|&b| b <= b' ' || matches!(b, b'<' | b'>' | b'"' | 0x7f)) {
                return Err(UriError::Opaque);
            }
            let split = rest.iter().position(|&b| b == b';').unwrap_or(rest.len());
            uri.params = Params::new(&rest[split..]);
        }
        Ok(uri)
    }

    /// A URI whose parts were found before; without password and headers.
    pub(crate) fn of_parts(
        scheme: Scheme,
        raw: &'a [u8],
        user: Option<&'a [u8]>,
        (host, host_text, port): (Host<'a>, &'a [u8], Option<u16>),
        (opaque, params): (&'a [u8], Params<'a>),
    ) -> Uri<'a> {
        Uri { scheme, raw, opaque, user, password: None, host, host_text, port, params, headers: None }
    }

    fn read_sip(&mut self, mut rest: &'a [u8]) -> Result<(), UriError> {
        // The user part may hold `;`, `?` and `/`: whatever is before the only `@` is user.
        if let Some(at) = memchr::memchr(b'@', rest) {
            let info = &rest[..at];
            let colon = memchr::memchr(b':', info);
            let user = &info[..colon.unwrap_or(info.len())];
            self.password = colon.map(|c| &info[c + 1..]);
            if user.is_empty() || !escape::legal(user, escape::USER) {
                return Err(UriError::User);
            }
            if self.password.is_some_and(|p| !escape::legal(p, escape::PASSWORD)) {
                return Err(UriError::User);
            }
            self.user = Some(user);
            rest = &rest[at + 1..];
        }
        let host_end = match rest.first() {
            Some(b'[') => memchr::memchr(b']', rest).ok_or(UriError::Host)? + 1,
            _ => rest.iter().position(|b| matches!(b, b':' | b';' | b'?')).unwrap_or(rest.len()),
        };
        self.host_text = &rest[..host_end];
        self.host = Host::parse(self.host_text)?;
        rest = &rest[host_end..];
        if let [b':', digits @ ..] = rest {
            let end = digits.iter().position(|b| matches!(b, b';' | b'?')).unwrap_or(digits.len());
            let port = number(&digits[..end], 65535).ok_or(UriError::Port)?;
            self.port = u16::try_from(port).ok();
            rest = &digits[end..];
        }
        let split = memchr::memchr(b'?', rest).unwrap_or(rest.len());
        let (params, headers) = rest.split_at(split);
        check_params(params)?;
        self.params = Params::new(params);
        if let [b'?', headers @ ..] = headers {
            check_headers(headers)?;
            self.headers = Some(headers);
        }
        Ok(())
    }

    /// The text as written.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Everything behind the scheme's colon.
    #[must_use]
    pub fn opaque(&self) -> &'a [u8] {
        self.opaque
    }

    /// The user part as written, without the password.
    #[must_use]
    pub fn user(&self) -> Option<&'a [u8]> {
        self.user
    }

    /// The user part with `%HH` resolved.
    #[must_use]
    pub fn user_unescaped(&self) -> Option<std::borrow::Cow<'a, [u8]>> {
        self.user.map(unescape)
    }

    /// The password as written.
    #[must_use]
    pub fn password(&self) -> Option<&'a [u8]> {
        self.password
    }

    /// The host; an empty name for schemes that have none.
    #[must_use]
    pub fn host(&self) -> Host<'a> {
        self.host
    }

    /// The host as written, with the brackets of IPv6.
    #[must_use]
    pub fn host_text(&self) -> &'a [u8] {
        self.host_text
    }

    /// The port, if written.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The URI's parameters.
    #[must_use]
    pub fn params(&self) -> Params<'a> {
        self.params
    }

    /// A parameter's value as written: empty for a flag, `None` when it is absent. Names are
    /// compared with escapes resolved (RFC 4475 §3.1.1.3: `%6C%72` is `lr`).
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&'a [u8]> {
        self.params
            .iter()
            .find(|p| Unescaped::new(p.name).eq_ignore_case(Unescaped::new(name.as_bytes())))
            .map(|p| p.value.unwrap_or(&[]))
    }

    /// The headers behind the question mark, as written.
    #[must_use]
    pub fn headers(&self) -> Option<&'a [u8]> {
        self.headers
    }

    /// The `transport` parameter: `Some(Err)` when it names none of ours.
    #[must_use]
    pub fn transport_param(&self) -> Option<Result<Transport, &'a [u8]>> {
        self.param("transport").map(|t| Transport::from_bytes(t).ok_or(t))
    }

    /// The transport that the URI asks for: its parameter, raised to the secure one by
    /// `sips:`; `None` leaves the choice to RFC 3263.
    #[must_use]
    pub fn transport(&self) -> Option<Transport> {
        let named = self.transport_param().and_then(Result::ok);
        match (self.scheme, named) {
            (Scheme::Sips, Some(Transport::Ws | Transport::Wss)) => Some(Transport::Wss),
            (Scheme::Sips, _) => Some(Transport::Tls),
            (_, named) => named,
        }
    }

    /// True for a loose router (`lr`, RFC 3261 §16.12).
    #[must_use]
    pub fn is_loose_route(&self) -> bool {
        self.param("lr").is_some()
    }

    /// True for `sips:`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.scheme == Scheme::Sips
    }

    /// RFC 3261 §19.1.4 for SIP URIs, RFC 3966 §4 for `tel:`, RFC 8141 §3 for URNs, byte
    /// equality (scheme aside) for the rest.
    #[must_use]
    pub fn equivalent(&self, other: &Uri<'_>) -> bool {
        compare::equivalent(self, other)
    }
}

fn scheme(text: &[u8]) -> Result<Scheme, UriError> {
    match text.len() {
        3 if text.eq_ignore_ascii_case(b"sip") => return Ok(Scheme::Sip),
        4 if text.eq_ignore_ascii_case(b"sips") => return Ok(Scheme::Sips),
        3 if text.eq_ignore_ascii_case(b"tel") => return Ok(Scheme::Tel),
        3 if text.eq_ignore_ascii_case(b"urn") => return Ok(Scheme::Urn),
        _ => {}
    }
    let legal = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    match text {
        [first, rest @ ..] if first.is_ascii_alphabetic() && rest.iter().all(legal) => Ok(Scheme::Other),
        _ => Err(UriError::Scheme),
    }
}

fn check_params(params: &[u8]) -> Result<(), UriError> {
    if params.is_empty() {
        return Ok(());
    }
    if !params.starts_with(b";") || !escape::legal(params, escape::PARAMS) {
        return Err(UriError::Params);
    }
    for param in Params::new(params) {
        if param.name.is_empty() || param.value == Some(&[]) {
            return Err(UriError::Params);
        }
    }
    Ok(())
}

fn check_headers(headers: &[u8]) -> Result<(), UriError> {
    let pairs = headers.split(|&b| b == b'&');
    for pair in pairs {
        let equals = memchr::memchr(b'=', pair).ok_or(UriError::Headers)?;
        if equals == 0 || !escape::legal(pair, escape::HEADERS) {
            return Err(UriError::Headers);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
