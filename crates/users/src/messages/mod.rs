//! Instant messages: what may pass, what waits for whom, and the formats around them.
//!
//! | part | what it does |
//! |---|---|
//! | [`MessageId`], [`DeviceKey`] | names of messages and devices |
//! | [`Waiting`] | messages stored for devices that have not confirmed them |
//! | [`filter`] | hyperlinks in a body, by policy |
//! | [`iscomposing`] | who is typing (RFC 3994) |
//! | [`imdn`] | what was delivered and read (RFC 5438) |
//! | [`quiet`] | such documents told apart from words that call themselves so |
//! | [`cpim`] | the wrapper that carries a message's own headers (RFC 3862) |

pub mod cpim;
pub mod filter;
mod id;
pub mod imdn;
pub mod iscomposing;
mod links;
pub mod quiet;
mod record;
mod transfer;
mod waiting;

pub use id::{DeviceKey, MessageId, MessageIds, OwnedText, Text};
pub use record::{Arrival, WaitingMessage};
pub use waiting::{Stored, Waiting, WaitingCounts, WaitingRefusal};
