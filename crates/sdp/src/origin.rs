//! Who made a description (`o=`) and where its media goes (`c=`).

use std::fmt;
use std::net::IpAddr;

/// RFC 8866 §5.2: the session's identity and its version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// User name, `-` when there is none.
    pub username: String,
    /// Session identity: digits, kept as they came.
    pub session: String,
    /// Raised by one with every changed description.
    pub version: u64,
    /// `IN IP4 host`, as it came.
    pub place: Connection,
}

impl Origin {
    /// An origin of our own. The session number is drawn by the caller; RFC 3264 §5 wants both numbers below 2^62.
    #[must_use]
    pub fn new(session: u64, address: IpAddr) -> Self {
        let session = session & ((1 << 62) - 1);
        Self { username: "-".into(), session: session.to_string(), version: 1, place: Connection::new(address) }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, ' ');
        let (username, session, version) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if username.is_empty() || !digits(session) || !digits(version) {
            return None;
        }
        // Some boxes write a version of more than 64 bits; it only ever has to differ.
        let version = version.parse().unwrap_or(u64::MAX);
        Some(Self {
            username: username.into(),
            session: session.into(),
            version,
            place: Connection::parse(parts.next()?)?,
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.username, self.session, self.version, self.place)
    }
}

/// RFC 8866 §5.7: an address, or a name that its owner has to look up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Connection {
    /// `IP4` or `IP6`.
    pub family: String,
    /// The address or name, without a multicast TTL.
    pub host: String,
}

impl Connection {
    /// A connection to `address`.
    #[must_use]
    pub fn new(address: IpAddr) -> Self {
        let family = if address.is_ipv4() { "IP4" } else { "IP6" };
        Self { family: family.into(), host: address.to_string() }
    }

    /// Reads `IN IP4 host`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split_ascii_whitespace();
        let (net, family, host) = (parts.next()?, parts.next()?, parts.next()?);
        if net != "IN" || !matches!(family, "IP4" | "IP6") {
            return None;
        }
        Some(Self { family: family.into(), host: host.split('/').next()?.into() })
    }

    /// The address; `None` for a name.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// `0.0.0.0` or `::`: the old way to say "send me nothing" (RFC 3264 §8.4).
    #[must_use]
    pub fn is_unspecified(&self) -> bool {
        self.address().is_some_and(|address| address.is_unspecified())
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IN {} {}", self.family, self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_read_and_written() {
        for text in
            ["- 1 2 IN IP4 192.0.2.1", "alice 2890844526 2890844527 IN IP6 2001:db8::1", "x 0 0 IN IP4 a.example"]
        {
            assert_eq!(Origin::parse(text).expect(text).to_string(), text);
        }
        for bad in ["", "- 1 IN IP4 192.0.2.1", "- a 1 IN IP4 192.0.2.1", "- 1 1 IN IP5 x", "- 1 -1 IN IP4 x"] {
            assert_eq!(Origin::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_old_hold_is_known() {
        assert!(Connection::parse("IN IP4 0.0.0.0").is_some_and(|it| it.is_unspecified()));
        assert!(Connection::parse("IN IP4 224.2.1.1/127").is_some_and(|it| it.host == "224.2.1.1"));
        assert!(Connection::parse("IN IP4 phone.example").is_some_and(|it| it.address().is_none()));
    }
}
