use std::time::Duration;

use crate::bench::*;

/// What a stranger asks for, and the only answers he may get.
#[test]
fn a_stranger_cannot_register_relay_or_learn_who_exists() {
    let mut bench = Bench::new();
    bench.register("ben", phone(2));
    let stranger = phone(66);
    for (method, uri, from, expected) in [
        ("REGISTER", "sip:example.org", "anna", 401),
        ("REGISTER", "sip:example.org", "nobody", 401),
        ("INVITE", "sip:ben@example.org", "anna", 407),
        ("INVITE", "sip:nobody@example.org", "anna", 407),
        ("INVITE", "sip:x@elsewhere.test", "anna", 407),
        ("MESSAGE", "sip:ben@example.org", "anna", 407),
        ("OPTIONS", "sip:ben@example.org", "anna", 407),
        ("OPTIONS", "sip:nobody@example.org", "anna", 407),
        ("SUBSCRIBE", "sip:ben@example.org", "nobody", 407),
        ("INVITE", "sip:x@198.51.100.2", "anna", 407),
    ] {
        let text = bench.request(method, uri, from, stranger, "");
        let sent = bench.receive(stranger, &text);
        assert_eq!(statuses(&sent), [expected], "{method} {uri} from {from}");
        assert_eq!(sent[0].to, stranger, "nothing goes to anybody else");
    }
}

#[test]
fn a_foreign_from_is_refused_whatever_it_asks_for() {
    let mut bench = Bench::new();
    bench.register("ben", phone(2));
    for target in ["ben", "nobody"] {
        let text = bench.request("INVITE", &format!("sip:{target}@example.org"), "x", phone(66), "");
        let text = text.replace("From: <sip:x@example.org>", "From: <sip:x@elsewhere.test>");
        let sent = bench.receive(phone(66), &text);
        assert_eq!((statuses(&sent), sent[0].value("Lyceum-Diagnostics")), (vec![403], "LYS0013"), "{target}");
    }
}

#[test]
fn unknown_user_and_wrong_password_look_alike() {
    let mut bench = Bench::new();
    let mut answers = Vec::new();
    for name in ["anna", "nobody"] {
        let text = bench.request("REGISTER", "sip:example.org", name, phone(66), "");
        let refused = bench.signed(name, "wrong", phone(66), &text).pop().unwrap();
        let rest: Vec<_> = refused
            .text
            .lines()
            .filter(|line| !["Via", "From", "To", "Call-ID", "CSeq"].iter().any(|name| line.starts_with(name)))
            .map(str::to_owned)
            .collect();
        answers.push(rest);
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0][0].contains("403"));
}

#[test]
fn a_signed_in_user_cannot_speak_for_another_or_register_another() {
    let mut bench = Bench::new();
    bench.register("carl", phone(3));
    let text = bench.request("INVITE", "sip:carl@example.org", "ben", phone(1), "");
    let refused = bench.signed("anna", "secret", phone(1), &text).pop().unwrap();
    assert_eq!((refused.status(), refused.value("Lyceum-Diagnostics")), (403, "LYS0005"));
    let text = bench.request("REGISTER", "sip:example.org", "ben", phone(1), "");
    let refused = bench.signed("anna", "secret", phone(1), &text).pop().unwrap();
    assert_eq!((refused.status(), refused.value("Lyceum-Diagnostics")), (403, "LYS0006"));
}

#[test]
fn a_user_cannot_make_us_his_relay_by_route_or_domain() {
    let mut bench = Bench::new();
    let text = bench.request("INVITE", "sip:x@elsewhere.test", "anna", phone(1), "");
    let refused = bench.signed("anna", "secret", phone(1), &text);
    assert!(statuses(&refused).contains(&403), "{refused:?}");
    for ours in ["192.0.2.1:5060", "sip.example.org", "localhost:5061;transport=tls"] {
        bench.core.set_names(vec!["localhost".into()]);
        let text =
            bench.request("MESSAGE", "sip:nobody@example.org", "anna", phone(1), &format!("Route: <sip:{ours};lr>\n"));
        let answer = bench.signed("anna", "secret", phone(1), &text);
        assert_eq!(statuses(&answer), [404], "{ours} is ourselves");
    }
    let text = bench.request("MESSAGE", "sip:ben@example.org", "anna", phone(1), "Route: <sip:203.0.113.7;lr>\n");
    let refused = bench.signed("anna", "secret", phone(1), &text);
    assert_eq!(statuses(&refused), [403]);
}

