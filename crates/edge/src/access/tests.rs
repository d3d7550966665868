//! The engine by itself: what comes in by which port, and what goes out where.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use lyceum_net::{Arrival, Destination, Engine, Flow, Listener, ListenerId, Outbox, PeerIdentity};
use lyceum_sip::time::{Now, Time, WallTime};
use lyceum_sip::{SecretKey, Transport};

use super::*;

const CLIENT: Flow = Flow::Stream { worker: 0, index: 1, generation: 9 };
const PARTNER: Flow = Flow::Stream { worker: 0, index: 2, generation: 9 };
const POOL: Flow = Flow::Stream { worker: 0, index: 3, generation: 9 };
const CUT: &str = r#"{"domains":["example.org"],"federation":{"enabled":true,"allowed":[{"name":"partner.test"}],"blocked":[{"name":"evil.test"}]}}"#;

struct Bench {
    access: Access,
    asked: Arc<Mutex<Vec<(u64, String)>>>,
    at: u64,
}

/// A message that went out: where to, the ticket, the text.
type Out = (Destination, u64, String);

impl Bench {
    fn new() -> Bench {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let asking = Arc::clone(&asked);
        let access = Access::new(AccessOptions {
            worker: 0,
            ports: Ports { remote: Some(ListenerId(0)), federation: Some(ListenerId(1)), link: ListenerId(2) },
            remote: "edge.example.org:443".into(),
            federation: "edge.example.org:5061".into(),
            name: "edge1".into(),
            pool: vec!["10.0.0.5:5063".parse().unwrap()],
            key: SecretKey([7; 32]),
            find: Box::new(move |query, domain| asking.lock().unwrap().push((query, domain.to_owned()))),
        });
        Bench { access, asked, at: 1_000_000 }
    }

    /// A bench whose link stands.
    fn linked() -> Bench {
        let mut bench = Bench::new();
        let mut out = Outbox::new();
        bench.access.timeout(bench.now(), &mut out);
        let ping = sent(&out).remove(0);
        assert!(matches!(&ping.0, Destination::Address { name: Some(name), .. } if &**name == "pool.link.internal"));
        let via = line(&ping.2, "Via");
        let ok = format!(
            "SIP/2.0 200 OK\nVia: {via}\nFrom: <sip:e>;tag=link\nTo: <sip:p>;tag=p\nCall-ID: link\nCSeq: 1 OPTIONS\nContent-Type: application/json\nContent-Length: {}\n\n{CUT}",
            CUT.len()
        );
        assert!(bench.from(2, POOL, None, &ok).is_empty());
        bench
    }

    fn now(&self) -> Now {
        Now { mono: Time(self.at), wall: WallTime(self.at / 1000) }
    }

    fn from(&mut self, listener: u16, flow: Flow, peer: Option<&PeerIdentity>, text: &str) -> Vec<Out> {
        sent(&self.arrive(listener, flow, peer, text))
    }

    fn closed_by(&mut self, listener: u16, flow: Flow, text: &str) -> Vec<Flow> {
        self.arrive(listener, flow, None, text).closed().collect()
    }

    fn arrive(&mut self, listener: u16, flow: Flow, peer: Option<&PeerIdentity>, text: &str) -> Outbox {
        let addr: SocketAddr = "192.0.2.1:443".parse().unwrap();
        let listener = Listener {
            id: ListenerId(listener),
            transport: Transport::Tls,
            addr,
            advertised: "edge".into(),
            inside: false,
            link: false,
        };
        let bytes = text.replace('\n', "\r\n");
        let arrival = Arrival {
            flow,
            transport: Transport::Tls,
            listener: &listener,
            local: addr,
            remote: "198.51.100.7:40000".parse().unwrap(),
            peer,
            bytes: bytes.as_bytes(),
        };
        let mut out = Outbox::new();
        self.access.message(self.now(), arrival, &mut out);
        out
    }

    fn client(&mut self, text: &str) -> Vec<Out> {
        self.from(0, CLIENT, None, text)
    }

    fn partner(&mut self, names: &[&str], text: &str) -> Vec<Out> {
        let peer = PeerIdentity { names: names.iter().map(|name| (*name).to_owned()).collect() };
        self.from(1, PARTNER, Some(&peer), text)
    }

    fn pool(&mut self, text: &str) -> Vec<Out> {
        self.from(2, POOL, None, text)
    }
}

fn sent(out: &Outbox) -> Vec<Out> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    out.sent().map(|one| (one.to.clone(), one.ticket, text(one.bytes))).collect()
}

