//! TCP ports (RFC 6062) by the server's packets, with a clock, ports and connections that tests turn.

mod support;

use std::time::Duration;

use lyceum_turn::{
    CONNECTION_WAIT, CONNECTIONS_PER_ALLOCATION, Class, ConnectionId, Message, Method, PERMISSIONS_MAX, Quotas,
    RelayId, Step, Via, Way, kind,
};
use support::{Answer, Bench, PEER, code, udp};

fn tcp() -> (u16, Vec<u8>) {
    (kind::REQUESTED_TRANSPORT, vec![6, 0, 0, 0])
}

fn id(answer: &Answer) -> u32 {
    u32::from_be_bytes(answer.value(kind::CONNECTION_ID).expect("a number").try_into().unwrap())
}

/// A client with a TCP port.
fn allocated() -> Bench {
    let mut bench = Bench::over_tcp(Quotas::default());
    assert_eq!(code(&bench.ask(Method::Allocate, &[tcp()])), 0);
    bench
}

/// Connects to a peer that answers; the connection's number.
fn connected(bench: &mut Bench, peer: &str) -> u32 {
    let before = bench.relays.connections.clone();
    assert!(bench.connect(peer).is_none(), "the answer comes when the peer has answered");
    let made: Vec<ConnectionId> = bench.relays.connections.difference(&before).copied().collect();
    bench.server.connected(bench.now, made[0]);
    let answer = bench.told().expect("an answer");
    assert_eq!((answer.class, ConnectionId(id(&answer))), (Class::Success, made[0]));
    made[0].0
}

/// A peer connects; its connection's number.
fn arrived(bench: &mut Bench, peer: &str) -> Option<ConnectionId> {
    let connection = bench.server.peer_arrived(bench.now, RelayId(0), peer.parse().unwrap())?;
    bench.relays.connections.insert(connection);
    Some(connection)
}

#[test]
fn a_connect_is_answered_when_the_peer_answers_and_a_second_connection_takes_it() {
    let mut bench = allocated();
    let number = connected(&mut bench, PEER);
    let answer = bench.take_over(2, number);
    assert_eq!((answer.class, &bench.step), (Class::Success, &Step::Joined(ConnectionId(number))));
    bench.later(300);
    bench.expire();
    assert!(bench.relays.connections.contains(&ConnectionId(number)), "what is taken lasts");
    assert_eq!(bench.server.totals().connections, 1);
}

#[test]
fn a_peer_that_is_permitted_is_told_of_and_taken() {
    let mut bench = allocated();
    assert_eq!(arrived(&mut bench, PEER), None);
    assert!(bench.told().is_none());
    assert_eq!(code(&bench.permit(&[PEER])), 0);
    let connection = arrived(&mut bench, PEER).unwrap();
    let attempt = bench.told().unwrap();
    let message = Message::parse(&attempt.bytes).unwrap();
    assert_eq!((message.method(), message.class()), (Method::ConnectionAttempt, Class::Indication));
    assert_eq!(attempt.address(kind::XOR_PEER_ADDRESS), Some(PEER.parse().unwrap()));
    assert_eq!(ConnectionId(id(&attempt)), connection);
    assert_eq!(bench.take_over(2, connection.0).class, Class::Success);
    bench.later(300);
    assert_eq!(arrived(&mut bench, "192.0.2.9:10"), None, "permissions end");
}

#[test]
fn without_the_option_nothing_of_it_is_granted() {
    let mut bench = Bench::default();
    for via in [Via::Datagrams(0), Via::Stream(1)] {
        bench.client.via = via;
        assert_eq!(code(&bench.ask(Method::Allocate, &[tcp()])), 442);
        assert_eq!(code(&bench.connect(PEER).unwrap()), 400);
        assert_eq!(code(&bench.ask(Method::ConnectionBind, &[(kind::CONNECTION_ID, vec![0; 4])])), 400);
    }
    assert_eq!((bench.server.allocations(), bench.relays.open.len()), (0, 0));
}

