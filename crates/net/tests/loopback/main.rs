//! The driver on real sockets of the loopback interface.

mod certificates;
mod dns;
mod flood;
mod foreign;
mod support;
mod tcp;
mod tls;
mod udp;
