//! Instant messages: what may pass, what waits for whom, and the formats around them.
//!
//! | part | what it does |
//! |---|---|
//! | [`filter`] | hyperlinks in a body, by policy |
//! | [`cpim`] | the wrapper that carries a message's own headers (RFC 3862) |

pub mod cpim;
pub mod filter;
mod links;
