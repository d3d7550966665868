use lyceum_topology::{Cidr, HopTransport, NextHop, RouteMatch, StaticRoute, TrustedBy, TrustedHost};

use crate::bench::*;

fn with_gateway() -> Bench {
    let hop = |host: &str, priority| NextHop {
        host: host.into(),
        port: Some(5080),
        transport: HopTransport::Udp,
        priority,
        weight: 10,
    };
    Bench::with(
        |document| {
            document.static_routes.push(StaticRoute {
                name: "gateway".into(),
                description: String::new(),
                matches: RouteMatch::TelPrefix { prefix: "+49".into() },
                next_hops: vec![hop("203.0.113.1", 1), hop("203.0.113.2", 2)],
            });
            document.trusted_hosts.push(TrustedHost {
                name: "gateway".into(),
                description: String::new(),
                by: TrustedBy::Address {
                    cidr: Cidr::parse("203.0.113.0/24").unwrap(),
                    transports: vec![HopTransport::Udp],
                },
            });
        },
        vec![user(1, "anna"), user(2, "ben")],
    )
}

#[test]
fn the_next_hop_is_tried_when_the_first_refuses_or_is_dead() {
    let mut bench = with_gateway();
    let text = bench.request("INVITE", "tel:+4930123", "anna", phone(1), "");
    let sent = bench.signed("anna", "secret", phone(1), &text);
    let first = sent.iter().find(|sent| sent.first_line().starts_with("INVITE")).expect("a copy").clone();
    assert_eq!((first.to.to_string(), first.first_line()), ("203.0.113.1:5080".into(), "INVITE tel:+4930123 SIP/2.0"));
    let next = bench.receive(first.to, &reply(&first, "503 Down", "g", first.to));
    let second = next.iter().find(|sent| sent.first_line().starts_with("INVITE")).expect("the second hop");
    assert_eq!(second.to.to_string(), "203.0.113.2:5080");
    let up = bench.last_send_fails();
    assert!(up.iter().any(|sent| matches!(sent.status(), 500 | 503)), "{up:?}");
}

#[test]
fn the_next_name_is_looked_up_when_the_first_leads_nowhere() {
    let hop = |host: &str, priority| NextHop {
        host: host.into(),
        port: Some(5080),
        transport: HopTransport::Udp,
        priority,
        weight: 10,
    };
    for dead in [false, true] {
        let mut bench = Bench::with(
            |document| {
                document.static_routes.push(StaticRoute {
                    name: "gateways".into(),
                    description: String::new(),
                    matches: RouteMatch::TelPrefix { prefix: "+49".into() },
                    next_hops: vec![hop("one.example.com", 1), hop("two.example.com", 2), hop("203.0.113.3", 3)],
                });
            },
            vec![user(1, "anna")],
        );
        let text = bench.request("INVITE", "tel:+4930123", "anna", phone(1), "");
        bench.signed("anna", "secret", phone(1), &text);
        let resolve = |bench: &mut Bench, last: Option<u8>| {
            let located = |last| lyceum_front_end::calls::Located {
                transport: lyceum_sip::Transport::Udp,
                addr: std::net::SocketAddr::from(([203, 0, 113, last], 5080)),
                name: "example.com".into(),
            };
            let query = bench.lookups.pop().expect("a lookup");
            let mut out = lyceum_net::Outbox::new();
            let answer = last.map(|last| vec![located(last)]).ok_or("no such name".to_owned());
            bench.core.resolved(bench.now, query, answer, &mut out);
            bench.settle(out, std::time::Duration::ZERO)
        };
        let tried = |sent: &[Sent]| -> Vec<String> {
            let copies = sent.iter().filter(|sent| sent.first_line().starts_with("INVITE"));
            copies.map(|sent| sent.to.ip().to_string()).collect()
        };
        // The first name is unknown, or what it leads to is dead.
        if dead {
            assert_eq!(tried(&resolve(&mut bench, Some(1))), ["203.0.113.1"]);
            bench.last_send_fails();
        } else {
            assert!(tried(&resolve(&mut bench, None)).is_empty());
        }
        assert_eq!(tried(&resolve(&mut bench, Some(2))), ["203.0.113.2"]);
        assert_eq!(tried(&bench.last_send_fails()), ["203.0.113.3"]);
        let over = bench.last_send_fails();
        assert!(over.iter().any(|sent| matches!(sent.status(), 500 | 503)), "{over:?}");
    }
}

