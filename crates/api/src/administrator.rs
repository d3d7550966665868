//! Administrators: named people who may use the API.

use crate::{Secret, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One administrator. Never carries a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Administrator {
    /// Name to sign in with.
    pub name: String,
    /// Since when.
    pub created: Timestamp,
}

/// An administrator to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAdministrator {
    /// Name to sign in with.
    pub name: String,
    /// Password, 12 characters or more.
    pub password: Secret,
}

/// What to change of an administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdministratorChange {
    /// New password; every session of the administrator ends.
    pub password: Secret,
}

/// A link that makes one administrator, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OneTimeLink {
    /// The address to open in a browser.
    pub url: Secret,
    /// When it stops working.
    pub expires: Timestamp,
}
