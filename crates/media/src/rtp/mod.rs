//! RTP packets (RFC 3550 §5): views, editing in place, header extensions, what a receiver counts.

pub mod extension;
pub mod packet;
pub mod reception;

pub use packet::{Fields, HEADER_LEN, MAX_PACKET, Packet, PacketError, is_rtcp, write};
pub use reception::{Arrival, Reception};
