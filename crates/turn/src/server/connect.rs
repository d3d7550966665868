//! Connect, ConnectionBind and ConnectionAttempt (RFC 6062 §5.2 to §5.4), and how much of a connection may pass.

use std::net::SocketAddr;

use super::allocate::FULL;
use super::connections::{CONNECTIONS_PER_ALLOCATION, Connection, ConnectionId, Question, Stage, Way};
use super::manage::{FORBIDDEN, MALFORMED, OTHER_FAMILY};
use super::request::{Caller, Granted, Refusal, unknown};
use super::{Family, Now, RelayId, Relays, Server};
use crate::attribute::read_address;
use crate::integrity::Key;
use crate::message::{Class, Message, Method, kind};
use crate::{Client, Writer};

const UNREACHED: (u16, &str) = (447, "Connection Timeout or Failure");
/// Numbers that are tried for one connection; all of them taken is as likely as a guess.
const NUMBERS_TRIED: usize = 8;

impl Server {
    /// Connect: what is asked of a peer is what a channel asks. No permission is needed, for who connects invites nobody.
    pub(super) fn connect(
        &mut self,
        now: Now,
        caller: &Caller<'_>,
        message: &Message<'_>,
        key: &Key,
        relays: &mut dyn Relays,
    ) -> Result<Granted, Refusal> {
        let (relay, allocation) = self.own(caller)?;
        let (address, Some(tcp)) = (allocation.relay, &allocation.tcp) else { return Err(MALFORMED) };
        let connections = tcp.connections.clone();
        let unknown = unknown(message, &[kind::XOR_PEER_ADDRESS]);
        if !unknown.is_empty() {
            return Err(Refusal::Unknown(unknown));
        }
        let peer = message.value(kind::XOR_PEER_ADDRESS).ok_or(MALFORMED)?;
        let peer = read_address(peer, message.transaction()).ok_or(MALFORMED)?;
        if Family::of(peer) != Family::of(address) {
            return Err(OTHER_FAMILY);
        }
        // A port that connects to itself would talk to itself.
        if !self.peers.allow(peer) || peer == address {
            self.totals.forbidden += 1;
            return Err(FORBIDDEN);
        }
        if connections.iter().any(|id| self.connections.get(*id).is_some_and(|found| found.peer == peer)) {
            return Err(Refusal::Status(446, "Connection Already Exists"));
        }
        let connection = self.connection_number(relay).ok_or(FULL)?;
        if !relays.connect(relay, connection, peer) {
            return Err(Refusal::Status(UNREACHED.0, UNREACHED.1));
        }
        let fingerprint = message.find(kind::FINGERPRINT).is_some();
        let question = Question { transaction: message.transaction(), key: key.clone(), fingerprint };
        self.enter(now, relay, connection, peer, Stage::Connecting(question));
        Ok(Granted::Later)
    }

    /// ConnectionBind over a connection of its own. Whose a number is, or whether it is one at all, is told to nobody else.
    pub(super) fn connection_bind(
        &mut self,
        now: Now,
        caller: &Caller<'_>,
        message: &Message<'_>,
    ) -> Result<Granted, Refusal> {
        if !caller.client.is_stream() || self.has_allocation(caller.client) {
            return Err(MALFORMED);
        }
        let unknown = unknown(message, &[kind::CONNECTION_ID]);
        if !unknown.is_empty() {
            return Err(Refusal::Unknown(unknown));
        }
        let id = message.value(kind::CONNECTION_ID).and_then(|value| value.try_into().ok()).ok_or(MALFORMED)?;
        let id = ConnectionId(u32::from_be_bytes(id));
        let user = self.users.find(caller.user).ok_or(MALFORMED)?;
        let found = self.connections.get(id).ok_or(MALFORMED)?;
        let whose = self.table.get(found.relay).filter(|allocation| allocation.expires > now.second());
        let in_time = found.expires.is_some_and(|at| at > now.second());
        if !matches!(found.stage, Stage::Waiting) || !in_time || whose.is_none_or(|found| found.user != user) {
            return Err(MALFORMED);
        }
        (found.stage, found.expires) = (Stage::Joined, None);
        self.totals.connections += 1;
        Ok(Granted::Joined(id))
    }

