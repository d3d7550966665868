//! Instant messages: what may pass, what waits for whom, and the formats around them.
//!
//! | part | what it does |
//! |---|---|
//! | [`MessageId`], [`DeviceKey`] | names of messages and devices |
//! | [`filter`] | hyperlinks in a body, by policy |
//! | [`cpim`] | the wrapper that carries a message's own headers (RFC 3862) |

pub mod cpim;
pub mod filter;
mod id;
mod links;

pub use id::{DeviceKey, MessageId, MessageIds, OwnedText, Text};
