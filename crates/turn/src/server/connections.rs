//! Connections of TCP ports with peers (RFC 6062): each has a number that nobody guesses, a stage and an end.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use super::RelayId;
use crate::Client;
use crate::hash::Seeded;
use crate::integrity::Key;

/// Connections that one allocation may have or be making; a Connect beyond that gets 508, a peer is closed.
pub const CONNECTIONS_PER_ALLOCATION: usize = 16;
/// The same of everybody.
pub const CONNECTIONS_MAX: usize = 10_000;
/// How long a peer may take to answer, and then a client to take the connection (RFC 6062 §5.2, §5.3).
pub const CONNECTION_WAIT: Duration = Duration::from_secs(30);
/// Entries of connections that got on or ended which the queue of ends may hold before it is made anew.
const STALE_MAX: usize = 1024;

/// Number of a connection with a peer, as CONNECTION-ID tells it to its client.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConnectionId(pub u32);

/// Where bytes of a connection go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// To the peer.
    Up,
    /// To the client.
    Down,
}

/// A Connect that waits for its answer.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) transaction: [u8; 12],
    pub(super) key: Key,
    pub(super) fingerprint: bool,
}

/// | stage | what comes | next |
/// |---|---|---|
/// | – | Connect | Connecting |
/// | – | a peer that is permitted | Waiting, told to the client |
/// | Connecting | the peer answers | Waiting, 200 |
/// | Connecting | it does not, or not in time | gone, 447 |
/// | Waiting | ConnectionBind of the same user | Joined |
/// | Waiting | half a minute | gone |
/// | any | the allocation ends, or a side closes | gone |
#[derive(Debug)]
pub(super) enum Stage {
    Connecting(Question),
    Waiting,
    Joined,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) relay: RelayId,
    pub(super) peer: SocketAddr,
    pub(super) stage: Stage,
    /// The second in which it ends; none once it is joined.
    pub(super) expires: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Connections {
    table: HashMap<ConnectionId, Connection, Seeded>,
    /// In order, for every wait is equally long.
    ends: VecDeque<(u64, ConnectionId)>,
    /// Messages that answer no packet; each input to the server makes one at most, and all leave before the next.
    messages: VecDeque<(Client, Vec<u8>)>,
}

impl Connections {
    pub(super) fn new(seed: Seeded) -> Connections {
        Connections { table: HashMap::with_hasher(seed), ends: VecDeque::new(), messages: VecDeque::new() }
    }

    pub(super) fn is_full(&self) -> bool {
        self.table.len() >= CONNECTIONS_MAX
    }

    pub(super) fn get(&mut self, connection: ConnectionId) -> Option<&mut Connection> {
        self.table.get_mut(&connection)
    }

    pub(super) fn insert(&mut self, id: ConnectionId, relay: RelayId, peer: SocketAddr, stage: Stage, second: u64) {
        self.table.insert(id, Connection { relay, peer, stage, expires: None });
        self.wait(id, second);
    }

    /// From now on it has [`CONNECTION_WAIT`].
    pub(super) fn wait(&mut self, id: ConnectionId, second: u64) {
        let expires = second + CONNECTION_WAIT.as_secs();
        let Some(found) = self.table.get_mut(&id) else { return };
        found.expires = Some(expires);
        self.ends.push_back((expires, id));
        if self.ends.len() > 2 * self.table.len() + STALE_MAX {
            let table = &self.table;
            self.ends.retain(|(at, id)| table.get(id).is_some_and(|found| found.expires == Some(*at)));
        }
    }

    pub(super) fn remove(&mut self, connection: ConnectionId) -> Option<Connection> {
        self.table.remove(&connection)
    }

    /// One whose wait is over; it still stands and is to be removed.
    pub(super) fn take_expired(&mut self, second: u64) -> Option<ConnectionId> {
        while let Some((at, id)) = self.ends.front().copied().filter(|(at, _)| *at <= second) {
            self.ends.pop_front();
            if self.table.get(&id).is_some_and(|found| found.expires == Some(at)) {
                return Some(id);
            }
        }
        None
    }

    pub(super) fn next_expiry(&self) -> Option<u64> {
        self.ends.front().map(|(at, _)| *at)
    }

    pub(super) fn tell(&mut self, client: Client, message: Vec<u8>) {
        self.messages.push_back((client, message));
    }

    pub(super) fn take_message(&mut self) -> Option<(Client, Vec<u8>)> {
        self.messages.pop_front()
    }

    pub(super) fn forget_messages(&mut self, client: &Client) {
        self.messages.retain(|(to, _)| to != client);
    }
}
