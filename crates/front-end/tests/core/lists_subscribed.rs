//! A subscription to a list that comes with it (RFC 5367), as a phone sees it.

use std::time::Duration;

use lyceum_users::contacts::{ContactList, Who};
use lyceum_users::presence::{ChoiceIntent, Relationship, UserChoice};

use crate::bench::{Bench, Sent, phone, user};

const LISTS: &str = "sip:list@example.org";
const WANTED: &str = "Supported: eventlist\nRequire: recipient-list-subscribe\n";
const KIND: &str = "Content-Type: application/resource-lists+xml\nContent-Disposition: recipient-list\n";

fn list(uris: &[&str]) -> String {
    let entries: String = uris.iter().map(|uri| format!("<entry uri=\"{uri}\"/>")).collect();
    format!("<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\"><list>{entries}</list></resource-lists>")
}

fn with_body(request: &str, body: &str) -> String {
    let length = body.replace('\n', "\r\n").len();
    request.replace("Content-Length: 0\n\n", &format!("Content-Length: {length}\n\n{body}"))
}

/// The request of ben and what left because of it.
fn ask(bench: &mut Bench, uri: &str, extra: &str, body: &str) -> (String, Vec<Sent>) {
    let extra = format!("Event: presence\n{extra}");
    let request = with_body(&bench.request("SUBSCRIBE", uri, "ben", phone(2), &extra), body);
    let sent = send(bench, &request);
    (request, sent)
}

fn send(bench: &mut Bench, request: &str) -> Vec<Sent> {
    let mut sent = bench.signed("ben", "secret", phone(2), request);
    sent.extend(bench.wait(Duration::from_millis(20)));
    sent
}

fn watch(bench: &mut Bench, uris: &[&str]) -> (String, Vec<Sent>) {
    ask(bench, LISTS, &format!("Expires: 3600\n{WANTED}{KIND}"), &list(uris))
}

/// The request once more, in the dialog that it began.
fn refresh(bench: &mut Bench, begun: &(String, Vec<Sent>), cseq: u32, extra: &str, body: &str) -> Vec<Sent> {
    let (request, sent) = begun;
    let kept = |line: &&str| ["From:", "Call-ID:", "Contact:"].iter().any(|name| line.starts_with(name));
    let kept: Vec<&str> = request.lines().filter(kept).collect();
    let (number, to) = (bench.number(), answer(sent).value("To").to_owned());
    let text = format!(
        "SUBSCRIBE sip:192.0.2.1:5060 SIP/2.0\nVia: SIP/2.0/UDP {};branch=z9hG4bK{number};rport\nMax-Forwards: 70\n{}\n\
         To: {to}\nCSeq: {cseq} SUBSCRIBE\nEvent: presence\n{extra}Content-Length: 0\n\n",
        phone(2),
        kept.join("\n")
    );
    send(bench, &with_body(&text, body))
}

fn answer(sent: &[Sent]) -> &Sent {
    let is = |one: &&Sent| one.status() >= 200 && !matches!(one.status(), 401 | 407);
    sent.iter().find(|one| is(one) && one.value("CSeq").ends_with("SUBSCRIBE")).unwrap_or_else(|| panic!("{sent:#?}"))
}

fn told(sent: &[Sent]) -> Vec<&Sent> {
    sent.iter().filter(|one| one.first_line().starts_with("NOTIFY ")).collect()
}

/// The one NOTIFY, which is answered.
fn notify(bench: &mut Bench, sent: &[Sent]) -> Sent {
    let [one] = told(sent)[..] else { panic!("one NOTIFY: {sent:#?}") };
    let is_kept = |line: &&str| ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name));
    let kept: Vec<&str> = one.text.lines().filter(is_kept).collect();
    bench.receive(phone(2), &format!("SIP/2.0 200 OK\n{}\nContent-Length: 0\n\n", kept.join("\n")));
    one.clone()
}

/// The resources of a notification with their states, in order.
fn resources(notify: &Sent) -> Vec<(String, &'static str)> {
    let state = |text: &str| {
        let known = ["active", "pending", "noresource"];
        known.into_iter().rfind(|state| text.contains(&format!("\"{state}\""))).unwrap_or("none")
    };
    let all = notify.text.split("<resource ").skip(1);
    all.map(|one| (one.split('"').nth(1).unwrap_or_default().to_owned(), state(one))).collect()
}

fn active(names: &[&str]) -> Vec<(String, &'static str)> {
    names.iter().map(|name| (format!("sip:{name}@example.org"), "active")).collect()
}

