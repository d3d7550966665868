//! Accounts from elsewhere: people of an LDAP directory, and people an OpenID Connect issuer vouches for.
//!
//! [`ldap`] asks a directory server who there is, and whether a password is theirs; [`plan`] compares that with the users
//! here and says what would change, without changing it. [`oidc`] leads a browser to an issuer and checks what it brings
//! back. Who writes the users down is the web role.

mod base64;
pub mod http;
pub mod ldap;
mod mapping;
pub mod oidc;
mod plan;
mod secret;
mod trust;

pub use mapping::{Entry, Person, Unmapped, person, place, place_vouched};
pub use plan::{Plan, Refusal, Step, Stop, plan};
pub use secret::Secret;
pub use trust::{TrustFault, client_tls};
