//! `a=fingerprint` and `a=setup`: which certificate DTLS will show and who begins (RFC 8122, RFC 4145).

use std::fmt;

/// The hash of a certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fingerprint {
    /// `sha-256` and the like, in lower case.
    pub hash: String,
    /// The digest.
    pub digest: Vec<u8>,
}

/// Hashes we take and the length of their digests; MD5 and SHA-1 prove nothing any more.
const HASHES: &[(&str, usize)] = &[("sha-256", 32), ("sha-384", 48), ("sha-512", 64)];

impl Fingerprint {
    /// Reads the value of `a=fingerprint`; weak hashes and wrong lengths are `None`.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let (hash, digest) = value.trim().split_once(' ')?;
        let hash = hash.to_ascii_lowercase();
        let length = HASHES.iter().find(|(name, _)| *name == hash)?.1;
        let octet = |pair: &str| (pair.len() == 2).then(|| u8::from_str_radix(pair, 16).ok()).flatten();
        let digest: Option<Vec<u8>> = digest.split(':').map(octet).collect();
        digest.filter(|digest| digest.len() == length).map(|digest| Self { hash, digest })
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hash)?;
        for (at, byte) in self.digest.iter().enumerate() {
            write!(f, "{}{byte:02X}", if at == 0 { ' ' } else { ':' })?;
        }
        Ok(())
    }
}

/// Who begins the handshake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Setup {
    /// The writer begins.
    Active,
    /// The writer waits.
    Passive,
    /// Either: what an offer says.
    ActPass,
}

impl Setup {
    /// Reads the value of `a=setup`; `holdconn` has no meaning for DTLS.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        Some(match value.trim() {
            "active" => Self::Active,
            "passive" => Self::Passive,
            "actpass" => Self::ActPass,
            _ => return None,
        })
    }

    /// What we answer: an offer of either is taken actively (RFC 5763 §5).
    #[must_use]
    pub fn answer(self) -> Self {
        match self {
            Self::Active => Self::Passive,
            Self::Passive | Self::ActPass => Self::Active,
        }
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::ActPass => "actpass",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_strong_and_whole_fingerprints_count() {
        let digest = (0..32).map(|at| format!("{at:02X}")).collect::<Vec<_>>().join(":");
        let text = format!("sha-256 {digest}");
        assert_eq!(Fingerprint::parse(&text).expect("it is whole").to_string(), text);
        assert!(Fingerprint::parse(&text.replace("sha", "SHA")).is_some());
        for bad in ["", "sha-256", "sha-256 00:01", "sha-1 00:01", "md5 00", "sha-256 0:1"] {
            assert_eq!(Fingerprint::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_answer_to_either_is_active() {
        assert_eq!(Setup::parse("actpass").map(Setup::answer), Some(Setup::Active));
        assert_eq!(Setup::Active.answer(), Setup::Passive);
        assert_eq!(Setup::Passive.answer(), Setup::Active);
    }
}
