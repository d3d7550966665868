//! The driver on real sockets of the loopback interface.

mod dns;
mod foreign;
mod support;
mod tcp;
mod tls;
mod udp;
