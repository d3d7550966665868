//! The server: packets and time in, what to send where out.

mod allocate;
mod allocation;
mod connect;
mod connections;
mod manage;
mod relay;
mod request;
mod revoked;
mod table;
mod users;

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use crate::hash::Seeded;
use crate::message::{Class, Message, Method, kind};
use crate::{Authority, Client, Nonces, PeerRules, Quotas, Writer};

pub(crate) use allocation::Allocation;
use connections::Connections;
pub use connections::{CONNECTION_WAIT, CONNECTIONS_MAX, CONNECTIONS_PER_ALLOCATION, ConnectionId, Way};
pub use relay::{HEADROOM, TAILROOM};
pub use revoked::REVOKED_MAX;
use revoked::Revoked;
use table::Table;
use users::Users;

/// Lifetime of an allocation that asks for none (RFC 8656 §3.2).
pub const LIFETIME_DEFAULT: Duration = Duration::from_secs(600);
/// Longest lifetime that is granted at a time.
pub const LIFETIME_MAX: Duration = Duration::from_secs(3600);
/// Peers that an allocation may permit at a time; the next gets 508.
pub const PERMISSIONS_MAX: usize = 64;
/// Channels of an allocation; the next gets 508.
pub const CHANNELS_MAX: usize = 64;
/// An answer to a stranger is at most so many times as long as what it answers; a longer one is not sent.
pub const AMPLIFICATION_MAX: usize = 4;
/// Longest realm: with it the challenge to the shortest Allocate keeps to [`AMPLIFICATION_MAX`].
pub const REALM_MAX: usize = 40;

/// The time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Now {
    /// Since any zero of the driver's; never goes back.
    pub mono: Duration,
    /// Seconds since 1970.
    pub wall: u64,
}

impl Now {
    fn second(self) -> u64 {
        self.mono.as_secs()
    }

    fn micros(self) -> u64 {
        self.mono.as_micros() as u64
    }
}

/// Number of an allocation, and of its relay port; it is used again after [`Relays::close`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RelayId(pub u32);

/// Address family of a relay port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// That of an address.
    pub fn of(address: SocketAddr) -> Family {
        if address.is_ipv4() { Family::V4 } else { Family::V6 }
    }
}

/// Which port a relay is to have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Port {
    /// Any.
    Any,
    /// An even one.
    Even,
    /// This one.
    Exactly(u16),
}

/// Opens and closes relay ports.
pub trait Relays {
    /// Whether relays of this family exist at all.
    fn serves(&self, family: Family) -> bool;
    /// Opens a port, chosen so that nobody can guess it, and gives its address as peers see it.
    fn open(&mut self, relay: RelayId, family: Family, port: Port) -> Option<SocketAddr>;
    /// Closes it.
    fn close(&mut self, relay: RelayId);
    /// Opens a TCP port that peers can connect to, chosen likewise; it is closed by [`Relays::close`].
    fn listen(&mut self, relay: RelayId, family: Family) -> Option<SocketAddr>;
    /// Begins to connect from such a port to a peer. [`Server::connected`] or [`Server::connection_over`] tells what came
    /// of it; false when it could not even begin.
    fn connect(&mut self, relay: RelayId, connection: ConnectionId, peer: SocketAddr) -> bool;
    /// Closes a connection with a peer and the client's that belongs to it.
    fn hang_up(&mut self, connection: ConnectionId);
}

/// What a server is built from.
#[derive(Clone, Debug)]
pub struct Options {
    /// The realm of the challenge; beyond [`REALM_MAX`] letters it is cut.
    pub realm: String,
    /// Whose credentials count.
    pub authority: Authority,
    /// Whom relays may talk to.
    pub peers: PeerRules,
    /// How much they carry.
    pub quotas: Quotas,
    /// Whether clients may ask for TCP ports (RFC 6062).
    pub tcp_relays: bool,
    /// Chance: the key of nonces and the seed of tables.
    pub seed: [u8; 32],
}

/// What is to be done with a packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Nothing.
    Nothing,
    /// The answer was appended to the buffer and goes back to the client.
    Answer,
    /// A part of the packet goes from a relay port to a peer.
    Relay {
        /// The relay port.
        relay: RelayId,
        /// Where to.
        peer: SocketAddr,
        /// Which bytes of the packet.
        payload: Range<usize>,
    },
    /// The answer was appended to the buffer and goes back to the client. From then on the client's connection carries, as
    /// they are, the bytes of this connection with a peer (RFC 6062 §5.4).
    Joined(ConnectionId),
}

/// What a server has done since it began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Allocations made.
    pub allocations: u64,
    /// Packets from clients to peers.
    pub packets_up: u64,
    /// Packets from peers to clients.
    pub packets_down: u64,
    /// Payload of both.
    pub bytes: u64,
    /// Packets dropped because a user or a port had used up its share.
    pub over_quota: u64,
    /// Requests refused because of their credentials.
    pub unauthorized: u64,
    /// Peers refused.
    pub forbidden: u64,
    /// Connections with peers that clients took (RFC 6062).
    pub connections: u64,
}

