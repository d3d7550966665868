//! The driver on real sockets of the loopback interface.

mod support;
mod tcp;
mod udp;
