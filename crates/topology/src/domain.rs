//! SIP domains and host names.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A DNS name in lower case without a final dot: `contoso.com`.
///
/// Letters, digits, hyphen and underscore in labels of 1 to 63 characters, 253 in all (RFC 1035
/// §2.3.4). An international name is given in its `xn--` form, as it appears in SIP. The default is
/// the empty name, which stands for one not given and which validation refuses.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DomainName(Box<str>);

impl DomainName {
    /// Reads a name; refuses what DNS could not hold.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() || text.len() > 253 {
            return Err(NameError(text.into()));
        }
        if text.split('.').all(is_label) {
            Ok(Self(text.to_ascii_lowercase().into()))
        } else {
            Err(NameError(text.into()))
        }
    }

    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// The text is not a DNS name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameError(Box<str>);

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a DNS name such as contoso.com", self.0)
    }
}

impl std::error::Error for NameError {}

impl TryFrom<String> for DomainName {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<DomainName> for String {
    fn from(name: DomainName) -> Self {
        name.0.into()
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// One of the organisation's SIP domains; its name is also its digest realm.
///
/// Exactly one domain is the default: Lync's rule is that the default cannot be unset, only
/// replaced ([`crate::Document::set_default_domain`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SipDomain {
    /// The part after `@` in its users' addresses.
    #[serde(default)]
    pub name: DomainName,
    /// Whether addresses that name no domain belong here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub default: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_folded_and_checked() {
        assert_eq!(DomainName::parse("Contoso.COM.").unwrap().as_str(), "contoso.com");
        for bad in ["", ".", "a..b", "-a.com", "a-.com", "a b.com", "zürich.ch", &"a".repeat(64), &"a.".repeat(130)] {
            assert!(DomainName::parse(bad).is_err(), "{bad}");
        }
    }
}
