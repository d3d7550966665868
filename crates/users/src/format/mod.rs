//! Bodies of presence: what clients send and are sent.
//!
//! Readers take bytes of strangers: each has a bound on size, depth and number of parts, and refuses document types and
//! entities. Writers append to a buffer of the caller.

pub mod datetime;
pub mod multipart;
pub mod pidf;
pub mod resource_lists;
pub mod rlmi;
pub mod rpid;
pub mod winfo;
pub mod xml;