fn choose(bench: &mut Bench, aor: &str, choice: UserChoice) -> Vec<Sent> {
    let intent = ChoiceIntent { choice: Some((choice, None, None)), ..ChoiceIntent::default() };
    let mut out = lyceum_net::Outbox::new();
    bench.core.choose_presence(bench.now, aor, &intent, Box::new(|_| ()), &mut out).expect("a choice");
    let mut sent = bench.settle(out, Duration::ZERO);
    sent.extend(bench.wait(Duration::from_millis(20)));
    sent
}

#[test]
fn everybody_on_the_list_is_told_and_then_what_changes() {
    let mut bench = Bench::new();
    bench.register("carl", phone(3));
    let (_, sent) = watch(&mut bench, &["sip:anna@example.org", "sip:carl@example.org"]);
    assert_eq!((answer(&sent).status(), answer(&sent).value("Require")), (200, "eventlist"), "{sent:#?}");
    let first = notify(&mut bench, &sent);
    assert_eq!((first.value("Require"), first.value("Event")), ("eventlist", "presence"));
    assert!(first.value("Content-Type").starts_with("multipart/related"), "{}", first.text);
    assert!(first.text.contains("fullState=\"true\"") && first.text.contains("uri=\"sip:list@example.org\""));
    assert_eq!(resources(&first), active(&["anna", "carl"]));
    assert_eq!(first.text.matches("<basic>open</basic>").count(), 1, "carl is signed in: {}", first.text);

    let sent = choose(&mut bench, "carl@example.org", UserChoice::Busy);
    let next = notify(&mut bench, &sent);
    assert!(next.text.contains("fullState=\"false\"") && next.text.contains("busy"), "{}", next.text);
    assert_eq!(resources(&next), active(&["carl"]));
    let watchers = bench.core.watchers_of(bench.now, "carl@example.org").expect("carl is a user");
    let shown: Vec<_> = watchers.iter().map(|one| (one.watcher.as_str(), one.list)).collect();
    assert_eq!(shown, [("ben@example.org", true)]);
    let pending = bench.core.contacts_of("carl@example.org").expect("carl is a user").pending_watchers;
    assert_eq!(pending, ["ben@example.org"], "who is watched by a list is asked, too");
}

#[test]
fn people_are_told_by_the_names_that_the_list_gives_and_once_each() {
    let mut bench = Bench::new();
    let uris = [
        "sip:ANNA@example.org",
        "sip:anna@example.org;transport=tcp",
        "sip:ghost@example.org",
        "sip:somebody@elsewhere.example",
        "sip:ben@example.org",
    ];
    let parts = format!("--x\nContent-Type: application/resource-lists+xml\n\n{}\n--x--\n", list(&uris));
    let extra = format!("{WANTED}Content-Type: multipart/mixed;boundary=x\n");
    let (_, sent) = ask(&mut bench, "sip:ben@example.org", &extra, &parts);
    assert_eq!(answer(&sent).status(), 200, "{sent:#?}");
    let all = [
        ("sip:ANNA@example.org", "active"),
        ("sip:ghost@example.org", "noresource"),
        ("sip:somebody@elsewhere.example", "pending"),
        ("sip:ben@example.org", "active"),
    ];
    assert_eq!(resources(&notify(&mut bench, &sent)), all.map(|(uri, state)| (uri.to_owned(), state)));
}

#[test]
fn a_refresh_keeps_the_list_or_brings_another() {
    let mut bench = Bench::new();
    bench.register("anna", phone(1));
    bench.register("carl", phone(3));
    let begun = watch(&mut bench, &["sip:anna@example.org", "sip:carl@example.org"]);
    notify(&mut bench, &begun.1);
    let sent = refresh(&mut bench, &begun, 3, "Expires: 3600\n", "");
    assert_eq!(answer(&sent).status(), 200, "{sent:#?}");
    assert_eq!(resources(&notify(&mut bench, &sent)), active(&["anna", "carl"]));

    let other = list(&["sip:carl@example.org"]);
    let sent = refresh(&mut bench, &begun, 4, KIND, &other);
    assert_eq!((answer(&sent).status(), answer(&sent).value("Require")), (421, "recipient-list-subscribe"));
    let sent = refresh(&mut bench, &begun, 5, &format!("{WANTED}{KIND}"), &other);
    let full = notify(&mut bench, &sent);
    assert!(full.text.contains("fullState=\"true\""), "{}", full.text);
    assert_eq!(resources(&full), active(&["carl"]));
    assert!(told(&choose(&mut bench, "anna@example.org", UserChoice::Busy)).is_empty(), "anna is not on it any more");
    let sent = choose(&mut bench, "carl@example.org", UserChoice::Busy);
    assert_eq!(resources(&notify(&mut bench, &sent)), active(&["carl"]));

    let plain = ask(&mut bench, "sip:anna@example.org", "", "");
    notify(&mut bench, &plain.1);
    let sent = refresh(&mut bench, &plain, 3, &format!("{WANTED}{KIND}"), &other);
    assert_eq!(answer(&sent).status(), 400, "a subscription without a list does not get one");
}