#[test]
fn a_busy_callee_is_not_asked_for_twice() {
    let mut bench = with_gateway();
    let text = bench.request("INVITE", "tel:+4930123", "anna", phone(1), "");
    let sent = bench.signed("anna", "secret", phone(1), &text);
    let first = sent.iter().find(|sent| sent.first_line().starts_with("INVITE")).expect("a copy").clone();
    let told = bench.receive(first.to, &reply(&first, "486 Busy Here", "g", first.to));
    assert!(told.iter().all(|sent| !sent.first_line().starts_with("INVITE")));
    assert!(statuses(&told).contains(&486));
}

#[test]
fn a_trusted_host_needs_no_credentials_but_only_inside_over_udp() {
    let mut bench = with_gateway();
    bench.register("ben", phone(2));
    let gateway = std::net::SocketAddr::from(([203, 0, 113, 1], 5080));
    let text = bench.request("INVITE", "sip:ben@example.org", "x", gateway, "P-Asserted-Identity: <tel:+49301>\n");
    let text = text.replace("From: <sip:x@example.org>", "From: <sip:+49301@203.0.113.1>");
    let outside = bench.receive(gateway, &text);
    assert_eq!(statuses(&outside), [403]);
    let inside = bench.receive_at(2, gateway, &text.replace("z9hG4bK", "z9hG4bKin"));
    let copy = inside.iter().find(|sent| sent.first_line().starts_with("INVITE")).expect("a copy for ben");
    assert_eq!(copy.value("P-Asserted-Identity"), "<tel:+49301>");
    // What a gateway says of itself in answers passes, too; what a phone says does not.
    let text = bench.request("INVITE", "tel:+4930123", "anna", phone(1), "");
    let sent = bench.signed("anna", "secret", phone(1), &text);
    let fork = sent.iter().find(|sent| sent.first_line().starts_with("INVITE")).expect("a copy").clone();
    let ringing =
        reply(&fork, "180 Ringing", "g", fork.to).replace("Contact", "P-Asserted-Identity: <tel:+49>\nContact");
    let up = bench.receive_at(2, fork.to, &ringing).pop().expect("a 180");
    assert_eq!((up.status(), up.value("P-Asserted-Identity")), (180, "<tel:+49>"));
    let register = bench.request("REGISTER", "sip:example.org", "anna", gateway, "");
    assert_eq!(statuses(&bench.receive_at(2, gateway, &register)), [401], "REGISTER is always challenged");
}

#[test]
fn behind_a_trusted_host_every_client_is_counted_by_itself() {
    let mut bench = with_gateway();
    let edge = std::net::SocketAddr::from(([203, 0, 113, 1], 5080));
    let mut sign_in = |client: &str, password: &str| {
        let text = bench.request("REGISTER", "sip:example.org", "anna", edge, "Expires: 600\n");
        let below = format!("Via: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bKc;received={client}\nMax-Forwards");
        let text = text.replacen("Max-Forwards", &below, 1);
        let asked = bench.receive_at(2, edge, &text).pop().expect("a challenge");
        bench.receive_at(2, edge, &answered(&text, &asked, "anna", password)).pop().expect("an answer").status()
    };
    for _ in 0..11 {
        sign_in("198.51.100.7", "wrong");
    }
    assert_eq!(sign_in("198.51.100.7", "secret"), 403, "shut out");
    assert_eq!(sign_in("198.51.100.8", "secret"), 200, "the others behind the same host go on");
}