#[test]
fn what_an_allocate_of_a_tcp_port_may_not_ask_is_refused() {
    let token = (kind::RESERVATION_TOKEN, vec![0; 8]);
    for (via, attributes, expected) in [
        (Via::Datagrams(0), vec![tcp()], 400),
        (Via::Stream(1), vec![tcp(), (kind::EVEN_PORT, vec![0])], 400),
        (Via::Stream(1), vec![tcp(), (kind::DONT_FRAGMENT, vec![])], 400),
        (Via::Stream(1), vec![tcp(), token], 400),
        (Via::Stream(1), vec![tcp(), (0x0033, vec![])], 420),
        (Via::Stream(1), vec![(kind::REQUESTED_TRANSPORT, vec![132, 0, 0, 0])], 442),
        (Via::Stream(1), vec![tcp()], 0),
    ] {
        let mut bench = Bench::over_tcp(Quotas::default());
        bench.client.via = via;
        assert_eq!(code(&bench.ask(Method::Allocate, &attributes)), expected, "{attributes:?}");
        assert_eq!(bench.relays.open.len(), usize::from(expected == 0));
    }
}

#[test]
fn datagrams_have_no_way_through_a_tcp_port_and_connections_none_through_a_udp_port() {
    let mut bench = allocated();
    bench.permit(&[PEER]);
    assert_eq!(bench.send(PEER, b"x"), Step::Nothing);
    assert_eq!(bench.arrives(PEER, b"x"), None);
    assert_eq!(code(&bench.bind(0x4000, PEER)), 403);
    assert_eq!(bench.packet(&[0x40, 0, 0, 0]), Step::Nothing);

    let mut bench = Bench::over_tcp(Quotas::default());
    bench.ask(Method::Allocate, &[udp()]);
    bench.permit(&[PEER]);
    assert_eq!(code(&bench.connect(PEER).unwrap()), 400);
    assert_eq!(arrived(&mut bench, PEER), None);
}

#[test]
fn a_connect_goes_to_nobody_that_a_channel_could_not_go_to() {
    let mut bench = allocated();
    for peer in
        ["10.0.0.1:80", "127.0.0.1:22", "169.254.169.254:80", "8.8.8.8:53", "0.0.0.0:1", "224.0.0.1:1", "192.0.2.9:0"]
    {
        assert_eq!(code(&bench.connect(peer).unwrap()), 403, "{peer}");
    }
    assert_eq!(code(&bench.connect("[2001:db8::9]:9").unwrap()), 443);
    assert_eq!(code(&bench.ask(Method::Connect, &[])), 400);
    assert_eq!(code(&bench.ask(Method::Connect, &[(0x0033, vec![])])), 420);
    assert!(bench.relays.connections.is_empty());
    assert_eq!(bench.server.totals().forbidden, 7);
    bench.client.via = Via::Stream(9);
    assert_eq!(code(&bench.connect(PEER).unwrap()), 437);
}

#[test]
fn a_port_never_connects_to_itself() {
    let mut bench = Bench::over_tcp(Quotas::default());
    let six = (kind::REQUESTED_ADDRESS_FAMILY, vec![2, 0, 0, 0]);
    let own = bench.ask(Method::Allocate, &[tcp(), six]).address(kind::XOR_RELAYED_ADDRESS).unwrap();
    assert_eq!(code(&bench.connect(&own.to_string()).unwrap()), 403);
    connected(&mut bench, "[2001:db8::1]:9");
}

#[test]
fn a_second_connection_to_the_same_peer_is_446_until_the_first_is_over() {
    let mut bench = allocated();
    assert!(bench.connect(PEER).is_none());
    assert_eq!(code(&bench.connect(PEER).unwrap()), 446, "while connecting");
    let first = *bench.relays.connections.first().unwrap();
    bench.server.connected(bench.now, first);
    bench.told();
    assert_eq!(code(&bench.connect(PEER).unwrap()), 446, "while waiting");
    bench.take_over(2, first.0);
    assert_eq!(code(&bench.connect(PEER).unwrap()), 446, "while taken");
    bench.relays.connections.clear();
    bench.server.connection_over(first);
    assert!(bench.told().is_none());
    assert_ne!(connected(&mut bench, PEER), first.0);
}

#[test]
fn a_peer_that_does_not_answer_is_447() {
    let mut bench = allocated();
    bench.relays.stuck = true;
    assert_eq!(code(&bench.connect(PEER).unwrap()), 447);
    bench.relays.stuck = false;

    assert!(bench.connect(PEER).is_none());
    let connection = bench.relays.connections.pop_first().unwrap();
    bench.server.connection_over(connection);
    assert_eq!(code(&bench.told().unwrap()), 447);

    assert!(bench.connect(PEER).is_none());
    let begun = bench.now.mono;
    assert_eq!(bench.server.next_timeout(), Some(begun + CONNECTION_WAIT));
    bench.later(CONNECTION_WAIT.as_secs() - 1);
    bench.expire();
    assert!(bench.told().is_none());
    bench.later(1);
    bench.expire();
    assert_eq!(code(&bench.told().unwrap()), 447);
    assert!(bench.relays.connections.is_empty());
    assert!(bench.connect(PEER).is_none(), "it may be tried again");
}

