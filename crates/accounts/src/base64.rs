//! Base64 in its two alphabets (RFC 4648): one for headers, one for tokens, there without padding.

const HEADER: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const TOKEN: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// As headers take it.
pub(crate) fn header(bytes: &[u8]) -> String {
    let mut text = encoded(bytes, HEADER);
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// As tokens take it.
pub(crate) fn token(bytes: &[u8]) -> String {
    encoded(bytes, TOKEN)
}

fn encoded(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            text.push(char::from(alphabet[(bits >> (18 - 6 * at) & 63) as usize]));
        }
    }
    text
}

/// What a token's part says; `None` when it is not written as tokens are.
pub(crate) fn from_token(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for chunk in text.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for byte in chunk {
            bits = bits << 6 | TOKEN.iter().position(|one| one == byte)? as u32;
        }
        let rest = 4 - chunk.len();
        bits <<= 6 * rest;
        // One letter holds no byte, and what is left over is zero: each value has one form.
        if rest == 3 || bits & ((1 << (8 * rest)) - 1) != 0 {
            return None;
        }
        bytes.extend_from_slice(&bits.to_be_bytes()[1..4 - rest]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standard() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(header(plain.as_bytes()), coded);
            assert_eq!(from_token(coded.trim_end_matches('=')).as_deref(), Some(plain.as_bytes()));
        }
        assert_eq!(token(&[0xfb, 0xff]), "-_8");
        for bad in ["Zh", "Z", "Zg==", "Zg+", "Zm9vY"] {
            assert_eq!(from_token(bad), None, "{bad}");
        }
    }
}
