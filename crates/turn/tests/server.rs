//! The server by its packets, with a clock and relay ports that tests turn.

mod support;

use lyceum_turn::{AMPLIFICATION_MAX, CHANNELS_MAX, Class, Method, PERMISSIONS_MAX, Quotas, Step, kind};
use support::{Bench, CLIENT, PEER, code, udp};

#[test]
fn a_binding_request_is_told_where_it_comes_from() {
    let mut bench = Bench::default();
    let answer = bench.plain(Method::Binding, &[]).unwrap();
    assert_eq!(answer.class, Class::Success);
    assert_eq!(answer.address(kind::XOR_MAPPED_ADDRESS), Some(CLIENT.parse().unwrap()));
    let odd = bench.plain(Method::Binding, &[(0x0030, vec![1])]).unwrap();
    assert_eq!((code(&odd), odd.value(kind::UNKNOWN_ATTRIBUTES)), (420, Some(vec![0, 0x30])));
}

#[test]
fn an_allocation_relays_by_channel_and_by_indication_both_ways() {
    let mut bench = Bench::default();
    let answer = bench.allocate();
    let relay = answer.address(kind::XOR_RELAYED_ADDRESS).unwrap();
    assert_eq!(relay.port(), 50_000);
    assert_eq!(answer.value(kind::LIFETIME), Some(600u32.to_be_bytes().to_vec()));

    assert_eq!(bench.arrives(PEER, b"early"), None);
    assert_eq!(bench.send(PEER, b"early"), Step::Nothing);
    assert_eq!(code(&bench.permit(&[PEER])), 0);
    assert_eq!(bench.send(PEER, b"hello"), bench.relayed(PEER, 36..41));
    let indication = bench.arrives(PEER, b"hi").unwrap();
    assert_eq!(bench.read(&indication).value(kind::DATA), Some(b"hi".to_vec()));
    assert_eq!(bench.read(&indication).address(kind::XOR_PEER_ADDRESS), Some(PEER.parse().unwrap()));

    assert_eq!(code(&bench.bind(0x4001, PEER)), 0);
    assert_eq!(bench.packet(&[0x40, 1, 0, 2, 7, 8, 0, 0]), bench.relayed(PEER, 4..6));
    assert_eq!(bench.arrives(PEER, b"hi"), Some(vec![0x40, 1, 0, 2, b'h', b'i']));
    assert_eq!(bench.packet(&[0x40, 2, 0, 2, 7, 8]), Step::Nothing);
}

#[test]
fn permissions_end_after_five_minutes_channels_after_ten_and_allocations_with_their_lifetime() {
    let mut bench = Bench::default();
    bench.allocate();
    bench.permit(&["192.0.2.77:1"]);
    bench.bind(0x4000, PEER);
    bench.later(299);
    assert_ne!(bench.send("192.0.2.77:1", b"x"), Step::Nothing);
    bench.later(1);
    assert_eq!(bench.send("192.0.2.77:1", b"x"), Step::Nothing);
    bench.later(299);
    assert_ne!(bench.packet(&[0x40, 0, 0, 0]), Step::Nothing);
    bench.later(1);
    assert_eq!(bench.packet(&[0x40, 0, 0, 0]), Step::Nothing);
    assert_eq!(bench.server.next_timeout().map(|at| at.as_secs()), Some(bench.now.mono.as_secs()));
    bench.expire();
    assert_eq!((bench.server.allocations(), bench.relays.open.len()), (0, 0));
}

#[test]
fn a_refresh_prolongs_and_ends() {
    let mut bench = Bench::default();
    bench.allocate();
    bench.later(500);
    let answer = bench.ask(Method::Refresh, &[(kind::LIFETIME, 9999u32.to_be_bytes().to_vec())]);
    assert_eq!(answer.value(kind::LIFETIME), Some(3600u32.to_be_bytes().to_vec()));
    bench.later(3599);
    bench.expire();
    assert_eq!(bench.server.allocations(), 1);
    let answer = bench.ask(Method::Refresh, &[(kind::LIFETIME, vec![0; 4])]);
    assert_eq!(answer.value(kind::LIFETIME), Some(vec![0; 4]));
    assert_eq!((bench.server.allocations(), bench.relays.open.len()), (0, 0));
    assert_eq!(code(&bench.ask(Method::Refresh, &[])), 437);
}

