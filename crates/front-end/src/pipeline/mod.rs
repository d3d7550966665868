//! The steps that every request passes, one file each.

pub mod authenticate;
pub(crate) mod client_version;