/// The value of the first line with this name.
fn line(message: &str, name: &str) -> String {
    let begin = format!("{name}: ");
    message.lines().find_map(|line| line.strip_prefix(&begin)).unwrap_or_default().to_owned()
}

fn request(method: &str, uri: &str, from: &str, more: &str) -> String {
    format!(
        "{method} {uri} SIP/2.0\nVia: SIP/2.0/TLS 10.9.9.9:5061;branch=z9hG4bKc;rport\nMax-Forwards: 70\n\
         From: <sip:{from}>;tag=a\nTo: <{uri}>\nCall-ID: c1\nCSeq: 1 {method}\n{more}Content-Length: 0\n\n"
    )
}

fn refused(out: &[Out]) -> (String, String) {
    assert_eq!(out.len(), 1, "{out:?}");
    (out[0].2.lines().next().unwrap_or_default().to_owned(), line(&out[0].2, "Lyceum-Diagnostics"))
}

/// What is answered along the Via of a request.
fn ok_to(request: &str) -> String {
    let vias: Vec<&str> = request.lines().filter(|line| line.starts_with("Via: ")).collect();
    let cseq = line(request, "CSeq");
    format!(
        "SIP/2.0 200 OK\n{}\nFrom: {}\nTo: {};tag=b\nCall-ID: c1\nCSeq: {cseq}\nContent-Length: 0\n\n",
        vias.join("\n"),
        line(request, "From"),
        line(request, "To"),
    )
}

#[test]
fn without_a_link_clients_are_told_to_come_again() {
    let mut bench = Bench::new();
    let out = bench.client(&request("OPTIONS", "sip:example.org", "anna@example.org", ""));
    assert_eq!(refused(&out).1, "LYE0001");
    assert_eq!(line(&out[0].2, "Retry-After"), "5");
}

#[test]
fn a_client_gets_path_and_via_and_loses_what_it_may_not_say() {
    let mut bench = Bench::linked();
    let forged = "Path: <sip:evil;lr>\nP-Asserted-Identity: <sip:boss@example.org>\nLyceum-Outside: federated;domain=x\n\
                  Remote-Party-ID: <sip:boss@example.org>\nAuthorization: Digest username=\"anna\"\n";
    let out = bench.client(&request("REGISTER", "sip:example.org", "anna@example.org", forged));
    let (to, _, text) = &out[0];
    assert_eq!(*to, Destination::Flow(POOL));
    assert!(!text.contains("boss") && !text.contains("evil"), "{text}");
    assert!(text.contains("Authorization: Digest username"), "the password's proof passes: {text}");
    assert!(text.contains("\nLyceum-Outside: remote\n") && text.matches("Lyceum-Outside").count() == 1, "{text}");
    let path = line(text, "Path");
    assert!(path.contains("@edge.example.org:443;transport=tls;lr;edge;ob>"), "{path}");
    assert!(
        text.contains("Via: SIP/2.0/TLS 10.9.9.9:5061;branch=z9hG4bKc;rport=40000;received=198.51.100.7"),
        "{text}"
    );
    assert!(text.contains("\nMax-Forwards: 69\n"));
    let back = bench.pool(&ok_to(text));
    assert_eq!(back[0].0, Destination::Flow(CLIENT));
    assert_eq!(back[0].2.matches("Via:").count(), 1);
}

#[test]
fn the_pool_reaches_a_client_by_its_path_alone() {
    let mut bench = Bench::linked();
    let registered = bench.client(&request("REGISTER", "sip:example.org", "anna@example.org", "")).remove(0).2;
    let route = line(&registered, "Path").replace(";ob>", ">");
    let out = bench.pool(&request("INVITE", "sip:anna@10.9.9.9", "ben@example.org", &format!("Route: {route}\n")));
    let (to, ticket, text) = &out[0];
    assert_eq!(*to, Destination::Flow(CLIENT));
    assert!(*ticket != 0 && !text.contains("Route: <sip:evil") && line(text, "Route").is_empty());
    assert!(line(text, "Record-Route").contains(";lr;edge>"), "{text}");
    // Only who was asked answers.
    let answer = ok_to(text);
    assert!(bench.from(0, PARTNER, None, &answer).is_empty());
    assert_eq!(bench.client(&answer)[0].0, Destination::Flow(POOL));
    // A connection that is gone is 430.
    let out = bench.pool(&request("MESSAGE", "sip:anna@10.9.9.9", "ben@example.org", &format!("Route: {route}\n")));
    let mut outbox = Outbox::new();
    let now = bench.now();
    bench.access.send_failed(now, out[0].1, &mut outbox);
    assert_eq!(refused(&sent(&outbox)), ("SIP/2.0 430 Flow Failed".to_owned(), "LYE0009".to_owned()));
    // Whose user is gone is cut off, by the pool's word alone.
    let close = request("OPTIONS", "sip:client.invalid", "pool.invalid", &format!("Route: {route}\nLyceum-Close: 1\n"));
    assert_eq!(bench.closed_by(2, POOL, &close), [CLIENT]);
    assert_eq!(bench.closed_by(0, CLIENT, &close), []);
    // Nobody makes a mark.
    let forged = route.replacen("sip:", "sip:A", 1);
    let out = bench.pool(&request("MESSAGE", "sip:anna@10.9.9.9", "ben@example.org", &format!("Route: {forged}\n")));
    assert_eq!(refused(&out).1, "LYE0007");
}