#[test]
fn the_list_is_fetched_once_and_nothing_is_left() {
    let mut bench = Bench::new();
    let extra = format!("Expires: 0\n{WANTED}{KIND}");
    let (_, sent) = ask(&mut bench, LISTS, &extra, &list(&["sip:anna@example.org"]));
    let only = notify(&mut bench, &sent);
    assert_eq!(only.value("Subscription-State"), "terminated;reason=timeout");
    assert_eq!(resources(&only), active(&["anna"]));
    let left = |kind| bench.core.groups().iter().map(|group| group.facet_count(kind)).sum::<usize>();
    assert_eq!(left(lyceum_users::facet_kind::SUBSCRIPTION), 0);
    assert_eq!(left(lyceum_users::facet_kind::SUBSCRIBED_LIST), 0);
}

#[test]
fn the_list_outlives_a_restart() {
    let mut before = Bench::new();
    before.register("carl", phone(3));
    let begun = watch(&mut before, &["sip:Anna@example.org", "sip:carl@example.org"]);
    notify(&mut before, &begun.1);
    let mut bench = Bench::new();
    bench.now = before.now;
    for at in 0..before.core.groups().len() {
        let mut image = Vec::new();
        before.core.groups()[at].snapshot(before.now.wall, &mut image);
        bench.core.groups_mut()[at].load(&image).expect("an image");
    }
    let mut sent = bench.receive(phone(9), &bench_options());
    sent.extend(bench.wait(Duration::from_millis(20)));
    let told = [("sip:Anna@example.org".to_owned(), "active"), ("sip:carl@example.org".to_owned(), "active")];
    assert_eq!(resources(&notify(&mut bench, &sent)), told);
    let sent = choose(&mut bench, "carl@example.org", UserChoice::Busy);
    assert_eq!(resources(&notify(&mut bench, &sent)), active(&["carl"]));
}

fn bench_options() -> String {
    let at = phone(9);
    format!(
        "OPTIONS sip:example.org SIP/2.0\nVia: SIP/2.0/UDP {at};branch=z9hG4bKo\nMax-Forwards: 70\n\
         From: <sip:x@example.org>;tag=o\nTo: <sip:example.org>\nCall-ID: o\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n"
    )
}

#[test]
fn a_list_that_the_store_refuses_is_the_one_before() {
    let mut bench = Bench::new();
    let begun = watch(&mut bench, &["sip:anna@example.org"]);
    notify(&mut bench, &begun.1);
    bench.store_works = false;
    let wanted = format!("{WANTED}{KIND}");
    let sent = refresh(&mut bench, &begun, 3, &wanted, &list(&["sip:carl@example.org"]));
    assert!(sent.iter().all(|one| one.status() < 200), "{sent:#?}");
    let seq = *bench.pending.last().expect("a block");
    let mut out = lyceum_net::Outbox::new();
    bench.core.commit_failed(bench.now, seq, &mut out);
    let sent = bench.settle(out, Duration::ZERO);
    assert_eq!(answer(&sent).status(), 503);
    bench.store_works = true;
    assert_eq!(resources(&notify(&mut bench, &sent)), active(&["anna"]));
    let come = |bench: &mut Bench, name: &str, number: u8| {
        let text = bench.request("REGISTER", "sip:example.org", name, phone(number), "Expires: 600\n");
        let mut sent = bench.signed(name, "secret", phone(number), &text);
        sent.extend(bench.wait(Duration::from_millis(100)));
        sent
    };
    bench.wait(Duration::from_secs(15));
    let sent = come(&mut bench, "carl", 3);
    assert!(told(&sent).is_empty(), "carl is not on it: {sent:#?}");
    let sent = come(&mut bench, "anna", 1);
    assert_eq!(resources(&notify(&mut bench, &sent)), active(&["anna"]));
}

