//! From the engine to a socket.

use lyceum_sip::Time;

use super::conn::{Conn, Link, Reason, State};
use super::{Fate, LAST_WORDS, PeerKey, SPARE_BUFFERS, SPARE_BYTES, Streams};
use crate::Flow;

impl Streams {
    /// Sends on a connection that stands.
    pub(crate) fn send(&mut self, flow: Flow, bytes: &[u8], ticket: u64) {
        match self.table.find(self.led(flow)) {
            Some(index) => self.send_at(index, bytes, ticket),
            None => self.fail(ticket),
        }
    }

    /// Where a flow leads now: the connection that a lasting name stands for, else itself.
    fn led(&self, flow: Flow) -> Flow {
        match flow.link() {
            Some(number) => self.links.get(&number).copied().unwrap_or(flow),
            None => flow,
        }
    }

    /// From now on the lasting name leads to this connection.
    pub(crate) fn name_link(&mut self, number: u32, flow: Flow) {
        if self.table.find(flow).is_some() {
            self.links.insert(number, flow);
        }
    }

    /// True when messages can be sent on a flow.
    pub(crate) fn stands(&self, flow: Flow) -> bool {
        self.table.find(self.led(flow)).is_some()
    }

    /// A connection that leads to `key` and takes messages.
    pub(crate) fn reusable(&mut self, key: &PeerKey) -> Option<u32> {
        let index = self.table.by_key(key)?;
        let conn = self.table.get_mut(index)?;
        matches!(conn.state, State::Connecting | State::Handshaking | State::Open).then_some(index)
    }

    pub(crate) fn send_at(&mut self, index: u32, bytes: &[u8], ticket: u64) {
        let Some(mut conn) = self.table.take(index) else { return self.fail(ticket) };
        let fate = self.queue(&mut conn, bytes, ticket);
        self.keep_or_end(conn, fate);
    }

    pub(super) fn fail(&mut self, ticket: u64) {
        if ticket != 0 {
            self.failed.push(ticket);
        }
    }

    fn queue(&mut self, conn: &mut Conn, bytes: &[u8], ticket: u64) -> Fate {
        if conn.waiting() + bytes.len() > self.bounds.out_queue || self.queued + bytes.len() > self.bounds.out_queues {
            self.fail(ticket);
            return Err(Reason::SlowReader);
        }
        match conn.state {
            State::Connecting | State::Handshaking => {
                conn.early.extend_from_slice(bytes);
                if ticket != 0 {
                    conn.early_tickets.push(ticket);
                }
            }
            State::Open | State::HalfClosed => self.put(conn, bytes, ticket)?,
            State::Closing => self.fail(ticket),
        }
        self.account(conn);
        self.mark_dirty(conn);
        Ok(())
    }

    /// Puts bytes into the output, encrypted if need be.
    fn put(&mut self, conn: &mut Conn, bytes: &[u8], ticket: u64) -> Fate {
        if let Link::Foreign { sink, .. } = &conn.link {
            return sink.try_send(bytes.to_vec()).map_err(|_| {
                self.fail(ticket);
                Reason::SlowReader
            });
        }
        self.lend_buffer(conn);
        let taken = match &mut conn.tls {
            Some(session) => session.encrypt(&mut conn.rest, bytes, &mut conn.out.bytes),
            None => {
                conn.out.bytes.extend_from_slice(bytes);
                true
            }
        };
        if !taken {
            self.fail(ticket);
            return Err(Reason::Broken);
        }
        conn.out.ticket(ticket);
        Ok(())
    }

    /// The connection is ready for messages: what waited for that goes first.
    pub(super) fn opened(&mut self, now: Time, conn: &mut Conn) -> Fate {
        conn.state = State::Open;
        conn.announced = true;
        conn.opened = now;
        if let (Some(tls), Some(session)) = (self.tls_of(&conn.listener), &conn.tls) {
            conn.peer = session.peer_chain().and_then(|chain| tls.identify(chain)).map(Box::new);
        }
        let early = std::mem::take(&mut conn.early);
        if !early.is_empty() {
            self.put(conn, &early, 0)?;
            for ticket in std::mem::take(&mut conn.early_tickets) {
                conn.out.ticket(ticket);
            }
        }
        self.account(conn);
        Ok(())
    }

