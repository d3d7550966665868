//! Who comes by the link to an Access Edge: users outside and other organisations, and what is believed of them.

use lyceum_front_end::core::EnrolledEdge;
use lyceum_net::{Listener, ListenerId, Outbox};
use lyceum_sip::Transport;
use lyceum_topology::federation::{Federation, PartnerDomain};
use lyceum_topology::{Document, DomainName, HopTransport, NextHop, RouteMatch, StaticRoute};

use crate::bench::{Bench, Sent, answered, phone, user};

const EDGE: &str = "7-00ff.edge.link.internal";
const PATH: &str = "<sip:mark@edge.example.org:443;transport=tls;lr;edge;ob>";

fn partner(name: &str) -> PartnerDomain {
    PartnerDomain { name: DomainName::parse(name).unwrap(), ..PartnerDomain::default() }
}

fn bench(remote: bool, federation: bool) -> Bench {
    let change = |document: &mut Document| {
        let global = &mut document.policies.external_access;
        *global = serde_json::from_value(serde_json::json!({
            "global": { "allow_remote": remote, "allow_federation": federation }
        }))
        .unwrap();
        document.federation = Federation {
            enabled: true,
            allowed: vec![partner("partner.test")],
            blocked: vec![partner("evil.test")],
            ..Federation::default()
        };
        let hop = NextHop {
            host: "192.0.2.9".into(),
            port: Some(5060),
            transport: HopTransport::Udp,
            priority: 10,
            weight: 10,
        };
        document.static_routes = vec![StaticRoute {
            name: "trunk".into(),
            description: String::new(),
            matches: RouteMatch::TelPrefix { prefix: "+49".into() },
            next_hops: vec![hop],
        }];
    };
    let mut bench = Bench::with(change, vec![user(1, "anna"), user(2, "ben")]);
    bench.core.add_listener(Listener {
        id: ListenerId(9),
        transport: Transport::Tls,
        addr: "10.0.0.5:5063".parse().unwrap(),
        advertised: "10.0.0.5:5063".into(),
        inside: false,
        link: true,
    });
    bench.core.set_edges(vec![EnrolledEdge { number: 7, link: EDGE.into() }], &mut Outbox::new());
    bench
}

/// A request as the Edge hands it on.
fn by_edge(bench: &mut Bench, method: &str, uri: &str, from: &str, outside: &str, more: &str) -> String {
    let number = bench.number();
    format!(
        "{method} {uri} SIP/2.0\nVia: SIP/2.0/TLS edge.example.org:443;branch=z9hG4bKe{number}\n\
         Via: SIP/2.0/TLS 10.9.9.9:5061;branch=z9hG4bKc{number};received=203.0.113.7;rport=4000\nMax-Forwards: 69\n\
         From: <sip:{from}>;tag=f{number}\nTo: <{uri}>\nCall-ID: c{number}\nCSeq: 1 {method}\n\
         Contact: <sip:x@10.9.9.9:5061>\n{more}Lyceum-Outside: {outside}\nContent-Length: 0\n\n"
    )
}

fn register(bench: &mut Bench, index: u32) -> Vec<Sent> {
    let ask = by_edge(bench, "REGISTER", "sip:example.org", "anna@example.org", "remote", &format!("Path: {PATH}\n"))
        .replace("To: <sip:example.org>", "To: <sip:anna@example.org>");
    let asked = bench.receive_by_link(index, Some(EDGE), &ask);
    assert_eq!(asked[0].status(), 401);
    let text = answered(&ask, &asked[0], "anna", "secret");
    bench.receive_by_link(index, Some(EDGE), &text)
}

fn refused(out: &[Sent]) -> (u16, &str) {
    (out[0].status(), out[0].value("Lyceum-Diagnostics"))
}

#[test]
fn a_user_outside_signs_in_by_policy_alone() {
    let mut off = bench(false, true);
    assert_eq!(refused(&register(&mut off, 1)), (403, "LYS0071"));
    let mut on = bench(true, false);
    let done = register(&mut on, 1);
    assert_eq!(done[0].status(), 200);
    assert_eq!(done[0].value("Path"), PATH);
}

#[test]
fn a_binding_outlives_the_connection_that_carried_its_link() {
    let mut bench = bench(true, false);
    register(&mut bench, 1);
    let flow = lyceum_net::Flow::Stream { worker: 0, index: 1, generation: 1 };
    let now = bench.now;
    bench.core.flow_closed(now, flow, &mut Outbox::new());
    let ping = "OPTIONS sip:pool.link.internal SIP/2.0\nVia: SIP/2.0/TLS e.invalid;branch=z9hG4bK.link2\nMax-Forwards: 1\n\
                From: <sip:e.invalid>;tag=l\nTo: <sip:pool.link.internal>\nCall-ID: l\nCSeq: 2 OPTIONS\nContent-Length: 0\n\n";
    let told = bench.receive_by_link(2, Some(EDGE), ping);
    assert!(told[0].text.contains("\"partner.test\"") && !told[0].text.contains("anna"), "{}", told[0].text);
    let ask = bench.request("INVITE", "sip:anna@example.org", "ben", phone(2), "");
    let out = bench.signed("ben", "secret", phone(2), &ask);
    let invite = out.iter().find(|sent| sent.first_line().starts_with("INVITE")).expect("it goes out");
    // The number of the link, not of a connection.
    assert_eq!(invite.to.port(), 7);
    assert_eq!(invite.value("Route"), PATH);
}

