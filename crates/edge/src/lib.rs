//! What stands between the outside and the inside. It knows no user, number or secret but the one it shares with whoever
//! hands out relay credentials.
//!
//! [`access`] is the Access Edge: SIP for users outside and for other organisations.
//! [`av`] is the A/V Edge: STUN and TURN over UDP, TCP and TLS, with real relay ports.
#![forbid(unsafe_code)]

pub mod access;
pub mod av;
