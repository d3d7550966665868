//! The ciphers: AES in counter mode with HMAC-SHA1 (RFC 3711 §4.1, §4.2), AES-GCM (RFC 7714).

use aes::Aes128;
use aes::cipher::{InnerIvInit, KeyInit, StreamCipherCore};
use aes_gcm::aead::AeadInPlace;
use aes_gcm::{Aes128Gcm, Aes256Gcm, AesGcm};
use ctr::{CtrCore, flavors::Ctr128BE};
use hmac::{Hmac, Mac};
use lyceum_sdp::{KeySalt, Suite};
use sha1::Sha1;

use super::derive::{Labels, session_key};

/// Bytes of GCM's tag.
pub const GCM_TAG: usize = 16;
/// Bytes of SRTCP's tag under HMAC-SHA1; only RTP's is shortened to four by the `_32` suite (RFC 4568 §6.2.2).
const RTCP_TAG: usize = 10;

/// Session keys of RTP or of RTCP.
pub enum Transform {
    /// Counter mode and HMAC.
    Cm(Box<CounterMode>),
    /// GCM with 128 bits and its salt.
    Gcm128(Box<Aes128Gcm>, [u8; 12]),
    /// GCM with 256 bits and its salt.
    Gcm256(Box<Aes256Gcm>, [u8; 12]),
}

/// Counter mode with its authentication.
pub struct CounterMode {
    cipher: Aes128,
    salt: [u8; 14],
    mac: Hmac<Sha1>,
    tag_len: usize,
}

impl Transform {
    /// Derives the keys that `labels` name.
    pub fn new(suite: Suite, key: &KeySalt, labels: Labels) -> Self {
        let (master, salt) = key.reveal().split_at(suite.key_len());
        let derive = |label, out: &mut [u8]| session_key(master, salt, label, out);
        let mut own_salt = [0; 14];
        derive(labels.salt, &mut own_salt[..suite.salt_len()]);
        let mut gcm_salt = [0; 12];
        gcm_salt.copy_from_slice(&own_salt[..12]);
        let (mut short, mut long) = ([0; 16], [0; 32]);
        match suite {
            Suite::AeadAes128Gcm => {
                derive(labels.key, &mut short);
                Self::Gcm128(Box::new(AesGcm::new(&short.into())), gcm_salt)
            }
            Suite::AeadAes256Gcm => {
                derive(labels.key, &mut long);
                Self::Gcm256(Box::new(AesGcm::new(&long.into())), gcm_salt)
            }
            Suite::AesCm128HmacSha1_80 | Suite::AesCm128HmacSha1_32 => {
                let mut auth = [0; 20];
                derive(labels.key, &mut short);
                derive(labels.auth, &mut auth);
                let short_tag = suite == Suite::AesCm128HmacSha1_32 && labels.key == super::derive::RTP.key;
                let tag_len = if short_tag { 4 } else { RTCP_TAG };
                Self::Cm(Box::new(CounterMode::new(&short, own_salt, &auth, tag_len)))
            }
        }
    }

    /// Encrypts or decrypts with GCM's nonce made of `lead`; the tag stands behind the text.
    pub fn seal(&self, nonce: [u8; 12], associated: &[u8], text: &mut [u8]) -> Option<[u8; GCM_TAG]> {
        let tag = match self {
            Self::Gcm128(cipher, _) => cipher.encrypt_in_place_detached(&nonce.into(), associated, text),
            Self::Gcm256(cipher, _) => cipher.encrypt_in_place_detached(&nonce.into(), associated, text),
            Self::Cm(_) => return None,
        };
        tag.ok().map(Into::into)
    }

    /// Checks and decrypts; false when the tag is wrong.
    pub fn open(&self, nonce: [u8; 12], associated: &[u8], text: &mut [u8], tag: [u8; GCM_TAG]) -> bool {
        let opened = match self {
            Self::Gcm128(cipher, _) => cipher.decrypt_in_place_detached(&nonce.into(), associated, text, &tag.into()),
            Self::Gcm256(cipher, _) => cipher.decrypt_in_place_detached(&nonce.into(), associated, text, &tag.into()),
            Self::Cm(_) => return false,
        };
        opened.is_ok()
    }

    /// GCM's nonce (RFC 7714 §8.1, §9.1): source and index over the salt.
    pub fn nonce(&self, ssrc: u32, index: u64) -> [u8; 12] {
        let mut nonce = match self {
            Self::Gcm128(_, salt) | Self::Gcm256(_, salt) => *salt,
            Self::Cm(_) => [0; 12],
        };
        xor(&mut nonce[2..6], &ssrc.to_be_bytes());
        xor(&mut nonce[6..], &index.to_be_bytes()[2..]);
        nonce
    }
}

impl CounterMode {
    pub fn new(key: &[u8; 16], salt: [u8; 14], auth: &[u8], tag_len: usize) -> Self {
        let mac = <Hmac<Sha1> as Mac>::new_from_slice(auth).expect("HMAC takes keys of any length");
        Self { cipher: Aes128::new(key.into()), salt, mac, tag_len }
    }

    /// Encrypts or decrypts, which is the same (RFC 3711 §4.1.1).
    pub fn apply(&self, ssrc: u32, index: u64, text: &mut [u8]) {
        let mut block = [0; 16];
        block[..14].copy_from_slice(&self.salt);
        xor(&mut block[4..8], &ssrc.to_be_bytes());
        xor(&mut block[8..14], &index.to_be_bytes()[2..]);
        let core: CtrCore<&Aes128, Ctr128BE> = CtrCore::inner_iv_init(&self.cipher, &block.into());
        core.apply_keystream_partial(text.into());
    }

    /// Bytes of the tag.
    pub fn tag_len(&self) -> usize {
        self.tag_len
    }

    /// The tag over `parts`, of which the first [`Self::tag_len`] bytes go on the wire.
    pub fn tag(&self, parts: [&[u8]; 2]) -> [u8; 20] {
        let mut mac = self.mac.clone();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }

    /// Whether `tag` is the one over `parts`, found out in constant time.
    pub fn is_signed(&self, parts: [&[u8]; 2], tag: &[u8]) -> bool {
        let mut mac = self.mac.clone();
        parts.iter().for_each(|part| mac.update(part));
        tag.len() == self.tag_len && mac.verify_truncated_left(tag).is_ok()
    }
}

fn xor(place: &mut [u8], with: &[u8]) {
    place.iter_mut().zip(with).for_each(|(place, with)| *place ^= with);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
    }

    #[test]
    fn rfc_3711_appendix_b_2() {
        let key: [u8; 16] = hex("2B7E151628AED2A6ABF7158809CF4F3C").try_into().expect("its length");
        let salt: [u8; 14] = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD").try_into().expect("its length");
        let mut stream = vec![0; 0xFF02 * 16];
        CounterMode::new(&key, salt, &[], 10).apply(0, 0, &mut stream);
        let cases = [
            (0, "E03EAD0935C95E80E166B16DD92B4EB4"),
            (1, "D23513162B02D0F72A43A2FE4A5F97AB"),
            (2, "41E95B3BB0A2E8DD477901E4FCA894C0"),
            (0xFEFF, "EC8CDF7398607CB0F2D21675EA9EA1E4"),
            (0xFF00, "362B7C3C6773516318A077D7FC5073AE"),
            (0xFF01, "6A2CC3787889374FBEB4C81B17BA6C44"),
        ];
        for (block, expected) in cases {
            assert_eq!(stream[block * 16..][..16], hex(expected), "block {block:x}");
        }
    }
}
