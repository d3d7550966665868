//! Media without IO: RTP and RTCP, SRTP, codecs, jitter buffer, latching, quality, and the bridge between two legs.
//!
//! Packets and time go in, packets and events come out. A [`bridge::Bridge`] stands between two legs whose media was
//! agreed by `lyceum-sdp`; what is alike is forwarded in place, what is not is protected anew or transcoded. Nothing here
//! reads a clock, opens a socket or draws randomness, and no packet can make it panic; what [`web`] wraps is the exception,
//! and says so.

pub mod bridge;
pub mod codec;
pub mod dtmf;
pub mod jitter;
pub mod latch;
pub mod quality;
pub mod rtcp;
pub mod rtp;
pub mod srtp;
pub mod time;
pub mod web;

pub use time::Time;
