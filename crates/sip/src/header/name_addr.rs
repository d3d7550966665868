//! `name-addr` and `addr-spec` with parameters: From, To, Contact, Route, Refer-To and more.

use super::params::{Params, unquote};
use crate::lex::{is_lws, quoted_len, trim, trim_end};
use crate::limits::HeaderError;
use crate::uri::{Uri, UriError};

/// An address with its optional display name and parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NameAddr<'a> {
    /// The display name as written, quotes included; empty when there is none.
    pub display: &'a [u8],
    /// The URI between the angle brackets, or the bare one.
    pub uri: &'a [u8],
    /// The parameters of the header, never those of the URI.
    pub params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// Reads one value.
    ///
    /// Without angle brackets everything from the first semicolon on belongs to the header
    /// (RFC 3261 §20), and neither `?` nor `,` may occur in the URI (RFC 4475 §3.1.2.13).
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(value: &'a [u8]) -> Result<NameAddr<'a>, HeaderError> {
        let mut at = 0;
        if value.first() == Some(&b'"') {
            at = quoted_len(value).ok_or(HeaderError("Unterminated quoted string"))?;
            let gap = value[at..].iter().take_while(|&&b| is_lws(b)).count();
            if value.get(at + gap) != Some(&b'<') {
                return Err(HeaderError("Display name without an address in angle brackets"));
            }
            at += gap;
        }
        match memchr::memchr2(b'<', b'"', &value[at..]).map(|hop| at + hop) {
            Some(open) if value[open] == b'<' => Self::bracketed(value, open),
            _ => Self::bare(value),
        }
    }

    fn bracketed(value: &'a [u8], open: usize) -> Result<NameAddr<'a>, HeaderError> {
        let length = memchr::memchr(b'>', &value[open + 1..]).ok_or(HeaderError("Angle bracket not closed"))?;
        let close = open + 1 + length;
        // No branch for each byte: this is read several times for each message.
        let clean = !value[open + 1..close].iter().fold(false, |bad, b| bad | (*b <= b' ') | matches!(b, b'<' | b'"'));
        let display = trim_end(&value[..open]);
        let uri = &value[open + 1..close];
        // A bare `,` or `;` means that this is no display name (RFC 4475 §3.1.2.15).
        if !display.starts_with(b"\"") && display.iter().any(|b| matches!(b, b',' | b';' | b'>')) {
            // `sip:a@b;tag=<x>` is an addr-spec whose parameter holds a bracket; refused too.
            return Err(HeaderError("Display name needs quotes"));
        }
        if uri.is_empty() || !clean {
            return Err(HeaderError("White space, quote or bracket in the URI"));
        }
        Ok(NameAddr { display, uri, params: tail(&value[close + 1..])? })
    }

    fn bare(value: &'a [u8]) -> Result<NameAddr<'a>, HeaderError> {
        let split = value.iter().position(|&b| b == b';').unwrap_or(value.len());
        let uri = trim(&value[..split]);
        if uri.is_empty() {
            return Err(HeaderError("URI is missing"));
        }
        if uri.iter().any(|&b| is_lws(b) || matches!(b, b'"' | b'>' | b'?' | b',')) {
            return Err(HeaderError("URI needs angle brackets"));
        }
        Ok(NameAddr { display: &[], uri, params: tail(&value[split..])? })
    }

    /// The `tag` parameter.
    #[must_use]
    pub fn tag(&self) -> Option<&'a [u8]> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }

    /// A parameter's value: empty for a flag.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&'a [u8]> {
        self.params.get(name)
    }

    /// The URI, parsed.
    ///
    /// # Errors
    /// When it is broken.
    pub fn parsed_uri(&self) -> Result<Uri<'a>, UriError> {
        Uri::parse(self.uri)
    }

    /// The display name without quotes and escapes.
    #[must_use]
    pub fn display_text(&self) -> std::borrow::Cow<'a, [u8]> {
        unquote(self.display)
    }
}

fn tail(rest: &[u8]) -> Result<Params<'_>, HeaderError> {
    let rest = trim(rest);
    match rest.first() {
        None | Some(b';') => Ok(Params::new(rest)),
        Some(_) => Err(HeaderError("Text behind the address")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(value: &[u8]) -> (&[u8], &[u8], &[u8]) {
        let n = NameAddr::parse(value).expect("valid");
        (n.display, n.uri, n.params.raw())
    }

    #[test]
    fn forms_of_addresses() {
        assert_eq!(parts(b"sip:a@b;tag=1"), (&b""[..], &b"sip:a@b"[..], &b";tag=1"[..]));
        assert_eq!(parts(b"<sip:a@b;lr>"), (&b""[..], &b"sip:a@b;lr"[..], &b""[..]));
        assert_eq!(parts(b"caller<sip:a@b>;x"), (&b"caller"[..], &b"sip:a@b"[..], &b";x"[..]));
        assert_eq!(
            parts(b"\"J \\\\\\\"<\"   <sip:a@b>\r\n  ;\r\n tag = 9"),
            (&b"\"J \\\\\\\"<\""[..], &b"sip:a@b"[..], &b";\r\n tag = 9"[..])
        );
        assert_eq!(NameAddr::parse(b"<sip:a@b> ; tag = 9").expect("valid").tag(), Some(&b"9"[..]));
    }

    #[test]
    fn broken_addresses_are_refused() {
        for bad in [
            &b""[..],
            b"\"Mr. J. User <sip:j.user@example.com>",
            b"Bell, Alexander <sip:a.g.bell@example.com>;tag=43",
            b"\"W\" < sip:t.watson@example.org >",
            b"sip:user@example.com?Route=%3Csip:sip.example.com%3E",
            b"<sip:a@b",
            b"<>",
            b"<sip:a@b> x",
            b"\"x\" sip:a@b",
            b";tag=1",
        ] {
            assert!(NameAddr::parse(bad).is_err(), "{:?}", String::from_utf8_lossy(bad));
        }
    }
}
