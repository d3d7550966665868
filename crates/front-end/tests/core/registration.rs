use std::time::Duration;

use lyceum_net::Outbox;

use crate::bench::*;

#[test]
fn a_phone_signs_in_and_is_told_its_binding() {
    let mut bench = Bench::new();
    let ok = bench.register("anna", phone(1));
    assert_eq!(ok.status(), 200);
    assert_eq!(ok.value("Contact"), "<sip:anna@198.51.100.1:5060>;expires=600");
    assert_eq!(ok.to, phone(1));
}

#[test]
fn nothing_is_told_before_it_is_durable() {
    let mut bench = Bench::new();
    bench.store_works = false;
    let text = bench.request("REGISTER", "sip:example.org", "anna", phone(1), "Expires: 600\n");
    assert!(bench.signed("anna", "secret", phone(1), &text).is_empty());
    let seq = bench.pending.pop().expect("a block on its way");
    let mut out = Outbox::new();
    bench.core.committed(bench.now, seq, &mut out);
    assert_eq!(statuses(&bench.settle(out, Duration::ZERO)), [200]);
}

#[test]
fn a_refused_block_is_told_as_503_and_leaves_no_binding() {
    let mut bench = Bench::new();
    bench.store_works = false;
    let text = bench.request("REGISTER", "sip:example.org", "ben", phone(2), "Expires: 600\n");
    bench.signed("ben", "secret", phone(2), &text);
    let seq = bench.pending.pop().expect("a block on its way");
    let mut out = Outbox::new();
    bench.core.commit_failed(bench.now, seq, &mut out);
    let told = bench.settle(out, Duration::ZERO);
    assert_eq!(statuses(&told), [503]);
    assert_eq!(told[0].value("Retry-After"), "10");
    let (_, sent) = bench.invite("anna", phone(1), "ben", "");
    assert!(statuses(&sent).contains(&480), "{sent:?}");
}

#[test]
fn a_repetition_gets_the_same_answer_and_writes_nothing() {
    let mut bench = Bench::new();
    let text = bench.request("REGISTER", "sip:example.org", "anna", phone(1), "Expires: 600\n");
    let asked = bench.receive(phone(1), &text).pop().unwrap();
    let text = answered(&text, &asked, "anna", "secret");
    let first = bench.receive(phone(1), &text).pop().unwrap();
    bench.store_works = false;
    let second = bench.receive(phone(1), &text).pop().expect("an answer without a new commit");
    assert_eq!(first.text, second.text);
    assert!(bench.pending.is_empty());
}

/// What policy says of the interval asked for.
#[test]
fn lyncs_limits_hold() {
    for (asked, status, header, value) in [
        ("Expires: 600\n", 200, "Contact", "<sip:anna@198.51.100.1:5060>;expires=600"),
        ("Expires: 7200\n", 200, "Contact", "<sip:anna@198.51.100.1:5060>;expires=900"),
        ("", 200, "Contact", "<sip:anna@198.51.100.1:5060>;expires=600"),
        ("Expires: 60\n", 423, "Min-Expires", "300"),
        ("Expires: 0\n", 200, "Contact", ""),
    ] {
        let mut bench = Bench::new();
        let text = bench.request("REGISTER", "sip:example.org", "anna", phone(1), asked);
        let answer = bench.signed("anna", "secret", phone(1), &text).pop().unwrap();
        assert_eq!((answer.status(), answer.value(header)), (status, value), "{asked}");
    }
}

#[test]
fn the_ninth_endpoint_is_refused() {
    let mut bench = Bench::new();
    for last in 1..=8 {
        assert_eq!(bench.register("anna", phone(last)).status(), 200);
    }
    let refused = bench.register("anna", phone(9));
    assert_eq!((refused.status(), refused.value("Lyceum-Diagnostics")), (403, "LYS0008"));
}

#[test]
fn bindings_lapse() {
    let mut bench = Bench::new();
    bench.register("ben", phone(2));
    bench.wait(Duration::from_secs(601));
    let (_, sent) = bench.invite("anna", phone(1), "ben", "");
    assert!(statuses(&sent).contains(&480));
}

