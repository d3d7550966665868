//! HMAC-SHA-256, its key schedule done once, its tag cut to the length the caller can carry.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// Thirty-two secret bytes from the caller's generator; cannot be printed.
#[derive(Clone)]
pub struct SecretKey(pub [u8; 32]);

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<secret>")
    }
}

impl SecretKey {
    /// A key of its own for another purpose.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> SecretKey {
        SecretKey(Mac::new(self).tag([purpose.as_bytes()]))
    }

    /// Whether these are its bytes; the time it takes says nothing of where they differ.
    #[must_use]
    pub fn is(&self, bytes: &[u8]) -> bool {
        same(&self.0, bytes)
    }
}

/// A keyed function over a list of parts.
#[derive(Clone)]
pub(crate) struct Mac(Hmac<Sha256>);

impl Mac {
    pub(crate) fn new(key: &SecretKey) -> Mac {
        Mac(Hmac::new_from_slice(&key.0).expect("HMAC takes a key of any length"))
    }

    /// The whole tag. Each part counts with its length, so that no two lists of parts read
    /// the same.
    pub(crate) fn tag<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(&(part.len() as u32).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// The first `N` bytes of the tag.
    pub(crate) fn short<'a, const N: usize>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; N] {
        let tag = self.tag(parts);
        std::array::from_fn(|i| tag[i])
    }
}

/// Equality in a time that tells nothing of where the two differ.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let differ = a.iter().zip(b).fold(0_u8, |acc, (x, y)| acc | (x ^ y));
    std::hint::black_box(differ) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        let mac = Mac::new(&SecretKey([7; 32]));
        assert_ne!(mac.tag([&b"ab"[..], b"c"]), mac.tag([&b"a"[..], b"bc"]));
        assert_ne!(mac.tag([&b"abc"[..]]), mac.tag([&b"abc"[..], b""]));
    }

    #[test]
    fn a_key_does_not_print() {
        assert_eq!(format!("{:?}", SecretKey([1; 32])), "<secret>");
    }
}
