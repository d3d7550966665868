//! Which clients may sign in (Lync: `Set-CsClientVersionConfiguration`, `New-CsClientVersionPolicyRule`).

use super::Clash;
use super::authentication::glob;
use super::kind::Ranged;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// What happens to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAction {
    /// It signs in.
    Allow,
    /// It signs in and is told where to find a newer one (Lync: AllowWithUrl).
    Warn,
    /// It does not sign in, and is told where to find a newer one (Lync: BlockWithUrl).
    Block,
}

impl Ranged for ClientAction {
    fn number(&self) -> Option<u64> {
        None
    }
}

/// How a client's version compares to the rule's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// Equal (Lync: EQL).
    Eql,
    /// Not equal (NEQ).
    Neq,
    /// Greater (GTR).
    Gtr,
    /// Greater or equal (GEQ).
    Geq,
    /// Less (LSS).
    Lss,
    /// Less or equal (LEQ).
    #[default]
    Leq,
}

/// A version of up to four numbers, as `5.2.98`; missing numbers are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ClientVersion(pub [u32; 4]);

impl ClientVersion {
    /// Reads numbers with dots between them.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = [0; 4];
        let mut parts = text.split('.');
        for (number, part) in numbers.iter_mut().zip(&mut parts) {
            if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            *number = part.parse().ok()?;
        }
        parts.next().is_none().then_some(Self(numbers))
    }

    /// The version that a User-Agent names: the first word after a blank, slash or `v` that is numbers with dots; if
    /// there is none, the first that is one number.
    pub fn of(user_agent: &str) -> Option<Self> {
        let words = || {
            user_agent
                .split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'))
                .map(|word| word.strip_prefix(['v', 'V']).unwrap_or(word).trim_end_matches('.'))
        };
        let leading = |word: &str| {
            let end = word.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(word.len());
            let numbers: Vec<&str> = word[..end].trim_end_matches('.').split('.').take(4).collect();
            Self::parse(&numbers.join("."))
        };
        let dotted = words().filter(|word| word.contains('.')).find_map(leading);
        dotted.or_else(|| words().find_map(Self::parse))
    }

    fn holds(self, compare: Compare, rule: Self) -> bool {
        match compare {
            Compare::Eql => self == rule,
            Compare::Neq => self != rule,
            Compare::Gtr => self > rule,
            Compare::Geq => self >= rule,
            Compare::Lss => self < rule,
            Compare::Leq => self <= rule,
        }
    }
}

impl fmt::Display for ClientVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = self.0.iter().rposition(|&number| number != 0).unwrap_or(0).max(1);
        for (at, number) in self.0[..=used].iter().enumerate() {
            write!(f, "{}{number}", if at > 0 { "." } else { "" })?;
        }
        Ok(())
    }
}

impl Serialize for ClientVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ClientVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("'{text}' is no version: write up to four numbers, as 5.2.98"))
        })
    }
}

/// What happens to some versions of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientVersionRule {
    /// The User-Agent, letter case ignored; `*` stands for any text: `Linphone*`.
    pub user_agent: String,
    /// How the client's version compares to `version`.
    #[serde(default)]
    pub compare: Compare,
    /// The version compared with; absent, the rule is for every version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<ClientVersion>,
    /// What happens.
    pub action: ClientAction,
    /// Where the user finds a newer client; absent, `default_url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether the rule counts.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

impl ClientVersionRule {
    fn matches(&self, user_agent: &str, version: Option<ClientVersion>) -> bool {
        self.enabled
            && glob(self.user_agent.as_bytes(), user_agent.as_bytes())
            && match (self.version, version) {
                (None, _) => true,
                (Some(rule), Some(version)) => version.holds(self.compare, rule),
                (Some(_), None) => false,
            }
    }
}

policy! {
    /// Which clients may sign in, by what they say of themselves.
    pub struct ClientVersionPolicy / ClientVersionSettings, ClientVersion, clashes clashes;

    /// Whether clients are looked at.
    enabled: bool = true,
        source "Lync Enabled True";
    /// The rules; the first that matches wins.
    rules: Vec<ClientVersionRule> = Vec::new(), range 0 ..= 256,
        source "Lync's rules name Microsoft's clients, which cannot sign in here";
    /// What happens to a client that no rule names: allow, warn or block.
    default_action: ClientAction = ClientAction::Allow,
        source "Lync DefaultAction Allow";
    /// Where a user finds a newer client; empty, the server's own page tells what to do.
    default_url: String = String::new(), unit "characters", range 0 ..= 1_024,
        source "Lync DefaultURL, not set";
}

/// What happens to one client and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientDecision<'a> {
    /// What happens.
    pub action: ClientAction,
    /// Where a newer client is; empty when nobody set one.
    pub url: &'a str,
    /// The rule that decided, by its place in the list; `None` for the default.
    pub rule: Option<usize>,
    /// The version read from the User-Agent.
    pub version: Option<ClientVersion>,
}

