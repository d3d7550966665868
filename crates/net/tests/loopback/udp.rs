use std::collections::HashSet;
use std::net::{SocketAddr, UdpSocket};

use lyceum_net::{Destination, Flow, ListenerId, NetError, Options};
use lyceum_sip::Transport;

use crate::support::{Event, PATIENCE, Rig, loopback, options};

fn phone() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; 65_536];
    let length = socket.recv(&mut buffer).expect("an answer");
    buffer.truncate(length);
    buffer
}

fn to(addr: SocketAddr) -> Destination {
    Destination::Address { transport: Transport::Udp, addr, name: None, from: None }
}

#[test]
fn every_datagram_is_answered_to_its_sender() {
    let rig = Rig::start(options([loopback(Transport::Udp)]));
    let phones: Vec<_> = (0..100).map(|_| phone()).collect();
    for (i, phone) in phones.iter().enumerate() {
        phone.send_to(format!("hello {i}").as_bytes(), rig.addr(0)).unwrap();
    }
    for (i, phone) in phones.iter().enumerate() {
        assert_eq!(receive(phone), format!("hello {i}").as_bytes());
    }
    let seen = rig.message();
    assert_eq!(seen.transport, Transport::Udp);
    assert_eq!(seen.flow, Flow::Datagram { listener: ListenerId(0), remote: seen.remote });
    rig.stop();
}

#[test]
fn the_longest_datagram_passes_both_ways() {
    let rig = Rig::start(options([loopback(Transport::Udp)]));
    let phone = phone();
    let long = vec![b'x'; 65_507];
    phone.send_to(&long, rig.addr(0)).unwrap();
    assert_eq!(receive(&phone), long);
    rig.stop();
}

#[test]
fn ipv6_is_served_beside_ipv4() {
    let mut six = loopback(Transport::Udp);
    six.addr = "[::1]:0".parse().unwrap();
    let rig = Rig::start(options([loopback(Transport::Udp), six]));
    let socket = UdpSocket::bind("[::1]:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send_to(b"six", rig.addr(1)).unwrap();
    assert_eq!(receive(&socket), b"six");
    assert_eq!(rig.message().listener, ListenerId(1));
    // An address without a listener named goes out of the port of its own family.
    rig.send(to(socket.local_addr().unwrap()), 0, b"again");
    assert_eq!(receive(&socket), b"again");
    rig.stop();
}

#[test]
fn a_closed_port_is_reported_by_ticket() {
    let rig = Rig::start(options([loopback(Transport::Udp)]));
    let gone = phone().local_addr().unwrap();
    rig.send(to(gone), 41, b"anybody there?");
    assert_eq!(rig.next(), Event::Failed(41));
    // The error does not stick to the socket.
    let alive = phone();
    rig.send(to(alive.local_addr().unwrap()), 42, b"hello");
    assert_eq!(receive(&alive), b"hello");
    rig.stop();
}

#[test]
fn keep_alives_do_not_reach_the_engine() {
    let rig = Rig::start(options([loopback(Transport::Udp)]));
    let phone = phone();
    phone.send_to(b"\r\n\r\n", rig.addr(0)).unwrap();
    // A STUN binding request without attributes.
    let mut stun = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    stun.extend_from_slice(b"twelve bytes");
    phone.send_to(&stun, rig.addr(0)).unwrap();
    let answer = receive(&phone);
    assert_eq!(answer[..2], [1, 1], "a binding success response");
    assert_eq!(answer[8..20], *b"twelve bytes");
    phone.send_to(b"a message", rig.addr(0)).unwrap();
    assert_eq!(rig.message().bytes, b"a message");
    rig.stop();
}

#[test]
fn workers_share_a_port_and_answer_from_it() {
    let rig = Rig::start(Options { workers: 2, ..options([loopback(Transport::Udp)]) });
    let mut workers = HashSet::new();
    // The kernel spreads senders by a hash: 64 of them all on one side would be a miracle.
    for _ in 0..64 {
        let phone = phone();
        phone.connect(rig.addr(0)).unwrap();
        phone.send(b"hello").unwrap();
        assert_eq!(receive(&phone), b"hello");
        workers.insert(rig.message().worker);
    }
    assert_eq!(workers.len(), 2);
    rig.stop();
}

#[test]
fn a_port_in_use_is_one_sentence_with_the_holder() {
    for workers in [1, 2] {
        let holder = phone();
        let mut wanted = loopback(Transport::Udp);
        wanted.addr = holder.local_addr().unwrap();
        let error = Options { workers, ..options([wanted.clone()]) }.build::<()>().err().expect("refused");
        assert!(matches!(error, NetError::PortInUse { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(&format!("UDP port {}", wanted.addr.port())), "{text}");
        assert!(text.contains(&format!("by process {}", std::process::id())), "{text}");
    }
}

#[test]
fn an_address_of_another_machine_is_refused() {
    let mut wanted = loopback(Transport::Udp);
    wanted.addr = "192.0.2.1:5060".parse().unwrap();
    let error = options([wanted]).build::<()>().err().expect("refused");
    assert!(matches!(error, NetError::AddressNotHere { .. }), "{error}");
}
