//! One connection: what it is, and what waits to be written on it.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use lyceum_sip::{Framer, Time, Transport};
use tokio::sync::mpsc;

use crate::gate::Permit;
use crate::sys::Interest;
use crate::tls::session::Session;
use crate::{Flow, Listener, PeerIdentity};

/// What carries the bytes.
pub(crate) enum Link {
    Socket(TcpStream),
    /// The HTTPS server carries whole messages for us.
    Foreign {
        key: u64,
        sink: mpsc::Sender<Vec<u8>>,
    },
}

/// How far a connection has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// Our connect is under way.
    Connecting,
    /// The TLS handshake is under way.
    Handshaking,
    /// Messages pass.
    Open,
    /// The peer sends no more (or nothing that we could read); answers may still be written for a moment.
    HalfClosed,
    /// We want it to end; what waits is written before.
    Closing,
}

/// Why a connection ended; counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reason {
    /// The peer closed it.
    Peer,
    /// The network or the peer broke it.
    Broken,
    /// A connect did not succeed.
    Unreachable,
    /// TLS failed or took too long.
    Handshake,
    /// A time bound passed: nothing came, or a message was never finished.
    Idle,
    /// The reader was too slow for what we had to say.
    SlowReader,
    /// What came was no SIP.
    Garbage,
    /// We wanted it.
    Ours,
}

/// Identifies connections to reuse: same address, transport and proven name.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct PeerKey {
    pub(crate) transport: Transport,
    pub(crate) addr: SocketAddr,
    pub(crate) name: Option<Arc<str>>,
}

pub(crate) struct Conn {
    pub(crate) index: u32,
    pub(crate) flow: Flow,
    pub(crate) link: Link,
    pub(crate) tls: Option<Session>,
    /// Ciphertext of a record that is not whole yet.
    pub(crate) rest: Vec<u8>,
    pub(crate) state: State,
    pub(crate) transport: Transport,
    pub(crate) listener: Arc<Listener>,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) peer: Option<Box<PeerIdentity>>,
    pub(crate) framer: Framer,
    pub(crate) interest: Interest,
    pub(crate) out: OutQueue,
    /// Plain bytes that wait for the connection to open.
    pub(crate) early: Vec<u8>,
    /// Tickets of messages in `early`.
    pub(crate) early_tickets: Vec<u64>,
    pub(crate) opened: Time,
    pub(crate) heard: Time,
    /// A whole message or keep-alive has come.
    pub(crate) greeted: bool,
    pub(crate) partial_since: Option<Time>,
    pub(crate) stalled_since: Option<Time>,
    pub(crate) closing_since: Option<Time>,
    /// Why it will have ended, once it is half closed or closing.
    pub(crate) reason: Reason,
    /// The engine may know the flow, so it must hear of its end.
    pub(crate) announced: bool,
    /// Bytes of this connection in the worker's total.
    pub(crate) counted: usize,
    pub(crate) dirty: bool,
    /// Under what it may be reused.
    pub(crate) keys: Vec<PeerKey>,
    pub(crate) permit: Option<Permit>,
}

impl Conn {
    /// Bytes that wait here.
    pub(crate) fn waiting(&self) -> usize {
        self.out.len() + self.early.len()
    }

    /// Every ticket whose message has not left.
    pub(crate) fn unsent(&mut self) -> impl Iterator<Item = u64> {
        let out = std::mem::take(&mut self.out.tickets).into_iter().map(|(_, ticket)| ticket);
        out.chain(std::mem::take(&mut self.early_tickets))
    }

    pub(crate) fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        match &self.link {
            Link::Socket(socket) => (&mut &*socket).read(into),
            Link::Foreign { .. } => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Writes what waits. True when nothing waits any more.
    pub(crate) fn write(&mut self) -> io::Result<bool> {
        match &self.link {
            Link::Socket(socket) => self.out.write_to(socket),
            Link::Foreign { .. } => Ok(true),
        }
    }
}

/// Bytes on their way out, and the tickets of the messages among them.
#[derive(Default)]
pub(crate) struct OutQueue {
    pub(crate) bytes: Vec<u8>,
    head: usize,
    /// Bytes written since the connection opened.
    written: u64,
    /// A ticket, and how much must have been written for its message to be gone.
    tickets: VecDeque<(u64, u64)>,
}

impl OutQueue {
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.head
    }

    /// Remembers a ticket for what was queued last.
    pub(crate) fn ticket(&mut self, ticket: u64) {
        if ticket != 0 {
            self.tickets.push_back((self.written + self.len() as u64, ticket));
        }
    }

    fn write_to(&mut self, mut socket: &TcpStream) -> io::Result<bool> {
        while self.len() > 0 {
            match socket.write(&self.bytes[self.head..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.head += count;
                    self.written += count as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        while self.tickets.front().is_some_and(|(at, _)| *at <= self.written) {
            self.tickets.pop_front();
        }
        if self.len() == 0 {
            self.bytes.clear();
            self.head = 0;
        } else if self.head > self.bytes.len() / 2 {
            self.bytes.drain(..self.head);
            self.head = 0;
        }
        if self.tickets.is_empty() {
            self.tickets = VecDeque::new();
        }
        Ok(self.len() == 0)
    }
}