/// A STUN and TURN server.
#[derive(Debug)]
pub struct Server {
    realm: String,
    authority: Authority,
    peers: PeerRules,
    quotas: Quotas,
    tcp_relays: bool,
    nonces: Nonces,
    table: Table,
    connections: Connections,
    users: Users,
    revoked: Revoked,
    totals: Totals,
    indications: u64,
}

impl Server {
    /// A server without allocations.
    pub fn new(options: Options) -> Server {
        let word = |at: usize| u64::from_le_bytes(options.seed[at..at + 8].try_into().expect("eight bytes of 32"));
        let seed = Seeded([word(0), word(8)]);
        let mut realm = options.realm;
        let end = (0..=REALM_MAX.min(realm.len())).rev().find(|at| realm.is_char_boundary(*at)).unwrap_or(0);
        realm.truncate(end);
        Server {
            realm,
            authority: options.authority,
            peers: options.peers,
            quotas: options.quotas,
            tcp_relays: options.tcp_relays,
            connections: Connections::new(seed),
            nonces: Nonces::new(options.seed),
            table: Table::new(seed),
            users: Users::new(seed),
            revoked: Revoked::default(),
            totals: Totals::default(),
            indications: word(16),
        }
    }

    /// Takes a packet of a client: a datagram, or a message cut out of a stream by [`crate::frame`]. Answers are appended
    /// to `out`.
    pub fn from_client(
        &mut self,
        now: Now,
        client: &Client,
        packet: &[u8],
        out: &mut Vec<u8>,
        relays: &mut dyn Relays,
    ) -> Step {
        match packet.first() {
            Some(first) if first & 0xc0 == 0x40 => self.channel_data(now, client, packet),
            Some(first) if first & 0xc0 == 0 => self.message(now, client, packet, out, relays),
            _ => Step::Nothing,
        }
    }

    fn message(
        &mut self,
        now: Now,
        client: &Client,
        packet: &[u8],
        out: &mut Vec<u8>,
        relays: &mut dyn Relays,
    ) -> Step {
        let Ok(message) = Message::parse(packet) else { return Step::Nothing };
        if crate::fingerprint_holds(&message) == Some(false) {
            return Step::Nothing;
        }
        match (message.class(), message.method()) {
            (Class::Request, Method::Binding) => {
                let start = out.len();
                self.binding(client, &message, out);
                request::bounded(packet.len(), start, out)
            }
            (Class::Request, _) => self.request(now, client, &message, out, relays),
            (Class::Indication, Method::Send) => self.send_indication(now, client, &message),
            // Keep-alives (RFC 8489 §12), and answers to questions that we never ask.
            _ => Step::Nothing,
        }
    }

    /// STUN alone: where the client is seen (RFC 8489 §7.3.1).
    fn binding(&self, client: &Client, message: &Message<'_>, out: &mut Vec<u8>) {
        let unknown = request::unknown(message, &[kind::PRIORITY]);
        let mut answer = if unknown.is_empty() {
            let mut answer = Writer::new(out, Method::Binding, Class::Success, message.transaction());
            answer.address(kind::XOR_MAPPED_ADDRESS, client.remote);
            answer
        } else {
            request::unknown_attributes(out, message, &unknown)
        };
        if message.find(kind::FINGERPRINT).is_some() {
            answer.fingerprint();
        }
    }

    /// A client's connection is gone, and its allocation with it (RFC 8656 §3.1).
    pub fn client_gone(&mut self, client: &Client, relays: &mut dyn Relays) {
        if let Some(relay) = self.table.of_client(client) {
            self.remove(relay, relays);
            self.connections.forget_messages(client);
        }
    }

    /// Ends every credential of a user that was issued until now, and what they allocated. Credentials issued later count.
    pub fn revoke(&mut self, now: Now, user: &str, relays: &mut dyn Relays) {
        self.revoked.add(user, now.wall, self.authority.longest());
        if let Some(user) = self.users.find(user) {
            for relay in self.table.of_user(user) {
                self.remove(relay, relays);
            }
        }
    }

    /// Ends what has had its time.
    pub fn expire(&mut self, now: Now, relays: &mut dyn Relays) {
        while let Some(relay) = self.table.take_expired(now.second()) {
            self.remove(relay, relays);
        }
        while let Some(connection) = self.connections.take_expired(now.second()) {
            relays.hang_up(connection);
            self.connection_over(connection);
        }
    }

    /// When [`Server::expire`] has something to do, on the clock of [`Now::mono`].
    pub fn next_timeout(&self) -> Option<Duration> {
        let connections = self.connections.next_expiry();
        self.table.next_expiry().into_iter().chain(connections).min().map(Duration::from_secs)
    }

    /// Whether a client has an allocation.
    pub fn has_allocation(&self, client: &Client) -> bool {
        self.table.of_client(client).is_some()
    }

    /// Allocations that stand.
    pub fn allocations(&self) -> usize {
        self.table.len()
    }

    /// What was done since the beginning.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    fn remove(&mut self, relay: RelayId, relays: &mut dyn Relays) {
        let tcp = self.table.get(relay).and_then(|allocation| allocation.tcp.take());
        for connection in tcp.into_iter().flat_map(|tcp| tcp.connections) {
            self.connections.remove(connection);
            relays.hang_up(connection);
        }
        if let Some(user) = self.table.remove(relay) {
            self.users.release(user);
        }
        relays.close(relay);
    }
}
