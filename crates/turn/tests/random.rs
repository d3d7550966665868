//! Whatever comes in, nothing panics, and what is relayed lies within what came.

use std::net::SocketAddr;
use std::time::Duration;

use lyceum_turn::{
    Authority, Client, Family, Framed, HEADROOM, Message, Now, Options, PeerRules, Port, Quotas, RelayId, Relays,
    Secret, Server, Step, TAILROOM, Via, frame, integrity_holds, read_address,
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
}

fn server() -> Server {
    Server::new(Options {
        realm: "lyceum.test".to_owned(),
        authority: Authority::new(Secret::new(b"north")),
        peers: PeerRules::default(),
        quotas: Quotas::default(),
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

proptest! {
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
            Step::Relay { .. } => prop_assert!(false, "a stranger relays nothing"),
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
