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

/// What only trusted hosts may say, and one line more.
const IDENTITY: &str = "P-Asserted-Identity: <sip:boss@example.org>\nP-Preferred-Identity: <sip:boss@example.org>\n\
    Remote-Party-ID: <sip:boss@example.org>\nP-Asserted-Service: urn:x\np-preferred-service: urn:x\n\
    Diversion: <sip:x@y>\nHistory-Info: <sip:x@y>;index=1\nLyceum-Diagnostics: LYS0001\nlyceum-Anything : x\n\
    X-Lyceum: stays\n";

fn is_bare(sent: &Sent) -> bool {
    let begins = |line: &str, name: &str| line.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name));
    let names = ["P-", "Remote-Party", "Diversion", "History", "Lyceum-", "Proxy-Auth"];
    sent.value("X-Lyceum") == "stays" && !sent.text.lines().any(|line| names.iter().any(|name| begins(line, name)))
}

#[test]
fn identity_headers_of_the_untrusted_are_stripped() {
    let mut bench = Bench::new();
    bench.register("ben", phone(2));
    let (invite, sent) = bench.invite("anna", phone(1), "ben", IDENTITY);
    let copy = sent.iter().find(|sent| sent.first_line().starts_with("INVITE")).expect("a copy for ben");
    assert!(is_bare(copy), "{}", copy.text);
    let mut ok = None;
    for status in ["180 Ringing", "200 OK"] {
        let answer = reply(copy, status, "b", phone(2)).replace("Contact", &format!("{IDENTITY}Contact"));
        let up = bench.receive(phone(2), &answer).pop().expect("a response");
        assert!(up.to == phone(1) && is_bare(&up), "{}", up.text);
        ok = Some(up);
    }
    let later = crate::dialogs::in_dialog("INFO", &invite, &ok.unwrap(), 3);
    let sent = bench.receive(phone(1), &later.replace("Content-Length", &format!("{IDENTITY}Content-Length")));
    assert!(sent[0].to == phone(2) && is_bare(&sent[0]), "{}", sent[0].text);
    let refused = reply(&sent[0], "486 Busy", "b", phone(2)).replace("Contact", &format!("{IDENTITY}Contact"));
    let up = bench.receive(phone(2), &refused).pop().expect("a refusal");
    assert!(up.status() == 486 && is_bare(&up), "{}", up.text);
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

#[test]
fn credentials_made_for_one_request_are_good_for_no_other() {
    let mut bench = Bench::new();
    bench.register("carl", phone(3));
    let text = bench.request("MESSAGE", "sip:ben@example.org", "anna", phone(1), "");
    let asked = bench.receive(phone(1), &text).pop().unwrap();
    let signed = answered(&text, &asked, "anna", "secret");
    let aimed = signed.replace("MESSAGE sip:ben@", "MESSAGE sip:carl@");
    let refused = bench.receive(phone(1), &aimed).pop().unwrap();
    assert_eq!((refused.status(), refused.value("Lyceum-Diagnostics")), (400, "LYS0057"));
    let text = bench.request("REGISTER", "sip:example.org", "anna", phone(1), "");
    let asked = bench.receive(phone(1), &text).pop().unwrap();
    let elsewhere = text.replace("REGISTER sip:example.org", "REGISTER sip:elsewhere.test");
    let signed = answered(&elsewhere, &asked, "anna", "secret")
        .replace("REGISTER sip:elsewhere.test", "REGISTER sip:example.org");
    assert_eq!(bench.receive(phone(1), &signed).pop().unwrap().status(), 400);
    let with_port = text.replace("REGISTER sip:example.org", "REGISTER sip:example.org:5060;transport=tcp");
    let signed =
        answered(&with_port, &asked, "anna", "secret").replace("example.org:5060;transport=tcp SIP", "example.org SIP");
    assert_eq!(bench.receive(phone(1), &signed).pop().unwrap().status(), 200, "the same, as phones sign it");
}

#[test]
fn a_nonce_serves_the_source_and_the_kind_of_request_that_it_was_given_for() {
    let mut bench = Bench::new();
    bench.register("ben", phone(2));
    let text = bench.request("INVITE", "sip:ben@example.org", "anna", phone(1), "");
    let asked = bench.receive(phone(66), &text).pop().unwrap();
    let again = bench.receive(phone(1), &answered(&text, &asked, "anna", "secret")).pop().unwrap();
    assert_eq!(again.status(), 407, "a nonce that somebody else was given");
    assert!(again.value("Proxy-Authenticate").contains("stale=true"), "no reason to ask a person");
    let register = bench.request("REGISTER", "sip:example.org", "anna", phone(1), "");
    let asked = bench.receive(phone(1), &register).pop().unwrap();
    let as_proxy = Sent { text: asked.text.replace("401", "407").replace("WWW-", "Proxy-"), ..asked };
    let text = bench.request("INVITE", "sip:ben@example.org", "anna", phone(1), "");
    let again = bench.receive(phone(1), &answered(&text, &as_proxy, "anna", "secret")).pop().unwrap();
    assert_eq!(again.status(), 407, "a nonce for REGISTER");
}

#[test]
fn a_callee_cannot_ask_the_caller_for_our_password() {
    let mut bench = Bench::new();
    bench.register("ben", phone(2));
    for (status, header) in [("401 Unauthorized", "WWW-Authenticate"), ("407 Proxy", "Proxy-Authenticate")] {
        let (_, sent) = bench.invite("anna", phone(1), "ben", "");
        let fork = sent.iter().find(|sent| sent.first_line().starts_with("INVITE")).expect("a copy").clone();
        let theirs = r#"Digest realm="ben", nonce="n""#;
        let lines = format!("{header}: Digest realm=\"Example.org\", nonce=\"n\"\n{header}: {theirs}\nContact");
        let answer = reply(&fork, status, "b", phone(2)).replace("Contact", &lines);
        let up = bench.receive(phone(2), &answer);
        let told = up.iter().find(|sent| sent.to == phone(1)).expect("an answer");
        assert_eq!(told.values(header), [theirs], "{}", told.text);
    }
}

#[test]
fn credentials_in_a_dialog_are_spent_there() {
    let mut bench = Bench::new();
    bench.register("ben", phone(2));
    let text = bench.request("INVITE", "sip:ben@example.org", "anna", phone(1), "");
    let asked = bench.receive(phone(1), &text).pop().unwrap();
    let (invite, sent) = bench.invite("anna", phone(1), "ben", "");
    let fork = sent.iter().find(|sent| sent.first_line().starts_with("INVITE")).expect("a copy").clone();
    let up = bench.receive(
        phone(2),
        &reply(&fork, "200 OK", "b", phone(2)).replace("sip:x@198.51.100.2:5060", "sip:ben@example.org"),
    );
    let ok = up.into_iter().find(|sent| sent.status() == 200).unwrap();
    let again = crate::dialogs::in_dialog("INVITE", &invite, &ok, 1);
    let signed = answered(&again, &asked, "anna", "secret");
    assert!(bench.receive(phone(1), &signed).iter().any(|sent| sent.to == phone(2)));
    let line = signed.lines().find(|line| line.starts_with("Proxy-Authorization")).unwrap();
    let copied = text.replace("Content-Length", &format!("{line}\nContent-Length")).replace("z9hG4bK", "z9hG4bKcopied");
    assert_eq!(bench.receive(phone(1), &copied).pop().unwrap().status(), 407, "its count is gone");
}
