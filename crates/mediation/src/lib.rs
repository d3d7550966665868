//! Stands between two parties whose media differ: a browser and a desk phone, SRTP and plain RTP, Opus and G.711.
//!
//! `media` moves the packets, on a thread of its own; it knows streams and legs, and nothing of calls.

pub mod media;
