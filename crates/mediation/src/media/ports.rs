//! Ports of the modalities' ranges: which are taken, and sockets on free ones.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;

use lyceum_net::driver::force_buffers;
use lyceum_topology::qos::{Dscp, PortRange};
use socket2::{Domain, Protocol, Socket, Type};

/// Places of the range that are tried although somebody else has them, before it counts as full.
pub(super) const ATTEMPTS: usize = 64;
/// Bytes of a socket's buffers: 200 ms of the highest video rate, so that a busy thread loses nothing.
const BUFFER: usize = 256 * 1024;

/// Which ports of one address are taken.
#[derive(Debug)]
pub(super) struct Ports {
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
    pub fn new() -> Self {
        Self { taken: vec![false; 1 << 16] }
    }

    /// Takes so many free ports, one above the other and a pair from an even one on, and gives the first. The search begins
    /// where nobody can guess.
    pub fn take(&mut self, range: PortRange, width: usize, start: u32) -> Option<u16> {
        let (first, end) = (usize::from(range.first).next_multiple_of(width), usize::from(range.last) + 1);
        let count = end.saturating_sub(first) / width;
        let mut places = (0..count).map(|step| first + width * ((start as usize + step) % count));
        let found = places.find(|port| !self.taken[*port..port + width].contains(&true))?;
        self.taken[found..found + width].fill(true);
        Some(found as u16)
    }

    /// The port is nobody's again.
    pub fn release(&mut self, port: u16) {
        self.taken[usize::from(port)] = false;
    }
}

/// Opens so many ports of an address.
pub(super) fn bind<const N: usize>(address: IpAddr, first: u16, mark: Option<Dscp>) -> io::Result<[UdpSocket; N]> {
    let mut sockets = Vec::with_capacity(N);
    for place in 0..N {
        sockets.push(open(SocketAddr::new(address, first + place as u16), mark)?);
    }
    sockets.try_into().map_err(|_| io::Error::other("no such number of ports"))
}

fn open(address: SocketAddr, mark: Option<Dscp>) -> io::Result<UdpSocket> {
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
