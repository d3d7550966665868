//! Whatever comes in, nothing panics, and what is relayed lies within what came.

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use lyceum_turn::{
    Authority, CONNECTIONS_PER_ALLOCATION, Client, ConnectionId, Family, Framed, HEADROOM, Message, Method, Now,
    Options, PeerRules, Port, Quotas, RelayId, Relays, Secret, Server, Step, TAILROOM, Via, Way, frame,
    integrity_holds, kind, read_address,
};
use proptest::prelude::*;

struct Fake;

impl Relays for Fake {
    fn serves(&self, _: Family) -> bool {
        true
    }
    fn open(&mut self, relay: RelayId, _: Family, _: Port) -> Option<SocketAddr> {
        Some(SocketAddr::from(([192, 0, 2, 15], 50_000 + relay.0 as u16)))
    }
    fn close(&mut self, _: RelayId) {}
    fn listen(&mut self, relay: RelayId, family: Family) -> Option<SocketAddr> {
        self.open(relay, family, Port::Any)
    }
    fn connect(&mut self, _: RelayId, _: ConnectionId, _: SocketAddr) -> bool {
        true
    }
    fn hang_up(&mut self, _: ConnectionId) {}
}

fn server() -> Server {
    Server::new(Options {
        realm: "lyceum.test".to_owned(),
        authority: Authority::new(Secret::new(b"north")),
        peers: PeerRules::default(),
        quotas: Quotas::default(),
        tcp_relays: true,
        seed: [7; 32],
    })
}

const NOW: Now = Now { mono: Duration::from_secs(100), wall: 1_700_000_000 };

