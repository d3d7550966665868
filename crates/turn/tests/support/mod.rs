//! A client of the server under test.
#![allow(dead_code, reason = "each file of tests takes what it needs")]

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use lyceum_turn::{
    Authority, Class, Client, ConnectionId, Family, HEADROOM, Key, Message, Method, Network, Now, Options, PeerRange,
    PeerRules, Port, Quotas, RelayId, Relays, Secret, Server, Step, TAILROOM, Via, Writer, kind, read_address,
};

pub const CLIENT: &str = "198.51.100.7:4000";
pub const PEER: &str = "192.0.2.9:9";
const REALM: &str = "lyceum.test";

/// Relay ports that open in order.
#[derive(Default)]
pub struct Fake {
    pub open: BTreeSet<RelayId>,
    pub only_v4: bool,
    /// Connections with peers that stand or are being made.
    pub connections: BTreeSet<ConnectionId>,
    /// The system refuses to connect.
    pub stuck: bool,
    next: u16,
}

impl Relays for Fake {
    fn serves(&self, family: Family) -> bool {
        family == Family::V4 || !self.only_v4
    }

    fn open(&mut self, relay: RelayId, family: Family, port: Port) -> Option<SocketAddr> {
        assert!(self.open.insert(relay), "opened twice");
        self.next += if port == Port::Even { self.next % 2 } else { 0 };
        let port = if let Port::Exactly(port) = port { port } else { 50_000 + self.next };
        self.next = port - 50_000 + 1;
        let ip = if family == Family::V4 { "203.0.113.1" } else { "2001:db8::1" };
        Some(SocketAddr::new(ip.parse().unwrap(), port))
    }

    fn close(&mut self, relay: RelayId) {
        assert!(self.open.remove(&relay), "closed twice");
    }

    fn listen(&mut self, relay: RelayId, family: Family) -> Option<SocketAddr> {
        self.open(relay, family, Port::Any)
    }

    fn connect(&mut self, relay: RelayId, connection: ConnectionId, _: SocketAddr) -> bool {
        assert!(self.open.contains(&relay), "no such port");
        assert!(self.stuck || self.connections.insert(connection), "connected twice");
        !self.stuck
    }

    fn hang_up(&mut self, connection: ConnectionId) {
        assert!(self.connections.remove(&connection), "closed twice");
    }
}

pub struct Bench {
    pub server: Server,
    pub relays: Fake,
    pub now: Now,
    pub client: Client,
    pub username: String,
    pub password: String,
    last: Vec<u8>,
    /// What the server said to do last.
    pub step: Step,
    count: u32,
}

/// An answer, taken apart.
#[derive(Debug)]
pub struct Answer {
    pub bytes: Vec<u8>,
    pub class: Class,
}

impl Answer {
    pub fn value(&self, kind: u16) -> Option<Vec<u8>> {
        Message::parse(&self.bytes).unwrap().value(kind).map(<[u8]>::to_vec)
    }

    pub fn address(&self, kind: u16) -> Option<SocketAddr> {
        let message = Message::parse(&self.bytes).unwrap();
        read_address(message.value(kind)?, message.transaction())
    }
}

/// The error code of an answer; 0 when it grants.
pub fn code(answer: &Answer) -> u16 {
    answer.value(kind::ERROR_CODE).map_or(0, |value| u16::from(value[2]) * 100 + u16::from(value[3]))
}

/// REQUESTED-TRANSPORT of UDP.
pub fn udp() -> (u16, Vec<u8>) {
    (kind::REQUESTED_TRANSPORT, vec![17, 0, 0, 0])
}

fn authority() -> Authority {
    Authority::new(Secret::new(b"north"))
}

impl Default for Bench {
    fn default() -> Bench {
        Bench::with(Quotas::default())
    }
}

impl Bench {
    pub fn with(quotas: Quotas) -> Bench {
        Bench::built(quotas, false)
    }

    /// With TCP relays on, seen from a connection.
    pub fn over_tcp(quotas: Quotas) -> Bench {
        let mut bench = Bench::built(quotas, true);
        bench.client.via = Via::Stream(1);
        bench
    }

