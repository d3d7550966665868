//! An OpenID Connect issuer: the authorization code flow with PKCE, and the check of what it brings back.
//!
//! ```text
//! browser ─ us: state, nonce, verifier made ─ issuer: signs the person in ─ us: code ─ issuer: ID token ─ checked
//! ```
//! Everything that ties the way there to the way back is in [`SignIn`], which the browser keeps for us in a cookie that no
//! script sees.

mod discovery;
mod fault;
mod keys;
mod sign_in;
mod token;

pub use discovery::Issuer;
pub use fault::OidcFault;
pub use sign_in::SignIn;
pub use token::{Claims, Expected};
