//! RFC 3263 §4 against small zones.

use super::*;
use crate::Uri;
use rand_core::RngCore;
use std::collections::HashMap;

struct Steps(u64);

impl RngCore for Steps {
    fn next_u32(&mut self) -> u32 {
        self.next_u64() as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        out.fill(0);
    }
}

/// One line per record: `naptr DOMAIN order preference service replacement`,
/// `srv NAME priority weight port target`, `a HOST address`.
struct Zone(HashMap<Query, Records>);

impl Zone {
    fn new(text: &str) -> Zone {
        let mut zone = HashMap::new();
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let number = |i: usize| words[i].parse().expect("a number");
            match words.as_slice() {
                ["naptr", domain, _, _, service, replacement] => {
                    let record = NaptrRecord {
                        order: number(2),
                        preference: number(3),
                        flags: "S".into(),
                        service: (*service).into(),
                        replacement: (*replacement).into(),
                    };
                    let entry = zone.entry(Query::Naptr((*domain).into())).or_insert(Records::Naptr(vec![]));
                    if let Records::Naptr(list) = entry {
                        list.push(record);
                    }
                }
                ["srv", service, _, _, _, target] => {
                    let record =
                        SrvRecord { priority: number(2), weight: number(3), port: number(4), target: (*target).into() };
                    let entry = zone.entry(Query::Srv((*service).into())).or_insert(Records::Srv(vec![]));
                    if let Records::Srv(list) = entry {
                        list.push(record);
                    }
                }
                ["a", host, address] => {
                    let entry = zone.entry(Query::Addresses((*host).into())).or_insert(Records::Addresses(vec![]));
                    if let Records::Addresses(list) = entry {
                        list.push(address.parse().expect("address"));
                    }
                }
                _ => {}
            }
        }
        Zone(zone)
    }

    /// Targets as text, and the questions asked on the way.
    fn resolve(&self, uri: &str, options: &Options) -> (Vec<String>, Vec<Query>) {
        let uri = Uri::parse(uri.as_bytes()).expect("a URI");
        let mut rng = Steps(1);
        let mut search = Search::new(&uri, options).expect("locatable");
        let mut asked = Vec::new();
        loop {
            match search.step(&mut rng) {
                Step::Ask(query) => {
                    let empty = match query {
                        Query::Naptr(_) => Records::Naptr(vec![]),
                        Query::Srv(_) => Records::Srv(vec![]),
                        Query::Addresses(_) => Records::Addresses(vec![]),
                    };
                    search.answer(self.0.get(&query).cloned().unwrap_or(empty), &mut rng);
                    asked.push(query);
                    assert!(asked.len() < 100, "no end");
                }
                Step::Found(targets) => {
                    let text = targets.iter().map(|t| format!("{} {}", t.transport, t.address)).collect();
                    return (text, asked);
                }
                Step::Nowhere => return (vec![], asked),
            }
        }
    }
}

const EXAMPLE: &str = "\
naptr example.com 50 50 SIPS+D2T _sips._tcp.example.com.
naptr example.com 90 50 SIP+D2T _sip._tcp.example.com
naptr example.com 100 50 SIP+D2U _sip._udp.example.com
srv _sips._tcp.example.com 0 1 5061 tls.example.com
srv _sip._tcp.example.com 0 1 5060 server1.example.com.
srv _sip._tcp.example.com 1 2 5060 server2.example.com
srv _sip._udp.example.com 0 1 5060 server1.example.com
a tls.example.com 192.0.2.5
a server1.example.com 192.0.2.1
a server1.example.com 2001:db8::1
a server2.example.com 192.0.2.2
a plain.example.org 192.0.2.77
srv _sip._udp.half.example.org 0 0 5080 server2.example.com
srv _sip._tcp.gone.example.org 0 0 0 .
";