    fn built(quotas: Quotas, tcp_relays: bool) -> Bench {
        let range = |address: &str, prefix| PeerRange {
            network: Network::new(address.parse().unwrap(), prefix).unwrap(),
            ports: 1..=u16::MAX,
        };
        let peers = PeerRules { open: vec![range("192.0.2.0", 24), range("2001:db8::", 32)], ..PeerRules::default() };
        let (realm, authority, seed) = (REALM.to_owned(), authority(), [7; 32]);
        let server = Server::new(Options { realm, authority, peers, quotas, tcp_relays, seed });
        let now = Now { mono: Duration::from_secs(1000), wall: 1_700_000_000 };
        let client = Client { via: Via::Datagrams(0), remote: CLIENT.parse().unwrap() };
        let (username, password) = Default::default();
        let (relays, last, step) = (Fake::default(), Vec::new(), Step::Nothing);
        let mut bench = Bench { server, relays, now, client, username, password, last, step, count: 0 };
        bench.sign_in("anna");
        bench
    }

    pub fn sign_in(&mut self, user: &str) {
        let credential = authority().issue(user, self.now.wall);
        (self.username, self.password) = (credential.username, credential.password);
    }

    pub fn later(&mut self, seconds: u64) {
        self.now.mono += Duration::from_secs(seconds);
        self.now.wall += seconds;
    }

    pub fn expire(&mut self) {
        self.server.expire(self.now, &mut self.relays);
    }

    pub fn revoke(&mut self, user: &str) {
        self.server.revoke(self.now, user, &mut self.relays);
    }

    /// Hands a packet in and gives the step; an answer is dropped.
    pub fn packet(&mut self, packet: &[u8]) -> Step {
        self.server.from_client(self.now, &self.client, packet, &mut Vec::new(), &mut self.relays)
    }

    pub fn relayed(&self, peer: &str, payload: Range<usize>) -> Step {
        Step::Relay { relay: RelayId(0), peer: peer.parse().unwrap(), payload }
    }

    pub fn read(&self, bytes: &[u8]) -> Answer {
        Answer { bytes: bytes.to_vec(), class: Message::parse(bytes).unwrap().class() }
    }

    fn exchange(&mut self, packet: Vec<u8>) -> Option<Answer> {
        let mut out = Vec::new();
        let step = self.server.from_client(self.now, &self.client, &packet, &mut out, &mut self.relays);
        (self.last, self.step) = (packet, step);
        (!out.is_empty()).then(|| self.read(&out))
    }

    fn transaction(&mut self) -> [u8; 12] {
        self.count += 1;
        let mut transaction = [9; 12];
        transaction[..4].copy_from_slice(&self.count.to_be_bytes());
        transaction
    }

