//! RFC 3261 §18.1.1: what does not fit a datagram.

use lyceum_front_end::calls::Located;
use lyceum_net::Outbox;
use lyceum_sip::Transport;
use lyceum_topology::{HopTransport, NextHop, RouteMatch, StaticRoute};
use std::time::Duration;

use crate::bench::*;

/// A header line that makes a request too long for a datagram.
fn padding() -> String {
    format!("X-Padding: {}\n", "x".repeat(1300))
}

/// Ben's phone registers by UDP; when `by_tcp`, it has registered over TCP before, so it listens there.
fn ben_registers(bench: &mut Bench, by_tcp: bool) {
    if by_tcp {
        let phone = phone(2);
        let from = std::net::SocketAddr::new(phone.ip(), 40_001);
        let text = bench.request("REGISTER", &format!("sip:{DOMAIN}"), "ben", phone, "Expires: 600\n");
        let text = text
            .replace("SIP/2.0/UDP", "SIP/2.0/TCP")
            .replace(&format!("@{phone}>"), &format!("@{phone};transport=tcp>"));
        let asked = bench.receive_stream(1, from, &text).remove(0);
        assert_eq!(asked.status(), 401);
        let done = bench.receive_stream(1, from, &answered(&text, &asked, "ben", "secret"));
        assert_eq!(statuses(&done), [200]);
        let gone = bench.request("REGISTER", &format!("sip:{DOMAIN}"), "ben", phone, "Expires: 0\n");
        let contact = format!("Contact: <sip:ben@{phone}>");
        assert_eq!(
            bench.signed("ben", "secret", phone, &gone.replace(&contact, "Contact: *")).pop().unwrap().status(),
            200
        );
    }
    assert_eq!(bench.register("ben", phone(2)).status(), 200);
}

fn copies<'a>(sent: &'a [Sent], method: &str) -> Vec<&'a Sent> {
    sent.iter().filter(|sent| sent.first_line().starts_with(method)).collect()
}

fn one(sent: &[Sent]) -> (Transport, String, bool) {
    let copies = copies(sent, "INVITE");
    assert_eq!(copies.len(), 1, "{sent:?}");
    let via = copies[0].value("Via").split(' ').next().unwrap_or_default().to_owned();
    (copies[0].transport, via, copies[0].text.len() > 1300)
}

#[test]
fn a_phone_that_is_not_known_to_listen_gets_fragments() {
    let mut bench = Bench::new();
    ben_registers(&mut bench, false);
    let (_, sent) = bench.invite("anna", phone(1), "ben", &padding());
    assert_eq!(one(&sent), (Transport::Udp, "SIP/2.0/UDP".into(), true));
}

#[test]
fn a_phone_that_spoke_tcp_gets_the_long_by_tcp_and_the_short_by_udp() {
    let mut bench = Bench::new();
    ben_registers(&mut bench, true);
    let (_, sent) = bench.invite("anna", phone(1), "ben", "");
    assert_eq!(one(&sent), (Transport::Udp, "SIP/2.0/UDP".into(), false));
    let (_, sent) = bench.invite("anna", phone(1), "ben", &padding());
    assert_eq!(one(&sent), (Transport::Tcp, "SIP/2.0/TCP".into(), true));
    assert_eq!(copies(&sent, "INVITE")[0].to, phone(2));
    // After an hour of silence it counts no more.
    bench.wait(Duration::from_secs(590));
    ben_registers(&mut bench, false);
    let mut left = 3600 - 590;
    while left > 0 {
        bench.wait(Duration::from_secs(500));
        bench.register("ben", phone(2));
        left -= 500;
    }
    let (_, sent) = bench.invite("anna", phone(1), "ben", &padding());
    assert_eq!(one(&sent), (Transport::Udp, "SIP/2.0/UDP".into(), true));
}