    /// A peer has connected to a TCP port. Its number, with a message for the client to come; none when the connection is to
    /// be closed. As the client may answer, the peer must be one that it may connect to, port and all.
    pub fn peer_arrived(&mut self, now: Now, relay: RelayId, peer: SocketAddr) -> Option<ConnectionId> {
        let allocation = self.table.get(relay)?;
        let (client, second) = (allocation.client, now.second());
        if allocation.expires <= second || !allocation.admits(peer.ip(), second) {
            return None;
        }
        if !self.peers.allow(peer) {
            self.totals.forbidden += 1;
            return None;
        }
        let connection = self.connection_number(relay)?;
        self.enter(now, relay, connection, peer, Stage::Waiting);
        self.indications = self.indications.wrapping_add(1);
        let mut transaction = [0; 12];
        transaction[4..].copy_from_slice(&self.indications.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        let mut bytes = Vec::new();
        let mut attempt = Writer::new(&mut bytes, Method::ConnectionAttempt, Class::Indication, transaction);
        attempt.attribute(kind::CONNECTION_ID, &connection.0.to_be_bytes()).address(kind::XOR_PEER_ADDRESS, peer);
        self.connections.tell(client, bytes);
        Some(connection)
    }

    /// The peer of a Connect has answered.
    pub fn connected(&mut self, now: Now, connection: ConnectionId) {
        let Some(found) = self.connections.get(connection) else { return };
        if let Stage::Connecting(question) = &found.stage {
            let (relay, question) = (found.relay, question.clone());
            found.stage = Stage::Waiting;
            self.connections.wait(connection, now.second());
            self.answer(relay, &question, Some(connection));
        }
    }

    /// A connection could not be made or is no more; the driver has closed it.
    pub fn connection_over(&mut self, connection: ConnectionId) {
        let Some(Connection { relay, stage, .. }) = self.connections.remove(connection) else { return };
        if let Some(tcp) = self.table.get(relay).and_then(|allocation| allocation.tcp.as_mut()) {
            tcp.connections.retain(|id| *id != connection);
        }
        if let Stage::Connecting(question) = stage {
            self.answer(relay, &question, None);
        }
    }

    /// A message for a client that answers no packet of it; to be taken after each input until there is none.
    pub fn take_message(&mut self) -> Option<(Client, Vec<u8>)> {
        self.connections.take_message()
    }

    /// How many bytes of a connection may pass now: what the port and its user have left.
    pub fn allowance(&mut self, now: Now, connection: ConnectionId, way: Way) -> usize {
        let Some(found) = self.connections.get(connection) else { return 0 };
        let Some(allocation) = self.table.get(found.relay) else { return 0 };
        let user = self.users.get(allocation.user);
        let (port, user) = match way {
            Way::Up => (&mut allocation.up, &mut user.up),
            Way::Down => (&mut allocation.down, &mut user.down),
        };
        port.left(self.quotas.port_kbps, now.micros()).min(user.left(self.quotas.user_kbps, now.micros()))
    }

    /// So many bytes of a connection have passed; about as many at most as [`Server::allowance`] said.
    pub fn carried(&mut self, connection: ConnectionId, way: Way, bytes: usize) {
        let Some(found) = self.connections.get(connection) else { return };
        let Some(allocation) = self.table.get(found.relay) else { return };
        let user = self.users.get(allocation.user);
        let (port, user) = match way {
            Way::Up => (&mut allocation.up, &mut user.up),
            Way::Down => (&mut allocation.down, &mut user.down),
        };
        port.spend(bytes);
        user.spend(bytes);
        self.totals.bytes += bytes as u64;
    }

    /// A number that nobody guesses, where one more connection fits.
    fn connection_number(&mut self, relay: RelayId) -> Option<ConnectionId> {
        let taken = self.table.get(relay)?.tcp.as_ref()?.connections.len();
        if taken >= CONNECTIONS_PER_ALLOCATION || self.connections.is_full() {
            return None;
        }
        (0..NUMBERS_TRIED).find_map(|_| {
            let token = self.token();
            let id = ConnectionId(u32::from_str_radix(std::str::from_utf8(&token).ok()?, 16).ok()?);
            self.connections.get(id).is_none().then_some(id)
        })
    }

    fn enter(&mut self, now: Now, relay: RelayId, connection: ConnectionId, peer: SocketAddr, stage: Stage) {
        if let Some(tcp) = self.table.get(relay).and_then(|allocation| allocation.tcp.as_mut()) {
            tcp.connections.push(connection);
        }
        self.connections.insert(connection, relay, peer, stage, now.second());
    }

    /// The answer to a Connect: the connection, or none was made.
    fn answer(&mut self, relay: RelayId, question: &Question, made: Option<ConnectionId>) {
        let Some(client) = self.table.get(relay).map(|allocation| allocation.client) else { return };
        let mut bytes = Vec::new();
        let class = if made.is_some() { Class::Success } else { Class::Error };
        let mut answer = Writer::new(&mut bytes, Method::Connect, class, question.transaction);
        match made {
            Some(connection) => answer.attribute(kind::CONNECTION_ID, &connection.0.to_be_bytes()),
            None => answer.error(UNREACHED.0, UNREACHED.1),
        };
        answer.integrity(&question.key);
        if question.fingerprint {
            answer.fingerprint();
        }
        self.connections.tell(client, bytes);
    }
}
