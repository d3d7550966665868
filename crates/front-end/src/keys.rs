//! The keys that the front end works with, each derived from the master key for one purpose only.

use std::hash::{BuildHasher, Hasher, RandomState};

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Keys of nonces, dialog hashes, flow tokens and GRUUs. They outlive a restart, so that dialogs do too.
#[derive(Clone)]
pub struct Keys {
    root: [u8; 32],
    tags: RandomState,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(<secret>)")
    }
}

impl Keys {
    /// Takes the secret that the binary derived from the master key for this pool.
    pub fn new(root: [u8; 32]) -> Self {
        Keys { root, tags: RandomState::new() }
    }

    /// For nonces.
    pub fn nonce(&self) -> [u8; 32] {
        self.derive(b"lyceum nonce")
    }

    /// For the keyed hash of in-dialog requests.
    pub fn dialog(&self) -> [u8; 32] {
        self.derive(b"lyceum dialog")
    }

    /// For temporary GRUUs.
    pub fn gruu(&self) -> [u8; 32] {
        self.derive(b"lyceum gruu")
    }

    /// A To tag for an answer without state: the same for every repetition of the request.
    pub fn stateless_tag(&self, call_id: &[u8], branch: &[u8], from_tag: &[u8]) -> [u8; 16] {
        let mut hasher = self.tags.build_hasher();
        for part in [call_id, branch, from_tag] {
            hasher.write(part);
            hasher.write_u8(0xff);
        }
        hex(hasher.finish())
    }

    /// A stable hash within this process, for tables.
    pub fn hash(&self, parts: &[&[u8]]) -> u64 {
        let mut hasher = self.tags.build_hasher();
        for part in parts {
            hasher.write(part);
            hasher.write_u8(0xff);
        }
        hasher.finish()
    }

    /// For the tokens of pages.
    pub fn bearer(&self) -> [u8; 32] {
        self.derive(b"lyceum bearer")
    }

    /// A name for something that outlives this process, from what tells it apart: nobody without the key can make two
    /// things that share one.
    pub fn name(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.root).expect("HMAC takes keys of any length");
        mac.update(b"lyceum name");
        for part in parts {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        std::array::from_fn(|at| full[at])
    }

    fn derive(&self, label: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.root).expect("HMAC takes keys of any length");
        mac.update(label);
        mac.finalize().into_bytes().into()
    }
}

/// Sixteen hexadecimal letters.
pub fn hex(value: u64) -> [u8; 16] {
    const LETTERS: &[u8; 16] = b"0123456789abcdef";
    std::array::from_fn(|at| LETTERS[(value >> (60 - 4 * at) & 15) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_do_not_share_keys_and_nothing_prints() {
        let keys = Keys::new([7; 32]);
        assert_ne!(keys.nonce(), keys.dialog());
        assert_eq!(keys.nonce(), Keys::new([7; 32]).nonce());
        assert_eq!(format!("{keys:?}"), "Keys(<secret>)");
        assert_eq!(&hex(0x0123_4567_89ab_cdef), b"0123456789abcdef");
    }

    #[test]
    fn stateless_tag_is_the_same_for_a_repetition_only() {
        let keys = Keys::new([7; 32]);
        let tag = keys.stateless_tag(b"c", b"b", b"f");
        assert_eq!(tag, keys.stateless_tag(b"c", b"b", b"f"));
        assert_ne!(tag, keys.stateless_tag(b"c", b"bf", b""));
    }
}
