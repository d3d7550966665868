//! Via (RFC 3261 §20.42) with rport (RFC 3581) and alias (RFC 5923).

use super::params::{Param, Params};
use crate::lex::{find_outside, is_lws, is_token, is_token_byte, number, trim};
use crate::limits::HeaderError;
use crate::transport::Transport;
use crate::uri::Host;

/// One Via value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Via<'a> {
    /// The transport token as written.
    pub transport: &'a [u8],
    /// The host of `sent-by`.
    pub host: Host<'a>,
    /// The port of `sent-by`.
    pub port: Option<u16>,
    /// The `branch`; empty when there is none (RFC 2543).
    pub branch: &'a [u8],
    /// The `received` parameter as written; an IPv6 address may come with or without
    /// brackets (RFC 5118 §4.5).
    pub received: Option<&'a [u8]>,
    /// `Some(None)` for the flag, `Some(Some(port))` once it is filled in.
    pub rport: Option<Option<u16>>,
    /// The `ttl` of a multicast address.
    pub ttl: Option<u8>,
    /// The `maddr` parameter.
    pub maddr: Option<&'a [u8]>,
    /// True when the connection may be reused backwards (RFC 5923).
    pub alias: bool,
    /// All parameters.
    pub params: Params<'a>,
    /// The value as written.
    pub raw: &'a [u8],
}

/// What a branch begins with that RFC 3261 made.
pub const BRANCH_COOKIE: &[u8] = b"z9hG4bK";

