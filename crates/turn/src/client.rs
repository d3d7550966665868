//! Who a client is: the 5-tuple (RFC 8656 §2.2).

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};

/// Our end of a client's 5-tuple.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Via {
    /// A UDP port of ours, by the driver's number.
    Datagrams(u16),
    /// A TCP or TLS connection, by the driver's number; it is used again only after [`crate::Server::client_gone`].
    Stream(u32),
}

/// A client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Client {
    /// Our end.
    pub via: Via,
    /// Its end, as we see it.
    pub remote: SocketAddr,
}

impl Client {
    /// True over TCP and TLS, where messages are padded (RFC 8656 §12.5).
    pub fn is_stream(&self) -> bool {
        matches!(self.via, Via::Stream(_))
    }
}

impl Hash for Client {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let via = match self.via {
            Via::Datagrams(socket) => u64::from(socket),
            Via::Stream(connection) => u64::from(connection) | 1 << 32,
        };
        let port = u64::from(self.remote.port());
        match self.remote.ip() {
            IpAddr::V4(ip) => state.write_u64(u64::from(u32::from(ip)) | port << 32 | via << 48),
            IpAddr::V6(ip) => {
                let ip = u128::from(ip);
                state.write_u64(ip as u64);
                state.write_u64((ip >> 64) as u64 ^ port << 48);
            }
        }
        state.write_u64(via);
    }
}
