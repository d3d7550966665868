//! Session keys from master key and salt (RFC 3711 §4.3, RFC 7714 §11).

use aes::cipher::{BlockEncrypt, KeyInit};
use aes::{Aes128, Aes256, Block};

/// The labels of one kind of packet.
#[derive(Clone, Copy)]
pub struct Labels {
    /// Encryption key.
    pub key: u8,
    /// Authentication key.
    pub auth: u8,
    /// Salt.
    pub salt: u8,
}

/// Labels for RTP.
pub const RTP: Labels = Labels { key: 0, auth: 1, salt: 2 };
/// Labels for RTCP.
pub const RTCP: Labels = Labels { key: 3, auth: 4, salt: 5 };

/// Fills `out` with the key that `label` names; the derivation rate is zero, as in every description.
pub fn session_key(master: &[u8], salt: &[u8], label: u8, out: &mut [u8]) {
    // x = label * 2^48 XOR salt, then a 16-bit counter: the label stands in the eighth byte of fourteen.
    let mut block = [0u8; 16];
    block[..salt.len().min(14)].copy_from_slice(&salt[..salt.len().min(14)]);
    block[7] ^= label;
    let aes_128 = <[u8; 16]>::try_from(master).map(|key| Aes128::new(&key.into()));
    let aes_256 = <[u8; 32]>::try_from(master).map(|key| Aes256::new(&key.into()));
    for (counter, chunk) in (0u16..).zip(out.chunks_mut(16)) {
        block[14..].copy_from_slice(&counter.to_be_bytes());
        let mut stream = Block::from(block);
        match (&aes_128, &aes_256) {
            (Ok(cipher), _) => cipher.encrypt_block(&mut stream),
            (_, Ok(cipher)) => cipher.encrypt_block(&mut stream),
            _ => unreachable!("a `KeySalt` has its suite's length"),
        }
        chunk.copy_from_slice(&stream[..chunk.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
    }

    #[test]
    fn rfc_3711_appendix_b_3() {
        let (master, salt) = (hex("E1F97A0D3E018BE0D64FA32C06DE4139"), hex("0EC675AD498AFEEBB6960B3AABE6"));
        let cases = [
            (0, "C61E7A93744F39EE10734AFE3FF7A087"),
            (2, "30CBBC08863D8C85D49DB34A9AE1"),
            (
                1,
                "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCEE049646C43D9327AD175578EF7227098\
                 6371C10C9A369AC2F94A8C5FBCDDDC256D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2",
            ),
        ];
        for (label, expected) in cases {
            let mut out = vec![0; expected.replace(' ', "").len() / 2];
            session_key(&master, &salt, label, &mut out);
            assert_eq!(out, hex(&expected.replace(' ', "")), "label {label}");
        }
    }
}
