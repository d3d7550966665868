//! Hosts in URIs and Via.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::UriError;

/// A host as written: a name, or an address (IPv6 in brackets).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Host<'a> {
    /// A domain name, not checked against DNS.
    Name(&'a [u8]),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address.
    V6(Ipv6Addr),
}

impl<'a> Host<'a> {
    /// Reads a host; an IPv6 address needs its brackets.
    ///
    /// # Errors
    /// When it is neither name nor address.
    pub fn parse(text: &'a [u8]) -> Result<Host<'a>, UriError> {
        if let [b'[', inner @ .., b']'] = text {
            return v6(inner).map(Host::V6).ok_or(UriError::Host);
        }
        match text {
            [] => Err(UriError::Host),
            [b'0'..=b'9', ..] => match v4(text) {
                Some(address) => Ok(Host::V4(address)),
                None => name(text),
            },
            _ => name(text),
        }
    }

    /// The address, when it is one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Host::Name(_) => None,
            Host::V4(a) => Some(IpAddr::V4(*a)),
            Host::V6(a) => Some(IpAddr::V6(*a)),
        }
    }

    /// Equal without regard to letter case, and IPv6 addresses by value (RFC 5118 §4.1).
    #[must_use]
    pub fn equivalent(&self, other: &Host<'_>) -> bool {
        match (self, other) {
            (Host::Name(a), Host::Name(b)) => a.eq_ignore_ascii_case(b),
            _ => self.ip().is_some() && self.ip() == other.ip(),
        }
    }
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => write!(f, "{}", String::from_utf8_lossy(name)),
            Host::V4(address) => write!(f, "{address}"),
            Host::V6(address) => write!(f, "[{address}]"),
        }
    }
}

const DOT: u8 = 1;
const DIGIT: u8 = 2;
const NAMED: u8 = 4;

/// What a byte is in a host name; 0 may not stand there.
static CLASS: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = match i as u8 {
            b'.' => DOT,
            b'0'..=b'9' => DIGIT,
            // Underscores are no hostname by RFC 1123, yet they are in real zones.
            b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' => NAMED,
            _ => 0,
        };
        i += 1;
    }
    table
};

fn name(text: &[u8]) -> Result<Host<'_>, UriError> {
    let (mut before, mut all) = (DOT, 0);
    for &b in text {
        let class = CLASS[usize::from(b)];
        if class == 0 || class & before == DOT {
            return Err(UriError::Host);
        }
        (before, all) = (class, all | class);
    }
    // A number is no top label, so `2001` or `256.1.1.1` is a broken address (RFC 3261 §25.1).
    if all & NAMED != 0 && text.len() <= 255 { Ok(Host::Name(text)) } else { Err(UriError::Host) }
}

fn v4(text: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0u8; 4];
    let (mut place, mut digits, mut value) = (0, 0, 0u16);
    for &b in text {
        match b {
            // A leading zero is octal to some readers.
            b'0'..=b'9' if digits == 0 || (value != 0 && digits < 3) => {
                value = value * 10 + u16::from(b - b'0');
                digits += 1;
            }
            b'.' if digits > 0 && place < 3 => {
                octets[place] = u8::try_from(value).ok()?;
                (place, digits, value) = (place + 1, 0, 0);
            }
            _ => return None,
        }
    }
    octets[3] = u8::try_from(value).ok()?;
    (place == 3 && digits > 0).then(|| octets.into())
}

fn v6(text: &[u8]) -> Option<Ipv6Addr> {
    let text = std::str::from_utf8(text).ok().filter(|t| t.len() <= 46)?;
    text.parse().ok().or_else(|| three_colons(text))
}

/// RFC 5118 §4.10: the grammar of RFC 3261 let an element write three colons before an IPv4
/// part (`2001:db8:::192.0.2.1`), which can only mean two.
fn three_colons(text: &str) -> Option<Ipv6Addr> {
    let (before, after) = text.split_once(":::")?;
    after.parse::<Ipv4Addr>().ok()?;
    format!("{before}::{after}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses() {
        assert_eq!(Host::parse(b"Example.COM"), Ok(Host::Name(b"Example.COM")));
        assert_eq!(Host::parse(b"192.0.2.1"), Ok(Host::V4(Ipv4Addr::new(192, 0, 2, 1))));
        assert!(matches!(Host::parse(b"[2001:db8::192.0.2.1]"), Ok(Host::V6(_))));
        assert_eq!(Host::parse(b"[2001:db8:::192.0.2.1]"), Host::parse(b"[2001:db8::192.0.2.1]"));
        assert!(matches!(Host::parse(b"[::ffff:192.0.2.10]"), Ok(Host::V6(_))));
        for bad in [
            &b""[..],
            b"[2001:db8:::1]",
            b"2001:db8::1",
            b"[::1",
            b"256.1.1.1",
            b"1.2.3.04",
            b"a b",
            b"a..b",
            b".a",
            b"a@b",
        ] {
            assert_eq!(Host::parse(bad), Err(UriError::Host), "{bad:?}");
        }
    }
}
