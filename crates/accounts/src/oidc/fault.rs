//! What goes wrong between us and an issuer.

use crate::trust::TrustFault;

/// Why an issuer did not vouch for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OidcFault {
    /// It does not answer, or not in a way that can be read.
    Away(String),
    /// There is nobody to trust.
    Trust(TrustFault),
    /// Its discovery document is not what it should be.
    Discovery(String),
    /// It does not take our code.
    CodeRefused(String),
    /// The token is none, or in an algorithm that is not taken.
    Form(&'static str),
    /// None of its keys has the name that the token gives.
    UnknownKey,
    /// The token is not signed by it.
    Signature,
    /// A claim of the token is missing or another than it must be.
    Claim(&'static str),
    /// The token's time is over, or has not come.
    Time(&'static str),
}

impl OidcFault {
    /// What to do about it.
    pub fn fix(&self) -> &'static str {
        match self {
            OidcFault::Away(_) => "check the issuer's name, port and certificate",
            OidcFault::Trust(_) => "name a PEM file that the server may read in accounts.oidc.authorities",
            OidcFault::Discovery(_) => "write accounts.oidc.issuer exactly as the discovery document does",
            OidcFault::CodeRefused(_) => "check client_id, the secret, and that the issuer knows our redirect address",
            OidcFault::Time(_) => "compare the clocks of the issuer and of this server",
            _ => "look at what the issuer is set to sign for this client: RS256 or ES256, for our client_id",
        }
    }
}

impl From<TrustFault> for OidcFault {
    fn from(fault: TrustFault) -> OidcFault {
        OidcFault::Trust(fault)
    }
}

impl std::fmt::Display for OidcFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OidcFault::Away(why) => write!(f, "the issuer does not answer: {why}"),
            OidcFault::Trust(fault) => fault.fmt(f),
            OidcFault::Discovery(why) => write!(f, "the issuer's discovery document does not fit: {why}"),
            OidcFault::CodeRefused(why) => write!(f, "the issuer does not take the code it gave: {why}"),
            OidcFault::Form(why) => write!(f, "the ID token is not one that is taken: {why}"),
            OidcFault::UnknownKey => f.write_str("the ID token names a key that the issuer does not publish"),
            OidcFault::Signature => f.write_str("the ID token is not signed by the issuer"),
            OidcFault::Claim(claim) => write!(f, "the ID token's claim {claim} is missing or not what it must be"),
            OidcFault::Time(claim) => write!(f, "the ID token's time is over or has not come: {claim}"),
        }
    }
}

impl std::error::Error for OidcFault {}
