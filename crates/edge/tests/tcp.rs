//! TCP relay ports (RFC 6062) on loopback: a client with sockets of its own reaches peers and is reached by them.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use lyceum_edge::av::{Carrier, Listener, Options, RelayAddress, Running};
use lyceum_turn::{
    Authority, Class, Credential, Framed, Key, Message, Method, Network, PeerRange, Secret, Writer, frame, kind,
    read_address, write_address,
};

const TRANSACTION: [u8; 12] = [5; 12];
const LONG: Duration = Duration::from_secs(20);

fn authority() -> Authority {
    Authority::new(Secret::new(b"north"))
}

fn options() -> Options {
    let loopback = "127.0.0.1".parse().unwrap();
    let mut options = Options::new("lyceum.test", authority());
    options.listeners.push(Listener { carrier: Carrier::Tcp, addr: SocketAddr::new(loopback, 0), port_of: None });
    options.relays.push(RelayAddress { bind: loopback, advertised: loopback });
    options.peers.push(PeerRange { network: Network::host(loopback), ports: 1..=u16::MAX });
    options.tcp_relays = true;
    options.quotas.port_kbps = None;
    options.quotas.user_kbps = None;
    options
}

fn start(options: Options) -> Running {
    options.build().unwrap().start().unwrap()
}

/// A connection of a client.
struct Phone {
    socket: TcpStream,
    server: SocketAddr,
    credential: Credential,
    nonce: Vec<u8>,
    heard: Vec<u8>,
}

impl Phone {
    fn new(server: SocketAddr) -> Phone {
        let socket = TcpStream::connect(server).unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let credential = authority().issue("anna", now);
        let mut phone = Phone { socket, server, credential, nonce: Vec::new(), heard: Vec::new() };
        phone.say(Method::Refresh, &[]);
        phone.nonce = value(&phone.message(), kind::NONCE).unwrap();
        phone
    }

    fn say(&mut self, method: Method, attributes: &[(u16, Vec<u8>)]) {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, method, Class::Request, TRANSACTION);
        for (kind, value) in attributes {
            writer.attribute(*kind, value);
        }
        if !self.nonce.is_empty() {
            let (user, realm) = (self.credential.username.as_bytes(), b"lyceum.test");
            writer.attribute(kind::USERNAME, user).attribute(kind::REALM, realm).attribute(kind::NONCE, &self.nonce);
            writer.integrity(&Key::long_term(user, realm, self.credential.password.as_bytes()));
        }
        self.socket.write_all(&bytes).unwrap();
    }

    /// The next message.
    fn message(&mut self) -> Vec<u8> {
        loop {
            if let Framed::Message { used, .. } = frame(&self.heard) {
                return self.heard.drain(..used).collect();
            }
            let mut buffer = [0; 2048];
            let count = self.socket.read(&mut buffer).unwrap();
            assert_ne!(count, 0, "closed");
            self.heard.extend_from_slice(&buffer[..count]);
        }
    }

    fn ask(&mut self, method: Method, attributes: &[(u16, Vec<u8>)]) -> Vec<u8> {
        self.say(method, attributes);
        self.message()
    }

    /// With a TCP port; its address.
    fn allocated(running: &Running) -> (Phone, SocketAddr) {
        let mut phone = Phone::new(running.handle().listeners()[0].addr);
        let answer = phone.ask(Method::Allocate, &[(kind::REQUESTED_TRANSPORT, vec![6, 0, 0, 0])]);
        let relay = value(&answer, kind::XOR_RELAYED_ADDRESS).expect("a port");
        (phone, read_address(&relay, TRANSACTION).unwrap())
    }

    /// The connection of this number, over another one of the client's.
    fn taken(&self, number: Vec<u8>) -> TcpStream {
        let mut other = Phone::new(self.server);
        let answer = other.ask(Method::ConnectionBind, &[(kind::CONNECTION_ID, number)]);
        assert_eq!(Message::parse(&answer).unwrap().class(), Class::Success);
        assert!(other.heard.is_empty());
        other.socket
    }

    /// Connects to a peer; both ends of the way.
    fn connected(&mut self, listener: &TcpListener) -> (TcpStream, TcpStream) {
        let answer = self.ask(Method::Connect, &[peer_address(listener.local_addr().unwrap())]);
        let peer = listener.accept().unwrap().0;
        peer.set_read_timeout(Some(LONG)).unwrap();
        (self.taken(value(&answer, kind::CONNECTION_ID).expect("a number")), peer)
    }
}

fn value(message: &[u8], kind: u16) -> Option<Vec<u8>> {
    Message::parse(message).unwrap().value(kind).map(<[u8]>::to_vec)
}

fn code(message: &[u8]) -> u16 {
    value(message, kind::ERROR_CODE).map_or(0, |value| u16::from(value[2]) * 100 + u16::from(value[3]))
}