/// Bytes that are nearly STUN, so that the deeper parts are reached.
fn nearly_stun() -> impl Strategy<Value = Vec<u8>> {
    let attribute = (any::<u16>(), proptest::collection::vec(any::<u8>(), 0..40));
    (any::<u16>(), proptest::collection::vec(attribute, 0..8), any::<[u8; 12]>()).prop_map(|(word, attributes, id)| {
        let mut body = Vec::new();
        for (kind, value) in attributes {
            body.extend_from_slice(&(kind % 0x30).to_be_bytes());
            body.extend_from_slice(&(value.len() as u16).to_be_bytes());
            body.extend_from_slice(&value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let mut bytes = ((word % 0x200) & 0x3fff).to_be_bytes().to_vec();
        bytes.extend_from_slice(&(body.len() as u16).to_be_bytes());
        bytes.extend_from_slice(&0x2112_a442u32.to_be_bytes());
        bytes.extend_from_slice(&id);
        bytes.extend_from_slice(&body);
        bytes
    })
}

/// What happens around a TCP port; numbers choose among the connections that stand, or beside them.
#[derive(Clone, Debug)]
enum Turn {
    Allocate,
    End,
    Revoke,
    Gone,
    Permit,
    Connect(u8),
    Arrives(u8),
    Answers(usize),
    Over(usize),
    Take(usize),
    Guess(u32),
    Carry(usize),
    Later(u64),
    Stuck(bool),
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        2 => Just(Turn::Allocate),
        1 => Just(Turn::End),
        1 => Just(Turn::Revoke),
        1 => Just(Turn::Gone),
        2 => Just(Turn::Permit),
        6 => (1..40u8).prop_map(Turn::Connect),
        6 => (1..40u8).prop_map(Turn::Arrives),
        4 => any::<usize>().prop_map(Turn::Answers),
        3 => any::<usize>().prop_map(Turn::Over),
        4 => any::<usize>().prop_map(Turn::Take),
        1 => any::<u32>().prop_map(Turn::Guess),
        2 => any::<usize>().prop_map(Turn::Carry),
        2 => (0..40u64).prop_map(Turn::Later),
        1 => any::<bool>().prop_map(Turn::Stuck),
    ]
}

/// One of the connections that stand.
fn pick(bench: &support::Bench, at: usize) -> Option<ConnectionId> {
    let standing = &bench.relays.connections;
    standing.iter().nth(at % standing.len().max(1)).copied()
}

fn happen(bench: &mut support::Bench, turn: Turn) {
    let (tcp, now) = ((kind::REQUESTED_TRANSPORT, vec![6, 0, 0, 0]), bench.now);
    match turn {
        Turn::Allocate => drop(bench.ask(Method::Allocate, &[tcp])),
        Turn::End => drop(bench.ask(Method::Refresh, &[(kind::LIFETIME, vec![0; 4])])),
        Turn::Revoke => {
            bench.revoke("anna");
            bench.later(1);
            bench.sign_in("anna");
        }
        Turn::Gone => {
            let client = bench.client;
            bench.server.client_gone(&client, &mut bench.relays);
        }
        Turn::Permit => drop(bench.permit(&["192.0.2.9:1"])),
        Turn::Connect(port) => drop(bench.connect(&format!("192.0.2.9:{port}"))),
        Turn::Arrives(port) => {
            let peer = SocketAddr::from(([192, 0, 2, 9], port.into()));
            let number = bench.server.peer_arrived(now, RelayId(0), peer);
            bench.relays.connections.extend(number);
        }
        Turn::Answers(at) => pick(bench, at).into_iter().for_each(|number| bench.server.connected(now, number)),
        Turn::Over(at) => {
            if let Some(number) = pick(bench, at) {
                bench.relays.connections.remove(&number);
                bench.server.connection_over(number);
            }
        }
        Turn::Take(at) => drop(pick(bench, at).map(|number| bench.take_over(2, number.0))),
        Turn::Guess(number) => {
            let known = bench.relays.connections.contains(&ConnectionId(number));
            bench.take_over(2, number);
            assert!(known || bench.step == Step::Answer);
        }
        Turn::Carry(at) => {
            if let Some(number) = pick(bench, at) {
                let most = bench.server.allowance(now, number, Way::Up);
                bench.server.carried(number, Way::Up, most);
                assert_eq!(bench.server.allowance(now, number, Way::Up), 0);
            }
        }
        Turn::Later(seconds) => {
            bench.later(seconds);
            bench.expire();
        }
        Turn::Stuck(stuck) => bench.relays.stuck = stuck,
    }
}

proptest! {
    /// The engine and its driver never differ in which connections stand: the driver of these tests panics at a number that
    /// is closed twice or never was, and what stands has its bound and ends with its allocation.
    #[test]
    fn connections_stand_as_long_as_their_allocation_whatever_happens(turns in proptest::collection::vec(turn(), 0..80)) {
        let mut bench = support::Bench::over_tcp(Quotas::default());
        for turn in turns {
            happen(&mut bench, turn);
            while let Some((client, message)) = bench.server.take_message() {
                prop_assert_eq!(client, bench.client);
                prop_assert!(Message::parse(&message).is_ok());
            }
            let standing = bench.relays.connections.len();
            prop_assert!(standing <= CONNECTIONS_PER_ALLOCATION);
            prop_assert!(standing == 0 || bench.server.allocations() == 1);
            prop_assert_eq!(bench.relays.open.len(), bench.server.allocations());
        }
        bench.later(3600);
        bench.expire();
        prop_assert!(bench.relays.connections.is_empty() && bench.relays.open.is_empty());
    }

    #[test]
    fn any_packet_is_borne(packet in prop_oneof![proptest::collection::vec(any::<u8>(), 0..200), nearly_stun()]) {
        let client = Client { via: Via::Datagrams(0), remote: "192.0.2.1:4000".parse().unwrap() };
        let mut out = Vec::new();
        let step = server().from_client(NOW, &client, &packet, &mut out, &mut Fake);
        match step {
            Step::Nothing => prop_assert!(out.is_empty()),
            Step::Answer => {
                prop_assert!(Message::parse(&out).is_ok());
                prop_assert!(out.len() <= lyceum_turn::AMPLIFICATION_MAX * packet.len());
            }
            Step::Relay { .. } | Step::Joined(_) => prop_assert!(false, "a stranger relays nothing"),
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop_oneof![proptest::collection::vec(any::<u8>(), 0..200), nearly_stun()]) {
        if let Ok(message) = Message::parse(&bytes) {
            for attribute in message.attributes() {
                prop_assert!(attribute.at + 4 + attribute.value.len() <= bytes.len());
                let _ = read_address(attribute.value, message.transaction());
            }
            prop_assert!(!integrity_holds(&message, &lyceum_turn::Key::short_term(b"nobody knows")));
        }
    }

    #[test]
    fn any_stream_is_cut_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Framed::Message { length, used } = frame(&bytes) {
            prop_assert!(length <= used && used <= bytes.len() && used - length < 4 && length > 0);
        }
    }

    #[test]
    fn any_place_of_a_payload_is_borne(before in 0..HEADROOM + 4, length in 0..100usize, after in 0..TAILROOM + 4) {
        let mut buffer = vec![0; before + length + after];
        let peer = "192.0.2.9:9".parse().unwrap();
        let came = server().from_peer(NOW, RelayId(0), peer, &mut buffer, before..before + length);
        prop_assert_eq!(came, None);
    }
}
