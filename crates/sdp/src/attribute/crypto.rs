//! `a=crypto`: SRTP keys in the description (RFC 4568), with the suites of RFC 4568 and RFC 7714.

use std::fmt;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Keys with their padding; old phones leave it away.
const KEYS: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A cipher with its authentication.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Suite {
    /// AES-128 counter mode, HMAC-SHA1 of 80 bits: what every phone speaks.
    AesCm128HmacSha1_80,
    /// The same with a tag of 32 bits on RTP (RTCP keeps 80).
    AesCm128HmacSha1_32,
    /// AES-128 in Galois counter mode.
    AeadAes128Gcm,
    /// AES-256 in Galois counter mode.
    AeadAes256Gcm,
}

const SUITES: &[(Suite, &str, usize, usize)] = &[
    (Suite::AesCm128HmacSha1_80, "AES_CM_128_HMAC_SHA1_80", 16, 14),
    (Suite::AesCm128HmacSha1_32, "AES_CM_128_HMAC_SHA1_32", 16, 14),
    (Suite::AeadAes128Gcm, "AEAD_AES_128_GCM", 16, 12),
    (Suite::AeadAes256Gcm, "AEAD_AES_256_GCM", 32, 12),
];

impl Suite {
    /// Every suite, the one that most phones take first.
    pub const ALL: [Suite; 4] =
        [Self::AesCm128HmacSha1_80, Self::AesCm128HmacSha1_32, Self::AeadAes128Gcm, Self::AeadAes256Gcm];

    fn row(self) -> &'static (Suite, &'static str, usize, usize) {
        &SUITES[self as usize]
    }

    /// Its registered name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Bytes of the master key.
    #[must_use]
    pub fn key_len(self) -> usize {
        self.row().2
    }

    /// Bytes of the master salt.
    #[must_use]
    pub fn salt_len(self) -> usize {
        self.row().3
    }
}

/// A master key with its salt behind it; it does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySalt(Vec<u8>);

impl KeySalt {
    /// Takes key and salt of exactly the suite's length.
    #[must_use]
    pub fn new(suite: Suite, bytes: &[u8]) -> Option<Self> {
        (bytes.len() == suite.key_len() + suite.salt_len()).then(|| Self(bytes.to_vec()))
    }

    /// The bytes, for the engine that encrypts.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for KeySalt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// One crypto attribute.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crypto {
    /// Names it within its medium; the answer repeats the one it chose.
    pub tag: u32,
    /// The suite.
    pub suite: Suite,
    /// Key and salt of who wrote the line: what it sends is encrypted with them.
    pub key: KeySalt,
    /// Master key identifier and its length in bytes, when packets carry one.
    pub mki: Option<(u64, u8)>,
    /// Session parameters, as written.
    pub parameters: Vec<String>,
}

impl Crypto {
    /// A line of our own.
    #[must_use]
    pub fn new(tag: u32, suite: Suite, key: KeySalt) -> Self {
        Self { tag, suite, key, mki: None, parameters: Vec::new() }
    }

    /// Reads the value of `a=crypto`; unknown suites and broken keys are `None`.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next()?.parse().ok().filter(|tag| *tag <= 999_999_999)?;
        let name = words.next()?;
        let suite = SUITES.iter().find(|(_, known, _, _)| *known == name)?.0;
        // Of several keys (rolled by MKI) the first counts.
        let inline = words.next()?.split(';').next()?.strip_prefix("inline:")?;
        let mut parts = inline.split('|');
        let key = KeySalt::new(suite, &KEYS.decode(parts.next()?).ok()?)?;
        let mut mki = None;
        for part in parts {
            match part.split_once(':') {
                Some((id, length)) => {
                    let length = length.parse().ok().filter(|length| (1..=8).contains(length))?;
                    mki = Some((id.parse().ok()?, length));
                }
                // A lifetime, `2^20` or a number: we renew by re-offer long before.
                None if part.starts_with("2^") || part.bytes().all(|byte| byte.is_ascii_digit()) => {}
                None => return None,
            }
        }
        Some(Self { tag, suite, key, mki, parameters: words.map(Into::into).collect() })
    }

    /// Whether we can do what it asks: no session parameter that changes the packets (RFC 4568 §6.3), no MKI.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        let harmless =
            |parameter: &String| parameter.starts_with("WSH=") || parameter == "KDR=0" || parameter.starts_with('-');
        self.mki.is_none() && self.parameters.iter().all(harmless)
    }

    /// The attribute's value.
    #[must_use]
    pub fn to_value(&self) -> String {
        let mut text = format!("{} {} inline:{}", self.tag, self.suite.name(), KEYS.encode(self.key.reveal()));
        if let Some((id, length)) = self.mki {
            text.push_str(&format!("|{id}:{length}"));
        }
        for parameter in &self.parameters {
            text.push(' ');
            text.push_str(parameter);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 4568 §9.1 and the examples of §6.1.
    const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

    #[test]
    fn rfc_4568_examples() {
        let one = Crypto::parse(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4 FEC_ORDER=FEC_SRTP"))
            .expect("it is good");
        assert_eq!((one.tag, one.suite, one.mki), (1, Suite::AesCm128HmacSha1_80, Some((1, 4))));
        assert!(!one.is_usable(), "an MKI and FEC change the packets");
        let two = Crypto::parse(&format!("1 AES_CM_128_HMAC_SHA1_32 inline:{KEY}|2^20")).expect("it is good");
        assert!(two.is_usable());
        assert_eq!(two.to_value(), format!("1 AES_CM_128_HMAC_SHA1_32 inline:{KEY}"));
        for (at, suite) in Suite::ALL.into_iter().enumerate() {
            assert_eq!(suite.row().0, suite, "row {at}");
        }
    }

    #[test]
    fn what_we_cannot_do_is_known() {
        for (parameter, usable) in
            [("UNENCRYPTED_SRTP", false), ("KDR=24", false), ("WSH=64", true), ("-X=1", true), ("Y=1", false)]
        {
            let line = Crypto::parse(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} {parameter}")).expect(parameter);
            assert_eq!(line.is_usable(), usable, "{parameter}");
        }
    }

    #[test]
    fn broken_lines_are_no_keys() {
        for bad in
            ["", "1", "x AES_CM_128_HMAC_SHA1_80 inline:", "1 F8 inline:AAAA", "1 AES_CM_128_HMAC_SHA1_80 inline:AAAA"]
        {
            assert_eq!(Crypto::parse(bad), None, "{bad}");
        }
        assert_eq!(Crypto::parse(&format!("1 AEAD_AES_256_GCM inline:{KEY}")), None, "the key is too short");
    }

    #[test]
    fn padding_may_be_missing() {
        // 44 bytes: 58 letters and two signs of padding, less one.
        let padded = format!("{}=", "A".repeat(59));
        for key in [padded.as_str(), padded.trim_end_matches('=')] {
            let line = Crypto::parse(&format!("1 AEAD_AES_256_GCM inline:{key}"));
            assert_eq!(line.map(|line| line.key.reveal().len()), Some(44), "{key}");
        }
    }

    #[test]
    fn keys_do_not_print() {
        let line = Crypto::parse(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}")).expect("it is good");
        assert!(format!("{line:?}").contains("<secret>"));
    }
}