fn peer_address(peer: SocketAddr) -> (u16, Vec<u8>) {
    let mut room = [0; 20];
    let length = write_address(peer, TRANSACTION, &mut room);
    (kind::XOR_PEER_ADDRESS, room[..length].to_vec())
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// Whether the other side has closed, rudely or not.
fn is_closed(socket: &mut TcpStream) -> bool {
    match socket.read(&mut [0; 16]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i / 251 + i) as u8).collect()
}

#[test]
fn bytes_pass_both_ways_and_each_side_may_end_first() {
    let running = start(options());
    let (mut phone, relay) = Phone::allocated(&running);
    let listener = listener();
    let (mut client, mut peer) = phone.connected(&listener);
    assert_eq!(peer.peer_addr().unwrap(), relay);
    let sent = pattern(3_000_000);
    let up = {
        let (mut client, sent) = (client.try_clone().unwrap(), sent.clone());
        std::thread::spawn(move || {
            client.write_all(&sent).unwrap();
            client.shutdown(Shutdown::Write).unwrap();
        })
    };
    let mut got = Vec::new();
    peer.read_to_end(&mut got).unwrap();
    up.join().unwrap();
    assert!(got == sent, "{} bytes of {}", got.len(), sent.len());
    // The client has ended; the peer has not.
    let down = {
        let sent = sent.clone();
        std::thread::spawn(move || peer.write_all(&sent).unwrap())
    };
    got.clear();
    client.read_to_end(&mut got).unwrap();
    down.join().unwrap();
    assert!(got == sent, "{} bytes of {}", got.len(), sent.len());

    let (mut client, mut peer) = phone.connected(&listener);
    peer.write_all(b"bye").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    got.clear();
    client.read_to_end(&mut got).unwrap();
    assert_eq!(got, b"bye");
    client.write_all(b"and you").unwrap();
    drop(client);
    got.clear();
    peer.read_to_end(&mut got).unwrap();
    assert_eq!(got, b"and you");
    running.stop();
}

#[test]
fn what_a_peer_says_before_it_is_taken_and_what_follows_the_taking_arrive() {
    let running = start(options());
    let (mut phone, _) = Phone::allocated(&running);
    let listener = listener();
    let answer = phone.ask(Method::Connect, &[peer_address(listener.local_addr().unwrap())]);
    let mut peer = listener.accept().unwrap().0;
    peer.write_all(b"early").unwrap();
    let mut other = Phone::new(phone.server);
    let number = value(&answer, kind::CONNECTION_ID).unwrap();
    // The question and the first bytes for the peer in one segment.
    let mut whole = Vec::new();
    let (user, realm) = (other.credential.username.as_bytes(), b"lyceum.test");
    let mut writer = Writer::new(&mut whole, Method::ConnectionBind, Class::Request, TRANSACTION);
    writer.attribute(kind::CONNECTION_ID, &number).attribute(kind::USERNAME, user);
    writer.attribute(kind::REALM, realm).attribute(kind::NONCE, &other.nonce);
    writer.integrity(&Key::long_term(user, realm, other.credential.password.as_bytes()));
    whole.extend_from_slice(b"\x80 no message");
    other.socket.write_all(&whole).unwrap();
    assert_eq!(Message::parse(&other.message()).unwrap().class(), Class::Success);
    let mut got = [0; 12];
    peer.set_read_timeout(Some(LONG)).unwrap();
    peer.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"\x80 no message");
    while other.heard.len() < 5 {
        let count = other.socket.read(&mut got).unwrap();
        other.heard.extend_from_slice(&got[..count]);
    }
    assert_eq!(other.heard, b"early");
    running.stop();
}

#[test]
fn a_reader_that_stops_stops_its_writer() {
    let running = start(options());
    let (mut phone, _) = Phone::allocated(&running);
    let (mut client, mut peer) = phone.connected(&listener());
    for down in [true, false] {
        let (writer, reader) = if down { (&mut peer, &mut client) } else { (&mut client, &mut peer) };
        writer.set_write_timeout(Some(Duration::from_millis(700))).unwrap();
        let block = pattern(1 << 20);
        let mut written = 0u64;
        // What the system and the relay hold at most: far below this.
        let stopped = (0..256).any(|_| match writer.write(&block) {
            Ok(count) => {
                written += count as u64;
                false
            }
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        });
        assert!(stopped, "{written} bytes were taken for a reader that reads nothing");
        let mut read = 0u64;
        let mut buffer = vec![0; 1 << 20];
        while read < written {
            read += reader.read(&mut buffer).unwrap() as u64;
        }
        assert_eq!(read, written);
    }
    running.stop();
}

