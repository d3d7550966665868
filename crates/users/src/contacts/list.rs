//! What a contact list holds.

use crate::presence::Relationship;
use serde::{Deserialize, Serialize};

/// A user's contacts, their groups, and who may see what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContactList {
    /// Rises by one with every change.
    pub version: u64,
    /// The groups in the user's order.
    pub groups: Vec<ContactGroup>,
    /// The contacts in the user's order.
    pub contacts: Vec<ContactEntry>,
    /// What certain people or domains may see, where it is not the default.
    pub relationships: Vec<Rule>,
    /// Whether only contacts see the user's presence; `None`: as the policy says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy_mode: Option<bool>,
    /// Who watches and is neither a contact nor answered for; the user is asked about them. A client may send them back
    /// with the list; they stay as stored.
    pub pending_watchers: Vec<String>,
    /// Who watches and of whom the user was told; they are not asked about again.
    #[serde(skip)]
    pub known_watchers: Vec<String>,
}

/// A group of contacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactGroup {
    /// What entries name it by; never 0.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// The address of the distribution group whose members it shows, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution_group: Option<String>,
}

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactEntry {
    /// `user@domain`, in lower case.
    pub address: String,
    /// The name that the user gave them, instead of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The groups that they are in.
    #[serde(default)]
    pub groups: Vec<u32>,
    /// Shown first.
    #[serde(default)]
    pub favourite: bool,
}

/// Who a relationship is for: one person, or everybody of a domain.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Who {
    /// `user@domain`, in lower case.
    Address(String),
    /// A domain, written with an `@` before it.
    Domain(String),
}

impl Who {
    /// Reads `user@domain` or `@domain`, in any letter case.
    pub fn parse(text: &str) -> Option<Who> {
        let text = text.trim().to_ascii_lowercase();
        let (user, domain) = text.split_once('@')?;
        let plain =
            |part: &str| !part.is_empty() && !part.contains(|c: char| c == '@' || c.is_whitespace() || c.is_control());
        if !plain(domain) || text.len() > super::MAX_ADDRESS {
            return None;
        }
        match user {
            "" => Some(Who::Domain(domain.to_owned())),
            user if plain(user) => Some(Who::Address(text)),
            _ => None,
        }
    }
}

impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Who::Address(address) => f.write_str(address),
            Who::Domain(domain) => write!(f, "@{domain}"),
        }
    }
}

impl Serialize for Who {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Who {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Who::parse(&text)
            .ok_or_else(|| serde::de::Error::custom("write user@domain, or @domain for everybody of a domain"))
    }
}

/// What somebody may see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Who.
    pub who: Who,
    /// What they are to the user.
    pub relationship: Relationship,
}
