//! Presence: what a user's devices, choice, calls and calendar come to, and who sees how much of it.
//!
//! ```text
//! PUBLISH, choice, notes, calendar ──► Document (a durable facet) ─┐
//! bindings, calls, device use ───────► Facts (live)               ─┴─► aggregate ─► AggregateState ─► view ─► PIDF
//! ```
//! [`Presentities`] keeps the live part of one group and writes the durable part; [`aggregate`] is a function of both and
//! the time; [`view`] is what one watcher may see of the outcome.

mod activity;
mod aggregate;
mod availability;
pub mod calendar;
mod choice;
mod document;
mod endpoint;
mod pack;
mod presentities;
mod publish;
mod reach;
mod view;
mod write;

pub use activity::Activity;
pub use aggregate::{AggregateState, Situation, aggregate, next_change};
pub use availability::{Availability, Band};
pub use choice::{Choice, ChoiceIntent, ChoiceRefusal, UserChoice};
pub use document::{Document, FeedAddress, OutOfOffice, Publication};
pub use endpoint::{DeviceActivity, DeviceKind, Facts};
pub use pack::DocumentDamaged;
pub use presentities::{Change, Presentities, Presentity};
pub use publish::{ETag, PublishIntent, PublishRefusal, Published};
pub use reach::{Reach, reach};
pub use view::{Card, Number, NumberKind, Relationship, Standing, View, own_view, view};

/// Who asks for less than the policy's least interval, but for this many seconds or more, gets what was asked for. RFC 3903
/// and RFC 6665 let us answer 423; but phones that ask for ten minutes do not come again with more, and would have no
/// presence at all.
pub const BRIEF: u32 = 60;
/// Most publications of one user; the one received longest ago gives way to a further one.
pub const MAX_PUBLICATIONS: usize = 16;
/// Most devices of one user whose use is followed; the one unused longest gives way to a further one.
pub const MAX_DEVICES: usize = 16;
/// Longest personal note, in bytes.
pub const MAX_NOTE: usize = crate::format::pidf::MAX_NOTE;
/// Longest label of a custom state, in characters (Lync's bound).
pub const MAX_LABEL: usize = 64;
/// A device whose use is not reported again within this time is forgotten.
pub const DEVICE_TTL_MS: u64 = 15 * 60 * 1000;
