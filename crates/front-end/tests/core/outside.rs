//! Who comes by the link to an Access Edge: users outside and other organisations, and what is believed of them.

use std::sync::{Arc, Mutex};

use lyceum_front_end::core::EnrolledEdge;
use lyceum_net::{Listener, ListenerId, Outbox};
use lyceum_sip::Transport;
use lyceum_topology::federation::{Federation, PartnerDomain};
use lyceum_topology::{Document, DomainName, HopTransport, NextHop, RouteMatch, StaticRoute};

use crate::bench::{Bench, Sent, answered, phone, reply, user};
use crate::bridging::{Fake, Noted};
use crate::dialogs::{backwards, in_dialog};

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

fn external(remote: bool, federation: bool) -> impl FnOnce(&mut Document) {
    move |document| {
        let allowed = serde_json::json!({ "global": { "allow_remote": remote, "allow_federation": federation } });
        document.policies.external_access = serde_json::from_value(allowed).unwrap();
    }
}

/// A request of the caller by the link, within the dialog of this INVITE and this 200.
fn in_dialog_by_edge(method: &str, invite: &str, ok: &Sent, cseq: u32, said: &str, more: &str) -> String {
    let text = in_dialog(method, invite, ok, cseq).replace("z9hG4bK", &format!("z9hG4bK{cseq}"));
    text.replace("Content-Length", &format!("{more}Lyceum-Outside: {said}\nContent-Length"))
}

/// Somebody calls Ben by the link: the INVITE that counted, the fork and the 200.
fn called_by_link(bench: &mut Bench, text: &str) -> (Sent, Sent) {
    let sent = bench.receive_by_link(1, Some(EDGE), text);
    let fork = sent.iter().find(|sent| sent.first_line().starts_with("INVITE")).expect("a fork").clone();
    let up = bench.receive(phone(2), &reply(&fork, "200 OK", "b", phone(2)));
    (fork, up.into_iter().find(|sent| sent.status() == 200).expect("the 200"))
}

const PARTNER: &str = "federated;domain=partner.test";

fn called_by_partner(bench: &mut Bench) -> (String, Sent, Sent) {
    bench.register("ben", phone(2));
    let text = by_edge(bench, "INVITE", "sip:ben@example.org", "bo@partner.test", PARTNER, "");
    let (fork, ok) = called_by_link(bench, &text);
    (text, fork, ok)
}

fn last(sent: &[Sent]) -> (u16, String) {
    let last = sent.iter().rfind(|sent| sent.status() != 100).expect("something");
    (last.status(), last.value("Lyceum-Diagnostics").to_owned())
}

#[test]
fn who_may_no_longer_come_from_outside_may_end_his_call_and_nothing_else() {
    let mut bench = bench(true, false);
    let noted = Arc::new(Mutex::new(Noted::default()));
    bench.core.set_mediation(Box::new(Fake(Arc::clone(&noted))));
    bench.register("ben", phone(2));
    let ask = by_edge(&mut bench, "INVITE", "sip:ben@example.org", "anna@example.org", "remote", "");
    let asked = bench.receive_by_link(1, Some(EDGE), &ask);
    let asked = asked.iter().find(|sent| sent.status() == 407).expect("a challenge");
    let invite = answered(&ask, asked, "anna", "secret");
    let (_, ok) = called_by_link(&mut bench, &invite);
    assert_eq!(noted.lock().unwrap().hosts, [std::net::IpAddr::from([203, 0, 113, 7])], "not the Edge's address");
    let again = |cseq, method| in_dialog_by_edge(method, &invite, &ok, cseq, "remote", "");
    assert_eq!(last(&bench.receive_by_link(1, Some(EDGE), &again(3, "INVITE"))).0, 0, "it is forwarded");
    bench.change_document(external(false, false));
    for method in ["INVITE", "INFO", "REFER"] {
        let told = bench.receive_by_link(1, Some(EDGE), &again(4, method));
        assert_eq!(last(&told), (403, "LYS0071".into()), "{method}");
    }
    let bye = bench.receive_by_link(1, Some(EDGE), &again(5, "BYE"));
    assert_eq!((bye[0].to, bye[0].status()), (phone(2), 0));
}

