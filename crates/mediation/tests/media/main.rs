//! The driver of media on loopback: real sockets, real threads, real packets.

mod calls;
mod changes;
mod ends;
mod refuse;
