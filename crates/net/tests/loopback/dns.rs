use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, NAPTR, SOA, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use lyceum_net::{LookupError, Resolver, ResolverOptions};
use lyceum_sip::locate::{Options, Query, Records, Search, Target};
use lyceum_sip::{Transport, Uri};
use tokio::runtime::{Builder, Runtime};

use crate::support::PATIENCE;

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn srv(priority: u16, port: u16, target: &str) -> RData {
    RData::SRV(SRV::new(priority, 1, port, name(target)))
}

/// example.org prefers TLS and has two hosts; everything else does not exist.
fn zone(question: &str, kind: RecordType) -> Vec<RData> {
    match (question, kind) {
        ("example.org.", RecordType::NAPTR) => {
            let record = |order, service: &str, to: &str| {
                let flags = Box::from(&b"s"[..]);
                RData::NAPTR(NAPTR::new(order, 50, flags, service.as_bytes().into(), Box::default(), name(to)))
            };
            vec![record(20, "SIP+D2U", "_sip._udp.example.org."), record(10, "SIPS+D2T", "_sips._tcp.example.org.")]
        }
        ("_sips._tcp.example.org.", RecordType::SRV) => {
            vec![srv(20, 5071, "b.example.org."), srv(10, 5061, "a.example.org.")]
        }
        ("a.example.org.", RecordType::A) => vec![RData::A(A::new(192, 0, 2, 1))],
        ("b.example.org.", RecordType::A) => vec![RData::A(A::new(192, 0, 2, 2))],
        _ => Vec::new(),
    }
}

/// A DNS server for the zone above; counts its questions.
fn server() -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = socket.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let question = Message::from_vec(&buffer[..length]).unwrap();
            counter.fetch_add(1, SeqCst);
            let query = question.queries[0].clone();
            let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
            let asked = query.name().to_ascii().to_ascii_lowercase();
            if !asked.ends_with("example.org.") {
                answer.metadata.response_code = ResponseCode::NXDomain;
            }
            // Lets the absence of records be remembered, too (RFC 2308).
            let soa = SOA::new(name("ns.example.org."), name("admin.example.org."), 1, 60, 60, 60, 60);
            answer.add_authority(Record::from_rdata(name("example.org."), 60, RData::SOA(soa)));
            for data in zone(&asked, query.query_type()) {
                answer.add_answer(Record::from_rdata(query.name().clone(), 60, data));
            }
            answer.add_query(query);
            socket.send_to(&answer.to_vec().unwrap(), from).unwrap();
        }
    });
    (addr, asked)
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

fn resolver(runtime: &Runtime, server: SocketAddr) -> Resolver {
    let options = ResolverOptions { servers: vec![server], ..ResolverOptions::default() };
    Resolver::new(runtime.handle().clone(), options).unwrap()
}

fn search(uri: &str) -> Search {
    Search::new(&Uri::parse(uri.as_bytes()).unwrap(), &Options::default()).unwrap()
}

#[test]
fn naptr_srv_and_addresses_lead_to_targets_in_order() {
    let (addr, asked) = server();
    let runtime = runtime();
    let resolver = resolver(&runtime, addr);
    let target = |text: &str| Target { transport: Transport::Tls, address: text.parse().unwrap() };
    let expected = vec![target("192.0.2.1:5061"), target("192.0.2.2:5071")];
    let (sender, results) = sync_channel(1);
    resolver.start(search("sip:bob@example.org"), move |found| sender.send(found).unwrap()).unwrap();
    assert_eq!(results.recv_timeout(PATIENCE).unwrap(), Ok(expected.clone()));
    // The second time nothing is asked.
    let questions = asked.load(SeqCst);
    assert_eq!(runtime.block_on(resolver.search(search("sip:carol@example.org"))), Ok(expected));
    assert_eq!(asked.load(SeqCst), questions);
}

#[test]
fn no_such_name_is_an_empty_answer() {
    let (addr, _) = server();
    let runtime = runtime();
    let resolver = resolver(&runtime, addr);
    let query = Query::Srv("_sip._udp.nowhere.test".into());
    assert_eq!(runtime.block_on(resolver.ask(&query)), Ok(Records::Srv(vec![])));
    assert_eq!(runtime.block_on(resolver.search(search("sip:bob@nowhere.test"))), Err(LookupError::Nowhere));
}

#[test]
fn hosts_of_this_machine_are_known() {
    let (addr, _) = server();
    let runtime = runtime();
    let resolver = resolver(&runtime, addr);
    let Ok(Records::Addresses(found)) = runtime.block_on(resolver.ask(&Query::Addresses("localhost".into()))) else {
        panic!("localhost has an address")
    };
    assert!(found.contains(&IpAddr::from([127, 0, 0, 1])));
}

#[test]
fn a_silent_server_costs_a_bounded_time_and_room() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let runtime = runtime();
    let options = ResolverOptions {
        servers: vec![silent.local_addr().unwrap()],
        question: Duration::from_millis(100),
        search: Duration::from_millis(300),
        searches: 1,
        ..ResolverOptions::default()
    };
    let resolver = Resolver::new(runtime.handle().clone(), options).unwrap();
    let (sender, results) = sync_channel(1);
    resolver.start(search("sip:bob@example.org"), move |found| sender.send(found).unwrap()).unwrap();
    let refused = resolver.start(search("sip:bob@example.org"), |_| panic!("never started"));
    assert_eq!(refused, Err(LookupError::Busy));
    assert_eq!(results.recv_timeout(PATIENCE).unwrap(), Err(LookupError::Late));
}
