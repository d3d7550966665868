//! Opening the ports: one socket per listener and worker.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsFd;
use std::sync::Arc;

use lyceum_sip::Transport;
use socket2::{Domain, Protocol, Socket, Type};

use crate::error::NetError;
use crate::{Listener, ListenerId, Options, holder, sys};

/// Connections the kernel holds for us before we accept them.
const BACKLOG: i32 = 4096;

/// A socket that one worker serves.
pub(crate) enum Port {
    Datagram(UdpSocket),
    Stream(TcpListener),
}

/// A listener with its socket for every worker.
pub(crate) struct Bound {
    pub(crate) listener: Arc<Listener>,
    pub(crate) ports: Vec<Port>,
}

/// A port that the system chose for one protocol may be taken for the next; then another is asked for, so often.
const ATTEMPTS: usize = 32;

/// Opens everything that `options` names, or nothing.
pub(crate) fn bind_all(options: &Options) -> Result<Vec<Bound>, NetError> {
    let chosen_twice = options.listeners.iter().any(|l| l.addr.port() == 0 && l.port_of.is_some());
    for _ in 1..ATTEMPTS {
        match bind_each(options) {
            Err(NetError::PortInUse { .. }) if chosen_twice => {}
            result => return result,
        }
    }
    bind_each(options)
}

fn bind_each(options: &Options) -> Result<Vec<Bound>, NetError> {
    let mut bound: Vec<Bound> = Vec::new();
    for (i, wanted) in options.listeners.iter().enumerate() {
        let mut addr = wanted.addr;
        if let (0, Some(earlier)) = (addr.port(), wanted.port_of) {
            let earlier = bound.get(earlier).ok_or_else(|| NetError::Options {
                what: format!("listener {i} takes its port from listener {earlier}, which does not come before it"),
            })?;
            addr.set_port(earlier.listener.addr.port());
        }
        bound.push(bind(options, i, addr)?);
    }
    Ok(bound)
}

fn bind(options: &Options, i: usize, mut addr: SocketAddr) -> Result<Bound, NetError> {
    let wanted = &options.listeners[i];
    if matches!(wanted.transport, Transport::Ws | Transport::Wss) {
        return Err(NetError::Options {
            what: format!("WebSocket on {addr} is served by the HTTPS server; remove it from the SIP listeners"),
        });
    }
    let advertised = wanted.advertised.clone();
    let made = |addr: SocketAddr, ports| {
        let listener = Listener {
            id: ListenerId(i as u16),
            transport: wanted.transport,
            addr,
            advertised: advertised.unwrap_or_else(|| addr.to_string()).into(),
            inside: wanted.inside,
            link: wanted.link,
        };
        Bound { listener: Arc::new(listener), ports }
    };
    if wanted.dials_only {
        return Ok(made(addr, Vec::new()));
    }
    let shared = options.workers > 1;
    if shared {
        // With SO_REUSEPORT a second instance of ourselves could share our port unseen: look first without it.
        let probe = open(wanted.transport, addr, false, options).map_err(|e| explain(e, wanted.transport, addr))?;
        addr = local(&probe)?;
    }
    let mut ports = Vec::new();
    for _ in 0..options.workers {
        let port = open(wanted.transport, addr, shared, options).map_err(|e| explain(e, wanted.transport, addr))?;
        addr = local(&port)?;
        ports.push(port);
    }
    Ok(made(addr, ports))
}

fn local(port: &Port) -> Result<SocketAddr, NetError> {
    match port {
        Port::Datagram(s) => s.local_addr(),
        Port::Stream(s) => s.local_addr(),
    }
    .map_err(NetError::system("reading a socket's address"))
}

fn open(transport: Transport, addr: SocketAddr, shared: bool, options: &Options) -> io::Result<Port> {
    let datagram = transport == Transport::Udp;
    let (kind, protocol) = if datagram { (Type::DGRAM, Protocol::UDP) } else { (Type::STREAM, Protocol::TCP) };
    let socket = Socket::new(Domain::for_address(addr), kind.nonblocking(), Some(protocol))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    sys::mark(socket.as_fd(), addr.is_ipv6(), options.traffic_class)?;
    if shared {
        socket.set_reuse_port(true)?;
    }
    if datagram {
        size_buffers(&socket, options.bounds.datagram_buffer)?;
        sys::datagram_options(socket.as_fd(), addr.is_ipv6())?;
        socket.bind(&addr.into())?;
        return Ok(Port::Datagram(socket.into()));
    }
    // Without this a restart would have to wait for connections in TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(Port::Stream(socket.into()))
}

/// Asks for large buffers, beyond the system's limit where we may.
fn size_buffers(socket: &Socket, bytes: usize) -> io::Result<()> {
    if sys::force_buffers(socket.as_fd(), bytes).is_err() {
        socket.set_recv_buffer_size(bytes)?;
        socket.set_send_buffer_size(bytes)?;
    }
    Ok(())
}

fn explain(error: io::Error, transport: Transport, addr: SocketAddr) -> NetError {
    match error.kind() {
        io::ErrorKind::AddrInUse => NetError::PortInUse { transport, addr, holder: holder::find(transport, addr) },
        io::ErrorKind::AddrNotAvailable => NetError::AddressNotHere { addr },
        io::ErrorKind::PermissionDenied => NetError::Forbidden { addr },
        _ => NetError::System { what: format!("opening {} port {addr}", transport.via_token()), source: error },
    }
}