#[test]
fn a_peer_that_is_permitted_is_announced_and_others_are_closed() {
    let running = start(options());
    let (mut phone, relay) = Phone::allocated(&running);
    let mut stranger = TcpStream::connect(relay).unwrap();
    stranger.set_read_timeout(Some(LONG)).unwrap();
    assert!(is_closed(&mut stranger));

    assert_eq!(code(&phone.ask(Method::CreatePermission, &[peer_address("127.0.0.1:1".parse().unwrap())])), 0);
    let mut peer = TcpStream::connect(relay).unwrap();
    peer.set_read_timeout(Some(LONG)).unwrap();
    let attempt = phone.message();
    let told = Message::parse(&attempt).unwrap();
    assert_eq!((told.method(), told.class()), (Method::ConnectionAttempt, Class::Indication));
    let from = read_address(told.value(kind::XOR_PEER_ADDRESS).unwrap(), told.transaction());
    assert_eq!(from, Some(peer.local_addr().unwrap()));
    let mut client = phone.taken(value(&attempt, kind::CONNECTION_ID).unwrap());
    let mut got = [0; 5];
    client.write_all(b"hello").unwrap();
    peer.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"hello");
    peer.write_all(b"hi, A").unwrap();
    client.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"hi, A");
    running.stop();
}

#[test]
fn who_cannot_be_reached_is_447_and_who_may_not_be_is_403() {
    let running = start(options());
    let (mut phone, relay) = Phone::allocated(&running);
    let nobody = listener().local_addr().unwrap();
    assert_eq!(code(&phone.ask(Method::Connect, &[peer_address(nobody)])), 447);
    assert_eq!(code(&phone.ask(Method::Connect, &[peer_address("127.0.0.2:80".parse().unwrap())])), 403);
    assert_eq!(code(&phone.ask(Method::Connect, &[peer_address(relay)])), 403);
    running.stop();
}

#[test]
fn two_clients_of_the_relay_reach_each_other_through_it() {
    let running = start(options());
    let ((mut anna, from), (mut ben, to)) = (Phone::allocated(&running), Phone::allocated(&running));
    assert_eq!(code(&ben.ask(Method::CreatePermission, &[peer_address(from)])), 0);
    let answer = anna.ask(Method::Connect, &[peer_address(to)]);
    let attempt = ben.message();
    let (mut one, mut other) = (
        anna.taken(value(&answer, kind::CONNECTION_ID).unwrap()),
        ben.taken(value(&attempt, kind::CONNECTION_ID).unwrap()),
    );
    let mut got = [0; 4];
    one.write_all(b"ping").unwrap();
    other.read_exact(&mut got).unwrap();
    other.write_all(b"pong").unwrap();
    one.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"pong");
    running.stop();
}

#[test]
fn the_end_of_an_allocation_closes_what_it_had() {
    type End = fn(&Running, &mut Phone);
    let ends: [End; 3] = [
        |running, _| running.handle().revoke("anna"),
        |_, phone| assert_eq!(code(&phone.ask(Method::Refresh, &[(kind::LIFETIME, vec![0; 4])])), 0),
        |_, phone| phone.socket.shutdown(Shutdown::Both).unwrap(),
    ];
    for end in ends {
        let running = start(options());
        let (mut phone, relay) = Phone::allocated(&running);
        let listener = listener();
        let (mut client, mut peer) = phone.connected(&listener);
        client.write_all(b"x").unwrap();
        peer.read_exact(&mut [0]).unwrap();
        let waiting = {
            let second = self::listener();
            phone.ask(Method::Connect, &[peer_address(second.local_addr().unwrap())]);
            second.accept().unwrap().0
        };
        waiting.set_read_timeout(Some(LONG)).unwrap();
        end(&running, &mut phone);
        for mut socket in [client, peer, waiting] {
            assert!(is_closed(&mut socket));
        }
        assert!(TcpStream::connect(relay).is_err(), "the port is closed");
        running.stop();
    }
}

#[test]
fn a_share_that_is_used_up_makes_a_connection_wait_and_loses_nothing() {
    let mut options = options();
    options.quotas.user_kbps = Some(4_000);
    let running = start(options);
    let (mut phone, _) = Phone::allocated(&running);
    let (mut client, mut peer) = phone.connected(&listener());
    let sent = pattern(300_000);
    let begun = Instant::now();
    client.write_all(&sent).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut got = Vec::new();
    peer.read_to_end(&mut got).unwrap();
    assert!(got == sent, "{} bytes of {}", got.len(), sent.len());
    // What a new share holds, and 500,000 bytes in each second.
    assert!(begun.elapsed() >= Duration::from_millis(500), "{:?}", begun.elapsed());
    running.stop();
}

#[test]
fn switched_off_there_are_no_tcp_ports() {
    let mut options = options();
    options.tcp_relays = false;
    let running = start(options);
    let mut phone = Phone::new(running.handle().listeners()[0].addr);
    assert_eq!(code(&phone.ask(Method::Allocate, &[(kind::REQUESTED_TRANSPORT, vec![6, 0, 0, 0])])), 442);
    assert_eq!(code(&phone.ask(Method::Connect, &[peer_address("127.0.0.1:9".parse().unwrap())])), 400);
    running.stop();
}