#[test]
fn rfc_3263_section_4() {
    let zone = Zone::new(EXAMPLE);
    let all = Options::default();
    let no_tls = Options { transports: vec![Transport::Tcp, Transport::Udp], ipv6_first: true };
    let cases: &[(&str, &Options, &[&str], usize)] = &[
        // Numeric hosts need no DNS.
        ("sip:b@192.0.2.9", &all, &["UDP 192.0.2.9:5060"], 0),
        ("sip:b@[2001:db8::9]:5070", &all, &["UDP [2001:db8::9]:5070"], 0),
        ("sips:b@192.0.2.9", &all, &["TLS 192.0.2.9:5061"], 0),
        ("sip:b@192.0.2.9;transport=tcp", &all, &["TCP 192.0.2.9:5060"], 0),
        ("sip:b@nowhere.example;maddr=192.0.2.8", &all, &["UDP 192.0.2.8:5060"], 0),
        // A port: addresses only.
        ("sip:b@server2.example.com:5090", &all, &["UDP 192.0.2.2:5090"], 1),
        ("sips:b@server2.example.com:5090", &all, &["TLS 192.0.2.2:5090"], 1),
        // A transport: its SRV.
        (
            "sip:b@example.com;transport=tcp",
            &all,
            &["TCP 192.0.2.1:5060", "TCP [2001:db8::1]:5060", "TCP 192.0.2.2:5060"],
            3,
        ),
        ("sip:b@plain.example.org;transport=tcp", &all, &["TCP 192.0.2.77:5060"], 2),
        // NAPTR by order, without what we cannot do.
        (
            "sip:b@example.com",
            &no_tls,
            &[
                "TCP [2001:db8::1]:5060",
                "TCP 192.0.2.1:5060",
                "TCP 192.0.2.2:5060",
                "UDP [2001:db8::1]:5060",
                "UDP 192.0.2.1:5060",
            ],
            6,
        ),
        ("sips:b@example.com", &all, &["TLS 192.0.2.5:5061"], 3),
        // No NAPTR: SRV of each transport.
        ("sip:b@half.example.org", &all, &["UDP 192.0.2.2:5080"], 5),
        // No SRV either: the domain itself.
        ("sip:b@Plain.Example.ORG.", &all, &["UDP 192.0.2.77:5060"], 5),
        ("sip:b@nothing.example", &all, &[], 5),
        ("sip:b@gone.example.org;transport=tcp", &all, &[], 2),
    ];
    for (uri, options, want, questions) in cases {
        let (got, asked) = zone.resolve(uri, options);
        assert_eq!(got, *want, "{uri}");
        assert_eq!(asked.len(), *questions, "{uri}: {asked:?}");
    }
}

#[test]
fn what_dns_does_not_know_is_refused() {
    let options = Options::default();
    let cases = [
        ("tel:+358555", Unlocatable::Scheme),
        ("urn:service:sos", Unlocatable::Scheme),
        ("sip:b@x;transport=sctp", Unlocatable::Transport),
        ("sip:b@x;transport=ws", Unlocatable::Transport),
    ];
    for (text, want) in cases {
        let uri = Uri::parse(text.as_bytes()).expect("a URI");
        assert_eq!(Search::new(&uri, &options).err(), Some(want), "{text}");
    }
    let plain = Options { transports: vec![Transport::Udp], ipv6_first: false };
    let uri = Uri::parse(b"sips:b@x").expect("a URI");
    assert_eq!(Search::new(&uri, &plain).err(), Some(Unlocatable::Transport));
}

#[test]
fn weights_share_the_load() {
    let record = |weight, port| SrvRecord { priority: 1, weight, port, target: "h".into() };
    let records = vec![record(75, 1), record(25, 2), record(0, 3)];
    let mut rng = Steps(7);
    let mut first = [0; 4];
    for _ in 0..10_000 {
        first[usize::from(order::srv(records.clone(), &mut rng)[0].port)] += 1;
    }
    assert!((7_200..7_700).contains(&first[1]), "{first:?}");
    assert!((2_200..2_700).contains(&first[2]), "{first:?}");
    assert!((1..300).contains(&first[3]), "{first:?}");
    let later = SrvRecord { priority: 2, weight: 60_000, port: 9, target: "h".into() };
    let mixed = vec![later, record(0, 1)];
    assert_eq!(order::srv(mixed, &mut rng)[0].port, 1, "priority before weight");
}

#[test]
fn a_search_is_bounded() {
    let mut zone = String::new();
    for i in 0..100 {
        zone += &format!("srv _sip._udp.big.example {i} 0 5060 h{i}.example\n");
        for j in 0..10 {
            zone += &format!("a h{i}.example 10.0.{i}.{j}\n");
        }
    }
    let zone = Zone::new(&zone);
    let (targets, asked) = zone.resolve("sip:b@big.example;transport=udp", &Options::default());
    assert_eq!(targets.len(), MAX_TARGETS);
    assert_eq!(asked.len(), 1 + MAX_HOSTS);
}