#[test]
fn a_partner_speaks_for_the_domains_in_its_certificate_and_to_ours() {
    let ours = "sip:anna@example.org";
    for (names, from, to, method, diagnostics) in [
        (&["partner.test"][..], "bo@partner.test", ours, "INVITE", None),
        (&["other.test", "partner.test"], "bo@PARTNER.test", ours, "MESSAGE", None),
        (&["other.test"], "bo@partner.test", ours, "INVITE", Some("LYE0004")),
        (&["partner.test", "example.org"], "anna@example.org", ours, "INVITE", Some("LYE0004")),
        (&["sub.partner.test"], "bo@sub.partner.test", ours, "INVITE", Some("LYE0005")),
        (&["evil.test"], "bo@evil.test", ours, "INVITE", Some("LYE0005")),
        (&["partner.test"], "bo@partner.test", "sip:x@elsewhere.test", "INVITE", Some("LYE0008")),
        (&["partner.test"], "bo@partner.test", "sip:+49301234@10.0.0.5", "INVITE", Some("LYE0008")),
        (&["partner.test"], "bo@partner.test", ours, "REGISTER", Some("LYE0014")),
    ] {
        let mut bench = Bench::linked();
        let out = bench.partner(names, &request(method, to, from, "P-Asserted-Identity: <sip:boss@example.org>\n"));
        match diagnostics {
            Some(code) => assert_eq!(refused(&out).1, code, "{from} {to}"),
            None => {
                assert_eq!(out[0].0, Destination::Flow(POOL), "{from} {to}");
                assert_eq!(line(&out[0].2, "Lyceum-Outside"), "federated;domain=partner.test");
                assert!(!out[0].2.contains("boss"));
            }
        }
    }
    let mut bench = Bench::linked();
    let out = bench.from(1, PARTNER, None, &request("INVITE", ours, "bo@partner.test", ""));
    assert_eq!(refused(&out), ("SIP/2.0 403 Certificate required".to_owned(), "LYE0003".to_owned()));
}

#[test]
fn a_discovered_partner_sends_twenty_messages_a_second() {
    let mut bench = Bench::linked();
    bench.access.cut.federation.discovery = true;
    let ask = request("MESSAGE", "sip:anna@example.org", "bo@new.test", "");
    let mut passed = 0;
    let mut codes = Vec::new();
    for _ in 0..50 {
        let out = bench.partner(&["new.test"], &ask);
        if out[0].0 == Destination::Flow(POOL) {
            passed += 1;
        } else {
            codes.push(refused(&out).1);
        }
    }
    assert_eq!((passed, codes.len()), (20, 30));
    assert!(codes.iter().all(|code| code == "LYE0006"));
    assert_eq!(
        bench.partner(&["partner.test"], &request("MESSAGE", "sip:anna@example.org", "bo@partner.test", ""))[0].0,
        Destination::Flow(POOL)
    );
    bench.at += 1_000_000;
    assert_eq!(bench.partner(&["new.test"], &ask)[0].0, Destination::Flow(POOL));
}