#[test]
fn who_asks_without_or_with_wrong_credentials_is_challenged() {
    let mut bench = Bench::default();
    let challenge = bench.plain(Method::Allocate, &[udp()]).unwrap();
    assert_eq!(code(&challenge), 401);
    assert_eq!(challenge.value(kind::REALM), Some(b"lyceum.test".to_vec()));
    assert_eq!(challenge.value(kind::NONCE).map(|nonce| nonce.len()), Some(20));

    bench.password = "wrong".into();
    assert_eq!(code(&bench.ask(Method::Allocate, &[udp()])), 401);
    bench.sign_in("anna");
    bench.username = bench.username.replace("anna", "anne");
    assert_eq!(code(&bench.ask(Method::Allocate, &[udp()])), 401);
    bench.sign_in("anna");
    bench.later(8 * 3600);
    assert_eq!(code(&bench.ask(Method::Allocate, &[udp()])), 401);
    assert_eq!(bench.server.allocations(), 0);
}

#[test]
fn a_nonce_that_is_old_or_another_clients_is_stale() {
    let mut bench = Bench::default();
    let nonce = bench.nonce();
    bench.later(600);
    let answer = bench.sealed(Method::Allocate, &[udp()], &nonce).unwrap();
    assert_eq!(code(&answer), 438);
    let fresh = answer.value(kind::NONCE).unwrap();
    bench.client.remote = "198.51.100.9:9".parse().unwrap();
    assert_eq!(code(&bench.sealed(Method::Allocate, &[udp()], &fresh).unwrap()), 438);
}

#[test]
fn renewed_credentials_of_the_same_user_go_on_and_others_may_not() {
    let mut bench = Bench::default();
    bench.allocate();
    bench.later(60);
    bench.sign_in("anna");
    assert_eq!(code(&bench.ask(Method::Refresh, &[])), 0);
    bench.sign_in("ben");
    assert_eq!(code(&bench.ask(Method::Refresh, &[])), 441);
    assert_eq!(code(&bench.permit(&[PEER])), 441);
}

#[test]
fn revoked_credentials_end_at_once_with_what_they_allocated() {
    let mut bench = Bench::default();
    bench.allocate();
    bench.revoke("anna");
    assert_eq!((bench.server.allocations(), bench.relays.open.len()), (0, 0));
    assert_eq!(code(&bench.ask(Method::Allocate, &[udp()])), 401);
    bench.later(1);
    bench.sign_in("anna");
    assert_eq!(code(&bench.ask(Method::Allocate, &[udp()])), 0);
}

#[test]
fn an_allocate_that_is_repeated_is_answered_again_and_another_one_refused() {
    let mut bench = Bench::default();
    let nonce = bench.nonce();
    let first = bench.sealed(Method::Allocate, &[udp()], &nonce).unwrap();
    let again = bench.again().unwrap();
    assert_eq!(first.address(kind::XOR_RELAYED_ADDRESS), again.address(kind::XOR_RELAYED_ADDRESS));
    assert_eq!(code(&bench.ask(Method::Allocate, &[udp()])), 437);
    assert_eq!(bench.server.allocations(), 1);
}

#[test]
fn what_an_allocate_may_not_ask_is_refused() {
    let tcp = (kind::REQUESTED_TRANSPORT, vec![6, 0, 0, 0]);
    let family = |family: u8| (kind::REQUESTED_ADDRESS_FAMILY, vec![family, 0, 0, 0]);
    for (attributes, expected) in [
        (vec![], 400),
        (vec![tcp], 442),
        (vec![udp(), family(3)], 440),
        (vec![udp(), (kind::DONT_FRAGMENT, vec![])], 420),
        (vec![udp(), (kind::RESERVATION_TOKEN, vec![0; 8])], 508),
        (vec![udp(), (kind::RESERVATION_TOKEN, vec![0; 8]), (kind::EVEN_PORT, vec![0])], 400),
        (vec![udp(), (kind::LIFETIME, vec![0])], 400),
    ] {
        let mut bench = Bench::default();
        assert_eq!(code(&bench.ask(Method::Allocate, &attributes)), expected, "{attributes:?}");
        assert_eq!(bench.relays.open.len(), 0);
    }
    let mut bench = Bench::default();
    bench.relays.only_v4 = true;
    assert_eq!(code(&bench.ask(Method::Allocate, &[udp(), family(2)])), 440);
    for method in [Method::Connect, Method::ConnectionBind, Method::Other(0x55)] {
        assert_eq!(code(&bench.ask(method, &[])), 400);
    }
}