#[test]
fn who_is_blocked_sees_nothing_by_a_list_either() {
    let mut bench = Bench::new();
    bench.register("anna", phone(1));
    let edit = |list: &mut ContactList| {
        list.relate(Who::parse("ben@example.org").expect("an address"), Some(Relationship::Blocked));
        Ok(())
    };
    let mut out = lyceum_net::Outbox::new();
    bench.core.edit_contacts(bench.now, "anna@example.org", edit, Box::new(|_| ()), &mut out).expect("anna's list");
    bench.settle(out, Duration::ZERO);
    let (_, sent) = watch(&mut bench, &["sip:anna@example.org", "sip:carl@example.org"]);
    let first = notify(&mut bench, &sent);
    assert_eq!(resources(&first), active(&["anna", "carl"]));
    assert!(!first.text.contains("<basic>open</basic>"), "{}", first.text);
    assert!(told(&choose(&mut bench, "anna@example.org", UserChoice::Busy)).is_empty());
}

#[test]
fn a_list_that_cannot_be_watched_says_why() {
    let good = list(&["sip:anna@example.org"]);
    let wanted = format!("{WANTED}{KIND}");
    let unsupported = "Require: recipient-list-subscribe\n";
    let bad = list(&["no address"]);
    let external = good.replace("<list>", "<list><external anchor=\"x\"/>");
    for (uri, extra, body, status, header, says) in [
        (LISTS, &*format!("Supported: eventlist\n{KIND}"), &*good, 421, "Require", "recipient-list-subscribe"),
        ("sip:ben@example.org", KIND, &good, 421, "Require", "recipient-list-subscribe"),
        (LISTS, &format!("{unsupported}{KIND}"), &good, 421, "Require", "eventlist"),
        (LISTS, WANTED, "", 400, "Warning", "is not in the body"),
        (LISTS, &wanted, "<resource-lists", 400, "Warning", "the list of people: "),
        (LISTS, &wanted, &bad, 400, "Warning", "no address is no URI"),
        (LISTS, &wanted, &external, 400, "Warning", "refers to entries elsewhere"),
        (LISTS, &format!("{WANTED}Content-Type: text/plain\n"), "anna", 415, "Accept", "resource-lists+xml"),
        (LISTS, &format!("{wanted}Content-Encoding: deflate\n"), &good, 415, "Accept-Encoding", "identity"),
        ("sip:carl@example.org", &wanted, &good, 403, "Lyceum-Diagnostics", "LYS0040"),
        ("sip:nobody@example.org", &wanted, &good, 404, "Lyceum-Diagnostics", "LYS0014"),
        (LISTS, &format!("{wanted}Require: x-more\n"), &good, 420, "Unsupported", "x-more"),
    ] {
        let mut bench = Bench::new();
        let (_, sent) = ask(&mut bench, uri, extra, body);
        let refused = answer(&sent);
        assert_eq!((refused.status(), refused.value(header).contains(says)), (status, true), "{refused:#?}");
        assert_eq!(bench.core.events().subscriptions(), 0);
    }
    let mut bench = Bench::new();
    let extra = "Event: presence\nContent-Type: application/pidf+xml\nRequire: recipient-list-subscribe\n";
    let request = bench.request("PUBLISH", "sip:ben@example.org", "ben", phone(2), extra);
    let sent = bench.signed("ben", "secret", phone(2), &request);
    assert_eq!(
        sent.last().map(|one| (one.status(), one.value("Unsupported"))),
        Some((420, "recipient-list-subscribe"))
    );
}

#[test]
fn more_people_or_lists_than_one_may_have_are_refused() {
    let users = || vec![user(1, "anna"), user(2, "ben"), user(3, "carl")];
    let mut bench = Bench::with(|document| document.policies.presence.global.max_contacts = Some(1), users());
    let (_, sent) = watch(&mut bench, &["sip:anna@example.org", "sip:carl@example.org"]);
    let refused = answer(&sent);
    assert_eq!((refused.status(), refused.value("Lyceum-Diagnostics")), (403, "LYS0054"));
    assert!(refused.value("Warning").contains("the list has 2 people; at most 1"), "{refused:#?}");
    for _ in 0..32 {
        let (_, sent) = watch(&mut bench, &["sip:ben@example.org"]);
        assert_eq!(answer(&sent).status(), 200);
        notify(&mut bench, &sent);
    }
    let (_, sent) = watch(&mut bench, &["sip:ben@example.org"]);
    assert_eq!((answer(&sent).status(), answer(&sent).value("Lyceum-Diagnostics")), (503, "LYS0046"));
}