#[test]
fn what_leaves_for_a_partner_goes_to_its_edge_and_must_be_answered_by_it() {
    let mut bench = Bench::linked();
    let ask =
        request("MESSAGE", "sip:bo@partner.test", "anna@example.org", "P-Asserted-Identity: <sip:anna@example.org>\n");
    assert!(bench.pool(&ask).is_empty(), "it waits for DNS");
    let (query, domain) = bench.asked.lock().unwrap().pop().unwrap();
    assert_eq!(domain, "partner.test");
    let (first, second): (SocketAddr, SocketAddr) =
        ("203.0.113.1:5061".parse().unwrap(), "203.0.113.2:5061".parse().unwrap());
    let mut out = Outbox::new();
    let now = bench.now();
    bench.access.posted(now, Post::Found { query, found: Ok(vec![first, second]) }, &mut out);
    let one = sent(&out).remove(0);
    let expected = |addr| Destination::Address {
        transport: Transport::Tls,
        addr,
        name: Some("partner.test".into()),
        from: Some(ListenerId(1)),
    };
    assert_eq!(one.0, expected(first));
    assert!(!one.2.contains("P-Asserted"));
    let mut out = Outbox::new();
    bench.access.send_failed(now, one.1, &mut out);
    assert_eq!(sent(&out)[0].0, expected(second), "the next address");
    let answer = ok_to(&one.2);
    assert!(bench.partner(&["other.test"], &answer).is_empty(), "another partner's answer is none");
    assert_eq!(bench.partner(&["partner.test"], &answer)[0].0, Destination::Flow(POOL));
    // Nobody answers: the pool hears of it.
    let again = bench.pool(&ask).remove(0);
    let mut out = Outbox::new();
    bench.access.send_failed(now, again.1, &mut out);
    bench.access.send_failed(now, again.1, &mut out);
    assert_eq!(refused(&sent(&out)[1..]).1, "LYE0010");
    for (uri, code) in [("sip:x@evil.test", "LYE0005"), ("sip:x@unknown.test", "LYE0005")] {
        assert_eq!(refused(&bench.pool(&request("MESSAGE", uri, "anna@example.org", ""))).1, code);
    }
}

#[test]
fn a_dialog_with_a_partner_comes_back_by_its_mark_and_by_nobody_elses() {
    let mut bench = Bench::linked();
    let begun = bench.partner(&["partner.test"], &request("INVITE", "sip:anna@example.org", "bo@partner.test", ""));
    let route = format!("Route: {}\n", line(&begun[0].2, "Record-Route"));
    assert!(route.contains(";edge;d=partner.test>"), "{route}");
    let bye = request("BYE", "sip:anna@10.0.0.7", "bo@partner.test", &route);
    let out = bench.partner(&["partner.test"], &bye);
    assert_eq!(out[0].0, Destination::Flow(POOL));
    assert!(line(&out[0].2, "Route").is_empty());
    bench.access.cut.federation.discovery = true;
    let stolen = request("BYE", "sip:anna@10.0.0.7", "x@other.test", &route);
    assert_eq!(refused(&bench.partner(&["other.test"], &stolen)).1, "LYE0007");
    assert_eq!(refused(&bench.client(&request("BYE", "sip:anna@10.0.0.7", "x@example.org", &route))).1, "LYE0007");
}

#[test]
fn nothing_of_a_request_is_kept_longer_than_its_answer_takes() {
    let mut bench = Bench::linked();
    let registered = bench.client(&request("REGISTER", "sip:example.org", "anna@example.org", "")).remove(0).2;
    let route = format!("Route: {}\n", line(&registered, "Path"));
    let out = bench.pool(&request("MESSAGE", "sip:anna@10.9.9.9", "ben@example.org", &route));
    assert!(bench.access.sent.next_timeout().is_some());
    bench.client(&ok_to(&out[0].2));
    assert!(bench.access.sent.next_timeout().is_none(), "after the answer");
    bench.pool(&request("MESSAGE", "sip:anna@10.9.9.9", "ben@example.org", &route));
    bench.at += FORGET_AFTER.as_micros() as u64;
    let now = bench.now();
    bench.access.timeout(now, &mut Outbox::new());
    assert!(bench.access.sent.next_timeout().is_none(), "without an answer");
    assert!(bench.access.scratch.iter().all(|byte| *byte == 0));
}

#[test]
fn one_address_sends_so_many_requests_and_harms_no_partner() {
    let mut bench = Bench::linked();
    let ask = request("OPTIONS", "sip:example.org", "anna@example.org", "");
    let passed = (0..1000).filter(|_| bench.client(&ask)[0].0 == Destination::Flow(POOL)).count();
    assert_eq!(passed as u32, REQUESTS_PER_SECOND * 4);
    assert_eq!(refused(&bench.client(&ask)).1, "LYE0002");
    assert_eq!(
        bench.partner(&["partner.test"], &request("MESSAGE", "sip:a@example.org", "b@partner.test", ""))[0].0,
        Destination::Flow(POOL)
    );
}
