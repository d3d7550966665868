//! Where a response goes: RFC 3261 §18.2.2 with RFC 3581 §4.

use crate::header::via::Via;
use crate::message::Message;
use crate::name::Name;
use crate::splice::Splice;
use crate::transport::Transport;
use std::net::IpAddr;

/// Where the topmost Via sends a response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReplyTo<'a> {
    /// The Via's transport; `None` when it is none of ours.
    pub transport: Option<Transport>,
    /// The address to send to, when the Via holds one.
    pub ip: Option<IpAddr>,
    /// Else the name to look up (RFC 3263 §5).
    pub name: Option<&'a [u8]>,
    /// Port.
    pub port: u16,
}

/// Reads where a response goes from its topmost Via (ours already removed). Over a reliable
/// transport the connection that brought the request comes first; this is for when it is gone.
#[must_use]
pub fn reply_to<'a>(via: &Via<'a>) -> ReplyTo<'a> {
    use crate::uri::Host;
    let transport = via.known_transport();
    let numeric = |host: Host<'a>| match host {
        Host::V4(ip) => (Some(IpAddr::V4(ip)), None),
        Host::V6(ip) => (Some(IpAddr::V6(ip)), None),
        Host::Name(name) => (None, Some(name)),
    };
    let reliable = transport.is_some_and(Transport::is_reliable);
    if let Some(maddr) = via.maddr.filter(|_| !reliable) {
        let (ip, name) = Host::parse(maddr).map_or((None, Some(maddr)), numeric);
        return ReplyTo { transport, ip, name, port: via.port_or_default() };
    }
    if let Some(ip) = via.received_ip() {
        let port = via.rport.flatten().unwrap_or_else(|| via.port_or_default());
        return ReplyTo { transport, ip: Some(ip), name: None, port };
    }
    let (ip, name) = numeric(via.host);
    let port = via.rport.flatten().filter(|_| ip.is_some()).unwrap_or_else(|| via.port_or_default());
    ReplyTo { transport, ip, name, port }
}

/// A response on its way upstream (RFC 3261 §16.7 steps 3 and 9): our Via taken off, and where
/// the next one sends it. `None` when ours was the only one: the response is for us.
#[must_use]
pub fn upstream<'a>(m: &Message<'a>) -> Option<(Splice<'a>, ReplyTo<'a>)> {
    let next = m.vias().nth(1)?.ok()?;
    let mut splice = Splice::new(*m);
    splice.remove_first_value(Name::Via);
    Some((splice, reply_to(&next)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_3261_18_2_2_and_3581() {
        let cases: &[(&str, Option<&str>, Option<&str>, u16)] = &[
            ("SIP/2.0/UDP 192.0.2.1;branch=b", Some("192.0.2.1"), None, 5060),
            ("SIP/2.0/UDP 10.0.0.1:5070;received=192.0.2.1;branch=b", Some("192.0.2.1"), None, 5070),
            ("SIP/2.0/UDP 10.0.0.1;received=192.0.2.1;rport=9988;branch=b", Some("192.0.2.1"), None, 9988),
            ("SIP/2.0/UDP h.example;branch=b", None, Some("h.example"), 5060),
            ("SIP/2.0/UDP h.example;maddr=224.2.0.1;ttl=1;branch=b", Some("224.2.0.1"), None, 5060),
            ("SIP/2.0/TLS h.example;branch=b", None, Some("h.example"), 5061),
            ("SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;rport=7;branch=b", Some("2001:db8::9:255"), None, 7),
        ];
        for &(text, ip, name, port) in cases {
            let via = Via::parse(text.as_bytes()).expect("readable");
            let got = reply_to(&via);
            assert_eq!(got.ip, ip.map(|ip| ip.parse().expect("address")), "{text}");
            assert_eq!(got.name, name.map(str::as_bytes), "{text}");
            assert_eq!(got.port, port, "{text}");
        }
    }

    #[test]
    fn upstream_takes_our_via_off() {
        use crate::{Index, Limits, parse};
        let text = "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP us;branch=z9hG4bKu\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKa\r\nContent-Length: 0\r\n\r\n";
        let mut index = Index::new();
        parse(text.as_bytes(), &mut index, &Limits::default()).expect("readable");
        let (splice, to) = upstream(&Message::new(text.as_bytes(), &index)).expect("two Vias");
        assert_eq!((to.ip, to.port), (Some("192.0.2.1".parse().expect("address")), 5070));
        let mut out = Vec::new();
        splice.write(&mut out);
        assert!(out.starts_with(b"SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP 192.0.2.1"));
        let ours = text.replace("Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKa\r\n", "");
        let mut index = Index::new();
        parse(ours.as_bytes(), &mut index, &Limits::default()).expect("readable");
        assert!(upstream(&Message::new(ours.as_bytes(), &index)).is_none());
    }
}