#[test]
fn ipv6_relays_talk_to_ipv6_peers_alone() {
    let mut bench = Bench::default();
    let v6 = (kind::REQUESTED_ADDRESS_FAMILY, vec![2, 0, 0, 0]);
    let answer = bench.ask(Method::Allocate, &[udp(), v6]);
    assert!(answer.address(kind::XOR_RELAYED_ADDRESS).unwrap().is_ipv6());
    assert_eq!(code(&bench.permit(&[PEER])), 443);
    assert_eq!(code(&bench.bind(0x4000, PEER)), 443);
    let peer = "[2001:db8::9]:9";
    assert_eq!(code(&bench.permit(&[peer])), 0);
    let indication = bench.arrives(peer, b"six").unwrap();
    assert_eq!(bench.read(&indication).address(kind::XOR_PEER_ADDRESS), Some(peer.parse().unwrap()));
    let v4 = (kind::REQUESTED_ADDRESS_FAMILY, vec![1, 0, 0, 0]);
    assert_eq!(code(&bench.ask(Method::Refresh, &[v4])), 443);
}

#[test]
fn a_second_family_is_refused_beside_the_first() {
    let mut bench = Bench::default();
    let answer = bench.ask(Method::Allocate, &[udp(), (kind::ADDITIONAL_ADDRESS_FAMILY, vec![2, 0, 0, 0])]);
    assert_eq!(answer.value(kind::ADDRESS_ERROR_CODE), Some(vec![2, 0, 4, 40]));
}

#[test]
fn an_even_port_keeps_the_next_one_for_its_token() {
    let mut bench = Bench::default();
    let answer = bench.ask(Method::Allocate, &[udp(), (kind::EVEN_PORT, vec![0x80])]);
    let even = answer.address(kind::XOR_RELAYED_ADDRESS).unwrap().port();
    assert_eq!(even % 2, 0);
    let token = answer.value(kind::RESERVATION_TOKEN).unwrap();
    bench.client.remote.set_port(4001);
    let answer = bench.ask(Method::Allocate, &[udp(), (kind::RESERVATION_TOKEN, token.clone())]);
    assert_eq!(answer.address(kind::XOR_RELAYED_ADDRESS).unwrap().port(), even + 1);
    bench.client.remote.set_port(4002);
    assert_eq!(code(&bench.ask(Method::Allocate, &[udp(), (kind::RESERVATION_TOKEN, token)])), 508);
}

#[test]
fn a_kept_port_is_closed_after_half_a_minute() {
    let mut bench = Bench::default();
    bench.ask(Method::Allocate, &[udp(), (kind::EVEN_PORT, vec![0x80])]);
    assert_eq!(bench.relays.open.len(), 2);
    bench.later(30);
    bench.expire();
    assert_eq!((bench.relays.open.len(), bench.server.allocations()), (1, 1));
}

#[test]
fn forbidden_peers_are_403_and_nothing_is_sent_there() {
    let mut bench = Bench::default();
    bench.allocate();
    for peer in ["10.0.0.1:53", "127.0.0.1:22", "8.8.8.8:53", "0.0.0.0:1", "255.255.255.255:1", "224.0.0.1:1"] {
        assert_eq!(code(&bench.permit(&[peer])), 403, "{peer}");
        assert_eq!(code(&bench.bind(0x4000, peer)), 403, "{peer}");
        assert_eq!(bench.send(peer, b"x"), Step::Nothing);
    }
    assert_eq!(code(&bench.permit(&[PEER, "10.0.0.1:53"])), 403);
    assert_eq!(bench.send(PEER, b"x"), Step::Nothing);
}

