//! The keyed functions under nonces, tokens and lookup tables: a truncated HMAC for what a
//! stranger may try to forge, SipHash for what a stranger may try to make collide.

pub(crate) mod base64;
mod mac;
mod siphash;

pub use mac::SecretKey;
pub(crate) use mac::{Mac, same};
pub(crate) use siphash::SipHash;