#[test]
fn gruus_are_given_and_reach_one_device() {
    let mut bench = Bench::new();
    let text = bench.request("REGISTER", "sip:example.org", "ben", phone(2), "Supported: gruu\n").replace(
        "Contact: <sip:ben@198.51.100.2:5060>",
        "Contact: <sip:ben@198.51.100.2:5060>;+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\"",
    );
    let ok = bench.signed("ben", "secret", phone(2), &text).pop().unwrap();
    bench.register("ben", phone(3));
    let contact = ok.value("Contact");
    let part = |name: &str| {
        contact
            .split(&format!("{name}=\""))
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .unwrap_or_default()
            .to_owned()
    };
    for gruu in [part("pub-gruu"), part("temp-gruu")] {
        assert!(gruu.starts_with("sip:"), "{contact}");
        let text = bench.request("INVITE", &gruu, "anna", phone(1), "");
        let sent = bench.signed("anna", "secret", phone(1), &text);
        let targets: Vec<_> =
            sent.iter().filter(|sent| sent.first_line().starts_with("INVITE")).map(|sent| sent.to).collect();
        assert_eq!(targets, [phone(2)], "{gruu}");
    }
}

#[test]
fn a_temporary_gruu_ends_with_the_registration_that_brought_it() {
    const INSTANCE: &str = ";+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\"";
    let mut bench = Bench::new();
    // Signs in once more; the temporary GRUU that comes with it. The Call-ID is `call`.
    let register = |bench: &mut Bench, call: &str, cseq: u32| {
        let contact = format!("Contact: <sip:ben@{}>", phone(2));
        let text = bench.request("REGISTER", "sip:example.org", "ben", phone(2), "Supported: gruu\n");
        let text = text.replace(&contact, &format!("{contact}{INSTANCE}"));
        let id = text.lines().find(|line| line.starts_with("Call-ID")).unwrap().to_owned();
        let text = text.replace(&id, &format!("Call-ID: {call}")).replace("CSeq: 1 ", &format!("CSeq: {cseq} "));
        let asked = bench.receive(phone(2), &text).remove(0);
        let signed = answered(&text, &asked, "ben", "secret")
            .replace(&format!("CSeq: {cseq} "), &format!("CSeq: {} ", cseq + 1));
        let ok = bench.receive(phone(2), &signed).remove(0);
        assert_eq!(ok.status(), 200, "{}", ok.text);
        let rest = ok.value("Contact").split("temp-gruu=\"").nth(1).unwrap_or_default().to_owned();
        rest.split('"').next().unwrap_or_default().to_owned()
    };
    let status = |bench: &mut Bench, gruu: &str| {
        let text = bench.request("MESSAGE", gruu, "anna", phone(1), "");
        let sent = bench.signed("anna", "secret", phone(1), &text);
        match sent.iter().find(|sent| sent.first_line().starts_with("MESSAGE")) {
            Some(_) => 0,
            None => sent.iter().map(Sent::status).max().unwrap_or(0),
        }
    };
    let first = register(&mut bench, "one", 1);
    let second = register(&mut bench, "one", 3);
    assert_ne!(first, second);
    assert_eq!((status(&mut bench, &first), status(&mut bench, &second)), (0, 0), "both of one registration count");
    let third = register(&mut bench, "two", 1);
    assert_eq!(
        (status(&mut bench, &first), status(&mut bench, &second), status(&mut bench, &third)),
        (404, 404, 0),
        "a REGISTER with another Call-ID ends the earlier ones"
    );
    bench.wait(Duration::from_secs(700));
    assert_eq!(status(&mut bench, &third), 404, "the registration has lapsed");
}

#[test]
fn outbound_through_a_hop_that_lacks_it_is_439() {
    let mut bench = Bench::new();
    let text = bench
        .request(
            "REGISTER",
            "sip:example.org",
            "anna",
            phone(1),
            "Supported: outbound, path\nPath: <sip:edge.example.org;lr>\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKx\n",
        )
        .replace("5060>\nSupp", "5060>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\nSupp");
    let answer = bench.signed("anna", "secret", phone(1), &text).pop().unwrap();
    assert_eq!(answer.status(), 439);
}

