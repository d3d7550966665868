//! Connections of clients: accepted, counted, listed for writing, closed.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use lyceum_net::Tls;
use lyceum_net::driver::{Epoll, Interest};
use lyceum_turn::{Client, ConnectionId, Via};

use super::conn::Conn;
use super::worker::Token;
use super::{CONNECTIONS_MAX, CONNECTIONS_PER_SOURCE, Carrier};

/// Connections accepted in one turn.
const ACCEPTS: usize = 64;

pub(super) struct Streams {
    epoll: Arc<Epoll>,
    tls: Option<Tls>,
    acceptors: Vec<(TcpListener, Carrier)>,
    table: Vec<Option<Conn>>,
    free: Vec<u32>,
    sources: HashMap<IpAddr, usize>,
    dirty: Vec<u32>,
}

impl Streams {
    pub(super) fn new(epoll: Arc<Epoll>, tls: Option<Tls>) -> Streams {
        Streams {
            epoll,
            tls,
            acceptors: Vec::new(),
            table: Vec::new(),
            free: Vec::new(),
            sources: HashMap::new(),
            dirty: Vec::new(),
        }
    }

    pub(super) fn listen(&mut self, socket: TcpListener, carrier: Carrier) -> io::Result<()> {
        let token = Token::Acceptor(self.acceptors.len() as u32).word();
        self.epoll.add(socket.as_fd(), token, Interest::Read)?;
        self.acceptors.push((socket, carrier));
        Ok(())
    }

    /// Connections that stand.
    pub(super) fn len(&self) -> usize {
        self.table.len() - self.free.len()
    }

    /// Takes waiting connections; what is too much is closed at once.
    pub(super) fn accept(&mut self, index: u32, second: u64) {
        for _ in 0..ACCEPTS {
            let Some((acceptor, carrier)) = self.acceptors.get(index as usize) else { return };
            let (socket, remote) = match acceptor.accept() {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => return tracing::debug!(%error, "a connection could not be accepted"),
            };
            let tls = match carrier {
                Carrier::Tls => match self.tls.as_ref().and_then(Tls::accept) {
                    None => continue,
                    session => session,
                },
                _ => None,
            };
            let from_there = self.sources.get(&remote.ip()).copied().unwrap_or(0);
            if self.len() >= CONNECTIONS_MAX || from_there >= CONNECTIONS_PER_SOURCE {
                continue;
            }
            let slot = self.free.pop().unwrap_or_else(|| {
                self.table.push(None);
                (self.table.len() - 1) as u32
            });
            let prepared = socket.set_nonblocking(true).and_then(|()| socket.set_nodelay(true));
            let watched = self.epoll.add(socket.as_fd(), Token::Conn(slot).word(), Interest::Read);
            if prepared.and(watched).is_err() {
                self.free.push(slot);
                continue;
            }
            *self.sources.entry(remote.ip()).or_default() += 1;
            let client = Client { via: Via::Stream(slot), remote };
            self.table[slot as usize] = Some(Conn::new(socket, client, tls, second));
        }
    }

    /// Takes a connection out for work on it; it comes back by [`Streams::put_back`] or goes by [`Streams::close`].
    pub(super) fn take(&mut self, slot: u32) -> Option<Conn> {
        self.table.get_mut(slot as usize)?.take()
    }

    pub(super) fn put_back(&mut self, slot: u32, mut conn: Conn) {
        if conn.waits() && !conn.dirty && conn.joined.is_none() {
            conn.dirty = true;
            self.dirty.push(slot);
        }
        self.table[slot as usize] = Some(conn);
    }

    /// Forgets a connection that was taken out.
    pub(super) fn close(&mut self, slot: u32, conn: Conn) {
        if let Some(count) = self.sources.get_mut(&conn.client.remote.ip()) {
            *count -= 1;
            if *count == 0 {
                self.sources.remove(&conn.client.remote.ip());
            }
        }
        self.free.push(slot);
    }

    /// Gives a client something to send, if it is still the one on its connection.
    pub(super) fn tell(&mut self, client: &Client, bytes: &[u8]) {
        let Via::Stream(slot) = client.via else { return };
        if self.table.get(slot as usize).and_then(Option::as_ref).is_some_and(|conn| conn.client == *client) {
            self.send(slot, bytes);
        }
    }

    /// Gives a connection something to send.
    pub(super) fn send(&mut self, slot: u32, bytes: &[u8]) {
        let Some(mut conn) = self.take(slot) else { return };
        conn.put(bytes);
        self.put_back(slot, conn);
    }

    /// Writes on every connection that got something in this turn; gives those that broke.
    pub(super) fn flush(&mut self) -> Vec<u32> {
        let mut broken = Vec::new();
        for slot in std::mem::take(&mut self.dirty) {
            if !self.write(slot) {
                broken.push(slot);
            }
        }
        broken
    }

    /// Writes what waits; false when the connection is broken.
    pub(super) fn write(&mut self, slot: u32) -> bool {
        let Some(conn) = self.table.get_mut(slot as usize).and_then(Option::as_mut) else { return true };
        conn.dirty = false;
        if conn.joined.is_some() {
            // Its bytes are a peer's: they are written where those are read.
            return true;
        }
        if conn.write().is_err() {
            return false;
        }
        let wanted = if conn.waits() { Interest::ReadWrite } else { Interest::Read };
        watch(&self.epoll, conn.socket.as_fd(), Token::Conn(slot), &mut conn.interest, Some(wanted)).is_ok()
    }

    /// Waits for something else on a connection that was taken out.
    pub(super) fn watch(&self, slot: u32, conn: &mut Conn, wanted: Option<Interest>) -> io::Result<()> {
        watch(&self.epoll, conn.socket.as_fd(), Token::Conn(slot), &mut conn.interest, wanted)
    }

    /// Which connection with a peer a connection belongs to.
    pub(super) fn joined(&self, slot: u32) -> Option<ConnectionId> {
        self.table.get(slot as usize)?.as_ref()?.joined
    }

    /// Every connection, with the second since which it has no allocation.
    pub(super) fn each(&mut self) -> impl Iterator<Item = (u32, &mut Conn)> {
        self.table.iter_mut().enumerate().filter_map(|(slot, conn)| Some((slot as u32, conn.as_mut()?)))
    }
}

/// Waits for something else on a descriptor, or for nothing: then not even a hang-up is reported.
pub(super) fn watch(
    epoll: &Epoll,
    fd: BorrowedFd<'_>,
    token: Token,
    now: &mut Option<Interest>,
    wanted: Option<Interest>,
) -> io::Result<()> {
    if *now == wanted {
        return Ok(());
    }
    let before = std::mem::replace(now, wanted);
    match (before, wanted) {
        (_, None) => epoll.remove(fd),
        (None, Some(wanted)) => epoll.add(fd, token.word(), wanted),
        (Some(_), Some(wanted)) => epoll.modify(fd, token.word(), wanted),
    }
}
