//! Base64 in its two alphabets (RFC 4648): one for headers, one for tokens, there without padding.

use ::base64::Engine;
use ::base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

/// As headers take it.
pub(crate) fn header(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// As tokens take it.
pub(crate) fn token(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// What a token's part says; `None` when it is not written as tokens are: each value has one form.
pub(crate) fn from_token(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
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
