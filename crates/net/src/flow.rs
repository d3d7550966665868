//! Where a message came from, in a form that fits into a Path, a Route or a stored binding.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Number of a listener within one process, in the order in which [`Options`](crate::Options) names them.
///
/// Listeners that are announced later ([`Handle::foreign_listener`](crate::Handle::foreign_listener)) count from
/// [`ListenerId::FIRST_FOREIGN`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ListenerId(pub u16);

impl ListenerId {
    /// The first number given to a listener that some other server (HTTPS) accepts for us.
    pub const FIRST_FOREIGN: ListenerId = ListenerId(0x8000);
}

/// One path to a peer: for datagrams our port and its address, else one connection.
///
/// A flow stays valid as a name after its connection is gone; sending to it is then answered by
/// [`Engine::send_failed`](crate::Engine::send_failed), never by reaching another peer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Flow {
    /// A peer's address as seen from one of our UDP ports.
    Datagram {
        /// The port the peer used.
        listener: ListenerId,
        /// The peer's address.
        remote: SocketAddr,
    },
    /// A TCP, TLS or WebSocket connection.
    Stream {
        /// The worker that owns the connection.
        worker: u8,
        /// Its place in the worker's table.
        index: u32,
        /// Tells apart the connections that had this place one after another; differs between runs of the process.
        generation: u32,
    },
}

/// Longest encoded flow in bytes.
pub const FLOW_BYTES_MAX: usize = 24;

/// A [`Flow`] as bytes, for stored bindings and flow tokens. Not secret and not authenticated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FlowBytes {
    length: u8,
    bytes: [u8; FLOW_BYTES_MAX],
}

impl FlowBytes {
    /// The bytes, at most [`FLOW_BYTES_MAX`].
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    fn new() -> FlowBytes {
        FlowBytes { length: 0, bytes: [0; FLOW_BYTES_MAX] }
    }

    fn push(mut self, more: &[u8]) -> FlowBytes {
        let start = usize::from(self.length);
        self.bytes[start..start + more.len()].copy_from_slice(more);
        self.length += more.len() as u8;
        self
    }
}

impl AsRef<[u8]> for FlowBytes {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl std::ops::Deref for FlowBytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl fmt::Debug for FlowBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.as_slice() {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

const DATAGRAM_V4: u8 = 4;
const DATAGRAM_V6: u8 = 6;
const STREAM: u8 = 1;

impl Flow {
    /// The flow as at most [`FLOW_BYTES_MAX`] bytes; [`decode`](Flow::decode) reads them back.
    pub fn encode(&self) -> FlowBytes {
        match *self {
            Flow::Datagram { listener, remote } => {
                let port = remote.port().to_be_bytes();
                let id = listener.0.to_be_bytes();
                match remote.ip() {
                    IpAddr::V4(ip) => FlowBytes::new().push(&[DATAGRAM_V4]).push(&id).push(&port).push(&ip.octets()),
                    IpAddr::V6(ip) => FlowBytes::new().push(&[DATAGRAM_V6]).push(&id).push(&port).push(&ip.octets()),
                }
            }
            Flow::Stream { worker, index, generation } => {
                FlowBytes::new().push(&[STREAM, worker]).push(&index.to_be_bytes()).push(&generation.to_be_bytes())
            }
        }
    }

    /// Reads what [`encode`](Flow::encode) wrote; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Flow> {
        let (kind, rest) = bytes.split_first()?;
        match *kind {
            STREAM => {
                let rest: &[u8; 9] = rest.try_into().ok()?;
                let [worker, a, b, c, d, e, f, g, h] = *rest;
                Some(Flow::Stream {
                    worker,
                    index: u32::from_be_bytes([a, b, c, d]),
                    generation: u32::from_be_bytes([e, f, g, h]),
                })
            }
            DATAGRAM_V4 | DATAGRAM_V6 => {
                let (head, ip) = rest.split_at_checked(4)?;
                let ip = match *kind {
                    DATAGRAM_V4 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(ip).ok()?)),
                    _ => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(ip).ok()?)),
                };
                let port = u16::from_be_bytes([head[2], head[3]]);
                let listener = ListenerId(u16::from_be_bytes([head[0], head[1]]));
                Some(Flow::Datagram { listener, remote: SocketAddr::new(ip, port) })
            }
            _ => None,
        }
    }

    /// The lasting name of the link to a node of ours, whatever connection carries it: see [`Outbox::name_link`].
    ///
    /// [`Outbox::name_link`]: crate::Outbox::name_link
    pub fn to_link(worker: u8, number: u32) -> Flow {
        Flow::Stream { worker, index: number, generation: 0 }
    }

    /// The number of the link that this name stands for, if it is one.
    pub fn link(&self) -> Option<u32> {
        match *self {
            Flow::Stream { index, generation: 0, .. } => Some(index),
            _ => None,
        }
    }

    /// The worker that must send on this flow; `None` when any worker may (datagrams).
    pub fn worker(&self) -> Option<u8> {
        match *self {
            Flow::Datagram { .. } => None,
            Flow::Stream { worker, .. } => Some(worker),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flow_survives_encoding() {
        for flow in [
            Flow::Datagram { listener: ListenerId(3), remote: "192.0.2.9:5060".parse().unwrap() },
            Flow::Datagram { listener: ListenerId(0x8001), remote: "[2001:db8::7]:65535".parse().unwrap() },
            Flow::Stream { worker: 255, index: u32::MAX, generation: 7 },
        ] {
            let bytes = flow.encode();
            assert!(bytes.len() <= FLOW_BYTES_MAX);
            assert_eq!(Flow::decode(&bytes), Some(flow));
            assert_eq!(Flow::decode(&bytes[..bytes.len() - 1]), None);
        }
        assert_eq!(Flow::decode(&[]), None);
        assert_eq!(Flow::decode(&[9, 0, 0]), None);
    }
}