#[test]
fn what_nobody_takes_is_closed_after_half_a_minute() {
    let mut bench = allocated();
    bench.permit(&[PEER]);
    let number = connected(&mut bench, "192.0.2.9:10");
    let arrived = arrived(&mut bench, PEER).unwrap();
    bench.told();
    bench.later(CONNECTION_WAIT.as_secs());
    for number in [number, arrived.0] {
        assert_eq!(code(&bench.take_over(2, number)), 400, "late even when nobody has looked yet");
    }
    bench.expire();
    assert!(bench.relays.connections.is_empty());
    assert!(bench.told().is_none());
}

#[test]
fn nobody_takes_the_connection_of_another_or_one_twice_or_one_that_is_none() {
    let mut bench = allocated();
    let number = connected(&mut bench, PEER);
    bench.sign_in("ben");
    assert_eq!(code(&bench.take_over(2, number)), 400, "of a stranger");
    bench.client.via = Via::Stream(7);
    assert_eq!(code(&bench.ask(Method::Allocate, &[tcp()])), 0);
    bench.client.via = Via::Stream(1);
    assert_eq!(code(&bench.take_over(2, number)), 400, "of another user");
    bench.sign_in("anna");
    for guess in [0, 1, u32::MAX, number ^ 1, number.wrapping_add(1)] {
        assert_eq!(code(&bench.take_over(2, guess)), 400, "a guess");
    }
    assert_eq!(code(&bench.take_over(1, number)), 400, "over the control connection");
    bench.client.via = Via::Datagrams(0);
    let value = (kind::CONNECTION_ID, number.to_be_bytes().to_vec());
    assert_eq!(code(&bench.ask(Method::ConnectionBind, std::slice::from_ref(&value))), 400, "over UDP");
    bench.client.via = Via::Stream(1);
    for (attributes, expected) in [(vec![], 400), (vec![(kind::CONNECTION_ID, vec![1, 2, 3])], 400)] {
        bench.client.via = Via::Stream(2);
        assert_eq!(code(&bench.ask(Method::ConnectionBind, &attributes)), expected);
    }
    assert_eq!(code(&bench.ask(Method::ConnectionBind, &[value, (0x0033, vec![])])), 420);
    bench.client.via = Via::Stream(1);
    assert_eq!(code(&bench.take_over(2, number)), 0, "and all that did no harm");
    assert_eq!(code(&bench.take_over(3, number)), 400, "twice");
}

#[test]
fn a_number_is_worth_nothing_before_the_peer_answers_and_after_the_connection_is_over() {
    let mut bench = allocated();
    assert!(bench.connect(PEER).is_none());
    let connection = *bench.relays.connections.first().unwrap();
    assert_eq!(code(&bench.take_over(2, connection.0)), 400);
    bench.server.connected(bench.now, connection);
    bench.relays.connections.clear();
    bench.server.connection_over(connection);
    assert_eq!(code(&bench.take_over(2, connection.0)), 400);
    bench.server.connected(bench.now, connection);
    assert_eq!(code(&bench.take_over(2, connection.0)), 400);
}

#[test]
fn numbers_tell_nothing_of_the_next_ones() {
    let mut bench = allocated();
    let peers = |i: usize| format!("192.0.2.9:{}", 100 + i);
    let numbers: Vec<u32> = (0..CONNECTIONS_PER_ALLOCATION).map(|i| connected(&mut bench, &peers(i))).collect();
    let steps: std::collections::BTreeSet<u32> = numbers.windows(2).map(|two| two[1].wrapping_sub(two[0])).collect();
    assert_eq!(steps.len(), numbers.len() - 1);
    assert!(steps.iter().all(|step| *step > 1 << 8 && *step < u32::MAX - (1 << 8)), "{steps:?}");
}

#[test]
fn an_allocation_has_so_many_connections_and_permissions() {
    let mut bench = allocated();
    let permitted: Vec<String> = (1..=PERMISSIONS_MAX).map(|i| format!("192.0.2.{i}:9")).collect();
    assert_eq!(code(&bench.permit(&permitted.iter().map(String::as_str).collect::<Vec<_>>())), 0);
    assert_eq!(code(&bench.permit(&["192.0.2.200:9"])), 508);
    for i in 0..CONNECTIONS_PER_ALLOCATION {
        connected(&mut bench, &format!("192.0.2.9:{}", 100 + i));
    }
    assert_eq!(code(&bench.connect(PEER).unwrap()), 508);
    assert_eq!(arrived(&mut bench, PEER), None);
    let first = bench.relays.connections.pop_first().unwrap();
    bench.server.connection_over(first);
    assert!(arrived(&mut bench, PEER).is_some());
}

