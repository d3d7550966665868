//! Addresses in attributes, plain and exclusive-or'ed (RFC 8489 §14.1, §14.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::message::COOKIE;

/// Longest value of an address: family, port, sixteen bytes.
pub(crate) const ADDRESS_MAX: usize = 20;

/// The sixteen bytes that IPv6 addresses are exclusive-or'ed with.
fn mask(transaction: [u8; 12]) -> u128 {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&COOKIE.to_be_bytes());
    bytes[4..].copy_from_slice(&transaction);
    u128::from_be_bytes(bytes)
}

/// Reads the value of an XOR-MAPPED-ADDRESS, XOR-PEER-ADDRESS or XOR-RELAYED-ADDRESS.
pub fn read_address(value: &[u8], transaction: [u8; 12]) -> Option<SocketAddr> {
    let (&[_, family, high, low], address) = value.split_first_chunk::<4>()?;
    let port = u16::from_be_bytes([high, low]) ^ (COOKIE >> 16) as u16;
    let ip: IpAddr = match (family, address.len()) {
        (1, 4) => Ipv4Addr::from(u32::from_be_bytes(address.try_into().ok()?) ^ COOKIE).into(),
        (2, 16) => Ipv6Addr::from(u128::from_be_bytes(address.try_into().ok()?) ^ mask(transaction)).into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// Writes such a value to the front of `room`; gives its length (8 or 20).
pub fn write_address(address: SocketAddr, transaction: [u8; 12], room: &mut [u8; ADDRESS_MAX]) -> usize {
    room[0] = 0;
    room[2..4].copy_from_slice(&(address.port() ^ (COOKIE >> 16) as u16).to_be_bytes());
    match address.ip() {
        IpAddr::V4(ip) => {
            room[1] = 1;
            room[4..8].copy_from_slice(&(u32::from(ip) ^ COOKIE).to_be_bytes());
            8
        }
        IpAddr::V6(ip) => {
            room[1] = 2;
            room[4..20].copy_from_slice(&(u128::from(ip) ^ mask(transaction)).to_be_bytes());
            20
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in ["192.0.2.1:32853", "[2001:db8::1]:32853", "0.0.0.0:0", "[::]:65535"] {
            let address: SocketAddr = text.parse().unwrap();
            let mut room = [0; ADDRESS_MAX];
            let length = write_address(address, [7; 12], &mut room);
            assert_eq!(read_address(&room[..length], [7; 12]), Some(address));
        }
    }

    #[test]
    fn other_families_and_lengths_are_none() {
        assert_eq!(read_address(&[0, 3, 0, 1, 1, 2, 3, 4], [0; 12]), None);
        assert_eq!(read_address(&[0, 1, 0, 1, 1, 2, 3], [0; 12]), None);
        assert_eq!(read_address(&[0, 2, 0], [0; 12]), None);
    }
}
