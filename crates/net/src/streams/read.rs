//! From a socket to the engine.

use std::io;

use lyceum_sip::{Frame, Index, Time};

use super::conn::{Conn, Link, Reason, State};
use super::{Fate, HALF_CLOSED, READ_MAX, Streams};
use crate::Arrival;
use crate::worker::Sink;

/// What answers a keep-alive (RFC 5626 §3.5.1).
const PONG: &[u8] = b"\r\n";

impl Streams {
    /// Reads once. True when the socket is empty now.
    pub(super) fn receive(&mut self, now: Time, conn: &mut Conn, sink: &mut dyn Sink) -> Result<bool, Reason> {
        let start = conn.rest.len();
        let count = match conn.read(&mut self.input[start..start + READ_MAX]) {
            Ok(0) => return self.end_of_input(now, conn).map(|()| true),
            Ok(count) => count,
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => return Ok(true),
            Err(_) if conn.state == State::Handshaking => return Err(Reason::Handshake),
            Err(_) => return Err(Reason::Broken),
        };
        conn.heard = now;
        let fate = match conn.tls.is_some() {
            true => self.decrypt(now, conn, start + count, sink),
            false => {
                deliver(conn, &self.input[..count], &mut self.index, sink);
                Ok(())
            }
        };
        if self.forgetful {
            // TLS decrypts in place, so both hold what was said.
            self.input[..start + count].fill(0);
            self.plain.fill(0);
        }
        fate?;
        self.after_frames(now, conn)?;
        Ok(count < READ_MAX)
    }

    /// Runs `length` bytes of input (what was left over, and what was read) through TLS.
    fn decrypt(&mut self, now: Time, conn: &mut Conn, length: usize, sink: &mut dyn Sink) -> Fate {
        let start = conn.rest.len();
        self.input[..start].copy_from_slice(&conn.rest);
        self.lend_buffer(conn);
        let Some(session) = &mut conn.tls else { return Ok(()) };
        self.plain.clear();
        let pumped = session.pump(&mut self.input[..length], &mut self.plain, &mut conn.out.bytes);
        let handshaking = session.is_handshaking();
        let pumped = match pumped {
            Ok(pumped) => pumped,
            Err(error) => {
                tracing::debug!(remote = %conn.remote, %error, "TLS failed");
                // The alert tells the peer why; nothing depends on its arrival.
                let _ = conn.write();
                return Err(if conn.state == State::Handshaking { Reason::Handshake } else { Reason::Broken });
            }
        };
        conn.rest = self.input[pumped.used..length].to_vec();
        if conn.rest.len() > super::RECORD_MAX {
            return Err(Reason::Garbage);
        }
        if conn.state == State::Handshaking && !handshaking {
            self.opened(now, conn)?;
        }
        let plain = std::mem::take(&mut self.plain);
        deliver(conn, &plain, &mut self.index, sink);
        self.plain = plain;
        if pumped.peer_closed { Err(Reason::Peer) } else { Ok(()) }
    }

    /// The peer sends no more. Over TCP our answers to what it sent may still follow.
    fn end_of_input(&mut self, now: Time, conn: &mut Conn) -> Fate {
        match (conn.state, conn.tls.is_some()) {
            (State::Handshaking, _) => Err(Reason::Handshake),
            (_, true) => Err(Reason::Peer),
            (_, false) => self.half_close(now, conn, Reason::Peer),
        }
    }

    fn after_frames(&mut self, now: Time, conn: &mut Conn) -> Fate {
        conn.partial_since = match conn.framer.held() {
            0 => None,
            _ => conn.partial_since.or(Some(now)),
        };
        if conn.framer.is_dead() {
            return self.half_close(now, conn, Reason::Garbage);
        }
        Ok(())
    }

    fn half_close(&mut self, now: Time, conn: &mut Conn, reason: Reason) -> Fate {
        conn.state = State::HalfClosed;
        conn.reason = reason;
        self.ending.push_back((now + HALF_CLOSED, conn.flow));
        self.set_interest(conn)
    }

    /// A message that the HTTPS server received for one of our flows.
    pub(crate) fn foreign_input(&mut self, now: Time, key: u64, bytes: &[u8], sink: &mut dyn Sink) {
        let Some(conn) = self.foreign.get(&key).and_then(|index| self.table.get_mut(*index)) else { return };
        conn.heard = now;
        conn.greeted = true;
        if bytes.iter().all(|b| matches!(b, b'\r' | b'\n')) {
            if bytes.len() >= 4 {
                sink.reply(conn.flow, &mut |out| out.extend_from_slice(PONG));
            }
        } else if bytes.len() <= self.limits.message {
            sink.message(arrival(conn, bytes));
        }
    }

    /// The HTTPS server lost one of our flows.
    pub(crate) fn foreign_closed(&mut self, key: u64) {
        if let Some(conn) = self.foreign.get(&key).copied().and_then(|index| self.table.take(index)) {
            debug_assert!(matches!(conn.link, Link::Foreign { .. }));
            self.end(conn, Reason::Peer);
        }
    }
}

fn arrival<'a>(conn: &'a Conn, bytes: &'a [u8]) -> Arrival<'a> {
    Arrival {
        flow: conn.flow,
        transport: conn.transport,
        listener: &conn.listener,
        local: conn.local,
        remote: conn.remote,
        peer: conn.peer.as_deref(),
        bytes,
    }
}

/// Cuts `bytes` into messages. What is refused but answerable goes to the engine, too, which refuses it on its own.
fn deliver(conn: &mut Conn, bytes: &[u8], index: &mut Index, sink: &mut dyn Sink) {
    if bytes.is_empty() {
        return;
    }
    conn.framer.push(bytes);
    let Conn { framer, flow, transport, listener, local, remote, peer, greeted, .. } = conn;
    let mut message = |bytes: &[u8]| {
        sink.message(Arrival {
            flow: *flow,
            transport: *transport,
            listener,
            local: *local,
            remote: *remote,
            peer: peer.as_deref(),
            bytes,
        });
    };
    let mut pings = 0;
    while let Some(frame) = framer.next(index) {
        match frame {
            Ok(Frame::Message(bytes)) => message(bytes),
            Ok(Frame::Ping) => pings += 1,
            Ok(Frame::Pong) => {}
            Err(refused) if refused.error.answerable => message(refused.bytes),
            Err(_) => continue,
        }
        *greeted = true;
    }
    if pings > 0 {
        // A flood of pings is answered by one per read: the peer wants to see that we live.
        sink.reply(*flow, &mut |out| out.extend_from_slice(PONG));
    }
}
