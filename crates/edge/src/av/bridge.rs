//! Bytes between a client's connection and a peer's (RFC 6062 §5.2 to §5.5): each way holds [`PIPE_MAX`] and then waits, so
//! that a slow reader slows its writer. A side that says no more is heard out; the connection ends with both.

use std::io::Read;
use std::net::Shutdown;

use lyceum_net::driver::{Interest, Ready};
use lyceum_turn::{ConnectionId, Now, RelayId, Server, Way};

use super::conn::{Conn, Over, READ_MAX, Received, is_nothing};
use super::peers::Peer;
use super::worker::Worker;

/// Bytes that wait for one side; over TLS a record more.
const PIPE_MAX: usize = 64 * 1024;
const _: () = assert!(PIPE_MAX <= READ_MAX);
/// Peers accepted at one port in one turn.
const ARRIVALS: usize = 16;

/// Which sides have something to read.
#[derive(Clone, Copy)]
pub(super) struct Sides {
    pub(super) client: bool,
    pub(super) peer: bool,
}

impl Sides {
    /// Perhaps both.
    pub(super) const BOTH: Sides = Sides { client: true, peer: true };
}

/// What a bridge waits for.
struct Wanted {
    client: Option<Interest>,
    peer: Option<Interest>,
    /// A share is used up.
    rest: bool,
}

impl Worker {
    /// Takes peers that have connected to a TCP port; those that nobody asked for are closed at once.
    pub(super) fn arrivals(&mut self, now: Now, relay: RelayId) {
        for _ in 0..ARRIVALS {
            let Some((socket, peer)) = self.ports.accept(relay) else { return };
            let Some(connection) = self.server.peer_arrived(now, relay, peer) else { continue };
            if self.ports.peers.arrived(connection, socket).is_err() {
                self.server.connection_over(connection);
            }
        }
    }

    /// Something has happened on a connection with a peer.
    pub(super) fn peer_ready(&mut self, now: Now, connection: ConnectionId, ready: Ready, input: &mut [u8]) {
        let Some(peer) = self.ports.peers.get(connection) else { return };
        if !peer.connecting {
            let from = Sides { client: false, peer: ready.read || ready.error };
            return self.bridge(now, connection, from, input);
        }
        peer.connecting = false;
        let stands = matches!(peer.socket.take_error(), Ok(None)) && peer.socket.peer_addr().is_ok();
        if stands && self.ports.peers.watch(connection, None).is_ok() {
            self.server.connected(now, connection);
        } else {
            self.ports.peers.remove(connection);
            self.server.connection_over(connection);
        }
    }

    /// A client's connection has become that of a peer.
    pub(super) fn join(&mut self, now: Now, connection: ConnectionId, slot: u32, input: &mut [u8]) {
        match self.ports.peers.get(connection) {
            Some(peer) => {
                peer.slot = Some(slot);
                self.bridge(now, connection, Sides::BOTH, input);
            }
            None => self.close(slot),
        }
    }

    /// Carries what can be carried, and waits for the rest.
    pub(super) fn bridge(&mut self, now: Now, connection: ConnectionId, from: Sides, input: &mut [u8]) {
        let Some(peer) = self.ports.peers.get(connection) else { return };
        let Some((slot, mut conn)) = peer.slot.and_then(|slot| Some((slot, self.streams.take(slot)?))) else { return };
        let carried = carry(&mut self.server, now, connection, (&mut conn, peer), from, input);
        let fate = carried.and_then(|wanted| self.wait(now, connection, (slot, &mut conn), wanted));
        self.streams.put_back(slot, conn);
        if fate.is_err() {
            self.close(slot);
        }
    }

    fn wait(
        &mut self,
        now: Now,
        connection: ConnectionId,
        (slot, conn): (u32, &mut Conn),
        wanted: Wanted,
    ) -> Result<(), Over> {
        if wanted.rest {
            self.ports.peers.pause(connection, now.mono);
        }
        self.ports.peers.watch(connection, wanted.peer).map_err(|_| Over)?;
        self.streams.watch(slot, conn, wanted.client).map_err(|_| Over)
    }

    /// What came of this turn's events: connections that rested go on, and clients are told what is new.
    pub(super) fn follow_up(&mut self, now: Now, input: &mut [u8]) {
        for connection in self.ports.peers.resumed(now.mono) {
            self.bridge(now, connection, Sides::BOTH, input);
        }
        while let Some((client, message)) = self.server.take_message() {
            self.streams.tell(&client, &message);
        }
    }

    /// Closes connections of clients whose peers are gone.
    pub(super) fn close_orphans(&mut self) {
        while let Some((connection, slot)) = self.ports.peers.orphan() {
            if self.streams.joined(slot) == Some(connection) {
                self.close(slot);
            }
        }
    }
}

/// Reads from the sides that have something, as far as there is room and share left, and writes what is taken; over when
/// both sides have ended.
fn carry(
    server: &mut Server,
    now: Now,
    connection: ConnectionId,
    (conn, peer): (&mut Conn, &mut Peer),
    from: Sides,
    input: &mut [u8],
) -> Result<Wanted, Over> {
    let (mut up_spent, mut down_spent) = (false, false);
    let waiting = conn.upward();
    if from.client && !peer.client_silent && waiting < PIPE_MAX {
        let most = server.allowance(now, connection, Way::Up).min(PIPE_MAX - waiting);
        up_spent = most == 0;
        if most > 0 {
            peer.client_silent = conn.receive(input, most)? == Received::End;
            server.carried(connection, Way::Up, conn.upward() - waiting);
        }
    }
    conn.write_up(&peer.socket)?;
    if peer.client_silent && !peer.told && conn.upward() == 0 {
        peer.socket.shutdown(Shutdown::Write).map_err(|_| Over)?;
        peer.told = true;
    }
    let waiting = conn.downward();
    if from.peer && !peer.silent && waiting < PIPE_MAX {
        let most = server.allowance(now, connection, Way::Down).min(PIPE_MAX - waiting);
        down_spent = most == 0;
        if most > 0 {
            let count = read_peer(peer, &mut input[..most])?;
            server.carried(connection, Way::Down, count);
            if count > 0 && !conn.put(&input[..count]) {
                return Err(Over);
            }
        }
    }
    conn.write()?;
    if peer.silent && !conn.ended {
        conn.end()?;
    }
    if peer.told && conn.ended && !conn.waits() {
        return Err(Over);
    }
    let client_reads = !peer.client_silent && !up_spent && conn.upward() < PIPE_MAX;
    let peer_reads = !peer.silent && !down_spent && conn.downward() < PIPE_MAX;
    Ok(Wanted {
        client: interest(client_reads, conn.waits()),
        peer: interest(peer_reads, conn.upward() > 0),
        rest: up_spent || down_spent,
    })
}

/// Reads once; a peer that has nothing more to say is silent from then on.
fn read_peer(peer: &mut Peer, input: &mut [u8]) -> Result<usize, Over> {
    match peer.socket.read(input) {
        Ok(count) => {
            peer.silent = count == 0;
            Ok(count)
        }
        Err(error) if is_nothing(&error) => Ok(0),
        Err(_) => Err(Over),
    }
}

fn interest(read: bool, write: bool) -> Option<Interest> {
    match (read, write) {
        (true, true) => Some(Interest::ReadWrite),
        (true, false) => Some(Interest::Read),
        (false, true) => Some(Interest::Write),
        (false, false) => None,
    }
}