impl<'a> Via<'a> {
    /// Reads exactly one value.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(value: &'a [u8]) -> Result<Via<'a>, HeaderError> {
        if let Some(via) = Via::plain(value) {
            return Ok(via);
        }
        let (transport, rest) = sent_protocol(value)?;
        let split = rest.iter().position(|&b| b == b';').unwrap_or(rest.len());
        let (host, port) = sent_by(trim(&rest[..split]))?;
        let mut via = Via::bare(value, transport, (host, port), &rest[split..]);
        for param in via.params.iter() {
            if !is_token(param.name) {
                return Err(HeaderError("Parameter without a name in Via"));
            }
            via.take(param)?;
        }
        Ok(via)
    }

    fn bare(raw: &'a [u8], transport: &'a [u8], (host, port): (Host<'a>, Option<u16>), params: &'a [u8]) -> Via<'a> {
        Via {
            transport,
            host,
            port,
            branch: &[],
            received: None,
            rport: None,
            ttl: None,
            maddr: None,
            alias: false,
            params: Params::new(params),
            raw,
        }
    }

    /// The form that nearly everyone writes, in one pass: no white space but one, no quotes, no IPv6 in `sent-by`. A
    /// message has its Via read five times on its way, so this is the hottest code there is. `None` is for the general
    /// form, which also knows what is wrong.
    fn plain(value: &'a [u8]) -> Option<Via<'a>> {
        let rest = value.strip_prefix(b"SIP/2.0/")?;
        let (transport, rest) = rest.split_at(rest.iter().position(|&b| !is_token_byte(b))?);
        let rest = rest.strip_prefix(b" ").filter(|_| !transport.is_empty())?;
        let end = rest.iter().position(|&b| matches!(b, b':' | b';')).unwrap_or(rest.len());
        let (host, mut rest) = rest.split_at(end);
        let host = Host::parse(host).ok()?;
        let mut sent_port = None;
        if let [b':', digits @ ..] = rest {
            let end = digits.iter().position(|&b| b == b';').unwrap_or(digits.len());
            sent_port = Some(port(&digits[..end]).ok()?);
            rest = &digits[end..];
        }
        let mut via = Via::bare(value, transport, (host, sent_port), rest);
        while let [b';', text @ ..] = rest {
            let end = text.iter().position(|&b| !is_token_byte(b)).unwrap_or(text.len());
            let (name, text) = text.split_at(end);
            let mut param = Param { name, value: None };
            rest = text;
            if let [b'=', text @ ..] = text {
                let plain = |b: u8| is_token_byte(b) || matches!(b, b':' | b'[' | b']');
                let end = text.iter().position(|&b| !plain(b)).unwrap_or(text.len());
                let (value, text) = text.split_at(end);
                (param.value, rest) = (Some(value), text);
            }
            if name.is_empty() {
                return None;
            }
            via.take(param).ok()?;
        }
        rest.is_empty().then_some(via)
    }

    /// Reads the first value of a field and also returns how many bytes it takes, up to the
    /// comma or the end.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse_first(field: &'a [u8]) -> Result<(Via<'a>, usize), HeaderError> {
        let end = find_outside(field, b',');
        Via::parse(trim(&field[..end])).map(|via| (via, end))
    }

    fn take(&mut self, param: Param<'a>) -> Result<(), HeaderError> {
        let value = param.value.unwrap_or(&[]);
        match param.name.len() {
            6 if param.name.eq_ignore_ascii_case(b"branch") => self.branch = value,
            8 if param.name.eq_ignore_ascii_case(b"received") => self.received = Some(value),
            5 if param.name.eq_ignore_ascii_case(b"rport") => {
                self.rport = Some(match param.value {
                    Some(v) if !v.is_empty() => Some(port(v)?),
                    _ => None,
                });
            }
            5 if param.name.eq_ignore_ascii_case(b"maddr") => self.maddr = Some(value),
            5 if param.name.eq_ignore_ascii_case(b"alias") => self.alias = true,
            3 if param.name.eq_ignore_ascii_case(b"ttl") => {
                let ttl = number(value, 255).and_then(|n| u8::try_from(n).ok());
                self.ttl = Some(ttl.ok_or(HeaderError("ttl out of range"))?);
            }
            _ => {}
        }
        Ok(())
    }

    /// The transport, when it is one of ours.
    #[must_use]
    pub fn known_transport(&self) -> Option<Transport> {
        Transport::from_bytes(self.transport)
    }

    /// True when the branch is unique by RFC 3261 §8.1.1.7: the cookie and something behind
    /// it (RFC 4475 §3.2.1 has the bare cookie, which identifies nothing).
    #[must_use]
    pub fn has_rfc3261_branch(&self) -> bool {
        self.branch.len() > BRANCH_COOKIE.len()
            && self.branch[..BRANCH_COOKIE.len()].eq_ignore_ascii_case(BRANCH_COOKIE)
    }

    /// The `received` parameter as an address.
    #[must_use]
    pub fn received_ip(&self) -> Option<std::net::IpAddr> {
        let text = self.received?;
        let text = text.strip_prefix(b"[").and_then(|t| t.strip_suffix(b"]")).unwrap_or(text);
        std::str::from_utf8(text).ok()?.parse().ok()
    }

    /// The port of `sent-by` or the transport's default.
    #[must_use]
    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or_else(|| self.known_transport().map_or(5060, Transport::default_port))
    }
}

fn port(digits: &[u8]) -> Result<u16, HeaderError> {
    number(digits, 65535).and_then(|n| u16::try_from(n).ok()).ok_or(HeaderError("Port out of range"))
}

/// `SIP / 2.0 / UDP` with white space anywhere (RFC 3261 §25.1), and what follows.
fn sent_protocol(value: &[u8]) -> Result<(&[u8], &[u8]), HeaderError> {
    const BROKEN: HeaderError = HeaderError("Via is not SIP/2.0");
    // The form nearly everyone writes.
    if let Some(rest) = value.strip_prefix(b"SIP/2.0/") {
        let end = rest.iter().position(|&b| is_lws(b)).ok_or(BROKEN)?;
        if is_token(&rest[..end]) {
            return Ok((&rest[..end], trim(&rest[end..])));
        }
    }
    let (name, rest) = word(value, b'/').ok_or(BROKEN)?;
    let (version, rest) = word(rest, b'/').ok_or(BROKEN)?;
    if !name.eq_ignore_ascii_case(b"SIP") || version != b"2.0" {
        return Err(BROKEN);
    }
    let rest = trim(rest);
    let end = rest.iter().position(|&b| is_lws(b)).ok_or(BROKEN)?;
    if !is_token(&rest[..end]) {
        return Err(BROKEN);
    }
    Ok((&rest[..end], trim(&rest[end..])))
}

