//! A request on its way through the pipeline: the message and what is known of its sender.

use std::net::{IpAddr, SocketAddr};

use lyceum_net::{Arrival, Destination, Flow};
use lyceum_sip::time::Now;
use lyceum_sip::{Message, Name, Transport, Uri, Via};

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
    /// It came by the link to an Access Edge, and this stands behind it.
    pub outside: Option<Outside<'a>>,
}

/// Who is at the other side of an Access Edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside<'a> {
    /// A user of ours, or somebody who says so.
    Remote,
    /// Somebody of another organisation, whose domain the Edge has seen proven.
    Federated(&'a str),
}

impl Inbound<'_> {
    /// The flow by which the sender is reached, given the Contact it names.
    ///
    /// A connection is its own way back. Over UDP a phone that knows its own address (Via says what we see) may listen
    /// on another port than it sends from, and then its Contact counts; behind a NAT only the address that we see does.
    /// Another host than the sender is never taken: nobody can aim our messages at a third party.
    pub fn flow_to(&self, contact: &[u8]) -> Flow {
        let Flow::Datagram { listener, remote } = self.arrival.flow else { return self.arrival.flow };
        let knows_itself = self
            .message
            .top_via()
            .is_ok_and(|via| via.host.ip() == Some(remote.ip()) && via.port_or_default() == remote.port());
        let named = Uri::parse(contact).ok().filter(|uri| uri.host().ip() == Some(remote.ip()));
        match named {
            Some(uri) if knows_itself => {
                let port = uri.port().unwrap_or_else(|| Transport::Udp.default_port());
                Flow::Datagram { listener, remote: SocketAddr::new(remote.ip(), port) }
            }
            _ => self.arrival.flow,
        }
    }

    /// Who is counted, limited, and given nonces: the address that the message came from, or behind a trusted host (an
    /// Edge) the address that it says its client has: the one below its own Via, where it notes whom it heard (RFC 3261
    /// §18.2.1). Nothing that a client writes changes it; this is the one place that says so.
    pub fn source(&self) -> IpAddr {
        let near = self.arrival.remote.ip();
        if !self.trusted && self.outside.is_none() {
            return near;
        }
        let clients = self.message.values(Name::Via).nth(1).and_then(|value| Via::parse(value).ok());
        clients.and_then(|via| via.received_ip().or(via.host.ip())).unwrap_or(near)
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
