//! IPv4 networks, as plans, zones and filters write them.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// An IPv4 network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    base: u32,
    length: u8,
}

impl Network {
    /// The network of `length` bits that holds `address`.
    pub fn of(address: Ipv4Addr, length: u8) -> Network {
        let length = length.min(32);
        Network { base: u32::from(address) & mask(length), length }
    }

    /// The `number`-th address, from 0; nothing beyond the end.
    pub fn address(self, number: u32) -> Option<Ipv4Addr> {
        let last = !mask(self.length);
        (number <= last).then(|| Ipv4Addr::from(self.base + number))
    }

    /// Whether the two share an address.
    pub fn overlaps(self, other: Network) -> bool {
        let length = self.length.min(other.length);
        self.base & mask(length) == other.base & mask(length)
    }

    /// Whether `address` is inside.
    pub fn holds(self, address: Ipv4Addr) -> bool {
        u32::from(address) & mask(self.length) == self.base
    }
}

fn mask(length: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.base), self.length)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What is no network or no range of ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl FromStr for Network {
    type Err = Malformed;

    /// `10.1.0.0/24`; an address alone is a network of one. Bits behind the length must be zero.
    fn from_str(text: &str) -> Result<Network, Malformed> {
        let (address, length) = text.split_once('/').unwrap_or((text, "32"));
        let address: Ipv4Addr = address.parse().map_err(|_| Malformed)?;
        let length: u8 = length.parse().map_err(|_| Malformed)?;
        let network = Network::of(address, length);
        if length > 32 || network.base != u32::from(address) { Err(Malformed) } else { Ok(network) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_an_address_whose_last_bits_are_zero() {
        let network: Network = "10.1.2.0/23".parse().expect("a network");
        assert_eq!(network.to_string(), "10.1.2.0/23");
        assert_eq!(network.address(257), Some(Ipv4Addr::new(10, 1, 3, 1)));
        assert_eq!(network.address(512), None);
        assert!("0.0.0.0/0".parse::<Network>().is_ok_and(|all| all.overlaps(network)));
        assert!(network.holds(Ipv4Addr::new(10, 1, 3, 255)) && !network.holds(Ipv4Addr::new(10, 1, 4, 0)));
        for wrong in ["10.1.2.1/24", "10.1.2.0/33", "10.1.2", "x/8", "10.0.0.0/-1", ""] {
            assert_eq!(wrong.parse::<Network>(), Err(Malformed), "{wrong}");
        }
    }
}
