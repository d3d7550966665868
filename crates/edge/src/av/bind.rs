//! Opening the ports for clients, before anything runs.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsFd;

use lyceum_net::driver::force_buffers;
use socket2::{Domain, Protocol, Socket, Type};

use super::handle::Edge;
use super::{Carrier, EdgeError, Listener, Options, system};

/// Buffers of a port that all clients share.
const BUFFER: usize = 4 << 20;
/// Connections the kernel holds for us before we accept them.
const BACKLOG: i32 = 1024;
/// A port that the system chose for one protocol may be taken for the next; then another is asked for, so often.
const ATTEMPTS: usize = 32;

/// A port for clients with its socket.
#[derive(Debug)]
pub(super) enum Bound {
    Datagrams(UdpSocket),
    Streams(TcpListener, Carrier),
}

impl Options {
    /// Opens every port for clients, or none.
    pub fn build(self) -> Result<Edge, EdgeError> {
        if self.relays.is_empty() || self.ports.is_empty() {
            let what = "a relay needs an address and a range of ports to open: give both";
            return Err(EdgeError::Options(what.to_owned()));
        }
        let needs_tls = self.listeners.iter().any(|listener| listener.carrier == Carrier::Tls);
        if needs_tls && !self.tls.as_ref().is_some_and(lyceum_net::Tls::can_serve) {
            let what = "the relay's TLS port has no certificate: name one, or leave the port out";
            return Err(EdgeError::Options(what.to_owned()));
        }
        for _ in 1..ATTEMPTS {
            match self.bind_each() {
                Err(EdgeError::System { source, .. }) if source.kind() == io::ErrorKind::AddrInUse => {}
                result => return result.and_then(|(bound, listening)| Edge::new(self, bound, listening)),
            }
            if !self.listeners.iter().any(|listener| listener.port_of.is_some() && listener.addr.port() == 0) {
                break;
            }
        }
        let (bound, listening) = self.bind_each()?;
        Edge::new(self, bound, listening)
    }

    fn bind_each(&self) -> Result<(Vec<Bound>, Vec<Listener>), EdgeError> {
        let (mut bound, mut listening): (Vec<Bound>, Vec<Listener>) = Default::default();
        for wanted in &self.listeners {
            let mut addr = wanted.addr;
            if let (0, Some(earlier)) = (addr.port(), wanted.port_of.and_then(|at| listening.get(at))) {
                addr.set_port(earlier.addr.port());
            }
            let what = format!("opening the relay's {:?} port {addr}", wanted.carrier);
            let (socket, addr) = open(wanted.carrier, addr).map_err(system(what))?;
            bound.push(socket);
            listening.push(Listener { addr, ..*wanted });
        }
        Ok((bound, listening))
    }
}

fn open(carrier: Carrier, addr: SocketAddr) -> io::Result<(Bound, SocketAddr)> {
    let datagrams = carrier == Carrier::Udp;
    let (kind, protocol) = if datagrams { (Type::DGRAM, Protocol::UDP) } else { (Type::STREAM, Protocol::TCP) };
    let socket = Socket::new(Domain::for_address(addr), kind.nonblocking(), Some(protocol))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if datagrams {
        if force_buffers(socket.as_fd(), BUFFER).is_err() {
            socket.set_recv_buffer_size(BUFFER)?;
            socket.set_send_buffer_size(BUFFER)?;
        }
        socket.bind(&addr.into())?;
        let socket: UdpSocket = socket.into();
        let addr = socket.local_addr()?;
        return Ok((Bound::Datagrams(socket), addr));
    }
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    let socket: TcpListener = socket.into();
    let addr = socket.local_addr()?;
    Ok((Bound::Streams(socket, carrier), addr))
}
