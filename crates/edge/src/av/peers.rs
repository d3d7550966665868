//! Connections with peers (RFC 6062): made from TCP relay ports or accepted at them, and the sockets of both.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use lyceum_net::driver::{Epoll, Interest};
use lyceum_turn::ConnectionId;
use socket2::{Domain, Protocol, Socket, Type};

use super::streams::watch;
use super::worker::Token;

/// Peers the kernel holds for one port before we accept them.
const BACKLOG: i32 = 16;
/// What the system says of a connection that is being made.
const EINPROGRESS: i32 = 115;
/// A connection that has used up its share is looked at again after this.
const PAUSE: Duration = Duration::from_millis(20);

/// A connection with a peer.
pub(super) struct Peer {
    pub(super) socket: TcpStream,
    /// The client's connection that carries its bytes; until there is one nothing is read, and the system makes the peer wait.
    pub(super) slot: Option<u32>,
    pub(super) connecting: bool,
    pub(super) interest: Option<Interest>,
    /// The peer sends no more.
    pub(super) silent: bool,
    /// The client sends no more.
    pub(super) client_silent: bool,
    /// The peer was told so.
    pub(super) told: bool,
    paused: bool,
}

pub(super) struct Peers {
    epoll: Arc<Epoll>,
    table: HashMap<ConnectionId, Peer>,
    /// Connections of clients whose peers are gone.
    orphans: Vec<(ConnectionId, u32)>,
    /// Those that have used up their share, each once.
    paused: Vec<ConnectionId>,
    resume: Option<Duration>,
}

impl Peers {
    pub(super) fn new(epoll: Arc<Epoll>) -> Peers {
        Peers { epoll, table: HashMap::new(), orphans: Vec::new(), paused: Vec::new(), resume: None }
    }

    pub(super) fn get(&mut self, connection: ConnectionId) -> Option<&mut Peer> {
        self.table.get_mut(&connection)
    }

    /// Takes a connection that is being made.
    pub(super) fn connecting(&mut self, connection: ConnectionId, socket: TcpStream) -> io::Result<()> {
        self.enter(connection, socket, true);
        let fate = self.watch(connection, Some(Interest::Write));
        if fate.is_err() {
            self.table.remove(&connection);
        }
        fate
    }

    /// Takes a connection that a peer has made.
    pub(super) fn arrived(&mut self, connection: ConnectionId, socket: TcpStream) -> io::Result<()> {
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        self.enter(connection, socket, false);
        Ok(())
    }

    fn enter(&mut self, connection: ConnectionId, socket: TcpStream, connecting: bool) {
        let peer = Peer {
            socket,
            slot: None,
            connecting,
            interest: None,
            silent: false,
            client_silent: false,
            told: false,
            paused: false,
        };
        self.table.insert(connection, peer);
    }

    /// Waits for something on a connection.
    pub(super) fn watch(&mut self, connection: ConnectionId, wanted: Option<Interest>) -> io::Result<()> {
        let Some(peer) = self.table.get_mut(&connection) else { return Ok(()) };
        watch(&self.epoll, peer.socket.as_fd(), Token::Peer(connection.0), &mut peer.interest, wanted)
    }

    /// Closes a connection and leaves the client's to [`Peers::orphan`].
    pub(super) fn hang_up(&mut self, connection: ConnectionId) {
        if let Some(slot) = self.remove(connection).and_then(|peer| peer.slot) {
            self.orphans.push((connection, slot));
        }
    }

    /// Forgets a connection.
    pub(super) fn remove(&mut self, connection: ConnectionId) -> Option<Peer> {
        self.table.remove(&connection)
    }

    /// A client's connection that is to be closed, with what it was joined to.
    pub(super) fn orphan(&mut self) -> Option<(ConnectionId, u32)> {
        self.orphans.pop()
    }

    /// Lets a connection rest.
    pub(super) fn pause(&mut self, connection: ConnectionId, now: Duration) {
        let Some(peer) = self.table.get_mut(&connection) else { return };
        if !std::mem::replace(&mut peer.paused, true) {
            self.paused.push(connection);
            self.resume.get_or_insert(now + PAUSE);
        }
    }

    /// When connections go on that rest.
    pub(super) fn resumes(&self) -> Option<Duration> {
        self.resume
    }

    /// Those that go on.
    pub(super) fn resumed(&mut self, now: Duration) -> Vec<ConnectionId> {
        if self.resume.is_none_or(|at| now < at) {
            return Vec::new();
        }
        self.resume = None;
        let resumed = std::mem::take(&mut self.paused);
        for connection in &resumed {
            if let Some(peer) = self.table.get_mut(connection) {
                peer.paused = false;
            }
        }
        resumed
    }
}

/// Opens a TCP port that connections can be made from too. Only once it is ours may others share it, so that no neighbour's
/// port is taken for a free one.
pub(super) fn listen_at(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.set_reuse_port(true)?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Begins to connect from such a port.
pub(super) fn dial(
    from: SocketAddr,
    to: SocketAddr,
    mark: impl FnOnce(BorrowedFd<'_>) -> io::Result<()>,
) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_tcp_nodelay(true)?;
    if let Err(error) = mark(socket.as_fd()) {
        tracing::debug!(%error, "a connection to a peer could not be marked");
    }
    socket.bind(&from.into())?;
    match socket.connect(&to.into()) {
        Err(error) if error.raw_os_error() != Some(EINPROGRESS) => Err(error),
        _ => Ok(socket.into()),
    }
}
