//! Tokens that only we can have made: the user part of our Record-Route values, by which an
//! in-dialog request shows that it belongs to a dialog we let through, and the flow tokens of
//! RFC 5626. A To tag or a Route proves nothing; these do.

pub mod bearer;
pub mod ends;
mod flow;
mod route;

pub use flow::{FlowBytes, FlowTokens, MAX_FLOW};
pub use route::{DialogEnds, Direction, Passage, RouteTokens};
