//! People who were blocked, and people who are not to be told: nothing reaches, nothing shows.

use std::time::Duration;

use lyceum_front_end::core::Core;
use lyceum_net::Outbox;
use lyceum_users::contacts::Who;
use lyceum_users::presence::{ChoiceIntent, Relationship, UserChoice};

use crate::bench::{Bench, Sent, phone};

/// Changes something as the page would, and gives what left because of it.
fn at_desk(bench: &mut Bench, change: impl FnOnce(&mut Core, lyceum_sip::time::Now, &mut Outbox)) -> Vec<Sent> {
    let mut out = Outbox::new();
    change(&mut bench.core, bench.now, &mut out);
    let mut sent = bench.settle(out, Duration::ZERO);
    sent.extend(bench.wait(Duration::from_millis(20)));
    sent
}

fn relate(bench: &mut Bench, owner: &str, other: &str, relationship: Relationship) -> Vec<Sent> {
    at_desk(bench, |core, now, out| {
        let who = Who::parse(other).expect("an address");
        let edit = |list: &mut lyceum_users::contacts::ContactList| {
            list.relate(who, Some(relationship));
            Ok(())
        };
        core.edit_contacts(now, owner, edit, Box::new(|_| ()), out).expect("a list that can be changed");
    })
}

fn choose(bench: &mut Bench, aor: &str, choice: UserChoice, note: &str) -> Vec<Sent> {
    at_desk(bench, |core, now, out| {
        let intent = ChoiceIntent { choice: Some((choice, None, None)), note: Some(note), ..ChoiceIntent::default() };
        core.choose_presence(now, aor, &intent, Box::new(|_| ()), out).expect("a choice");
    })
}

fn notifies(sent: &[Sent]) -> Vec<&Sent> {
    sent.iter().filter(|one| one.first_line().starts_with("NOTIFY ")).collect()
}

/// Answers every NOTIFY until none comes.
fn confirm(bench: &mut Bench, mut sent: Vec<Sent>) -> usize {
    let mut count = 0;
    loop {
        let answers: Vec<String> = notifies(&sent).into_iter().map(ok_for).collect();
        if answers.is_empty() {
            return count;
        }
        count += answers.len();
        sent = answers.iter().flat_map(|text| bench.receive(phone(2), text)).collect();
        sent.extend(bench.wait(Duration::from_millis(20)));
    }
}

fn ok_for(notify: &Sent) -> String {
    let is_kept = |line: &&str| ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name));
    let kept: Vec<&str> = notify.text.lines().filter(is_kept).collect();
    format!("SIP/2.0 200 OK\n{}\nContent-Length: 0\n\n", kept.join("\n"))
}

fn watch(bench: &mut Bench, uri: &str) -> Vec<Sent> {
    let request = bench.request("SUBSCRIBE", uri, "ben", phone(2), "Event: presence\nExpires: 3600\n");
    let mut sent = bench.signed("ben", "secret", phone(2), &request);
    sent.extend(bench.wait(Duration::from_millis(20)));
    sent
}

#[test]
fn nothing_of_the_blocked_reaches_the_phone_with_or_without_a_to_tag() {
    let mut bench = Bench::new();
    bench.register("anna", phone(1));
    relate(&mut bench, "anna@example.org", "ben@example.org", Relationship::Blocked);
    for method in ["INVITE", "INFO", "BYE", "OPTIONS", "REFER", "NOTIFY", "UPDATE"] {
        for tag in ["", ";tag=made-up"] {
            let text = bench.request(method, "sip:anna@example.org", "ben", phone(2), "");
            let text = text.replace("To: <sip:anna@example.org>", &format!("To: <sip:anna@example.org>{tag}"));
            let sent = bench.signed("ben", "secret", phone(2), &text);
            assert!(sent.iter().all(|one| one.to != phone(1)), "{method}{tag}: {sent:#?}");
            assert!(sent.iter().any(|one| one.status() == 480), "{method}{tag}: {sent:#?}");
        }
    }
    let text = bench.request("OPTIONS", "sip:anna@example.org", "carl", phone(3), "");
    let sent = bench.signed("carl", "secret", phone(3), &text);
    assert!(sent.iter().any(|one| one.to == phone(1)), "others are let through: {sent:#?}");
}

#[test]
fn a_subscription_by_the_address_of_the_server_is_ours_too() {
    let mut bench = Bench::new();
    bench.register("anna", phone(1));
    let sent = watch(&mut bench, "sip:anna@192.0.2.1:5060");
    assert!(sent.iter().all(|one| one.to == phone(2)), "{sent:#?}");
    assert_eq!(notifies(&sent).len(), 1, "{sent:#?}");
}

#[test]
fn who_sees_no_change_is_not_told_that_there_was_one() {
    let mut bench = Bench::new();
    relate(&mut bench, "anna@example.org", "ben@example.org", Relationship::Blocked);
    let sent = watch(&mut bench, "sip:anna@example.org");
    assert_eq!(confirm(&mut bench, sent), 1);
    bench.register("anna", phone(1));
    let mut sent = bench.wait(Duration::from_millis(20));
    for (choice, note) in [(UserChoice::Busy, "one"), (UserChoice::Available, "two")] {
        sent.extend(choose(&mut bench, "anna@example.org", choice, note));
    }
    assert!(notifies(&sent).is_empty(), "{sent:#?}");
    let sent = relate(&mut bench, "anna@example.org", "ben@example.org", Relationship::Colleagues);
    assert_eq!(confirm(&mut bench, sent), 1, "the view is another");
    let sent = choose(&mut bench, "anna@example.org", UserChoice::Busy, "three");
    assert_eq!(confirm(&mut bench, sent), 1);
    let sent = choose(&mut bench, "anna@example.org", UserChoice::AppearOffline, "");
    assert_eq!(confirm(&mut bench, sent), 1, "seen as gone");
    let text = bench.request("REGISTER", "sip:example.org", "anna", phone(1), "Expires: 0\n");
    let mut sent = bench.signed("anna", "secret", phone(1), &text);
    sent.extend(bench.wait(Duration::from_millis(20)));
    assert!(notifies(&sent).is_empty(), "really gone looks the same: {sent:#?}");
}

#[test]
fn events_that_require_what_is_not_known_are_refused() {
    let mut bench = Bench::new();
    let extra = "Event: presence\nRequire: foo\n";
    let request = bench.request("SUBSCRIBE", "sip:anna@example.org", "ben", phone(2), extra);
    let sent = bench.signed("ben", "secret", phone(2), &request);
    let refused = sent.iter().find(|one| one.status() == 420).unwrap_or_else(|| panic!("{sent:#?}"));
    assert_eq!(refused.value("Unsupported"), "foo");
}

#[test]
fn another_spelling_of_a_name_is_no_other_account() {
    let mut bench = Bench::new();
    for name in ["anna", "%61nna", "a%6ena", "Anna", "anna@example.org", "%61%6e%6e%61"].iter().cycle().take(12) {
        let text = bench.request("REGISTER", "sip:example.org", "anna", phone(66), "");
        bench.signed(name, "wrong", phone(66), &text);
    }
    let text = bench.request("REGISTER", "sip:example.org", "anna", phone(66), "");
    let sent = bench.signed("ann%61", "secret", phone(66), &text);
    assert_eq!(sent.last().map(Sent::status), Some(403), "{sent:#?}");
}
