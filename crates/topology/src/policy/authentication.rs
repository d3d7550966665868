//! What the digest challenge offers to whom (RFC 8760).

use super::Clash;
use serde::{Deserialize, Serialize};

/// A digest algorithm for which the store keeps a hash, so that it can be offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DigestAlgorithm {
    /// RFC 2617; weak, but the only one most phones know.
    #[serde(rename = "md5")]
    Md5,
    /// RFC 8760.
    #[serde(rename = "sha-256")]
    Sha256,
}

impl From<DigestAlgorithm> for lyceum_sip::digest::Algorithm {
    fn from(algorithm: DigestAlgorithm) -> Self {
        match algorithm {
            DigestAlgorithm::Md5 => Self::Md5,
            DigestAlgorithm::Sha256 => Self::Sha256,
        }
    }
}

/// What to offer to clients whose User-Agent looks so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentRule {
    /// The User-Agent, letter case ignored; `*` stands for any text: `Linphone*`.
    pub user_agent: String,
    /// The algorithms in order of preference, one challenge each.
    pub algorithms: Vec<DigestAlgorithm>,
}

impl AgentRule {
    /// Whether this User-Agent falls under the rule.
    pub fn matches(&self, user_agent: &[u8]) -> bool {
        glob(self.user_agent.as_bytes(), user_agent)
    }
}

policy! {
    /// What the digest challenge offers, and how long a nonce serves.
    pub struct AuthenticationPolicy / AuthenticationSettings, Authentication, clashes clashes;

    /// What is offered to clients that no rule names, in order of preference. MD5 alone, because
    /// baresip 1.0 and SIPp 3.6 fail on a 401 that carries SHA-256 first.
    algorithms: Vec<DigestAlgorithm> = vec![DigestAlgorithm::Md5], range 1 ..= 2,
        source "RFC 8760 §2.4, and what phones do";
    /// Clients known to take something else; the first rule that matches wins.
    rules: Vec<AgentRule> = known_agents(), range 0 ..= 64,
        source "clients tested with Lyceum";
    /// How long a nonce may be used before the client gets a new one (stale=true, no question asked).
    nonce_lifetime_seconds: u32 = 900, unit "s", range 30 ..= 86_400,
        source "as long as the longest registration, so that a refresh needs no second round";
}

/// Clients that were seen to answer SHA-256.
fn known_agents() -> Vec<AgentRule> {
    let both = || vec![DigestAlgorithm::Sha256, DigestAlgorithm::Md5];
    ["Linphone*", "*belle-sip*", "Lyceum*"]
        .into_iter()
        .map(|user_agent| AgentRule { user_agent: user_agent.to_owned(), algorithms: both() })
        .collect()
}

impl AuthenticationPolicy {
    /// What to offer to a client that calls itself so (empty when it says nothing).
    pub fn offered(&self, user_agent: &[u8]) -> &[DigestAlgorithm] {
        match self.rules.iter().find(|rule| rule.matches(user_agent)) {
            Some(rule) => &rule.algorithms,
            None => &self.algorithms,
        }
    }
}

fn clashes(_: &AuthenticationPolicy) -> Vec<Clash> {
    Vec::new()
}

/// Matches `*` patterns without recursion: on a mismatch it goes back to the last star only.
pub(super) fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if c.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use DigestAlgorithm::{Md5, Sha256};

    #[test]
    fn unknown_phones_get_md5_alone_and_known_ones_sha_256_first() {
        let policy = AuthenticationPolicy::default();
        for (agent, offered) in [
            ("", &[Md5][..]),
            ("baresip v1.0.0 (x86_64/linux)", &[Md5]),
            ("Linphonec/5.1.65 (unknown) LinphoneSDK/5.1.65", &[Sha256, Md5]),
            ("Unknown (belle-sip/5.2.0)", &[Sha256, Md5]),
            ("Grandstream GXP2140 1.0.11", &[Md5]),
        ] {
            assert_eq!(policy.offered(agent.as_bytes()), offered, "{agent}");
        }
    }

    #[test]
    fn patterns() {
        for (pattern, text, matches) in [
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("a*c", "ABBC", true),
            ("a*c", "abcd", false),
            ("*b*b*", "abab", true),
            ("*b*b*", "ab", false),
            ("abc", "ab", false),
        ] {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), matches, "{pattern} {text}");
        }
    }
}
