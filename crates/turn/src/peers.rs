//! Whom a relay may talk to: the media ranges that it was told of, and relays of ours. Nobody else.
//!
//! A relay that sends anywhere is a way into the network that it stands in. So a peer needs a range that names it. An
//! address that means a place (private, loopback, link-local, documentation, …) needs a range that lies within that place:
//! `0.0.0.0/0` opens the Internet and nothing of one's own. An address of this host needs a range of its own alone. Forms
//! that hide another address (mapped, NAT64, 6to4, Teredo), multicast, broadcast and the unspecified address are never
//! opened.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;

/// A block of addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// The block whose first `prefix` bits are those of `address`; none when there are not so many.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Network> {
        let width = if address.is_ipv4() { 32 } else { 128 };
        (prefix <= width).then_some(Network { address, prefix })
    }

    /// One address.
    pub fn host(address: IpAddr) -> Network {
        Network { address, prefix: if address.is_ipv4() { 32 } else { 128 } }
    }

    /// Whether an address lies in the block.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(other)) => {
                (u32::from(ours) ^ u32::from(other)).checked_shr(32 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            (IpAddr::V6(ours), IpAddr::V6(other)) => {
                (u128::from(ours) ^ u128::from(other)).checked_shr(128 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// Addresses and ports that peers may have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerRange {
    /// The addresses.
    pub network: Network,
    /// The ports.
    pub ports: RangeInclusive<u16>,
}

/// The rules.
#[derive(Clone, Debug, Default)]
pub struct PeerRules {
    /// Media ranges of this deployment, and what tests open.
    pub open: Vec<PeerRange>,
    /// Where our relays are: their addresses as peers see them, with the ports of the range.
    pub relays: Vec<PeerRange>,
    /// Addresses of this host.
    pub own: Vec<IpAddr>,
}

/// Places of IPv4: address, prefix, and whether a range within may open them.
const PLACES_V4: &[([u8; 4], u8, bool)] = &[
    ([0, 0, 0, 0], 8, false),
    ([10, 0, 0, 0], 8, true),
    ([100, 64, 0, 0], 10, true),
    ([127, 0, 0, 0], 8, true),
    ([169, 254, 0, 0], 16, true),
    ([172, 16, 0, 0], 12, true),
    ([192, 0, 0, 0], 24, true),
    ([192, 0, 2, 0], 24, true),
    ([192, 88, 99, 0], 24, false),
    ([192, 168, 0, 0], 16, true),
    ([198, 18, 0, 0], 15, true),
    ([198, 51, 100, 0], 24, true),
    ([203, 0, 113, 0], 24, true),
    ([224, 0, 0, 0], 4, false),
    ([240, 0, 0, 0], 4, false),
];

/// Places of IPv6; the closer ones first.
const PLACES_V6: &[([u16; 8], u8, bool)] = &[
    ([0, 0, 0, 0, 0, 0, 0, 1], 128, true),
    // Unspecified, compatible and mapped addresses.
    ([0, 0, 0, 0, 0, 0, 0, 0], 96, false),
    ([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, false),
    ([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, false),
    // NAT64, everybody's and one's own.
    ([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, false),
    ([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, false),
    // Discard.
    ([0x100, 0, 0, 0, 0, 0, 0, 0], 64, false),
    // Teredo, documentation, 6to4.
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, false),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, true),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, false),
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, true),
    // Link-local ones mean nothing without an interface.
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, false),
    ([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, false),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, false),
];

/// What a range must be to open an address: at least so many bits long. None when nothing opens it.
fn bits_asked(address: IpAddr) -> Option<u8> {
    let place = |network: Network, prefix: u8, opens: bool| network.contains(address).then_some((prefix, opens));
    let found = match address {
        IpAddr::V4(_) => PLACES_V4.iter().find_map(|(at, prefix, opens)| {
            place(Network { address: Ipv4Addr::from(*at).into(), prefix: *prefix }, *prefix, *opens)
        }),
        IpAddr::V6(_) => PLACES_V6.iter().find_map(|(at, prefix, opens)| {
            place(Network { address: Ipv6Addr::from(*at).into(), prefix: *prefix }, *prefix, *opens)
        }),
    };
    match found {
        None => Some(0),
        Some((prefix, true)) => Some(prefix),
        Some((_, false)) => None,
    }
}

impl PeerRules {
    /// Whether a relay may send to this address and port.
    pub fn allow(&self, peer: SocketAddr) -> bool {
        peer.port() != 0 && self.allows(peer.ip(), |ports| ports.contains(&peer.port()))
    }

    /// Whether it may send to any port of this address: permissions know no ports (RFC 8656 §9).
    pub fn allow_address(&self, peer: IpAddr) -> bool {
        self.allows(peer, |_| true)
    }

    fn allows(&self, address: IpAddr, port_fits: impl Fn(&RangeInclusive<u16>) -> bool) -> bool {
        let Some(bits) = bits_asked(address) else { return false };
        let names = |range: &&PeerRange| range.network.contains(address) && port_fits(&range.ports);
        if self.relays.iter().any(|range| names(&range)) {
            return true;
        }
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let bits = if self.own.contains(&address) { whole } else { bits };
        self.open.iter().filter(names).any(|range| range.network.prefix >= bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str, ports: RangeInclusive<u16>) -> PeerRange {
        let (address, prefix) = text.split_once('/').unwrap();
        PeerRange { network: Network::new(address.parse().unwrap(), prefix.parse().unwrap()).unwrap(), ports }
    }

    fn allowed(open: &[&str], peer: &str) -> bool {
        let rules = PeerRules {
            open: open.iter().map(|text| range(text, 1..=65_535)).collect(),
            relays: vec![range("198.51.100.9/32", 50_000..=59_999)],
            own: vec!["198.51.100.9".parse().unwrap(), "127.0.0.1".parse().unwrap()],
        };
        rules.allow(SocketAddr::new(peer.parse().unwrap(), 4000))
    }

    #[test]
    fn nobody_is_a_peer_without_a_range() {
        for peer in ["8.8.8.8", "10.0.0.1", "127.0.0.1", "2600::1", "::1"] {
            assert!(!allowed(&[], peer), "{peer}");
        }
    }

    #[test]
    fn the_whole_internet_opens_no_place() {
        let whole = ["0.0.0.0/0", "::/0"];
        for peer in ["8.8.8.8", "100.63.255.255", "172.32.0.1", "2600::1"] {
            assert!(allowed(&whole, peer), "{peer}");
        }
        for peer in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.9",
            "203.0.113.5",
            "224.0.0.1",
            "239.255.255.250",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::ffff:0:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "64:ff9b:1::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
        ] {
            assert!(!allowed(&whole, peer), "{peer}");
        }
    }

    #[test]
    fn a_range_within_a_place_opens_it_and_an_own_address_needs_its_own() {
        assert!(allowed(&["10.20.0.0/16"], "10.20.1.1"));
        assert!(!allowed(&["10.20.0.0/16"], "10.21.1.1"));
        assert!(!allowed(&["8.0.0.0/5"], "10.20.1.1"));
        assert!(allowed(&["fd00::/8"], "fd00::1"));
        assert!(!allowed(&["127.0.0.0/8"], "127.0.0.1"));
        assert!(allowed(&["127.0.0.0/8"], "127.0.0.2"));
        assert!(allowed(&["127.0.0.1/32"], "127.0.0.1"));
        assert!(allowed(&["::1/128"], "::1"));
    }

    #[test]
    fn what_hides_another_address_is_never_opened() {
        for peer in ["::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::", "2001::1", "fe80::1", "ff02::1", "::"] {
            assert!(!allowed(&[&format!("{peer}/128")], peer), "{peer}");
        }
        for peer in ["255.255.255.255", "224.0.0.1", "0.0.0.0"] {
            assert!(!allowed(&[&format!("{peer}/32")], peer), "{peer}");
        }
    }

    #[test]
    fn ports_count_and_our_relays_are_peers() {
        let rules = PeerRules {
            open: vec![range("10.0.0.0/24", 16_384..=22_383)],
            relays: vec![range("127.0.0.1/32", 50_000..=59_999)],
            own: vec!["127.0.0.1".parse().unwrap()],
        };
        for (peer, allow) in [
            ("10.0.0.1:16384", true),
            ("10.0.0.1:22", false),
            ("127.0.0.1:50000", true),
            ("127.0.0.1:3478", false),
            ("127.0.0.1:0", false),
        ] {
            assert_eq!(rules.allow(peer.parse().unwrap()), allow, "{peer}");
        }
        assert!(rules.allow_address("127.0.0.1".parse().unwrap()));
        assert!(!rules.allow_address("127.0.0.2".parse().unwrap()));
    }
}
