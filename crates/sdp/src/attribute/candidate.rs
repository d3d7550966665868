//! `a=candidate`: an address where a peer may be reached (RFC 8839 §5.1).

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Where a candidate comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CandidateKind {
    /// An address of the host itself.
    Host,
    /// As a STUN server saw it.
    ServerReflexive,
    /// As the peer saw it.
    PeerReflexive,
    /// A TURN relay's.
    Relayed,
}

const KINDS: &[(&str, CandidateKind)] = &[
    ("host", CandidateKind::Host),
    ("srflx", CandidateKind::ServerReflexive),
    ("prflx", CandidateKind::PeerReflexive),
    ("relay", CandidateKind::Relayed),
];

/// One candidate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Equal for candidates of one base and one server.
    pub foundation: String,
    /// 1 for RTP, 2 for RTCP.
    pub component: u16,
    /// `UDP` or `TCP`, in upper case.
    pub transport: String,
    /// The higher, the sooner tried.
    pub priority: u32,
    /// Address; `None` for a name such as a browser's `.local`.
    pub address: Option<SocketAddr>,
    /// Where it comes from.
    pub kind: CandidateKind,
    /// What follows, as written (`raddr`, `tcptype`, `generation`).
    pub rest: String,
}

impl Candidate {
    /// A host candidate of our own on UDP.
    #[must_use]
    pub fn host(component: u16, address: SocketAddr) -> Self {
        // RFC 8445 §5.1.2.1: 2^24 times the type, 2^8 times the interface, 256 less the component.
        let priority = (126 << 24) | (65_535 << 8) | (256 - u32::from(component.clamp(1, 256)));
        Self {
            foundation: "1".into(),
            component,
            transport: "UDP".into(),
            priority,
            address: Some(address),
            kind: CandidateKind::Host,
            rest: String::new(),
        }
    }

    /// Reads the value of `a=candidate`, also with the `candidate:` that browsers put before it.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let mut words = value.strip_prefix("candidate:").unwrap_or(value).split_ascii_whitespace();
        let (foundation, component, transport) = (words.next()?, words.next()?, words.next()?);
        let (priority, host, port) = (words.next()?, words.next()?, words.next()?.parse().ok()?);
        if words.next()? != "typ" || foundation.len() > 32 {
            return None;
        }
        let kind = words.next()?;
        let kind = KINDS.iter().find(|(name, _)| *name == kind)?.1;
        Some(Self {
            foundation: foundation.into(),
            component: component.parse().ok().filter(|component| (1..=256).contains(component))?,
            transport: transport.to_ascii_uppercase(),
            priority: priority.parse().ok()?,
            address: host.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, port)),
            kind,
            rest: words.collect::<Vec<_>>().join(" "),
        })
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or("host", |(name, _)| name);
        let address = self.address.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 9)));
        let Self { foundation, component, transport, priority, rest, .. } = self;
        write!(f, "{foundation} {component} {transport} {priority} {} {} typ {kind}", address.ip(), address.port())?;
        if rest.is_empty() { Ok(()) } else { write!(f, " {rest}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_read_and_written() {
        for text in [
            "1 1 UDP 2130706431 203.0.113.141 8998 typ host",
            "2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998",
            "3 2 TCP 2128609279 2001:db8::1 9 typ host tcptype active",
        ] {
            assert_eq!(Candidate::parse(text).expect(text).to_string(), text);
        }
        let name = Candidate::parse("candidate:1 1 udp 1 a1b2.local 5000 typ host generation 0").expect("a name");
        assert_eq!((name.address, name.transport.as_str()), (None, "UDP"));
        for bad in ["", "1 1 UDP 1 192.0.2.1 5000", "1 0 UDP 1 192.0.2.1 5 typ host", "1 1 UDP 1 192.0.2.1 5 typ odd"] {
            assert_eq!(Candidate::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_host_candidate_has_the_priority_of_rfc_8445() {
        let text = Candidate::host(1, "192.0.2.1:5000".parse().expect("an address")).to_string();
        assert_eq!(text, "1 1 UDP 2130706431 192.0.2.1 5000 typ host");
    }
}