#[test]
fn a_loop_is_found_and_hops_are_counted() {
    let mut bench = with_gateway();
    let text = bench.request("INVITE", "tel:+4930123", "anna", phone(1), "");
    let sent = bench.signed("anna", "secret", phone(1), &text);
    let copy = sent.iter().find(|sent| sent.first_line().starts_with("INVITE")).expect("a copy").clone();
    assert_eq!(copy.value("Max-Forwards"), "69");
    // The gateway sends it back, its own Via on top, nothing else changed.
    let back = copy.text.replacen("Via:", "Via: SIP/2.0/UDP 203.0.113.1:5080;branch=z9hG4bKgw\nVia:", 1);
    let back: String =
        back.lines().filter(|line| !line.starts_with("Record-Route")).map(|line| format!("{line}\n")).collect();
    let looped = bench.receive_at(2, copy.to, &back);
    assert!(!statuses(&looped).contains(&482), "with other credentials it is a spiral");
    let again = looped.iter().find(|sent| sent.first_line().starts_with("INVITE")).expect("a second copy").clone();
    let back = again.text.replacen("Via:", "Via: SIP/2.0/UDP 203.0.113.1:5080;branch=z9hG4bKgx\nVia:", 1);
    let back: String =
        back.lines().filter(|line| !line.starts_with("Record-Route")).map(|line| format!("{line}\n")).collect();
    assert_eq!(statuses(&bench.receive_at(2, copy.to, &back)), [482]);
    let spent = bench
        .request("OPTIONS", "sip:ben@example.org", "anna", phone(1), "")
        .replace("Max-Forwards: 70", "Max-Forwards: 0");
    assert_eq!(statuses(&bench.receive(phone(1), &spent)), [483]);
}

/// A call to the gateway whose 200 brought these lines; gives the caller's INVITE and the 200.
fn called_out(bench: &mut Bench, contact: &str, record_routes: &str) -> (String, Sent) {
    let text = bench.request("INVITE", "tel:+4930123", "anna", phone(1), "");
    let asked = bench.receive(phone(1), &text).pop().expect("a challenge");
    let text = answered(&text, &asked, "anna", "secret");
    let sent = bench.receive(phone(1), &text);
    let fork = sent.iter().find(|sent| sent.first_line().starts_with("INVITE")).expect("a copy").clone();
    let answer = reply(&fork, "200 OK", "g", fork.to).replace(&format!("<sip:x@{}>", fork.to), contact).replacen(
        "Record-Route: ",
        &format!("{record_routes}Record-Route: "),
        1,
    );
    let up = bench.receive(fork.to, &answer);
    (text, up.into_iter().find(|sent| sent.status() == 200).expect("the 200"))
}

#[test]
fn a_dialog_with_a_gateway_stays_with_the_hosts_that_the_administrator_named() {
    for (contact, to) in [
        ("<sip:gw@203.0.113.1:5080>", "203.0.113.1:5080"),
        ("<sip:gw@203.0.113.1:6000>", "203.0.113.1:6000"),
        ("<sip:gw@203.0.113.77:5060>", "203.0.113.77:5060"),
        ("<sip:victim@198.51.100.99:5060>", "203.0.113.1:5080"),
        ("<sip:victim@elsewhere.test>", "203.0.113.1:5080"),
    ] {
        let mut bench = with_gateway();
        let (invite, ok) = called_out(&mut bench, contact, "");
        for method in ["ACK", "BYE"] {
            let sent = bench.receive(phone(1), &crate::dialogs::in_dialog(method, &invite, &ok, 3));
            let to_all: Vec<_> = sent.iter().map(|sent| sent.to.to_string()).collect();
            assert_eq!(to_all, [to], "{method} {contact}");
        }
        assert!(bench.lookups.is_empty());
    }
}

#[test]
fn the_proxies_of_a_gateway_that_recorded_themselves_are_followed() {
    let mut bench = with_gateway();
    let recorded = "Record-Route: <sip:198.51.100.51;lr>, <sip:198.51.100.50;lr>\n";
    let (invite, ok) = called_out(&mut bench, "<sip:gw@10.1.1.1>", recorded);
    let bye = crate::dialogs::in_dialog("BYE", &invite, &ok, 3);
    let reversed: Vec<&str> = bye.lines().filter(|line| line.starts_with("Route")).collect();
    // The bench turns lines round, a phone values too.
    let bye = bye.replace(reversed[1], "Route: <sip:198.51.100.50;lr>, <sip:198.51.100.51;lr>");
    let sent = bench.receive(phone(1), &bye.replace(", <sip:198.51.100.51;lr>", ""));
    assert_eq!(statuses(&sent), [407], "less than what was recorded");
    let sent = bench.receive(phone(1), &bye.replace("z9hG4bK", "z9hG4bKx"));
    assert_eq!(sent.iter().map(|sent| sent.to.to_string()).collect::<Vec<_>>(), ["198.51.100.50:5060"]);
    assert_eq!(sent[0].values("Route"), ["<sip:198.51.100.50;lr>, <sip:198.51.100.51;lr>"]);
}
