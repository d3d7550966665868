//! Two legs and a bridge between them, packet by packet.

mod legs;
mod relay;
mod reports;
mod transcode;
