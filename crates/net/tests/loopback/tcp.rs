use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use lyceum_net::{Bounds, Destination, Flow, NetError, Options};
use lyceum_sip::Transport;

use crate::support::{Event, PATIENCE, Rig, loopback, options, request};

fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn receive(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).expect("an answer");
    bytes
}

/// True when the peer has closed or reset.
fn ends(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => true,
        Err(e) => e.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

fn to(addr: SocketAddr) -> Destination {
    Destination::Address { transport: Transport::Tcp, addr, name: None, from: None }
}

#[test]
fn messages_are_cut_out_of_any_pieces() {
    let rig = Rig::start(options([loopback(Transport::Tcp)]));
    let mut phone = connect(rig.addr(0));
    let (one, two) = (request("one", "body of one"), request("two", ""));
    let both = [&one[..], &two[..]].concat();
    for byte in &both {
        phone.write_all(&[*byte]).unwrap();
    }
    assert_eq!(receive(&mut phone, both.len()), both);
    phone.write_all(&both).unwrap();
    assert_eq!(receive(&mut phone, both.len()), both);
    let seen: Vec<_> = (0..4).map(|_| rig.message()).collect();
    assert_eq!(seen.iter().map(|s| &s.bytes).collect::<Vec<_>>(), [&one, &two, &one, &two]);
    assert!(seen.iter().all(|s| s.flow == seen[0].flow && s.transport == Transport::Tcp));
    rig.stop();
}

#[test]
fn a_ping_is_answered_by_the_driver() {
    let rig = Rig::start(options([loopback(Transport::Tcp)]));
    let mut phone = connect(rig.addr(0));
    phone.write_all(b"\r\n\r\n").unwrap();
    assert_eq!(receive(&mut phone, 2), b"\r\n");
    rig.stop();
}

#[test]
fn the_end_of_a_connection_is_told() {
    let rig = Rig::start(options([loopback(Transport::Tcp)]));
    let mut phone = connect(rig.addr(0));
    phone.write_all(&request("one", "")).unwrap();
    let flow = rig.message().flow;
    drop(phone);
    assert_eq!(rig.next(), Event::Closed(flow));
    // The flow leads nowhere now, also not to whoever gets its place.
    let mut other = connect(rig.addr(0));
    other.write_all(&request("two", "")).unwrap();
    assert_ne!(rig.message().flow, flow);
    rig.send(flow.into(), 5, b"lost");
    assert_eq!(rig.next(), Event::Failed(5));
    rig.stop();
}

#[test]
fn an_answer_follows_the_last_word_of_a_peer() {
    let rig = Rig::start(options([loopback(Transport::Tcp)]));
    let mut phone = connect(rig.addr(0));
    let one = request("one", "");
    phone.write_all(&one).unwrap();
    phone.shutdown(Shutdown::Write).unwrap();
    assert_eq!(receive(&mut phone, one.len()), one);
    assert!(ends(&mut phone));
    rig.stop();
}

#[test]
fn what_is_no_sip_ends_the_connection() {
    let rig = Rig::start(options([loopback(Transport::Tcp)]));
    let mut phone = connect(rig.addr(0));
    phone.write_all(&[b'x'; 200_000]).ok();
    assert!(ends(&mut phone));
    rig.stop();
}

#[test]
fn the_engine_closes_after_its_last_word() {
    let rig = Rig::with(options([loopback(Transport::Tcp)]), false);
    let mut phone = connect(rig.addr(0));
    phone.write_all(&request("one", "")).unwrap();
    let flow = rig.message().flow;
    rig.order(move |out| {
        out.send(&flow.into(), 1, |b| b.extend_from_slice(b"bye"));
        out.close(flow);
    });
    let mut last = Vec::new();
    phone.read_to_end(&mut last).unwrap();
    assert_eq!(last, b"bye");
    assert_eq!(rig.next(), Event::Closed(flow));
    rig.stop();
}

#[test]
fn one_connection_serves_all_messages_to_an_address() {
    let rig = Rig::with(options([loopback(Transport::Tcp)]), false);
    let far = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = far.local_addr().unwrap();
    // The first two go out together, while the connection is being made.
    let order = to(addr);
    rig.order(move |out| {
        out.send(&order, 1, |b| b.extend_from_slice(b"one"));
        out.send(&order, 2, |b| b.extend_from_slice(b"two"));
    });
    let (mut near, _) = far.accept().unwrap();
    near.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(receive(&mut near, 6), b"onetwo");
    rig.send(to(addr), 3, b"three");
    assert_eq!(receive(&mut near, 5), b"three");
    far.set_nonblocking(true).unwrap();
    assert!(far.accept().is_err(), "no second connection");
    // What the far side says comes in on that connection.
    let one = request("one", "");
    near.write_all(&one).unwrap();
    let seen = rig.message();
    assert_eq!((seen.bytes, seen.remote), (one, addr));
    rig.stop();
}

#[test]
fn a_refused_connect_is_reported_for_every_message() {
    let rig = Rig::start(options([loopback(Transport::Tcp)]));
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let order = to(gone);
    rig.order(move |out| {
        out.send(&order, 1, |b| b.extend_from_slice(b"one"));
        out.send(&order, 0, |b| b.extend_from_slice(b"not asked about"));
        out.send(&order, 2, |b| b.extend_from_slice(b"two"));
    });
    assert_eq!([rig.next(), rig.next()], [Event::Failed(1), Event::Failed(2)]);
    rig.stop();
}

#[test]
fn a_slow_reader_is_bounded_and_then_closed() {
    let bounds = Bounds { out_queue: 100_000, ..Bounds::default() };
    let rig = Rig::with(Options { bounds, ..options([loopback(Transport::Tcp)]) }, false);
    let mut phone = connect(rig.addr(0));
    phone.write_all(&request("one", "")).unwrap();
    let flow = rig.message().flow;
    // The kernel takes some MiB before it says no; then our own queue fills.
    for ticket in 1..=400 {
        rig.order(move |out| out.send(&flow.into(), ticket, |b| b.resize(b.len() + 50_000, b'x')));
    }
    let mut failed = 0;
    loop {
        match rig.next() {
            Event::Failed(_) => failed += 1,
            Event::Closed(closed) => break assert_eq!(closed, flow),
            other => panic!("{other:?}"),
        }
    }
    assert!(failed > 0);
    assert_eq!(rig.handle.totals().ended_slow_reader, 1);
    rig.stop();
}

#[test]
fn connections_of_one_source_are_bounded_unless_it_is_known_inside() {
    for (inside, known, expected) in [(false, true, 3), (true, false, 3), (true, true, 5)] {
        let bounds = Bounds { connections_per_source: 3, ..Bounds::default() };
        let listener = loopback(Transport::Tcp).inside(inside);
        let rig = Rig::start(Options { bounds, ..options([listener]) });
        rig.handle.know_sources(move |_| known);
        let mut phones: Vec<_> = (0..5).map(|_| connect(rig.addr(0))).collect();
        let one = request("one", "");
        let served = phones
            .iter_mut()
            .filter_map(|phone| {
                phone.write_all(&one).ok()?;
                phone.read_exact(&mut vec![0; one.len()]).ok()
            })
            .count();
        assert_eq!(served, expected);
        assert_eq!(rig.handle.totals().connections_refused, 5 - expected as u64);
        // Who leaves makes room.
        phones.clear();
        for _ in 0..served * 2 {
            rig.next();
        }
        let mut again = connect(rig.addr(0));
        again.write_all(&one).unwrap();
        assert_eq!(receive(&mut again, one.len()), one);
        rig.stop();
    }
}

#[test]
fn connections_of_one_listener_are_bounded() {
    let bounds = Bounds { connections_per_listener: 2, ..Bounds::default() };
    let rig = Rig::start(Options { bounds, ..options([loopback(Transport::Tcp)]) });
    let one = request("one", "");
    let mut phones: Vec<_> = (0..3).map(|_| connect(rig.addr(0))).collect();
    for phone in &mut phones[..2] {
        phone.write_all(&one).unwrap();
        assert_eq!(receive(phone, one.len()), one);
    }
    assert!(ends(&mut phones[2]));
    rig.stop();
}

#[test]
fn silent_and_dawdling_connections_end() {
    let short = Duration::from_millis(200);
    for bytes in [&b""[..], b"OPTIONS sip:a SIP/2.0\r\nVia: "] {
        let bounds = Bounds { first_message: short, whole_message: short, ..Bounds::default() };
        let rig = Rig::start(Options { bounds, ..options([loopback(Transport::Tcp)]) });
        let mut phone = connect(rig.addr(0));
        phone.write_all(bytes).unwrap();
        assert!(ends(&mut phone));
        assert_eq!(rig.handle.totals().ended_idle, 1);
        rig.stop();
    }
}

#[test]
fn accepting_faster_than_allowed_only_takes_longer() {
    let bounds = Bounds { accepts_per_second: 50, ..Bounds::default() };
    let rig = Rig::start(Options { bounds, ..options([loopback(Transport::Tcp)]) });
    let one = request("one", "");
    let mut phones: Vec<_> = (0..80).map(|_| connect(rig.addr(0))).collect();
    for phone in &mut phones {
        phone.write_all(&one).unwrap();
    }
    for phone in &mut phones {
        assert_eq!(receive(phone, one.len()), one);
    }
    rig.stop();
}

#[test]
fn any_worker_can_send_and_close_on_any_connection() {
    let rig = Rig::with(Options { workers: 2, ..options([loopback(Transport::Tcp)]) }, false);
    for _ in 0..16 {
        let mut phone = connect(rig.addr(0));
        phone.write_all(&request("one", "")).unwrap();
        let seen = rig.message();
        let flow = seen.flow;
        assert!(matches!(flow, Flow::Stream { worker, .. } if worker == seen.worker));
        rig.order_at(1 - seen.worker, move |out| {
            out.send(&flow.into(), 7, |b| b.extend_from_slice(b"from next door"));
            out.close(flow);
        });
        let mut all = Vec::new();
        phone.read_to_end(&mut all).unwrap();
        assert_eq!(all, b"from next door");
        assert_eq!(rig.next(), Event::Closed(flow));
        rig.order_at(1 - seen.worker, move |out| out.send(&flow.into(), 8, |b| b.push(b'x')));
        assert_eq!(rig.next(), Event::Failed(8));
    }
    rig.stop();
}

#[test]
fn drain_stops_accepting_and_closes_what_is_open() {
    let rig = Rig::start(options([loopback(Transport::Tcp), loopback(Transport::Udp)]));
    let addr = rig.addr(0);
    let mut phone = connect(addr);
    let one = request("one", "");
    phone.write_all(&one).unwrap();
    assert_eq!(receive(&mut phone, one.len()), one);
    let handle = rig.handle.clone();
    rig.stop();
    assert!(ends(&mut phone));
    assert!(TcpStream::connect(addr).is_err());
    assert!(handle.worker(0).post(Box::new(|_| ())).is_err(), "nobody takes posts any more");
    assert!(handle.worker(0).post_when_room(Box::new(|_| ())).is_err(), "nobody is waited for who has ended");
}

#[test]
fn a_listening_port_in_use_names_its_holder() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    for workers in [1, 2] {
        let mut wanted = loopback(Transport::Tcp);
        wanted.addr = holder.local_addr().unwrap();
        let error = Options { workers, ..options([wanted]) }.build::<()>().err().expect("refused");
        assert!(
            matches!(&error, NetError::PortInUse { holder: Some(h), .. } if h.pid == std::process::id()),
            "{error}"
        );
    }
}

#[test]
fn a_listener_can_have_the_port_of_another() {
    let mut tcp = loopback(Transport::Tcp);
    tcp.port_of = Some(0);
    let rig = Rig::start(options([loopback(Transport::Udp), tcp]));
    assert_eq!(rig.addr(0), rig.addr(1));
    rig.stop();
}
