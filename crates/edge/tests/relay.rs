//! The A/V Edge on loopback: a client with sockets of its own allocates, binds a channel and is relayed both ways.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use lyceum_edge::av::{Carrier, Listener, Options, PortClass, RelayAddress, Running};
use lyceum_net::probe::MarkedSocket;
use lyceum_turn::{
    Authority, Class, Credential, Key, Message, Method, Network, PeerRange, Secret, Writer, kind, read_address,
};

fn authority() -> Authority {
    Authority::new(Secret::new(b"north"))
}

fn start() -> Running {
    let loopback = "127.0.0.1".parse().unwrap();
    let mut options = Options::new("lyceum.test", authority());
    options.listeners.push(Listener { carrier: Carrier::Udp, addr: SocketAddr::new(loopback, 0), port_of: None });
    options.relays.push(RelayAddress { bind: loopback, advertised: loopback });
    options.peers.push(PeerRange { network: Network::host(loopback), ports: 1..=u16::MAX });
    options.classes.push(PortClass { ports: AUDIO, class: 46 << 2 });
    options.classes.push(PortClass { ports: 1..=u16::MAX, class: 34 << 2 });
    options.quotas.port_kbps = None;
    options.quotas.user_kbps = None;
    options.build().unwrap().start().unwrap()
}

/// Ports that are audio's.
const AUDIO: std::ops::RangeInclusive<u16> = 16_384..=22_383;

struct Phone {
    socket: UdpSocket,
    credential: Credential,
    nonce: Vec<u8>,
}

impl Phone {
    fn new(running: &Running) -> Phone {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(running.handle().listeners()[0].addr).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let mut phone = Phone { socket, credential: authority().issue("anna", now), nonce: Vec::new() };
        let challenge = phone.ask(Method::Allocate, &[]);
        phone.nonce = Message::parse(&challenge).unwrap().value(kind::NONCE).unwrap().to_vec();
        phone
    }

    fn ask(&self, method: Method, attributes: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, method, Class::Request, [5; 12]);
        for (kind, value) in attributes {
            writer.attribute(*kind, value);
        }
        if !self.nonce.is_empty() {
            let (user, realm) = (self.credential.username.as_bytes(), b"lyceum.test");
            writer.attribute(kind::USERNAME, user).attribute(kind::REALM, realm).attribute(kind::NONCE, &self.nonce);
            writer.integrity(&Key::long_term(user, realm, self.credential.password.as_bytes()));
        } else {
            writer.attribute(kind::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
        }
        self.socket.send(&bytes).unwrap();
        self.heard()
    }

    fn heard(&self) -> Vec<u8> {
        let mut buffer = [0; 2048];
        let length = self.socket.recv(&mut buffer).unwrap();
        buffer[..length].to_vec()
    }

    /// Allocates and binds channel 0x4000 to a peer; gives the relay port's address.
    fn call(&self, peer: SocketAddr) -> SocketAddr {
        let answer = self.ask(Method::Allocate, &[(kind::REQUESTED_TRANSPORT, vec![17, 0, 0, 0])]);
        let answer = Message::parse(&answer).unwrap();
        let relay = read_address(answer.value(kind::XOR_RELAYED_ADDRESS).unwrap(), [5; 12]).unwrap();
        let mut room = [0; 20];
        let length = lyceum_turn::write_address(peer, [5; 12], &mut room);
        let number = (kind::CHANNEL_NUMBER, vec![0x40, 0, 0, 0]);
        let bound = self.ask(Method::ChannelBind, &[number, (kind::XOR_PEER_ADDRESS, room[..length].to_vec())]);
        assert_eq!(Message::parse(&bound).unwrap().class(), Class::Success);
        relay
    }
}

fn peer() -> UdpSocket {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    peer
}

/// Payloads of a burst: runs of one size, shorter and longer ones, an empty one, each with its number in front.
fn burst() -> Vec<Vec<u8>> {
    let sizes = [172, 172, 172, 172, 80, 1200, 1200, 1200, 300, 0, 0, 1, 1, 172, 172];
    let numbered = |(number, size): (usize, &usize)| {
        let mut payload = vec![number as u8; *size];
        payload.iter_mut().skip(1).for_each(|byte| *byte = 0xaa);
        payload
    };
    sizes.iter().enumerate().map(numbered).collect()
}

#[test]
fn a_burst_arrives_whole_and_in_order_both_ways() {
    let running = start();
    let (phone, peer) = (Phone::new(&running), peer());
    let relay = phone.call(peer.local_addr().unwrap());
    let mut buffer = [0; 2048];
    for _ in 0..20 {
        for payload in burst() {
            let mut message = vec![0x40, 0, (payload.len() >> 8) as u8, payload.len() as u8];
            message.extend_from_slice(&payload);
            phone.socket.send(&message).unwrap();
        }
        for payload in burst() {
            let (length, from) = peer.recv_from(&mut buffer).unwrap();
            assert_eq!((&buffer[..length], from), (&payload[..], relay));
        }
        for payload in burst() {
            peer.send_to(&payload, relay).unwrap();
        }
        for payload in burst() {
            let heard = phone.heard();
            assert_eq!(heard[..2], [0x40, 0]);
            assert_eq!(heard[4..], payload);
        }
    }
    running.stop();
}

#[test]
fn revoked_credentials_close_the_relay_port() {
    let running = start();
    let (phone, peer) = (Phone::new(&running), peer());
    let relay = phone.call(peer.local_addr().unwrap());
    running.handle().revoke("anna");
    let answer = phone.ask(Method::Refresh, &[]);
    let answer = Message::parse(&answer).unwrap();
    assert_eq!(answer.value(kind::ERROR_CODE).map(|value| value[..4].to_vec()), Some(vec![0, 0, 4, 1]));
    // The port is free again.
    drop(UdpSocket::bind(relay).unwrap());
    running.stop();
}

#[test]
fn what_goes_inside_is_marked_by_what_it_is() {
    let running = start();
    let loopback = "127.0.0.1".parse().unwrap();
    let (audio, other) = (
        MarkedSocket::bind(loopback, AUDIO, 0).expect("a port of audio"),
        MarkedSocket::bind(loopback, 30_384..=30_999, 0).expect("a port of something else"),
    );
    for (inside, dscp) in [(&audio, 46), (&other, 34)] {
        let phone = Phone::new(&running);
        let relay = phone.call(inside.local_addr().unwrap());
        phone.socket.send(&[0x40, 0, 0, 2, 7, 7]).unwrap();
        let heard = inside.receive(&mut [0; 64], Duration::from_secs(10)).unwrap().expect("a packet");
        assert_eq!((heard.from, heard.dscp), (relay, dscp));
    }
    running.stop();
}
