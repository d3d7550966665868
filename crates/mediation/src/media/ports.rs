//! Ports of the modalities' ranges: which are taken, and sockets on free ones.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;

use lyceum_net::driver::force_buffers;
use lyceum_topology::qos::{Dscp, PortRange};
use socket2::{Domain, Protocol, Socket, Type};

use super::chance;

/// Places of the range that are tried although somebody else has them, before it counts as full.
const ATTEMPTS: usize = 64;
/// Bytes of a socket's buffers: 200 ms of the highest video rate, so that a busy thread loses nothing.
const BUFFER: usize = 256 * 1024;

/// Which ports of one address are taken.
#[derive(Debug)]
pub(super) struct Ports {
    bind: IpAddr,
    taken: Vec<bool>,
}

/// Why there is no socket.
pub(super) enum NoSocket {
    /// The range is full.
    Full,
    /// The system refused.
    System(io::Error),
}

impl From<io::Error> for NoSocket {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl Ports {
    pub fn new(bind: IpAddr) -> Self {
        Self { bind, taken: vec![false; 1 << 16] }
    }

    /// Opens an even port and the one above it.
    pub fn pair(&mut self, range: PortRange, mark: Option<Dscp>) -> Result<[UdpSocket; 2], NoSocket> {
        let first = range.first + range.first % 2;
        let count = (usize::from(range.last) + 1).saturating_sub(usize::from(first)) / 2;
        self.search(count, |ports, place| {
            let port = first + 2 * place as u16;
            if ports.is_taken(port) || ports.is_taken(port + 1) {
                return Ok(None);
            }
            let both = [ports.open(port, mark)?, ports.open(port + 1, mark)?];
            [port, port + 1].into_iter().for_each(|port| ports.taken[usize::from(port)] = true);
            Ok(Some(both))
        })
    }

    /// Opens one port.
    pub fn single(&mut self, range: PortRange, mark: Option<Dscp>) -> Result<UdpSocket, NoSocket> {
        self.search(range.len(), |ports, place| {
            let port = range.first + place as u16;
            if ports.is_taken(port) {
                return Ok(None);
            }
            let socket = ports.open(port, mark)?;
            ports.taken[usize::from(port)] = true;
            Ok(Some(socket))
        })
    }

    /// The port is nobody's again.
    pub fn release(&mut self, port: u16) {
        self.taken[usize::from(port)] = false;
    }

    fn is_taken(&self, port: u16) -> bool {
        self.taken[usize::from(port)]
    }

    fn search<T>(
        &mut self,
        count: usize,
        mut open: impl FnMut(&mut Self, usize) -> io::Result<Option<T>>,
    ) -> Result<T, NoSocket> {
        let (start, mut tried) = (chance::below(count)?, 0);
        for place in (0..count).map(|step| (start + step) % count) {
            match open(self, place) {
                Ok(Some(opened)) => return Ok(opened),
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && tried < ATTEMPTS => tried += 1,
                Err(error) => return Err(NoSocket::System(error)),
            }
        }
        Err(NoSocket::Full)
    }

    fn open(&self, port: u16, mark: Option<Dscp>) -> io::Result<UdpSocket> {
        let address = SocketAddr::new(self.bind, port);
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        if force_buffers(socket.as_fd(), BUFFER).is_err() {
            socket.set_recv_buffer_size(BUFFER)?;
            socket.set_send_buffer_size(BUFFER)?;
        }
        let class = mark.map_or(0, |mark| u32::from(mark.traffic_class()));
        match address.is_ipv6() {
            _ if class == 0 => {}
            true => socket.set_tclass_v6(class)?,
            false => socket.set_tos_v4(class)?,
        }
        socket.bind(&address.into())?;
        Ok(socket.into())
    }
}
