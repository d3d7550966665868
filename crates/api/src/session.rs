//! Sign-in and the session of an administrator.

use crate::{Secret, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Name and password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Administrator's name.
    pub name: String,
    /// Password.
    pub password: Secret,
    /// Whether to set the session as a cookie (for pages) instead of returning a bearer token.
    #[serde(default)]
    pub cookie: bool,
}

/// A new session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignedIn {
    /// Whose session.
    pub name: String,
    /// Bearer token; absent when a cookie carries the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// To be sent as `X-CSRF-Token` with every request that the cookie authenticates.
    pub csrf: Secret,
    /// When it ends.
    pub expires: Timestamp,
}

/// The session of this request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Administrator's name, or `local:USER` on the local socket.
    pub name: String,
    /// When it ends; absent on the local socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// The first administrator, with the token of the one-time link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstSignIn {
    /// Last part of the one-time address.
    pub token: Secret,
    /// Name to sign in with from now on.
    pub name: String,
    /// Password, 12 characters or more.
    pub password: Secret,
}
