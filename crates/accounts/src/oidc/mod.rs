//! An OpenID Connect issuer.
