//! The stateful proxy core of RFC 3261 §16 as pure parts:
//!
//! | step | part |
//! |---|---|
//! | §16.3 validation, RFC 5393 loop detection and breadth | [`check`], [`Branches`], [`split_breadth`] |
//! | §16.4 route information | [`preprocess`] |
//! | §16.6 forwarding | [`RoutePlan::apply`], [`hops_left`], [`record_route_line`], [`via_line`] |
//! | §16.7 responses, §16.8 timer C, §16.9 transport errors, §16.10 CANCEL | [`ResponseContext`] |
//!
//! §16.5, the choice of targets, is the caller's: it knows the users. The caller also owns the
//! transactions; a [`ResponseContext`] only says what to do with each response.

mod best;
mod branch;
mod context;
mod forward;
mod reply;
mod route;

#[cfg(test)]
mod tests;

pub use best::Answer;
pub use branch::{Branches, LoopHash};
pub use context::{BranchId, CancelReason, Effect, MAX_BRANCHES, ResponseContext};
pub(crate) use forward::own_uri;
pub use forward::{
    MAX_BREADTH, RecordRoute, SentBy, check, hops_left, record_route_line, split_breadth, via_line, wants_record_route,
};
pub use reply::{ReplyTo, reply_to, upstream};
pub use route::{RoutePlan, preprocess};
