//! Stands between two parties whose media differ: a browser and a desk phone, SRTP and plain RTP, Opus and G.711.
//!
//! `call` follows offer and answer of a call and writes for each party a description that it understands; `media` moves
//! the packets, on a thread of its own, and knows streams and legs, nothing of calls.

pub mod call;
pub mod media;
