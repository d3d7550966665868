//! Where accounts come from besides the administrator's own hand: a directory server (LDAP), an issuer (OpenID Connect).
//!
//! Passwords and client secrets are not here: the store keeps them sealed, under the names in [`Secret`].

mod ldap;
mod oidc;

pub use ldap::{Attributes, Gone, Ldap, LdapKind, MappedField};
pub use oidc::Oidc;

use crate::directory::UserId;
use serde::{Deserialize, Serialize};

/// The section `accounts` of the document.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Accounts {
    /// The directory server whose people have accounts here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ldap: Option<Ldap>,
    /// The issuer that may vouch for people who sign in with a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc: Option<Oidc>,
}

impl Accounts {
    /// Whether accounts are made by hand alone.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What ties a user to the person of a directory server; a user made by hand has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user: UserId,
    /// What tells the person for life, as the server writes it.
    pub id: String,
    /// The distinguished name, by which the person signs in there.
    pub dn: String,
    /// How the person stood when last looked at.
    pub standing: Standing,
}

/// How a person stands in the directory server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// There, and may sign in.
    Present,
    /// There, and disabled.
    Disabled,
    /// Not found any more.
    Gone,
}

impl Standing {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Disabled => "disabled",
            Self::Gone => "gone",
        }
    }

    /// As it was stored.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Present, Self::Disabled, Self::Gone].into_iter().find(|one| one.as_str() == text)
    }
}

/// The secrets that go with the section, named as people write them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// The password of `ldap.bind_dn`.
    Ldap,
    /// The client secret of `oidc.client_id`.
    Oidc,
}

impl Secret {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ldap, Self::Oidc];

    /// `ldap` or `oidc`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ldap => "ldap",
            Self::Oidc => "oidc",
        }
    }

    /// The secret of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|secret| secret.as_str() == name)
    }
}