#[test]
fn channels_are_bound_to_one_peer_and_peers_to_one_channel() {
    let mut bench = Bench::default();
    bench.allocate();
    assert_eq!(code(&bench.bind(0x4000, PEER)), 0);
    assert_eq!(code(&bench.bind(0x4000, PEER)), 0);
    assert_eq!(code(&bench.bind(0x4001, PEER)), 400);
    assert_eq!(code(&bench.bind(0x4000, "192.0.2.9:10")), 400);
    assert_eq!(code(&bench.bind(0x3fff, "192.0.2.9:10")), 400);
    assert_eq!(code(&bench.bind(0x8000, "192.0.2.9:10")), 400);
}

#[test]
fn permissions_and_channels_have_a_bound_and_all_or_none_are_permitted() {
    let mut bench = Bench::default();
    bench.allocate();
    let peers: Vec<String> = (1..=PERMISSIONS_MAX).map(|i| format!("192.0.2.{i}:9")).collect();
    let peers: Vec<&str> = peers.iter().map(String::as_str).collect();
    assert_eq!(code(&bench.permit(&peers[1..])), 0);
    assert_eq!(code(&bench.permit(&["192.0.2.200:9", "192.0.2.201:9"])), 508);
    assert_eq!(bench.send("192.0.2.200:9", b"x"), Step::Nothing);
    for i in 0..CHANNELS_MAX as u16 {
        assert_eq!(code(&bench.bind(0x4000 + i, &format!("192.0.2.2:{}", 1000 + i))), 0);
    }
    assert_eq!(code(&bench.bind(0x4fff, "192.0.2.2:999")), 508);
}

#[test]
fn a_user_has_so_many_allocations_and_so_much_bandwidth() {
    let mut bench = Bench::with(Quotas { allocations_per_user: Some(2), ..Quotas::default() });
    for (port, expected) in [(1, 0), (2, 0), (3, 486)] {
        bench.client.remote.set_port(port);
        assert_eq!(code(&bench.ask(Method::Allocate, &[udp()])), expected);
    }
    bench.client.remote.set_port(1);
    bench.bind(0x4000, PEER);
    let mut packet = vec![0x40, 0, 4, 0];
    packet.resize(1028, 0);
    let passed = (0..100).filter(|_| bench.packet(&packet) != Step::Nothing).count();
    assert_eq!(passed, 16);
    assert_eq!(bench.server.totals().over_quota, 84);
    bench.later(1);
    let passed = (0..1000).filter(|_| bench.packet(&packet) != Step::Nothing).count();
    assert_eq!(passed, 3_000_000 / 8 / 1024);
}

#[test]
fn strangers_get_little_and_data_of_strangers_nothing() {
    let mut bench = Bench::default();
    assert_eq!(bench.packet(&[0x40, 0, 0, 0]), Step::Nothing);
    assert_eq!(bench.send(PEER, b"x"), Step::Nothing);
    for method in [Method::Allocate, Method::Refresh, Method::CreatePermission, Method::ChannelBind] {
        for attributes in [vec![], vec![udp()]] {
            if let Some(answer) = bench.plain(method, &attributes) {
                let asked = 20 + 8 * attributes.len();
                assert!(answer.bytes.len() <= AMPLIFICATION_MAX * asked, "{method:?}: {}", answer.bytes.len());
            }
        }
    }
    assert!(bench.plain(Method::Allocate, &[udp()]).is_some());
}

#[test]
fn a_connection_that_goes_takes_its_allocation_along_and_its_messages_are_padded() {
    let mut bench = Bench::default();
    bench.client.via = lyceum_turn::Via::Stream(3);
    bench.allocate();
    bench.bind(0x4000, PEER);
    assert_eq!(bench.arrives(PEER, b"hello"), Some(b"\x40\x00\x00\x05hello\0\0\0".to_vec()));
    let client = bench.client;
    bench.server.client_gone(&client, &mut bench.relays);
    assert_eq!((bench.server.allocations(), bench.relays.open.len()), (0, 0));
}
