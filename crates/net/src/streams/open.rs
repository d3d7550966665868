//! How connections come to be: accepted, opened, or handed over by the HTTPS server.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use lyceum_sip::{Framer, Time, Transport};
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::server::UnbufferedServerConnection;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::sync::mpsc;

use super::conn::{Conn, Link, OutQueue, PeerKey, Reason, State};
use super::{Fate, Streams};
use crate::gate::Permit;
use crate::sys::{self, Interest};
use crate::tls::session::Session;
use crate::{Flow, Listener, ListenerId, PeerIdentity};

/// Connections accepted in one turn.
const ACCEPTS: usize = 64;
/// Without descriptors or memory accepting waits for this long.
const EXHAUSTED: Duration = Duration::from_millis(100);

pub(crate) struct Acceptor {
    listener: Arc<Listener>,
    socket: TcpListener,
    /// Connections that may be accepted now.
    allowance: f64,
    counted: Time,
    pub(super) paused_until: Option<Time>,
}

/// A flow that the HTTPS server hands over.
pub(crate) struct ForeignOpen {
    pub(crate) key: u64,
    pub(crate) listener: Arc<Listener>,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) peer: Option<PeerIdentity>,
    pub(crate) sink: mpsc::Sender<Vec<u8>>,
    pub(crate) permit: Permit,
}

/// What distinguishes a new connection.
struct New {
    link: Link,
    tls: Option<Session>,
    state: State,
    listener: Arc<Listener>,
    transport: Transport,
    local: SocketAddr,
    remote: SocketAddr,
    permit: Option<Permit>,
}

impl Streams {
    pub(crate) fn listen(&mut self, listener: Arc<Listener>, socket: TcpListener) -> io::Result<()> {
        let token = self.accept_token | self.acceptors.len() as u64;
        self.epoll.add(socket.as_fd(), token, Interest::Read)?;
        let allowance = f64::from(self.bounds.accepts_per_second);
        self.acceptors.push(Acceptor { listener, socket, allowance, counted: Time(0), paused_until: None });
        Ok(())
    }

