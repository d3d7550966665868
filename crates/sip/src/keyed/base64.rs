//! URL-safe base64 without padding (RFC 4648 §5): every letter may stand in a URI parameter,
//! in a user part and in a quoted string.

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static VALUES: [u8; 256] = {
    let mut table = [0xff_u8; 256];
    let mut i = 0;
    while i < 64 {
        table[LETTERS[i] as usize] = i as u8;
        i += 1;
    }
    table
};

/// Letters that `len` bytes become.
pub(crate) const fn encoded_len(len: usize) -> usize {
    (len * 4).div_ceil(3)
}

/// Adds the letters of `bytes` to `out`.
pub(crate) fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    for chunk in bytes.chunks(3) {
        let mut word = 0_u32;
        for i in 0..3 {
            word = word << 8 | u32::from(chunk.get(i).copied().unwrap_or(0));
        }
        for i in 0..=chunk.len() {
            let letter = word >> (18 - 6 * i) & 63;
            out.push(LETTERS[letter as usize]);
        }
    }
}

/// Reads letters into `out` and gives the bytes written; `None` for a foreign letter, an
/// impossible length, loose bits at the end, or more bytes than `out` takes.
pub(crate) fn decode<'o>(letters: &[u8], out: &'o mut [u8]) -> Option<&'o [u8]> {
    if letters.len() % 4 == 1 {
        return None;
    }
    let len = letters.len() * 3 / 4;
    if len > out.len() {
        return None;
    }
    let (mut word, mut bits, mut at) = (0_u32, 0_u32, 0);
    for &letter in letters {
        let value = VALUES[usize::from(letter)];
        if value == 0xff {
            return None;
        }
        word = word << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out[at] = (word >> bits & 0xff) as u8;
            at += 1;
        }
    }
    // Loose bits must be zero, or two spellings would name one value.
    (word & ((1 << bits) - 1) == 0).then_some(&out[..len])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_comes_back() {
        let bytes: Vec<u8> = (0..=255).rev().collect();
        for len in 0..bytes.len() {
            let mut letters = Vec::new();
            encode(&bytes[..len], &mut letters);
            assert_eq!(letters.len(), encoded_len(len));
            let mut out = [0; 256];
            assert_eq!(decode(&letters, &mut out), Some(&bytes[..len]));
        }
    }

    #[test]
    fn foreign_letters_lengths_and_loose_bits_are_refused() {
        let mut out = [0; 8];
        for bad in [&b"A"[..], b"AA+A", b"AA=", b"AB", b"AAAAAAAAAAAAAAA"] {
            assert_eq!(decode(bad, &mut out), None, "{bad:?}");
        }
    }
}
