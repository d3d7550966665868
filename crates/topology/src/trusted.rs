//! Trusted hosts: what Lync calls trusted application servers.
//!
//! A trusted host skips the 407 challenge for requests other than REGISTER, and the limits per
//! source. Who a peer is, is shown by mutual TLS, or, with less certainty, by its address.

use crate::domain::DomainName;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// A transport that servers use between each other; browsers' WebSockets are not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HopTransport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

impl HopTransport {
    /// The transport between servers that this is, if it is one.
    pub fn of(transport: lyceum_sip::Transport) -> Option<Self> {
        match transport {
            lyceum_sip::Transport::Udp => Some(Self::Udp),
            lyceum_sip::Transport::Tcp => Some(Self::Tcp),
            lyceum_sip::Transport::Tls => Some(Self::Tls),
            lyceum_sip::Transport::Ws | lyceum_sip::Transport::Wss => None,
        }
    }
}

impl From<HopTransport> for lyceum_sip::Transport {
    fn from(transport: HopTransport) -> Self {
        match transport {
            HopTransport::Udp => Self::Udp,
            HopTransport::Tcp => Self::Tcp,
            HopTransport::Tls => Self::Tls,
        }
    }
}

/// A host whose requests pass without a challenge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedHost {
    /// The host's name, unique among trusted hosts.
    #[serde(default)]
    pub name: String,
    /// What a person wants to know about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// How it is known.
    pub by: TrustedBy,
}

/// What shows that a peer is the trusted host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum TrustedBy {
    /// Its verified client certificate carries this name.
    Mtls {
        /// The DNS name in the certificate.
        #[serde(default)]
        name: DomainName,
    },
    /// It connects from this address.
    Address {
        /// One address or a block: `192.0.2.7`, `2001:db8::/64`.
        cidr: Cidr,
        /// Over which transports; UDP counts only at a listener marked inside, since the source
        /// of a datagram can be forged.
        #[serde(default = "stream_transports")]
        transports: Vec<HopTransport>,
    },
}

fn stream_transports() -> Vec<HopTransport> {
    vec![HopTransport::Tcp, HopTransport::Tls]
}

/// A block of addresses. IPv4 written as IPv6 (`::ffff:192.0.2.1`) counts as IPv4.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr {
    address: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// Reads `address` or `address/prefix`; bits beyond the prefix must be zero.
    pub fn parse(text: &str) -> Result<Self, CidrError> {
        let refuse = || CidrError(text.into());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(|_| refuse())?)),
            None => (text, None),
        };
        let address = address.parse::<IpAddr>().map_err(|_| refuse())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(width);
        let (address, width, prefix) = match address.to_canonical() {
            // Peers are compared as IPv4, so that a block of mapped addresses becomes one of IPv4.
            mapped @ IpAddr::V4(_) if address.is_ipv6() && (96..=128).contains(&prefix) => (mapped, 32, prefix - 96),
            _ => (address, width, prefix),
        };
        if prefix > width || masked(address, prefix) != address {
            return Err(refuse());
        }
        Ok(Self { address, prefix })
    }

    /// The first address of the block.
    pub fn address(self) -> IpAddr {
        self.address
    }

    /// How many leading bits are fixed.
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether the address lies in the block.
    pub fn contains(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.prefix) == self.address
    }
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let keep = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0);
            IpAddr::V4((u32::from(v4) & keep).into())
        }
        IpAddr::V6(v6) => {
            let keep = u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0);
            IpAddr::V6((u128::from(v6) & keep).into())
        }
    }
}

/// The text is not a block of addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CidrError(Box<str>);

impl fmt::Display for CidrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not an address or a block such as 192.0.2.0/24 whose host bits are zero", self.0)
    }
}

impl std::error::Error for CidrError {}

impl TryFrom<String> for Cidr {
    type Error = CidrError;
    fn try_from(text: String) -> Result<Self, CidrError> {
        Self::parse(&text)
    }
}

impl From<Cidr> for String {
    fn from(cidr: Cidr) -> Self {
        cidr.to_string()
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl fmt::Debug for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What the transport layer knows of the peer that sent a request.
#[derive(Debug, Clone, Copy)]
pub struct PeerFacts<'a> {
    /// Where the packet or connection came from.
    pub address: IpAddr,
    /// What carried it; `None` for WebSocket, which no address rule covers.
    pub transport: Option<HopTransport>,
    /// The names in its verified client certificate, if it showed one.
    pub names: &'a [String],
    /// Whether it arrived at a listener marked inside.
    pub inside: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hold_what_they_say() {
        for (block, address, inside) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "::ffff:192.0.2.7", true),
            ("::ffff:192.0.2.0/120", "192.0.2.9", true),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "::1", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("::/0", "2001:db9::", true),
        ] {
            assert_eq!(Cidr::parse(block).unwrap().contains(address.parse().unwrap()), inside, "{block} {address}");
        }
    }

    #[test]
    fn host_bits_and_nonsense_are_refused() {
        for bad in ["192.0.2.1/24", "192.0.2.0/33", "::/129", "x", "", "1.2.3/8", "10.0.0.0/-1"] {
            assert!(Cidr::parse(bad).is_err(), "{bad}");
        }
    }
}
