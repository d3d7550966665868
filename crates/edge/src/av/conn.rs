//! One connection of a client, plain or under TLS.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

use lyceum_net::driver::{Interest, Session};
use lyceum_turn::{Client, ConnectionId, Framed, STREAM_MESSAGE_MAX, frame};

/// Bytes that wait for a slow client; media beyond that is dropped.
const OUT_MAX: usize = 256 * 1024;
/// Encrypted bytes that may wait for the rest of their record.
const RECORD_MAX: usize = 18 * 1024;
/// Bytes read at a time.
pub(super) const READ_MAX: usize = 64 * 1024;

/// What a read led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Received {
    /// Plain bytes, or none yet.
    Some,
    /// The client sends no more.
    End,
}

/// The connection cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Over;

pub(super) struct Conn {
    pub(super) socket: TcpStream,
    pub(super) client: Client,
    /// The second since which it has had no allocation.
    pub(super) bare_since: u64,
    /// What is waited for; not watched at all without.
    pub(super) interest: Option<Interest>,
    /// The connection with a peer whose bytes it carries as they are.
    pub(super) joined: Option<ConnectionId>,
    /// Nothing comes for it any more; it is told so behind what waits.
    pub(super) ended: bool,
    told: bool,
    /// It has something to write and is listed for the end of the turn.
    pub(super) dirty: bool,
    tls: Option<Session>,
    /// Encrypted bytes that were read and do not make a record yet.
    rest: Vec<u8>,
    /// Plain bytes that do not make a message yet.
    plain: Vec<u8>,
    out: Vec<u8>,
    written: usize,
}

impl Conn {
    pub(super) fn new(socket: TcpStream, client: Client, tls: Option<Session>, second: u64) -> Conn {
        Conn {
            socket,
            client,
            bare_since: second,
            interest: Some(Interest::Read),
            joined: None,
            ended: false,
            told: false,
            dirty: false,
            tls,
            rest: Vec::new(),
            plain: Vec::new(),
            out: Vec::new(),
            written: 0,
        }
    }

    /// Reads what is there, at most [`READ_MAX`] bytes, into the plain bytes; `input` holds those and a record.
    pub(super) fn receive(&mut self, input: &mut [u8], most: usize) -> Result<Received, Over> {
        let start = self.rest.len();
        input[..start].copy_from_slice(&self.rest);
        let count = match self.socket.read(&mut input[start..start + most.min(READ_MAX)]) {
            Ok(0) => return Ok(Received::End),
            Ok(count) => count,
            Err(e) if is_nothing(&e) => return Ok(Received::Some),
            Err(_) => return Err(Over),
        };
        let Some(session) = &mut self.tls else {
            self.plain.extend_from_slice(&input[..count]);
            return Ok(Received::Some);
        };
        let length = start + count;
        let pumped = session.pump(&mut input[..length], &mut self.plain, &mut self.out);
        let Ok(pumped) = pumped else {
            // The alert says why; nothing depends on its arrival.
            let _ = self.write();
            return Err(Over);
        };
        self.rest.clear();
        self.rest.extend_from_slice(&input[pumped.used..length]);
        match pumped.peer_closed {
            true => Ok(Received::End),
            false if self.rest.len() > RECORD_MAX => Err(Over),
            false => Ok(Received::Some),
        }
    }

    /// Hands every whole message to `take`, which may answer. What follows the message that joined it to a peer is no
    /// message any more.
    pub(super) fn messages(&mut self, mut take: impl FnMut(&mut Conn, &[u8])) -> Result<(), Over> {
        let plain = std::mem::take(&mut self.plain);
        let mut at = 0;
        let fate = loop {
            if self.joined.is_some() {
                break Ok(());
            }
            match frame(&plain[at..]) {
                Framed::More if plain.len() - at > STREAM_MESSAGE_MAX => break Err(Over),
                Framed::More => break Ok(()),
                Framed::Garbage => break Err(Over),
                Framed::Message { length, used } => {
                    take(self, &plain[at..at + length]);
                    at += used;
                }
            }
        };
        // An idle connection holds no buffer.
        self.plain = plain[at..].to_vec();
        fate
    }

    /// Plain bytes that wait for a peer.
    pub(super) fn upward(&self) -> usize {
        self.plain.len()
    }

    /// Bytes that wait for the client.
    pub(super) fn downward(&self) -> usize {
        self.out.len() - self.written
    }

    /// Writes plain bytes to a peer, as many as the system takes now.
    pub(super) fn write_up(&mut self, mut peer: &TcpStream) -> Result<(), Over> {
        let mut at = 0;
        while at < self.plain.len() {
            match peer.write(&self.plain[at..]) {
                Ok(0) => return Err(Over),
                Ok(count) => at += count,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Over),
            }
        }
        match at == self.plain.len() {
            true => self.plain = Vec::new(),
            false => drop(self.plain.drain(..at)),
        }
        Ok(())
    }

    /// Tells the client that nothing follows what waits; it may go on sending.
    pub(super) fn end(&mut self) -> Result<(), Over> {
        if let Some(session) = &mut self.tls {
            session.close_notify(&mut self.rest, &mut self.out);
        }
        self.ended = true;
        self.write()
    }

    /// Puts a message behind what waits; false when it was dropped because too much waits already.
    pub(super) fn put(&mut self, bytes: &[u8]) -> bool {
        if self.out.len() - self.written > OUT_MAX {
            return false;
        }
        match &mut self.tls {
            Some(session) => session.encrypt(&mut self.rest, bytes, &mut self.out),
            None => {
                self.out.extend_from_slice(bytes);
                true
            }
        }
    }

    /// Whether something waits to be written.
    pub(super) fn waits(&self) -> bool {
        self.written < self.out.len()
    }

    /// Writes what the system takes now.
    pub(super) fn write(&mut self) -> Result<(), Over> {
        while self.waits() {
            match self.socket.write(&self.out[self.written..]) {
                Ok(0) => return Err(Over),
                Ok(count) => self.written += count,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    self.out.drain(..self.written);
                    self.written = 0;
                    return Ok(());
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Over),
            }
        }
        self.out = Vec::new();
        self.written = 0;
        if self.ended && !std::mem::replace(&mut self.told, true) {
            self.socket.shutdown(Shutdown::Write).map_err(|_| Over)?;
        }
        Ok(())
    }
}

pub(super) fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
