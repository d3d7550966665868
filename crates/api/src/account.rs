//! Accounts from elsewhere: directory servers and issuers.

use crate::{Difference, Secret, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where accounts come from, and how that fares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountSource {
    /// `ldap` or `oidc`.
    pub source: String,
    /// The server.
    pub server: String,
    /// `ok`, `failed`, `stopped` when too much would have been taken away, or `never` while nothing was asked yet.
    pub state: String,
    /// Users that come from there.
    pub accounts: u64,
    /// Whether its secret is set.
    pub secret: bool,
    /// When it was last asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    /// When it is asked next by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Timestamp>,
    /// What came of it, one sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub what: String,
}

/// One step of a test of the servers that accounts come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountCheck {
    /// `ldap` or `oidc`.
    pub source: String,
    /// `connect`, `bind`, `search`, `map`, `discovery`, `keys`.
    pub step: String,
    /// Whether it went well.
    pub passed: bool,
    /// What came of it.
    pub what: String,
    /// What to do, when it did not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fix: String,
}

/// A comparison with the directory server, carried out or only asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AccountSync {
    /// Whether this was only a question.
    pub what_if: bool,
    /// People whom the search found.
    pub people: u64,
    /// New users.
    pub new: u64,
    /// Users that differed.
    pub changed: u64,
    /// Of these, users that were disabled.
    pub disabled: u64,
    /// Users that were removed.
    pub removed: u64,
    /// Users that were so already.
    pub same: u64,
    /// People, or values of theirs, that cannot be taken over.
    pub refused: u64,
    /// Why this would not be carried out without `force`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// Each of them, up to a thousand.
    pub items: Vec<AccountSyncItem>,
    /// How many more there are.
    pub more: u64,
}

/// One user of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AccountSyncItem {
    /// `new`, `set`, `enable`, `disable`, `remove` or `refused`.
    pub action: String,
    /// The user, or the distinguished name of who cannot be one.
    pub address: String,
    /// What differs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Difference>,
    /// Why, when refused.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub what: String,
}

/// A secret that the server shows to the servers that accounts come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountSecret {
    /// The text.
    pub secret: Secret,
}

/// The ways to sign in with a page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignInWays {
    /// Besides address and password: an issuer that vouches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<SignInIssuer>,
}

/// An issuer that vouches for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignInIssuer {
    /// What people call it.
    pub name: String,
    /// Where the browser goes, with `?device=` added.
    pub path: String,
}