fn word(value: &[u8], stop: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(stop, value)?;
    Some((trim(&value[..at]), &value[at + 1..]))
}

fn sent_by(text: &[u8]) -> Result<(Host<'_>, Option<u16>), HeaderError> {
    let host_end = match text.first() {
        Some(b'[') => memchr::memchr(b']', text).ok_or(HeaderError("IPv6 address not closed"))? + 1,
        _ => text.iter().position(|&b| b == b':' || is_lws(b)).unwrap_or(text.len()),
    };
    let host = Host::parse(&text[..host_end]).map_err(|_| HeaderError("Broken host in Via"))?;
    match trim(&text[host_end..]) {
        [] => Ok((host, None)),
        [b':', digits @ ..] => Ok((host, Some(port(trim(digits))?))),
        _ => Err(HeaderError("Text behind the host in Via")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_may_be_anywhere() {
        let (via, used) = Via::parse_first(
            b"SIP  / 2.0\r\n / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  , SIP/2.0/UDP x",
        )
        .expect("valid");
        assert_eq!((via.transport, via.branch), (&b"TCP"[..], &b"z9hG4bK9ikj8"[..]));
        assert_eq!(via.host, Host::Name(b"spindle.example.com"));
        assert!(used < 90);
    }

    #[test]
    fn ipv6_and_ports() {
        let via =
            Via::parse(b"SIP/2.0/UDP [2001:db8::9:1]:6050;received=[2001:db8::9:255];rport;alias").expect("valid");
        assert_eq!(via.host, Host::V6("2001:db8::9:1".parse().expect("an address")));
        assert_eq!((via.port, via.rport, via.alias), (Some(6050), Some(None), true));
        assert_eq!(via.received_ip(), "2001:db8::9:255".parse().ok());
        let via = Via::parse(b"SIP/2.0/UDP 192.0.2.1 : 99 ;rport=5 ;ttl=1;maddr=224.2.0.1").expect("valid");
        assert_eq!((via.port, via.rport, via.ttl), (Some(99), Some(Some(5)), Some(1)));
    }

    /// The quick way and the general one agree; white space at the end forces the general one.
    #[test]
    fn the_plain_form_reads_like_the_general_one() {
        for plain in [
            "SIP/2.0/UDP 192.0.2.1",
            "SIP/2.0/TCP a.example.org:5070;branch=z9hG4bKx",
            "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK.a-b;rport;received=2001:db8::1;RPORT=7;alias;ttl=3",
            "SIP/2.0/UDP 192.0.2.1;branch=;maddr=224.2.0.1",
        ] {
            let quick = Via::plain(plain.as_bytes()).unwrap_or_else(|| panic!("{plain} is plain"));
            let (transport, rest) = sent_protocol(plain.as_bytes()).expect("sound");
            let at = memchr::memchr(b';', rest).unwrap_or(rest.len());
            let mut general = Via::bare(plain.as_bytes(), transport, sent_by(&rest[..at]).expect("sound"), &rest[at..]);
            general.params.iter().try_for_each(|param| general.take(param)).expect("sound");
            assert_eq!(quick, general);
        }
        for other in ["SIP/2.0/UDP [::1]:5060", "SIP/2.0/UDP a ;x", "SIP/2.0/UDP a;x=\"y\"", "SIP/2.0/UDP a;;b", "x"] {
            assert_eq!(Via::plain(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn broken_values_are_refused() {
        for bad in [
            &b""[..],
            b"SIP/2.0/UDP",
            b"SIP/7.0/UDP c.example.com",
            b"SIP/2.0/UDP 192.0.2.15;;",
            b"SIP/2.0/UDP a:99999",
            b"SIP/2.0/UDP [::1",
            b"SIP/2.0/UDP a b",
            b"HTTP/2.0/UDP a",
            b"SIP/2.0/ UDP",
        ] {
            assert!(Via::parse(bad).is_err(), "{:?}", String::from_utf8_lossy(bad));
        }
    }
}
