//! `accounts.oidc`: the issuer that may vouch for people who sign in with a page.

use serde::{Deserialize, Serialize};

/// An OpenID Connect issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Oidc {
    /// What the button of the sign-in page says: `Sign in with NAME`.
    pub name: String,
    /// The issuer's identifier, exactly as it writes it itself: `https://login.contoso.com/realms/staff`.
    pub issuer: String,
    /// What the issuer knows us as. A secret, if there is one, is set by `lyceum accounts secret oidc`.
    pub client_id: String,
    /// What is asked for besides `openid`.
    pub scopes: Vec<String>,
    /// The claim that names the user: `email` or `preferred_username`, or another.
    pub claim: String,
    /// Whether `email` names the user though the issuer does not say that it verified the address.
    pub trust_unverified_mail: bool,
    /// The SIP domain of people whose claim names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Whether somebody who has no account gets one.
    pub create: bool,
    /// PEM file of the authorities that vouch for the issuer's web server; those of the system when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorities: Option<String>,
    /// How far the issuer's clock may be off.
    pub clock_skew_seconds: u32,
}

impl Default for Oidc {
    fn default() -> Self {
        Self {
            name: String::new(),
            issuer: String::new(),
            client_id: String::new(),
            scopes: vec!["profile".to_owned(), "email".to_owned()],
            claim: "email".to_owned(),
            trust_unverified_mail: false,
            domain: None,
            create: false,
            authorities: None,
            clock_skew_seconds: 60,
        }
    }
}