#[test]
fn who_is_no_enrolled_edge_says_nothing_on_a_link() {
    for name in [None, Some("8-0000.edge.link.internal"), Some("partner.test")] {
        let mut bench = bench(true, true);
        let ask = by_edge(&mut bench, "OPTIONS", "sip:example.org", "anna@example.org", "remote", "");
        assert_eq!(refused(&bench.receive_by_link(3, name, &ask)), (403, "LYS0076"));
    }
}

#[test]
fn a_partner_reaches_users_whose_policy_allows_it_and_nothing_else() {
    let said = "federated;domain=partner.test";
    for (uri, from, outside, federation, expected) in [
        ("sip:anna@example.org", "bo@partner.test", said, true, (480, "LYS0015")),
        ("sip:anna@example.org", "bo@partner.test", said, false, (403, "LYS0072")),
        ("sip:nobody@example.org", "bo@partner.test", said, true, (403, "LYS0072")),
        ("sip:+4930123@example.org", "bo@partner.test", said, true, (403, "LYS0072")),
        ("tel:+4930123", "bo@partner.test", said, true, (403, "LYS0072")),
        ("sip:x@elsewhere.test", "bo@partner.test", said, true, (403, "LYS0072")),
        ("sip:x@partner.test", "bo@partner.test", said, true, (403, "LYS0072")),
        ("sip:anna@example.org", "bo@other.test", said, true, (403, "LYS0005")),
        ("sip:anna@example.org", "ben@example.org", "federated;domain=example.org", true, (403, "LYS0005")),
        ("sip:anna@example.org", "bo@evil.test", "federated;domain=evil.test", true, (403, "LYS0074")),
        ("sip:anna@example.org", "bo@unknown.test", "federated;domain=unknown.test", true, (403, "LYS0074")),
        // Who is not said to be a partner is a user like any other.
        ("sip:anna@example.org", "bo@partner.test", "remote", true, (403, "LYS0013")),
    ] {
        let mut bench = bench(true, federation);
        let ask = by_edge(&mut bench, "INVITE", uri, from, outside, "");
        let out = bench.receive_by_link(1, Some(EDGE), &ask);
        let last = out.iter().rfind(|sent| sent.status() >= 200).expect("an answer");
        assert_eq!((last.status(), last.value("Lyceum-Diagnostics")), expected, "{uri} {from} {outside} {federation}");
        assert!(out.iter().all(|sent| sent.status() > 0), "nothing leaves: {uri} {from}");
    }
    let mut bench = bench(true, true);
    for method in ["REGISTER", "PUBLISH"] {
        let ask = by_edge(&mut bench, method, "sip:anna@example.org", "bo@partner.test", said, "Event: presence\n");
        assert_eq!(refused(&bench.receive_by_link(1, Some(EDGE), &ask)), (403, "LYS0077"), "{method}");
    }
}

#[test]
fn what_an_edge_says_counts_on_its_link_alone() {
    let mut bench = bench(true, true);
    let ask =
        by_edge(&mut bench, "MESSAGE", "sip:anna@example.org", "bo@partner.test", "federated;domain=partner.test", "");
    assert_eq!(refused(&bench.receive(phone(3), &ask)), (403, "LYS0013"));
}

#[test]
fn our_users_reach_partners_by_policy_and_by_an_edge_that_is_linked() {
    for (federation, linked, uri, expected) in [
        (true, true, "sip:bo@partner.test", (0, "")),
        (true, false, "sip:bo@partner.test", (503, "LYS0075")),
        (false, true, "sip:bo@partner.test", (403, "LYS0073")),
        (true, true, "sip:bo@evil.test", (403, "LYS0074")),
        (true, true, "sip:bo@unknown.test", (403, "LYS0013")),
    ] {
        let mut bench = bench(true, federation);
        if linked {
            register(&mut bench, 1);
        }
        let ask = bench.request("INVITE", uri, "ben", phone(2), "P-Asserted-Identity: <sip:boss@example.org>\n");
        let out = bench.signed("ben", "secret", phone(2), &ask);
        let last = out.iter().rfind(|sent| sent.status() != 100).expect("something");
        assert_eq!((last.status(), last.value("Lyceum-Diagnostics")), expected, "{uri} {federation} {linked}");
        if expected.0 == 0 {
            assert_eq!(last.to.port(), 7);
            assert!(last.first_line().starts_with("INVITE sip:bo@partner.test") && !last.text.contains("boss"));
        }
    }
}

#[test]
fn who_is_disabled_is_cut_off_at_the_edge_and_the_link_stays() {
    let mut bench = bench(true, false);
    register(&mut bench, 1);
    let (now, mut out) = (bench.now, Outbox::new());
    bench.core.user_gone(now, lyceum_topology::UserId(1), "anna@example.org", &mut out);
    assert_eq!(out.closed().count(), 0, "the link carries others");
    let sent = bench.settle(out, std::time::Duration::ZERO);
    let order = sent.iter().find(|sent| sent.text.contains("Lyceum-Close: 1")).expect("the Edge is told");
    assert_eq!((order.to.port(), order.value("Route")), (7, PATH));
}
