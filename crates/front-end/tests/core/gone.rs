//! Users who may no longer sign in as before: what of theirs is cut.

use crate::bench::{Bench, Sent, answered, phone};
use lyceum_net::{Flow, Outbox};
use lyceum_sip::digest::Ha1;
use lyceum_sip::token::bearer::{Audience, Bearers, Claims, device};
use lyceum_sip::{SecretKey, Transport};
use lyceum_topology::UserId;
use std::time::Duration;

fn flow(index: u32) -> Flow {
    Flow::Stream { worker: 0, index, generation: 1 }
}

/// A REGISTER on a connection; with no contact it only asks.
fn register_text(bench: &mut Bench, name: &str, contact: &str) -> String {
    let text = bench.request("REGISTER", "sip:example.org", name, phone(2), "").replace("/UDP", "/TCP");
    let lines = text.lines().filter(|line| !line.starts_with("Contact:"));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    text.replace("Content-Length", &format!("{contact}Content-Length"))
}

fn register(bench: &mut Bench, index: u32, name: &str, contact: &str) -> Sent {
    let text = register_text(bench, name, contact);
    let asked = bench.receive_stream(index, phone(2), &text).pop().expect("a challenge");
    bench.receive_stream(index, phone(2), &answered(&text, &asked, name, "secret")).pop().expect("an answer")
}

fn contact(index: u32) -> String {
    format!("Contact: <sip:ben@198.51.100.2:{};transport=tcp>;expires=600\n", 6000 + index)
}

fn bindings(bench: &Bench, address: &str) -> usize {
    bench.core.groups()[usize::from(lyceum_topology::routing_group(address))].bindings(bench.now, address).count()
}

fn bearers() -> Bearers {
    Bearers::new(&SecretKey(lyceum_front_end::keys::Keys::new([7; 32]).bearer()))
}

/// What a token says that was given to ben's page.
fn claims_of_ben(bench: &Bench, page: &str) -> Claims {
    let mark = bearers().mark(&Ha1::of(b"ben", b"example.org", b"secret").sha256);
    let expires = bench.now.wall + Audience::Client.life();
    Claims { audience: Audience::Client, user: 2, device: device(page.as_bytes()), mark, expires }
}

fn token_of_ben(bench: &Bench, page: &str) -> String {
    format!("Authorization: Bearer {}\n", bearers().issue(&claims_of_ben(bench, page)))
}

#[test]
fn every_connection_is_cut_on_which_the_user_proved_who_they_are() {
    let mut bench = Bench::new();
    assert_eq!(register(&mut bench, 1, "ben", &contact(1)).status(), 200);
    assert_eq!(register(&mut bench, 2, "ben", "").status(), 200, "it only asks");
    assert_eq!(register(&mut bench, 3, "anna", &contact(3)).status(), 200);
    let mut out = Outbox::new();
    bench.core.user_gone(bench.now, UserId(2), "ben@example.org", &mut out);
    assert_eq!(out.closed().collect::<Vec<_>>(), [flow(1), flow(2)]);
    assert_eq!((bindings(&bench, "ben@example.org"), bindings(&bench, "anna@example.org")), (0, 1));
}

#[test]
fn a_token_is_good_over_tls_for_its_device_and_on_its_connection() {
    let mut bench = Bench::new();
    let page = "4f8b2c1e-0000-4000-8000-000000000001";
    let authorization = token_of_ben(&bench, page);
    let of_device = format!("Contact: <sip:ben@page.invalid>;+sip.instance=\"<urn:uuid:{page}>\"\n");
    let cases = [
        (Transport::Tcp, of_device.as_str(), 401),
        (Transport::Ws, &of_device, 401),
        (Transport::Wss, "Contact: <sip:ben@page.invalid>\n", 401),
        (Transport::Wss, "Contact: *\nExpires: 0\n", 401),
        (Transport::Wss, &of_device, 200),
        (Transport::Tls, &of_device, 200),
    ];
    for (index, (transport, contact, expected)) in (1..).zip(cases) {
        let text = register_text(&mut bench, "ben", &format!("{contact}{authorization}"));
        let answer = bench.receive_on(transport, index, phone(2), &text).pop().expect("an answer");
        assert_eq!(answer.status(), expected, "{transport:?} {contact}");
    }
    for (index, expected) in [(6, 404), (7, 407)] {
        let text = bench.request("MESSAGE", "sip:nobody@example.org", "ben", phone(2), &authorization);
        let answer = bench.receive_on(Transport::Tls, index, phone(2), &text).pop().expect("an answer");
        assert_eq!(answer.status(), expected, "only where the device is signed in");
    }
}

#[test]
fn a_page_that_signed_out_has_no_token_no_registration_and_no_connection() {
    let mut bench = Bench::new();
    let page = "4f8b2c1e-0000-4000-8000-000000000001";
    let claims = claims_of_ben(&bench, page);
    let authorization = token_of_ben(&bench, page);
    let instance = format!("Contact: <sip:ben@page.invalid;transport=ws>;+sip.instance=\"<urn:uuid:{page}>\"\n");
    let sign_in = |bench: &mut Bench, index| {
        let text = register_text(bench, "ben", &format!("{instance}{authorization}")).replace("/TCP", "/WSS");
        bench.receive_on(Transport::Wss, index, phone(2), &text).pop().expect("an answer").status()
    };
    assert_eq!(sign_in(&mut bench, 1), 200);
    assert_eq!(register(&mut bench, 2, "ben", &contact(2)).status(), 200);
    let (mut out, now) = (Outbox::new(), bench.now);
    bench.core.page_ended(now, (UserId(2), Some(claims.device)), now.wall, "ben@example.org", &mut out);
    assert_eq!(out.closed().collect::<Vec<_>>(), [flow(1)], "the phone stays");
    assert_eq!((bindings(&bench, "ben@example.org"), sign_in(&mut bench, 3)), (1, 401));
}

#[test]
fn closed_connections_hold_no_places() {
    let mut bench = Bench::with(
        |document| document.policies.registrar.global.max_endpoints = Some(3),
        vec![crate::bench::user(2, "ben")],
    );
    for index in 1..=3 {
        assert_eq!(register(&mut bench, index, "ben", &contact(index)).status(), 200);
    }
    assert_eq!(register(&mut bench, 4, "ben", &contact(4)).status(), 403, "three are open");
    bench.core.flow_closed(bench.now, flow(2), &mut Outbox::new());
    bench.wait(Duration::from_millis(1));
    assert_eq!(register(&mut bench, 4, "ben", &contact(4)).status(), 200);
    assert_eq!(bindings(&bench, "ben@example.org"), 3);
}
