//! Nonces that nobody has to remember: the second they were made in and a keyed hash of it and of the client's address.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hmac::Mac;

use crate::integrity::hmac_sha1;

/// How long a nonce is good; then 438 brings the next one.
pub const NONCE_LIFE: Duration = Duration::from_secs(600);
/// Letters of a nonce: eight of time, twelve of hash. Short, because the answer that carries it goes to strangers.
const LENGTH: usize = 20;

/// Makes and checks nonces.
#[derive(Clone)]
pub struct Nonces {
    key: [u8; 32],
}

impl std::fmt::Debug for Nonces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<secret>")
    }
}

impl Nonces {
    /// Nonces under a key that nobody else knows.
    pub fn new(key: [u8; 32]) -> Nonces {
        Nonces { key }
    }

    /// A nonce for a client in a second of the driver's clock.
    pub fn make(&self, client: SocketAddr, second: u64) -> [u8; LENGTH] {
        let second = second as u32;
        let mut mac = hmac_sha1(&self.key);
        mac.update(&second.to_be_bytes());
        mac.update(&client.port().to_be_bytes());
        match client.ip() {
            IpAddr::V4(ip) => mac.update(&ip.octets()),
            IpAddr::V6(ip) => mac.update(&ip.octets()),
        }
        let hash = mac.finalize().into_bytes();
        let mut text = [0; LENGTH];
        for (pair, byte) in text.chunks_exact_mut(2).zip(second.to_be_bytes().iter().chain(hash.iter())) {
            pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
            pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
        }
        text
    }

    /// Whether a nonce is one of ours, made for this client and not too long ago.
    pub fn holds(&self, nonce: &[u8], client: SocketAddr, second: u64) -> bool {
        let Some(made) = nonce.get(..8).and_then(|hex| std::str::from_utf8(hex).ok()) else { return false };
        let Ok(made) = u32::from_str_radix(made, 16) else { return false };
        let age = (second as u32).wrapping_sub(made);
        u64::from(age) < NONCE_LIFE.as_secs() && self.make(client, u64::from(made)) == *nonce
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_for_its_client_and_its_time() {
        let nonces = Nonces::new([3; 32]);
        let (anna, ben): (SocketAddr, SocketAddr) =
            ("192.0.2.1:4000".parse().unwrap(), "[2001:db8::1]:4000".parse().unwrap());
        let nonce = nonces.make(anna, 1000);
        assert!(nonces.holds(&nonce, anna, 1000));
        assert!(nonces.holds(&nonce, anna, 1599));
        assert!(!nonces.holds(&nonce, anna, 1600));
        assert!(!nonces.holds(&nonce, anna, 999));
        assert!(!nonces.holds(&nonce, ben, 1000));
        assert!(!nonces.holds(&nonce, "192.0.2.1:4001".parse().unwrap(), 1000));
        assert!(!Nonces::new([4; 32]).holds(&nonce, anna, 1000));
        assert!(!nonces.holds(b"", anna, 1000));
        assert!(!nonces.holds(b"000003e8", anna, 1000));
        assert!(!nonces.holds("äöü".as_bytes(), anna, 1000));
    }
}