    /// Writes what waits, and asks the kernel to report room if some remains.
    pub(super) fn write_out(&mut self, now: Time, conn: &mut Conn) -> Fate {
        let before = conn.out.len();
        let done = conn.write().map_err(|_| match conn.state {
            State::Handshaking => Reason::Handshake,
            _ => Reason::Broken,
        })?;
        self.account(conn);
        if done {
            conn.stalled_since = None;
            self.take_buffer_back(conn);
            if conn.state == State::Closing {
                return Err(conn.reason);
            }
        } else if conn.out.len() < before || conn.stalled_since.is_none() {
            conn.stalled_since = Some(now);
        }
        self.set_interest(conn)
    }

    fn account(&mut self, conn: &mut Conn) {
        let waiting = conn.waiting();
        self.queued = self.queued - conn.counted + waiting;
        conn.counted = waiting;
    }

    fn mark_dirty(&mut self, conn: &mut Conn) {
        if !conn.dirty {
            conn.dirty = true;
            self.dirty.push(conn.index);
        }
    }

    /// Writes on every connection that got something in this turn.
    pub(crate) fn flush(&mut self, now: Time) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for index in dirty.drain(..) {
            let Some(mut conn) = self.table.take(index) else { continue };
            conn.dirty = false;
            // While connecting nothing can be written; while the peer is slow the kernel reports room.
            let writable = conn.state != State::Connecting && conn.stalled_since.is_none();
            let fate = if writable { self.write_out(now, &mut conn) } else { Ok(()) };
            self.keep_or_end(conn, fate);
        }
        self.dirty = dirty;
    }

    /// Closes a connection after what waits on it.
    pub(crate) fn close(&mut self, now: Time, flow: Flow) {
        let Some(mut conn) = self.table.find(flow).and_then(|index| self.table.take(index)) else { return };
        let fate = self.say_goodbye(now, &mut conn);
        self.keep_or_end(conn, fate);
    }

    fn say_goodbye(&mut self, now: Time, conn: &mut Conn) -> Fate {
        if !matches!(conn.state, State::Open | State::HalfClosed) {
            return if conn.state == State::Closing { Ok(()) } else { Err(Reason::Ours) };
        }
        conn.reason = Reason::Ours;
        if let Some(session) = &mut conn.tls {
            session.close_notify(&mut conn.rest, &mut conn.out.bytes);
        }
        conn.state = State::Closing;
        conn.closing_since = Some(now);
        self.next_sweep = self.next_sweep.min(now + LAST_WORDS);
        self.write_out(now, conn)
    }

    /// Closes everything, after what waits.
    pub(crate) fn close_all(&mut self, now: Time) {
        for index in self.table.indexes() {
            if let Some(mut conn) = self.table.take(index) {
                let fate = self.say_goodbye(now, &mut conn);
                self.keep_or_end(conn, fate);
            }
        }
    }

    /// Gives a connection an output buffer that was used before, if it has none.
    pub(super) fn lend_buffer(&mut self, conn: &mut Conn) {
        if conn.out.bytes.capacity() == 0
            && let Some(buffer) = self.spare.pop()
        {
            conn.out.bytes = buffer;
        }
    }

    /// An idle connection holds no output buffer.
    fn take_buffer_back(&mut self, conn: &mut Conn) {
        let buffer = std::mem::take(&mut conn.out.bytes);
        if buffer.capacity() > 0 && buffer.capacity() <= SPARE_BYTES && self.spare.len() < SPARE_BUFFERS {
            self.spare.push(buffer);
        }
    }
}
