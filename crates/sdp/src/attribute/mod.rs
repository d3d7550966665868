//! Attributes, one file each.

pub mod candidate;
pub mod crypto;
pub mod direction;
pub mod dtls;
pub mod fmtp;
