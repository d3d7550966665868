//! Connection reuse between servers (RFC 5923): may a request go back over a connection that
//! the other side opened?
//!
//! The rule in one sentence: only over TLS, only where both sides showed certificates, only
//! for the address that the opener named in Via with `alias`, and only towards a name that its
//! certificate holds. Clients are no matter of it: they are reached by their flow (RFC 5626),
//! and a WebSocket client by its only connection (RFC 7118 §5.2: whatever Via says, since a
//! browser cannot know its address and writes a random `.invalid` name).

use crate::header::via::Via;
use crate::transport::Transport;
use crate::uri::Host;
use std::net::{IpAddr, SocketAddr};

/// A connection as a way back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Alias {
    /// Requests resolved to this address may go back over the connection.
    pub address: SocketAddr,
    /// By this transport.
    pub transport: Transport,
}

/// The alias that a request makes of the connection it came by (§5.2.1, §9.2), if any.
///
/// `names` are those of the opener's verified certificate, empty without one.
#[must_use]
pub fn alias(via: &Via<'_>, transport: Transport, from: IpAddr, names: &[impl AsRef<str>]) -> Option<Alias> {
    let secure = transport == Transport::Tls && via.known_transport() == Some(transport);
    if !secure || !via.alias || names.is_empty() {
        return None;
    }
    // The sent-by must be the opener's own: a name in its certificate, or where it came from.
    let honest = match via.host {
        Host::Name(name) => holds(names, name),
        Host::V4(ip) => IpAddr::V4(ip) == from,
        Host::V6(ip) => IpAddr::V6(ip) == from,
    };
    honest.then_some(Alias { address: SocketAddr::new(from, via.port_or_default()), transport })
}

/// May a request for `domain`, resolved to `address`, go over this connection (§9.3)? The
/// certificate must be good for the domain, or a shared address would lend one virtual
/// server's identity to another.
#[must_use]
pub fn may_carry(alias: &Alias, names: &[impl AsRef<str>], address: SocketAddr, domain: &[u8]) -> bool {
    alias.address == address && holds(names, domain)
}

/// RFC 5922 §7.2: names compare without regard to case, and wildcards do not count.
fn holds(names: &[impl AsRef<str>], name: &[u8]) -> bool {
    let name = name.strip_suffix(b".").unwrap_or(name);
    names.iter().any(|n| n.as_ref().as_bytes().eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_authenticated_tls_openers_make_aliases() {
        let from: IpAddr = "192.0.2.7".parse().expect("address");
        let none: [&str; 0] = [];
        let cases: [(&str, Transport, &[&str], Option<&str>); 8] = [
            (
                "SIP/2.0/TLS p.example.org;alias;branch=z9hG4bKa",
                Transport::Tls,
                &["P.example.org"],
                Some("192.0.2.7:5061"),
            ),
            (
                "SIP/2.0/TLS p.example.org:5071;alias;branch=z9hG4bKa",
                Transport::Tls,
                &["p.example.org"],
                Some("192.0.2.7:5071"),
            ),
            ("SIP/2.0/TLS 192.0.2.7;alias;branch=z9hG4bKa", Transport::Tls, &["p.example.org"], Some("192.0.2.7:5061")),
            ("SIP/2.0/TLS p.example.org;branch=z9hG4bKa", Transport::Tls, &["p.example.org"], None),
            ("SIP/2.0/TLS p.example.org;alias;branch=z9hG4bKa", Transport::Tls, &none, None),
            ("SIP/2.0/TLS victim.org;alias;branch=z9hG4bKa", Transport::Tls, &["p.example.org"], None),
            ("SIP/2.0/TLS 192.0.2.8;alias;branch=z9hG4bKa", Transport::Tls, &["p.example.org"], None),
            ("SIP/2.0/TCP p.example.org;alias;branch=z9hG4bKa", Transport::Tcp, &["p.example.org"], None),
        ];
        for (text, transport, names, want) in cases {
            let via = Via::parse(text.as_bytes()).expect("readable");
            let got = alias(&via, transport, from, names).map(|a| a.address.to_string());
            assert_eq!(got.as_deref(), want, "{text}");
        }
    }

    #[test]
    fn a_connection_carries_only_what_its_certificate_is_good_for() {
        let address: SocketAddr = "192.0.2.7:5061".parse().expect("address");
        let way = Alias { address, transport: Transport::Tls };
        assert!(may_carry(&way, &["a.org", "b.org"], address, b"B.org"));
        assert!(!may_carry(&way, &["a.org"], address, b"b.org"));
        assert!(!may_carry(&way, &["*.org"], address, b"b.org"));
        let other = "192.0.2.7:5062".parse().expect("address");
        assert!(!may_carry(&way, &["a.org"], other, b"a.org"));
    }
}
