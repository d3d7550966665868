//! `/sign-in`: a browser is led to the issuer, and comes back with what it vouches for.

/// Where a browser begins.
pub const START: &str = "/sign-in/issuer";
