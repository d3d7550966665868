//! A request on its way through the pipeline: the message and what is known of its sender.

use std::net::{IpAddr, SocketAddr};

use lyceum_net::{Arrival, Destination, Flow};
use lyceum_sip::time::Now;
use lyceum_sip::Message;

/// One message with the facts of its arrival.
#[derive(Clone, Copy)]
pub struct Inbound<'a> {
    /// The clock at arrival.
    pub now: Now,
    /// How it came.
    pub arrival: Arrival<'a>,
    /// What it says.
    pub message: Message<'a>,
    /// A trusted host of the topology sent it.
    pub trusted: bool,
}

impl Inbound<'_> {
    /// The true source address: who is counted, limited and logged.
    pub fn source(&self) -> IpAddr {
        self.arrival.remote.ip()
    }

    /// Where a response goes: back along the connection, or for datagrams by RFC 3261 §18.2.2 and RFC 3581.
    pub fn reply_to(&self) -> Destination {
        let Flow::Datagram { listener, remote } = self.arrival.flow else {
            return self.arrival.flow.into();
        };
        let port = match self.message.top_via() {
            Ok(via) if via.rport.is_none() => via.port_or_default(),
            _ => remote.port(),
        };
        Flow::Datagram { listener, remote: SocketAddr::new(remote.ip(), port) }.into()
    }
}