#[test]
fn a_refused_connection_leads_back_to_udp_and_is_remembered() {
    let mut bench = Bench::new();
    ben_registers(&mut bench, true);
    let (_, sent) = bench.invite("anna", phone(1), "ben", &padding());
    assert_eq!(one(&sent).0, Transport::Tcp);
    let first = copies(&sent, "INVITE")[0].value("Via").to_owned();
    let again = bench.last_send_fails();
    assert_eq!(one(&again), (Transport::Udp, "SIP/2.0/UDP".into(), true));
    let copy = copies(&again, "INVITE")[0].clone();
    assert_ne!(first.split("branch=").nth(1), copy.value("Via").split("branch=").nth(1), "a branch of its own");
    let ringing = bench.receive(phone(2), &reply(&copy, "180 Ringing", "b", phone(2)));
    assert_eq!(statuses(&ringing), [180]);
    let busy = bench.receive(phone(2), &reply(&copy, "486 Busy Here", "b", phone(2)));
    assert!(statuses(&busy).contains(&486), "the refused connection is no answer: {busy:?}");
    let (_, sent) = bench.invite("anna", phone(1), "ben", &padding());
    assert_eq!(one(&sent).0, Transport::Udp);
}

#[test]
fn a_long_ack_goes_over_tcp_and_by_udp_when_that_is_refused() {
    let mut bench = Bench::new();
    ben_registers(&mut bench, true);
    let (invite, sent) = bench.invite("anna", phone(1), "ben", "");
    let copy = copies(&sent, "INVITE")[0].clone();
    let ok = bench.receive(phone(2), &reply(&copy, "200 OK", "b", phone(2)));
    let ok = ok.iter().find(|sent| sent.status() == 200).expect("a 200").clone();
    let ack = crate::dialogs::in_dialog("ACK", &invite, &ok, 2)
        .replace("Content-Length", &format!("{}Content-Length", padding()));
    let sent = bench.receive(phone(1), &ack);
    let ack = copies(&sent, "ACK")[0];
    assert_eq!((ack.transport, ack.to), (Transport::Tcp, phone(2)));
    assert!(ack.value("Via").starts_with("SIP/2.0/TCP"));
    let again = bench.last_send_fails();
    let ack = copies(&again, "ACK")[0];
    assert_eq!((ack.transport, ack.to), (Transport::Udp, phone(2)));
    assert!(ack.value("Via").starts_with("SIP/2.0/UDP"));
}

fn with_gateway(host: &str) -> Bench {
    let hop = |transport, port, priority| NextHop { host: host.into(), port, transport, priority, weight: 10 };
    let next_hops = vec![hop(HopTransport::Udp, Some(5080), 1), hop(HopTransport::Tcp, Some(5081), 2)];
    Bench::with(
        |document| {
            document.static_routes.push(StaticRoute {
                name: "gateway".into(),
                description: String::new(),
                matches: RouteMatch::TelPrefix { prefix: "+49".into() },
                next_hops,
            });
        },
        vec![user(1, "anna")],
    )
}

#[test]
fn a_next_hop_that_the_topology_also_names_by_tcp_gets_the_long_there() {
    let mut bench = with_gateway("203.0.113.1");
    let text = bench.request("INVITE", "tel:+4930123", "anna", phone(1), &padding());
    let sent = bench.signed("anna", "secret", phone(1), &text);
    assert_eq!(one(&sent).0, Transport::Tcp);
    assert_eq!(copies(&sent, "INVITE")[0].to.to_string(), "203.0.113.1:5081");
    let again = bench.last_send_fails();
    assert_eq!(one(&again).0, Transport::Udp);
    assert_eq!(copies(&again, "INVITE")[0].to.to_string(), "203.0.113.1:5080");
}

#[test]
fn a_name_that_dns_also_gives_by_tcp_gets_the_long_there() {
    for by_dns in [true, false] {
        let mut bench = with_gateway("gateway.example.com");
        let text = bench.request("INVITE", "tel:+4930123", "anna", phone(1), &padding());
        bench.signed("anna", "secret", phone(1), &text);
        let located = |transport, port| Located {
            transport,
            addr: std::net::SocketAddr::from(([203, 0, 113, 9], port)),
            name: "gateway.example.com".into(),
        };
        let mut list = vec![located(Transport::Udp, 5090)];
        list.extend(by_dns.then(|| located(Transport::Tcp, 5091)));
        let query = bench.lookups.pop().expect("a lookup");
        let mut out = Outbox::new();
        bench.core.resolved(bench.now, query, Ok(list), &mut out);
        let sent = bench.settle(out, Duration::ZERO);
        assert_eq!(one(&sent).0, Transport::Tcp);
        let port = if by_dns { 5091 } else { 5081 };
        assert_eq!(copies(&sent, "INVITE")[0].to.port(), port);
    }
}