#[test]
fn a_to_tag_and_a_made_up_route_exempt_from_nothing() {
    let mut bench = Bench::new();
    bench.register("ben", phone(2));
    for extra in ["", "Route: <sip:192.0.2.1:5060;lr>\n", "Route: <sip:eAAAAAAAAAAAAAAAA.@192.0.2.1:5060;lr>\n"] {
        let text = bench.request("BYE", "sip:ben@198.51.100.2:5060", "anna", phone(66), extra);
        let text = text.replace("To: <sip:ben@198.51.100.2:5060>", "To: <sip:ben@example.org>;tag=guess");
        let sent = bench.receive(phone(66), &text);
        assert_eq!(statuses(&sent), [407], "{extra}");
    }
}

#[test]
fn identity_headers_of_the_untrusted_are_stripped() {
    let mut bench = Bench::new();
    bench.register("ben", phone(2));
    let extra = "P-Asserted-Identity: <sip:boss@example.org>\nDiversion: <sip:x@y>\nHistory-Info: <sip:x@y>;index=1\nLyceum-Diagnostics: LYS0001\nX-Other: stays\n";
    let (_, sent) = bench.invite("anna", phone(1), "ben", extra);
    let copy = sent.iter().find(|sent| sent.first_line().starts_with("INVITE")).expect("a copy for ben");
    for gone in ["P-Asserted-Identity", "Diversion", "History-Info", "Lyceum-Diagnostics", "Proxy-Authorization"] {
        assert_eq!(copy.value(gone), "", "{gone}");
    }
    assert_eq!(copy.value("X-Other"), "stays");
}

#[test]
fn wrong_passwords_shut_the_pair_then_let_go() {
    let mut bench = Bench::new();
    let mut last = None;
    for _ in 0..11 {
        let text = bench.request("REGISTER", "sip:example.org", "anna", phone(66), "");
        last = bench.signed("anna", "wrong", phone(66), &text).pop();
    }
    let shut = last.unwrap();
    assert_eq!((shut.status(), shut.value("Lyceum-Diagnostics")), (403, "LYS0002"));
    assert!(!shut.value("Retry-After").is_empty());
    assert_eq!(bench.register("anna", phone(1)).status(), 200, "others go on");
    bench.wait(Duration::from_secs(3_700));
    assert_eq!(bench.register("anna", phone(66)).status(), 200);
}

#[test]
fn a_copied_request_with_spent_credentials_is_asked_again() {
    let mut bench = Bench::new();
    bench.register("ben", phone(2));
    let text = bench.request("MESSAGE", "sip:ben@example.org", "anna", phone(1), "");
    let asked = bench.receive(phone(1), &text).pop().unwrap();
    let signed = answered(&text, &asked, "anna", "secret");
    assert!(bench.receive(phone(1), &signed).iter().any(|sent| sent.first_line().starts_with("MESSAGE")));
    // A second and a third use of the count: another transaction with the same credentials.
    let first_copy = signed.replace("z9hG4bKn", "z9hG4bKcopy").replace("Call-ID: c", "Call-ID: d");
    let second = bench.receive(phone(66), &first_copy);
    let relayed = second.iter().any(|sent| sent.first_line().starts_with("MESSAGE"));
    assert!(!relayed, "{second:?}");
}

#[test]
fn a_flood_from_one_source_is_held_and_others_are_served() {
    let mut bench = Bench::with(
        |document| document.policies.proxy.global.source_requests_per_second = Some(10),
        vec![user(1, "anna")],
    );
    let mut refused = 0;
    for _ in 0..100 {
        let text = bench.request("REGISTER", "sip:example.org", "x", phone(66), "");
        refused += usize::from(statuses(&bench.receive(phone(66), &text)) == [503]);
    }
    assert!((50..=65).contains(&refused), "{refused}");
    assert_eq!(bench.register("anna", phone(1)).status(), 200);
}