    /// Takes waiting connections. True when none waits any more.
    pub(crate) fn accept(&mut self, now: Time, index: usize) -> bool {
        for _ in 0..ACCEPTS {
            let rate = f64::from(self.bounds.accepts_per_second.max(1));
            let Some(acceptor) = self.acceptors.get_mut(index) else { return true };
            let earned = (now - acceptor.counted).as_secs_f64() * rate;
            acceptor.allowance = (acceptor.allowance + earned).min(rate);
            acceptor.counted = now;
            if acceptor.allowance < 1.0 {
                self.pause(index, now + Duration::from_secs_f64((1.0 / rate).max(0.01)));
                return true;
            }
            match acceptor.socket.accept() {
                Ok((socket, remote)) => {
                    acceptor.allowance -= 1.0;
                    let listener = acceptor.listener.clone();
                    self.admit(now, socket, remote, listener);
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return true,
                Err(e) if is_exhaustion(&e) => {
                    tracing::warn!(error = %e, "no connection can be accepted; raise the limit of open files");
                    self.pause(index, now + EXHAUSTED);
                    return true;
                }
                // The peer gave up while it waited, or a signal came.
                Err(_) => {}
            }
        }
        false
    }

    fn pause(&mut self, index: usize, until: Time) {
        let acceptor = &mut self.acceptors[index];
        let _ = self.epoll.remove(acceptor.socket.as_fd());
        acceptor.paused_until = Some(until);
    }

    pub(super) fn resume_accepting(&mut self, now: Time) {
        for (i, acceptor) in self.acceptors.iter_mut().enumerate() {
            if acceptor.paused_until.is_some_and(|until| until <= now) {
                let token = self.accept_token | i as u64;
                let again = self.epoll.add(acceptor.socket.as_fd(), token, Interest::Read);
                acceptor.paused_until = if again.is_ok() { None } else { Some(now + EXHAUSTED) };
            }
        }
    }

    pub(crate) fn stop_accepting(&mut self) {
        self.acceptors.clear();
    }

    fn admit(&mut self, now: Time, socket: TcpStream, remote: SocketAddr, listener: Arc<Listener>) {
        let permit = match self.gate.enter(&listener, remote.ip()) {
            Ok(permit) => permit,
            Err(refused) => {
                self.counters.connections_refused(1);
                tracing::debug!(%remote, ?refused, "connection refused");
                // A reset costs us no TIME_WAIT.
                let _ = SockRef::from(&socket).set_linger(Some(Duration::ZERO));
                return;
            }
        };
        if let Err(error) = self.take_in(now, socket, remote, listener, permit) {
            tracing::debug!(%remote, %error, "accepted connection could not be set up");
        }
    }

    fn take_in(
        &mut self,
        now: Time,
        socket: TcpStream,
        remote: SocketAddr,
        listener: Arc<Listener>,
        permit: Permit,
    ) -> io::Result<()> {
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        sys::mark(socket.as_fd(), remote.is_ipv6(), self.traffic_class)?;
        let local = socket.local_addr()?;
        let tls = match listener.transport {
            Transport::Tls => Some(self.server_session(&listener)?),
            _ => None,
        };
        let state = if tls.is_some() { State::Handshaking } else { State::Open };
        let transport = listener.transport;
        let permit = Some(permit);
        self.counters.connections_accepted(1);
        self.insert(now, New { link: Link::Socket(socket), tls, state, listener, transport, local, remote, permit })
            .map(drop)
    }

    fn server_session(&self, listener: &Listener) -> io::Result<Session> {
        let config = self.tls_of(listener).and_then(crate::Tls::server).ok_or(io::ErrorKind::Unsupported)?;
        let session = UnbufferedServerConnection::new(config).map_err(io::Error::other)?;
        Ok(Session::Server(Box::new(session)))
    }

    fn insert(&mut self, now: Time, new: New) -> io::Result<u32> {
        let (index, flow) = self.table.reserve();
        let interest = if new.state == State::Connecting { Interest::Write } else { Interest::Read };
        if let Link::Socket(socket) = &new.link
            && let Err(error) = self.epoll.add(socket.as_fd(), self.token | u64::from(index), interest)
        {
            self.table.release(index);
            return Err(error);
        }
        if self.table.len() == 1 {
            self.next_sweep = now + self.sweep_every;
        }
        self.table.put(Box::new(Conn {
            index,
            flow,
            announced: new.state == State::Open,
            link: new.link,
            tls: new.tls,
            rest: Vec::new(),
            state: new.state,
            transport: new.transport,
            listener: new.listener,
            local: new.local,
            remote: new.remote,
            peer: None,
            framer: Framer::new(self.limits),
            interest,
            out: OutQueue::default(),
            early: Vec::new(),
            early_tickets: Vec::new(),
            opened: now,
            heard: now,
            greeted: new.permit.is_none(),
            partial_since: None,
            stalled_since: None,
            closing_since: None,
            reason: Reason::Peer,
            dirty: false,
            counted: 0,
            keys: Vec::new(),
            permit: new.permit,
        }));
        Ok(index)
    }

    /// Sends to an address, over a connection that leads there or a new one.
    pub(crate) fn send_to(&mut self, now: Time, key: PeerKey, from: Option<ListenerId>, bytes: &[u8], ticket: u64) {
        let index = match self.reusable(&key) {
            Some(index) => Some(index),
            None => self
                .connect(now, &key, from)
                .inspect_err(|error| {
                    tracing::debug!(remote = %key.addr, %error, "connecting failed");
                })
                .ok(),
        };
        match index {
            Some(index) => self.send_at(index, bytes, ticket),
            None => self.fail(ticket),
        }
    }

    fn connect(&mut self, now: Time, key: &PeerKey, from: Option<ListenerId>) -> io::Result<u32> {
        if self.opened_by_us >= self.bounds.connections_opened {
            return Err(io::Error::other("too many connections opened by us"));
        }
        let listener = self.listener_for(key, from);
        let tls = match key.transport {
            Transport::Tls => Some(self.client_session(&listener, key)?),
            _ => None,
        };
        let socket = Socket::new(Domain::for_address(key.addr), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
        socket.set_tcp_nodelay(true)?;
        sys::mark(socket.as_fd(), key.addr.is_ipv6(), self.traffic_class)?;
        if from.is_some() && !listener.addr.ip().is_unspecified() {
            socket.bind(&SocketAddr::new(listener.addr.ip(), 0).into())?;
        }
        match socket.connect(&key.addr.into()) {
            Err(e) if e.raw_os_error() != Some(libc::EINPROGRESS) => return Err(e),
            _ => {}
        }
        let socket: TcpStream = socket.into();
        let local = socket.local_addr().unwrap_or(listener.addr);
        let index = self.insert(
            now,
            New {
                link: Link::Socket(socket),
                tls,
                state: State::Connecting,
                listener,
                transport: key.transport,
                local,
                remote: key.addr,
                permit: None,
            },
        )?;
        self.opened_by_us += 1;
        self.table.add_key(index, key.clone());
        Ok(index)
    }

    fn client_session(&self, listener: &Listener, key: &PeerKey) -> io::Result<Session> {
        let tls = self.tls_of(listener).ok_or(io::ErrorKind::Unsupported)?;
        let name = match &key.name {
            Some(name) => ServerName::try_from(name.to_string()).map_err(io::Error::other)?,
            None => ServerName::IpAddress(key.addr.ip().into()),
        };
        let session = UnbufferedClientConnection::new(tls.client(), name).map_err(io::Error::other)?;
        Ok(Session::Client(Box::new(session)))
    }

    /// What TLS works with on a listener.
    pub(super) fn tls_of(&self, listener: &Listener) -> Option<&crate::Tls> {
        self.own_tls.iter().find(|(id, _)| *id == listener.id).map(|(_, tls)| tls).or(self.tls.as_ref())
    }

    /// The listener that a connection we open belongs to.
    fn listener_for(&self, key: &PeerKey, from: Option<ListenerId>) -> Arc<Listener> {
        let named = from.and_then(|id| self.listeners.iter().find(|l| l.id == id));
        let alike =
            || self.listeners.iter().find(|l| l.transport == key.transport && l.addr.is_ipv4() == key.addr.is_ipv4());
        named.or_else(alike).cloned().unwrap_or_else(|| {
            let addr = if key.addr.is_ipv4() { ([0u8; 4], 0).into() } else { ([0u16; 8], 0).into() };
            let advertised = "".into();
            Arc::new(Listener {
                id: ListenerId(u16::MAX),
                transport: key.transport,
                addr,
                advertised,
                inside: false,
                link: false,
            })
        })
    }

    /// A connect that was under way has ended, well or not.
    pub(super) fn connected(&mut self, now: Time, conn: &mut Conn) -> Fate {
        let Link::Socket(socket) = &conn.link else { return Ok(()) };
        match socket.take_error() {
            Ok(None) => {}
            Ok(Some(error)) | Err(error) => {
                tracing::debug!(remote = %conn.remote, %error, "connecting failed");
                return Err(Reason::Unreachable);
            }
        }
        if let Ok(local) = socket.local_addr() {
            conn.local = local;
        }
        self.lend_buffer(conn);
        match &mut conn.tls {
            Some(session) => {
                conn.state = State::Handshaking;
                let hello = session.pump(&mut [], &mut self.plain, &mut conn.out.bytes);
                hello.map_err(|_| Reason::Handshake)?;
            }
            None => self.opened(now, conn)?,
        }
        self.write_out(now, conn)
    }

    /// Lets the authenticated peer of an accepted connection be reached over it (RFC 5923).
    pub(crate) fn alias(&mut self, flow: Flow, port: u16) {
        let Some(index) = self.table.find(flow) else { return };
        let Some(conn) = self.table.get_mut(index) else { return };
        let (Some(peer), true) = (&conn.peer, conn.transport == Transport::Tls) else { return };
        let addr = SocketAddr::new(conn.remote.ip(), port);
        let names: Vec<Arc<str>> = peer.names.iter().map(|n| n.as_str().into()).collect();
        for name in names {
            self.table.add_key(index, PeerKey { transport: Transport::Tls, addr, name: Some(name) });
        }
    }

    /// Takes a flow over from the HTTPS server.
    pub(crate) fn open_foreign(&mut self, now: Time, open: ForeignOpen) {
        let ForeignOpen { key, listener, local, remote, peer, sink, permit } = open;
        let transport = listener.transport;
        let link = Link::Foreign { key, sink };
        let permit = Some(permit);
        let new = New { link, tls: None, state: State::Open, listener, transport, local, remote, permit };
        // Without a socket nothing can fail.
        if let Ok(index) = self.insert(now, new) {
            self.foreign.insert(key, index);
            if let Some(conn) = self.table.get_mut(index) {
                conn.peer = peer.map(Box::new);
            }
            self.counters.connections_accepted(1);
        }
    }
}

fn is_exhaustion(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}