impl ClientVersionPolicy {
    /// What happens to a client that calls itself so (empty when it says nothing).
    pub fn decide(&self, user_agent: &str) -> ClientDecision<'_> {
        let version = ClientVersion::of(user_agent);
        if !self.enabled {
            return ClientDecision { action: ClientAction::Allow, url: "", rule: None, version };
        }
        let found = self.rules.iter().enumerate().find(|(_, rule)| rule.matches(user_agent, version));
        match found {
            Some((at, rule)) => {
                let url = rule.url.as_deref().unwrap_or(&self.default_url);
                ClientDecision { action: rule.action, url, rule: Some(at), version }
            }
            None => ClientDecision { action: self.default_action, url: &self.default_url, rule: None, version },
        }
    }
}

fn clashes(_: &ClientVersionPolicy) -> Vec<Clash> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_in_user_agents() {
        for (user_agent, version) in [
            ("", None),
            ("baresip v1.0.0 (x86_64/linux)", Some([1, 0, 0, 0])),
            ("Linphonec/5.1.65 (unknown) LinphoneSDK/5.2.0", Some([5, 1, 65, 0])),
            ("Grandstream GXP2140 1.0.11.16", Some([1, 0, 11, 16])),
            ("Yealink SIP-T46S 66.84.0.15", Some([66, 84, 0, 15])),
            ("PolycomSoundPointIP-SPIP_335-UA/4.0.14.1388", Some([4, 0, 14, 1388])),
            ("UCCAPI/15.0.4420.1017 OC/15.0.4420.1017 (Microsoft Lync)", Some([15, 0, 4420, 1017])),
            ("JsSIP 3.10.1", Some([3, 10, 1, 0])),
            ("Zoiper rv2.10.19.2", None),
            ("Acme 7", Some([7, 0, 0, 0])),
            ("Acme 1.2.3.4.5", Some([1, 2, 3, 4])),
            ("Acme 5.2-beta", Some([5, 2, 0, 0])),
            ("Acme 5.2b3", Some([5, 2, 0, 0])),
            ("Acme 99999999999.1", None),
            ("...", None),
        ] {
            assert_eq!(ClientVersion::of(user_agent).map(|v| v.0), version, "{user_agent}");
        }
    }

    fn rule(user_agent: &str, compare: Compare, version: Option<&str>, action: ClientAction) -> ClientVersionRule {
        let version = version.map(|text| ClientVersion::parse(text).unwrap());
        ClientVersionRule { user_agent: user_agent.to_owned(), compare, version, action, url: None, enabled: true }
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        use ClientAction::{Allow, Block, Warn};
        let policy = ClientVersionPolicy {
            rules: vec![
                ClientVersionRule { enabled: false, ..rule("*", Compare::Leq, None, Block) },
                rule("Linphone*", Compare::Lss, Some("4.0"), Block),
                ClientVersionRule {
                    url: Some("https://help.contoso.com/linphone".to_owned()),
                    ..rule("Linphone*", Compare::Lss, Some("5.0"), Warn)
                },
                rule("Acme*", Compare::Eql, Some("1.2.3"), Block),
                rule("Acme*", Compare::Neq, Some("1.2.4"), Warn),
                rule("Old*", Compare::Leq, None, Block),
                rule("New*", Compare::Gtr, Some("2"), Block),
                rule("New*", Compare::Geq, Some("2"), Warn),
            ],
            default_url: "https://help.contoso.com/".to_owned(),
            ..ClientVersionPolicy::default()
        };
        for (user_agent, action, rule) in [
            ("", Allow, None),
            ("Linphone/3.9", Block, Some(1)),
            ("linphone/4.0.0", Warn, Some(2)),
            ("Linphone/5.0", Allow, None),
            ("Linphone", Allow, None),
            ("Acme 1.2.3", Block, Some(3)),
            ("Acme 1.2.4", Allow, None),
            ("Acme 1.2.5", Warn, Some(4)),
            ("Old phone", Block, Some(5)),
            ("New 2.0", Warn, Some(7)),
            ("New 2.0.1", Block, Some(6)),
            ("New 1.9", Allow, None),
        ] {
            let decision = policy.decide(user_agent);
            assert_eq!((decision.action, decision.rule), (action, rule), "{user_agent}");
        }
        assert_eq!(policy.decide("Linphone/4.1").url, "https://help.contoso.com/linphone");
        assert_eq!(policy.decide("Linphone/3.1").url, "https://help.contoso.com/");
        let off = ClientVersionPolicy { enabled: false, ..policy };
        assert_eq!(off.decide("Linphone/3.9").action, Allow);
    }

    #[test]
    fn a_rule_survives_the_document() {
        let text = r#"{"user_agent":"Linphone*","compare":"lss","version":"5.2","action":"block","enabled":true}"#;
        let rule: ClientVersionRule = serde_json::from_str(text).unwrap();
        assert_eq!(rule.version, Some(ClientVersion([5, 2, 0, 0])));
        assert_eq!(serde_json::to_string(&rule).unwrap(), text);
        for wrong in ["5.x", "", "1.2.3.4.5", "5.", "-1"] {
            let text = text.replace("5.2", wrong);
            let error = serde_json::from_str::<ClientVersionRule>(&text).unwrap_err().to_string();
            assert!(error.contains("is no version"), "{error}");
        }
    }
}