#[test]
fn a_peer_connects_from_where_the_client_could_send_to() {
    let mut bench = allocated();
    bench.permit(&[PEER]);
    assert_eq!(arrived(&mut bench, "192.0.2.9:0"), None);
    assert_eq!(arrived(&mut bench, "192.0.2.10:9"), None);
    bench.later(599);
    assert_eq!(arrived(&mut bench, PEER), None);
    bench.permit(&[PEER]);
    bench.later(1);
    assert_eq!(arrived(&mut bench, PEER), None, "the allocation has ended");
}

#[test]
fn connections_end_with_their_allocation_however_it_ends() {
    let ends: [fn(&mut Bench); 4] = [
        |bench| assert_eq!(code(&bench.ask(Method::Refresh, &[(kind::LIFETIME, vec![0; 4])])), 0),
        |bench| bench.revoke("anna"),
        |bench| {
            bench.later(600);
            bench.expire();
        },
        |bench| {
            let client = bench.client;
            bench.server.client_gone(&client, &mut bench.relays);
        },
    ];
    for end in ends {
        let mut bench = allocated();
        bench.permit(&[PEER]);
        let taken = connected(&mut bench, "192.0.2.9:10");
        bench.take_over(2, taken);
        bench.later(1);
        let waiting = connected(&mut bench, "192.0.2.9:11");
        assert!(bench.connect("192.0.2.9:12").is_none());
        assert!(arrived(&mut bench, PEER).is_some());
        bench.told();
        assert_eq!(bench.relays.connections.len(), 4);
        end(&mut bench);
        assert!(bench.relays.connections.is_empty());
        assert_eq!((bench.server.allocations(), bench.relays.open.len()), (0, 0));
        for number in [taken, waiting] {
            assert_eq!(bench.server.allowance(bench.now, ConnectionId(number), Way::Up), 0);
        }
    }
}

#[test]
fn a_client_that_is_gone_is_told_nothing() {
    let mut bench = allocated();
    bench.permit(&[PEER]);
    arrived(&mut bench, PEER).unwrap();
    let client = bench.client;
    bench.server.client_gone(&client, &mut bench.relays);
    assert!(bench.server.take_message().is_none());
}

#[test]
fn bytes_count_against_the_port_and_against_all_of_its_user() {
    let quotas = Quotas { port_kbps: Some(800), user_kbps: Some(1200), ..Quotas::default() };
    let mut bench = Bench::over_tcp(quotas);
    bench.ask(Method::Allocate, &[tcp()]);
    let first = ConnectionId(connected(&mut bench, PEER));
    bench.client.via = Via::Stream(5);
    bench.ask(Method::Allocate, &[tcp()]);
    let second = ConnectionId(connected(&mut bench, PEER));
    bench.later(10);
    for way in [Way::Up, Way::Down] {
        assert_eq!(bench.server.allowance(bench.now, first, way), 100_000);
        bench.server.carried(first, way, 100_000);
        assert_eq!(bench.server.allowance(bench.now, first, way), 0);
        assert_eq!(bench.server.allowance(bench.now, second, way), 50_000, "the user's rest");
        bench.server.carried(second, way, 50_000);
        assert_eq!(bench.server.allowance(bench.now, second, way), 0);
    }
    bench.now.mono += Duration::from_millis(100);
    assert_eq!(bench.server.allowance(bench.now, first, Way::Up), 10_000);
    assert_eq!(bench.server.totals().bytes, 300_000);
    assert_eq!(bench.server.allowance(bench.now, ConnectionId(1), Way::Up), 0);
}

#[test]
fn a_repeated_allocate_is_answered_again_with_the_same_port() {
    let mut bench = Bench::over_tcp(Quotas::default());
    let nonce = bench.nonce();
    let first = bench.sealed(Method::Allocate, &[tcp()], &nonce).unwrap();
    let again = bench.again().unwrap();
    assert_eq!(first.address(kind::XOR_RELAYED_ADDRESS), again.address(kind::XOR_RELAYED_ADDRESS));
    assert_eq!(bench.relays.open.len(), 1);
}
