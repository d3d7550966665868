//! MESSAGE-INTEGRITY (RFC 8489 §14.5) and FINGERPRINT (§14.7).

use std::fmt;

use hmac::{Hmac, Mac};
use md5::{Digest, Md5};
use sha1::Sha1;

use crate::message::{HEADER, Message, kind};

/// What FINGERPRINT is exclusive-or'ed with.
const FINGERPRINT_XOR: u32 = 0x5354_554e;
/// Length of the whole MESSAGE-INTEGRITY attribute.
const SEAL: usize = 24;

/// The key of a message: of a long-term credential its MD5, of a short-term one its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Box<[u8]>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl Key {
    /// The key of a long-term credential (RFC 8489 §9.2.2).
    pub fn long_term(username: &[u8], realm: &[u8], password: &[u8]) -> Key {
        let mut hash = Md5::new();
        for part in [username, b":", realm, b":", password] {
            hash.update(part);
        }
        Key(hash.finalize().to_vec().into())
    }

    /// The key of a short-term credential (RFC 8489 §9.1.1).
    pub fn short_term(password: &[u8]) -> Key {
        Key(password.into())
    }
}

pub(crate) fn hmac_sha1(key: &[u8]) -> Hmac<Sha1> {
    Hmac::<Sha1>::new_from_slice(key).expect("an HMAC takes keys of any length")
}

/// The HMAC of a message up to where its seal begins; the length counts as if the message ended with the seal.
fn seal(key: &Key, before: &[u8]) -> Hmac<Sha1> {
    let length = (before.len() + SEAL - HEADER) as u16;
    let mut mac = hmac_sha1(&key.0);
    mac.update(&before[..2]);
    mac.update(&length.to_be_bytes());
    mac.update(&before[4..]);
    mac
}

/// The value of MESSAGE-INTEGRITY after `before`.
pub(crate) fn sealed(key: &Key, before: &[u8]) -> [u8; 20] {
    seal(key, before).finalize().into_bytes().into()
}

/// Whether a message carries a MESSAGE-INTEGRITY made with `key`. Takes the same time for every wrong one.
pub fn integrity_holds(message: &Message<'_>, key: &Key) -> bool {
    message
        .find(kind::MESSAGE_INTEGRITY)
        .is_some_and(|found| seal(key, &message.bytes()[..found.at]).verify_slice(found.value).is_ok())
}

/// The value of FINGERPRINT after `before`, whose header already counts it.
pub(crate) fn fingerprint(before: &[u8]) -> u32 {
    crc32(before) ^ FINGERPRINT_XOR
}

/// Whether the FINGERPRINT of a message is right; `None` without one. It must be the last attribute.
pub fn fingerprint_holds(message: &Message<'_>) -> Option<bool> {
    let found = message.find(kind::FINGERPRINT)?;
    let is_last = found.at + 8 == message.bytes().len();
    Some(is_last && found.value == fingerprint(&message.bytes()[..found.at]).to_be_bytes())
}

/// CRC-32 of ISO 3309, as in V.42 and PNG.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| sum >> 8 ^ TABLE[((sum ^ u32::from(*byte)) & 0xff) as usize])
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let (mut word, mut bit) = (i as u32, 0);
        while bit < 8 {
            word = if word & 1 == 1 { word >> 1 ^ 0xedb8_8320 } else { word >> 1 };
            bit += 1;
        }
        table[i] = word;
        i += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_sum() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_key_does_not_print_itself() {
        assert_eq!(format!("{:?}", Key::short_term(b"VOkJxbRl1RmTxUk/WvJxBt")), "<secret>");
    }
}