#[test]
fn a_partner_who_was_shut_out_may_end_his_call_and_nothing_else() {
    let closed = |document: &mut Document| {
        document.federation.blocked.push(partner("partner.test"));
        document.federation.allowed.clear();
    };
    type Change = Box<dyn FnOnce(&mut Document)>;
    let changes: [(Change, &str); 2] = [(Box::new(external(true, false)), "LYS0072"), (Box::new(closed), "LYS0074")];
    for (change, code) in changes {
        let mut bench = bench(true, true);
        let (invite, fork, ok) = called_by_partner(&mut bench);
        let again = |cseq, method| in_dialog_by_edge(method, &invite, &ok, cseq, PARTNER, "");
        assert_eq!(last(&bench.receive_by_link(1, Some(EDGE), &again(3, "INFO"))).0, 0, "it is forwarded");
        bench.change_document(change);
        assert_eq!(last(&bench.receive_by_link(1, Some(EDGE), &again(4, "INVITE"))), (403, code.into()));
        if code == "LYS0072" {
            let ours = bench.receive(phone(2), &backwards("INFO", &fork, "b", phone(2)));
            assert_eq!(last(&ours), (403, "LYS0073".into()), "nor does our user go on with him");
        }
        let bye = bench.receive_by_link(1, Some(EDGE), &again(5, "BYE"));
        assert_eq!((bye[0].to, bye[0].status()), (phone(2), 0));
    }
}

#[test]
fn a_partner_sends_nobody_to_the_telephone_network() {
    let mut bench = bench(true, true);
    let (invite, _, ok) = called_by_partner(&mut bench);
    for (number, (target, passes)) in [
        ("<tel:+4930123>", false),
        ("tel:+4930123", false),
        ("\"X\" <sip:+4930123@example.org;user=phone>", false),
        ("<sip:030123@example.org>", false),
        ("<sip:+1555@192.0.2.1>", false),
        ("<sip:+1555@198.51.100.99>", false),
        ("<sip:+4930123@example.org?Replaces=a%3Bto-tag%3Db>", false),
        ("<urn:service:sos>", false),
        ("nonsense <", false),
        ("<sip:anna@example.org>", true),
        ("<sip:carol@partner.test>", true),
        ("<sip:+4930123@partner.test>", true),
    ]
    .into_iter()
    .enumerate()
    {
        let more = format!("Refer-To: {target}\n");
        let refer = in_dialog_by_edge("REFER", &invite, &ok, 10 + number as u32, PARTNER, &more);
        let told = last(&bench.receive_by_link(1, Some(EDGE), &refer));
        assert_eq!(told, if passes { (0, String::new()) } else { (403, "LYS0072".into()) }, "{target}");
    }
    let alone =
        by_edge(&mut bench, "REFER", "sip:ben@example.org", "bo@partner.test", PARTNER, "Refer-To: <tel:+4930123>\n");
    assert_eq!(last(&bench.receive_by_link(1, Some(EDGE), &alone)), (403, "LYS0072".into()));
}

#[test]
fn a_partners_subscription_is_not_refreshed_once_he_is_shut_out() {
    let mut bench = bench(true, true);
    let ask = by_edge(
        &mut bench,
        "SUBSCRIBE",
        "sip:ben@example.org",
        "bo@partner.test",
        PARTNER,
        "Event: presence\nExpires: 600\n",
    );
    let taken = bench.receive_by_link(1, Some(EDGE), &ask);
    let ok = taken.iter().find(|sent| sent.status() == 200).expect("it is taken").clone();
    let again = |cseq, expires: u32| {
        let more = format!("Event: presence\nExpires: {expires}\nContact: <sip:x@10.9.9.9:5061>\n");
        in_dialog_by_edge("SUBSCRIBE", &ask, &ok, cseq, PARTNER, &more)
    };
    let refreshed = bench.receive_by_link(1, Some(EDGE), &again(2, 600));
    assert!(refreshed.iter().any(|sent| sent.status() == 200), "{refreshed:?}");
    bench.change_document(external(true, false));
    assert_eq!(last(&bench.receive_by_link(1, Some(EDGE), &again(3, 600))), (403, "LYS0072".into()));
    let ended = bench.receive_by_link(1, Some(EDGE), &again(4, 0));
    assert!(ended.iter().any(|sent| sent.status() == 200), "he may always end it: {ended:?}");
}