/// The final answer to a REGISTER of anna's with these changes.
fn changed(bench: &mut Bench, changes: &[(&str, &str)]) -> Sent {
    let mut text = bench.request("REGISTER", "sip:example.org", "anna", phone(1), "");
    for (old, new) in changes {
        assert!(text.contains(old), "{old}");
        text = text.replacen(old, new, 1);
    }
    bench.signed("anna", "secret", phone(1), &text).pop().expect("an answer")
}

#[test]
fn a_register_names_the_registrar_and_its_sender() {
    let mut bench = Bench::new();
    let uri = "REGISTER sip:example.org ";
    for (old, new, status) in [
        ("From: <sip:anna@", "From: <sip:ben@", 403),
        ("From: <sip:anna@example.org", "From: <sip:anna@elsewhere.test", 403),
        ("From: <sip:anna@", "From: \"A\" <sip:ANNA@", 200),
        (uri, "REGISTER sip:elsewhere.test ", 404),
        (uri, "REGISTER sip:ben@example.org ", 400),
        (uri, "REGISTER sip:EXAMPLE.org:5060;transport=tcp ", 200),
        (uri, "REGISTER sip:192.0.2.1:5060 ", 200),
    ] {
        assert_eq!(changed(&mut bench, &[(old, new)]).status(), status, "{new}");
    }
}

#[test]
fn what_cannot_be_called_takes_no_place() {
    let mut bench = Bench::new();
    let own = "Contact: <sip:anna@198.51.100.1:5060>";
    for contact in [
        "http://x",
        "tel:+4930",
        "mailto:a@b.test",
        "sip:anna@example.org",
        "sip:anna@example.org:5999",
        "sip:anna@192.0.2.1:5060",
        "sip:anna@192.0.2.1",
        "sip:anna@sip.example.org",
    ] {
        let refused = changed(&mut bench, &[(own, &format!("Contact: <{contact}>"))]);
        assert_eq!((refused.status(), refused.value("Lyceum-Diagnostics")), (400, "LYS0010"), "{contact}");
    }
    for contact in ["sip:anna@192.0.2.1:5999", "sips:anna@198.51.100.1", "sip:x@abc.invalid;transport=ws"] {
        assert_eq!(changed(&mut bench, &[(own, &format!("Contact: <{contact}>"))]).status(), 200, "{contact}");
    }
}

#[test]
fn require_outbound_is_said_to_who_asked_for_it() {
    let mut bench = Bench::new();
    let own = "<sip:anna@198.51.100.1:5060>";
    let flow = format!("{own};reg-id=1;+sip.instance=\"<urn:uuid:1>\"\nSupported: outbound");
    let with = changed(&mut bench, &[(&format!("Contact: {own}"), &format!("Contact: {flow}"))]);
    assert_eq!((with.status(), with.value("Require")), (200, "outbound"));
    let without = changed(&mut bench, &[(own, "<sip:anna@198.51.100.1:5062>")]);
    assert_eq!((without.values("Contact").len(), without.value("Require")), (2, ""), "{}", without.text);
}

#[test]
fn a_temporary_gruu_is_one_of_its_own_domain_only() {
    let mut bench = Bench::new();
    let own = "<sip:anna@198.51.100.1:5060>";
    let line = format!("{own};+sip.instance=\"<urn:uuid:1>\"\nSupported: gruu");
    let ok = changed(&mut bench, &[(&format!("Contact: {own}"), &format!("Contact: {line}"))]);
    let gruu =
        ok.value("Contact").split("temp-gruu=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    for (uri, reaches) in [(gruu.clone(), true), (gruu.replace("@example.org", "@evil.test"), false)] {
        let text = bench.request("OPTIONS", &uri, "ben", phone(2), "");
        let sent = bench.signed("ben", "secret", phone(2), &text);
        assert_eq!(sent.iter().any(|sent| sent.to == phone(1)), reaches, "{uri}: {sent:?}");
    }
}