    /// A request without credentials.
    pub fn plain(&mut self, method: Method, attributes: &[(u16, Vec<u8>)]) -> Option<Answer> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, method, Class::Request, self.transaction());
        for (kind, value) in attributes {
            writer.attribute(*kind, value);
        }
        self.exchange(bytes)
    }

    pub fn nonce(&mut self) -> Vec<u8> {
        self.plain(Method::Allocate, &[udp()]).unwrap().value(kind::NONCE).unwrap()
    }

    /// A request with credentials and a nonce.
    pub fn sealed(&mut self, method: Method, attributes: &[(u16, Vec<u8>)], nonce: &[u8]) -> Option<Answer> {
        let transaction = self.transaction();
        self.sealed_as(transaction, method, attributes, nonce)
    }

    fn sealed_as(
        &mut self,
        transaction: [u8; 12],
        method: Method,
        attributes: &[(u16, Vec<u8>)],
        nonce: &[u8],
    ) -> Option<Answer> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, method, Class::Request, transaction);
        for (kind, value) in attributes {
            writer.attribute(*kind, value);
        }
        writer.attribute(kind::USERNAME, self.username.as_bytes());
        writer.attribute(kind::REALM, REALM.as_bytes()).attribute(kind::NONCE, nonce);
        let key = Key::long_term(self.username.as_bytes(), REALM.as_bytes(), self.password.as_bytes());
        writer.integrity(&key).fingerprint();
        let answer = self.exchange(bytes)?;
        let message = Message::parse(&answer.bytes).unwrap();
        if ![401, 438].contains(&code(&answer)) {
            assert!(lyceum_turn::integrity_holds(&message, &key), "answers to who is known are sealed");
        }
        assert_eq!(lyceum_turn::fingerprint_holds(&message), Some(true));
        Some(answer)
    }

    /// A request with a fresh nonce.
    pub fn ask(&mut self, method: Method, attributes: &[(u16, Vec<u8>)]) -> Answer {
        let nonce = self.nonce();
        self.sealed(method, attributes, &nonce).unwrap()
    }

    /// The last packet once more.
    pub fn again(&mut self) -> Option<Answer> {
        let last = self.last.clone();
        self.exchange(last)
    }

    pub fn allocate(&mut self) -> Answer {
        let answer = self.ask(Method::Allocate, &[udp()]);
        assert_eq!(code(&answer), 0);
        answer
    }

    /// Asks to connect; the answer if there is one already.
    pub fn connect(&mut self, peer: &str) -> Option<Answer> {
        let nonce = self.nonce();
        let transaction = self.transaction();
        let peer = self.peer(peer, transaction);
        self.sealed_as(transaction, Method::Connect, &[peer], &nonce)
    }

    /// Asks to take a connection, from a connection of the client's with this number.
    pub fn take_over(&mut self, stream: u32, connection: u32) -> Answer {
        let control = self.client.via;
        self.client.via = Via::Stream(stream);
        let answer = self.ask(Method::ConnectionBind, &[(kind::CONNECTION_ID, connection.to_be_bytes().to_vec())]);
        self.client.via = control;
        answer
    }

    /// What the client is told of its own accord.
    pub fn told(&mut self) -> Option<Answer> {
        let (client, bytes) = self.server.take_message()?;
        assert_eq!(client, self.client);
        Some(self.read(&bytes))
    }

    /// An address as it stands in the next sealed request.
    fn peer(&self, peer: &str, transaction: [u8; 12]) -> (u16, Vec<u8>) {
        let mut room = [0; 20];
        let length = lyceum_turn::write_address(peer.parse().unwrap(), transaction, &mut room);
        (kind::XOR_PEER_ADDRESS, room[..length].to_vec())
    }

    pub fn permit(&mut self, peers: &[&str]) -> Answer {
        let nonce = self.nonce();
        let transaction = self.transaction();
        let attributes: Vec<_> = peers.iter().map(|peer| self.peer(peer, transaction)).collect();
        self.sealed_as(transaction, Method::CreatePermission, &attributes, &nonce).unwrap()
    }

    pub fn bind(&mut self, number: u16, peer: &str) -> Answer {
        let nonce = self.nonce();
        let transaction = self.transaction();
        let [high, low] = number.to_be_bytes();
        let attributes = [(kind::CHANNEL_NUMBER, vec![high, low, 0, 0]), self.peer(peer, transaction)];
        self.sealed_as(transaction, Method::ChannelBind, &attributes, &nonce).unwrap()
    }

    /// A Send indication.
    pub fn send(&mut self, peer: &str, data: &[u8]) -> Step {
        let transaction = self.transaction();
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, Method::Send, Class::Indication, transaction);
        writer.address(kind::XOR_PEER_ADDRESS, peer.parse().unwrap()).attribute(kind::DATA, data);
        self.packet(&bytes)
    }

    /// What the client gets of a packet at the first relay port.
    pub fn arrives(&mut self, peer: &str, data: &[u8]) -> Option<Vec<u8>> {
        let mut buffer = vec![0xee; HEADROOM + data.len() + TAILROOM];
        buffer[HEADROOM..HEADROOM + data.len()].copy_from_slice(data);
        let payload = HEADROOM..HEADROOM + data.len();
        let peer = peer.parse().unwrap();
        let (client, bytes) = self.server.from_peer(self.now, RelayId(0), peer, &mut buffer, payload)?;
        assert_eq!(client, self.client);
        Some(buffer[bytes].to_vec())
    }
}
