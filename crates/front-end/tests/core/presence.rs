//! The presence server: PUBLISH, SUBSCRIBE and NOTIFY as a phone sees them.

use crate::bench::{Bench, Sent, phone};
use lyceum_sip::time::WallTime;
use lyceum_users::presence::calendar::{BusyInterval, BusyKind};
use std::time::Duration;

const OPEN: &str = "<?xml version=\"1.0\"?><presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"sip:anna@example.org\"><tuple id=\"t\"><status><basic>open</basic></status></tuple></presence>";
const BUSY: &str = "<?xml version=\"1.0\"?><presence xmlns=\"urn:ietf:params:xml:ns:pidf\" xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" xmlns:r=\"urn:ietf:params:xml:ns:pidf:rpid\" entity=\"sip:anna@example.org\"><tuple id=\"t\"><status><basic>open</basic></status></tuple><dm:person id=\"p\"><r:activities><r:busy/></r:activities></dm:person></presence>";

fn body(kind: &str) -> String {
    format!("Event: presence\nExpires: 3600\nContent-Type: {kind}\n")
}

/// A PUBLISH of anna, with digest.
fn publish(bench: &mut Bench, extra: &str, body: &str) -> Vec<Sent> {
    let request = bench.request("PUBLISH", "sip:anna@example.org", "anna", phone(1), extra);
    bench.signed("anna", "secret", phone(1), &with_body(&request, body))
}

fn with_body(request: &str, body: &str) -> String {
    request.replace("Content-Length: 0\n\n", &format!("Content-Length: {}\n\n{body}", body.len()))
}

/// ben watches anna; gives what left.
fn watch(bench: &mut Bench, uri: &str, extra: &str) -> Vec<Sent> {
    let extra = format!("Event: presence\nExpires: 3600\n{extra}");
    let request = bench.request("SUBSCRIBE", uri, "ben", phone(2), &extra);
    let mut sent = bench.signed("ben", "secret", phone(2), &request);
    sent.extend(bench.wait(Duration::from_millis(5)));
    sent
}

fn notifies(sent: &[Sent]) -> Vec<&Sent> {
    sent.iter().filter(|one| one.first_line().starts_with("NOTIFY ")).collect()
}

fn status_of<'a>(sent: &'a [Sent], method: &str) -> &'a Sent {
    let is = |one: &&Sent| one.status() >= 200 && one.value("CSeq").ends_with(method);
    sent.iter().find(is).unwrap_or_else(|| panic!("no answer to {method} in {sent:#?}"))
}

fn ok_for(notify: &Sent) -> String {
    let kept: Vec<&str> = notify
        .text
        .lines()
        .filter(|line| ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name)))
        .collect();
    format!("SIP/2.0 200 OK\n{}\nContent-Length: 0\n\n", kept.join("\n"))
}

#[test]
fn a_watcher_is_told_at_once_and_of_every_change() {
    let mut bench = Bench::new();
    bench.register("anna", phone(1));
    let sent = watch(&mut bench, "sip:anna@example.org", "");
    let answer = status_of(&sent, "SUBSCRIBE");
    assert_eq!((answer.status(), answer.value("Expires")), (200, "3600"));
    let first = notifies(&sent);
    assert_eq!(first.len(), 1, "{sent:#?}");
    assert_eq!(first[0].value("Event"), "presence");
    assert!(first[0].value("Subscription-State").starts_with("active;expires="));
    assert_eq!(first[0].value("Content-Type"), "application/pidf+xml");
    assert!(first[0].text.contains("<basic>open</basic>"), "{}", first[0].text);
    let ok = ok_for(first[0]);
    bench.receive(phone(2), &ok);

    let sent = publish(&mut bench, &body("application/pidf+xml"), BUSY);
    assert_eq!(status_of(&sent, "PUBLISH").status(), 200);
    assert_eq!(status_of(&sent, "PUBLISH").value("SIP-ETag").len(), 16);
    let mut sent = sent;
    sent.extend(bench.wait(Duration::from_millis(5)));
    let next = notifies(&sent);
    assert_eq!(next.len(), 1, "{sent:#?}");
    assert!(next[0].text.contains("busy"), "{}", next[0].text);
    assert!(next[0].value("CSeq").starts_with("2 "));
}

#[test]
fn watchers_hear_of_a_state_when_it_is_durable_and_never_of_one_that_was_refused() {
    let mut bench = Bench::new();
    bench.register("anna", phone(1));
    let sent = watch(&mut bench, "sip:anna@example.org", "");
    bench.receive(phone(2), &ok_for(notifies(&sent)[0]));
    bench.store_works = false;
    let mut sent = publish(&mut bench, &body("application/pidf+xml"), BUSY);
    sent.extend(bench.wait(Duration::from_millis(300)));
    assert!(notifies(&sent).is_empty(), "{sent:#?}");
    assert!(sent.iter().all(|one| one.status() != 200), "{sent:#?}");
    let seq = *bench.pending.last().expect("a block");
    let mut out = lyceum_net::Outbox::new();
    bench.core.commit_failed(bench.now, seq, &mut out);
    let mut sent = bench.settle(out, Duration::ZERO);
    sent.extend(bench.wait(Duration::from_millis(300)));
    assert_eq!(status_of(&sent, "PUBLISH").status(), 503);
    assert!(notifies(&sent).is_empty(), "nothing changed: {sent:#?}");

    publish(&mut bench, &body("application/pidf+xml"), BUSY);
    let seq = *bench.pending.last().expect("a block");
    let mut out = lyceum_net::Outbox::new();
    bench.core.committed(bench.now, seq, &mut out);
    let sent = bench.settle(out, Duration::ZERO);
    assert_eq!(status_of(&sent, "PUBLISH").status(), 200);
    assert_eq!(notifies(&sent).len(), 1, "{sent:#?}");
    assert!(notifies(&sent)[0].text.contains("busy"), "{sent:#?}");
}

#[test]
fn only_one_notify_is_under_way_and_the_newest_state_follows() {
    let mut bench = Bench::new();
    bench.register("anna", phone(1));
    let sent = watch(&mut bench, "sip:anna@example.org", "");
    let first = ok_for(notifies(&sent)[0]);
    let mut sent = publish(&mut bench, &body("application/pidf+xml"), BUSY);
    let tag = status_of(&sent, "PUBLISH").value("SIP-ETag").to_owned();
    let extra = format!("SIP-If-Match: {tag}\n{}", body("application/pidf+xml"));
    sent.extend(publish(&mut bench, &extra, OPEN));
    sent.extend(bench.wait(Duration::from_millis(5)));
    assert!(notifies(&sent).is_empty(), "the first one is not answered yet");
    let mut sent = bench.receive(phone(2), &first);
    sent.extend(bench.wait(Duration::from_millis(5)));
    let next = notifies(&sent);
    assert_eq!(next.len(), 1);
    assert!(next[0].text.contains("<basic>open</basic>") && !next[0].text.contains("busy/"), "{}", next[0].text);
}

#[test]
fn a_watcher_that_never_answers_is_forgotten() {
    let mut bench = Bench::new();
    watch(&mut bench, "sip:anna@example.org", "");
    assert_eq!(bench.core.events().subscriptions(), 1);
    bench.wait(Duration::from_secs(40));
    assert_eq!(bench.core.events().subscriptions(), 0);
}

#[test]
fn expiry_and_unsubscribing_are_told_last() {
    let mut bench = Bench::new();
    let sent = watch(&mut bench, "sip:anna@example.org", "");
    let ok = ok_for(notifies(&sent)[0]);
    bench.receive(phone(2), &ok);
    let sent = bench.wait(Duration::from_secs(3700));
    let last = notifies(&sent);
    assert_eq!(last[0].value("Subscription-State"), "terminated;reason=timeout");
    assert_eq!(bench.core.events().subscriptions(), 0);
}

#[test]
fn wrong_requests_get_the_status_that_says_why() {
    let mut bench = Bench::new();
    let status = |sent: &[Sent], method: &str| status_of(sent, method).status();
    let sent = publish(&mut bench, &format!("SIP-If-Match: nonsense\n{}", body("application/pidf+xml")), OPEN);
    assert_eq!(status(&sent, "PUBLISH"), 412);
    let sent = publish(&mut bench, &body("text/plain"), "hello");
    assert_eq!(status(&sent, "PUBLISH"), 415);
    let broken = "<presence";
    let sent = publish(&mut bench, &body("application/pidf+xml"), broken);
    assert_eq!(status(&sent, "PUBLISH"), 400);
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><presence xmlns=\"urn:ietf:params:xml:ns:pidf\">&a;</presence>";
    let sent = publish(&mut bench, &body("application/pidf+xml"), bomb);
    assert_eq!(status(&sent, "PUBLISH"), 400);
    let large = format!("{OPEN}{}", " ".repeat(30_000));
    let sent = publish(&mut bench, &body("application/pidf+xml"), &large);
    assert_eq!(status(&sent, "PUBLISH"), 413);
    let sent = publish(&mut bench, "Event: dialog\nContent-Type: x/y\n", OPEN);
    assert_eq!(status(&sent, "PUBLISH"), 489);
    let request = bench.request("SUBSCRIBE", "sip:anna@example.org", "ben", phone(2), "Event: dialog\n");
    assert_eq!(status(&bench.signed("ben", "secret", phone(2), &request), "SUBSCRIBE"), 489);
    let request = bench.request("PUBLISH", "sip:ben@example.org", "anna", phone(1), &body("application/pidf+xml"));
    let sent = bench.signed("anna", "secret", phone(1), &with_body(&request, OPEN));
    assert_eq!(status(&sent, "PUBLISH"), 403);
    let request = bench.request("SUBSCRIBE", "sip:nobody@example.org", "ben", phone(2), "Event: presence\n");
    assert_eq!(status(&bench.signed("ben", "secret", phone(2), &request), "SUBSCRIBE"), 404);
}

#[test]
fn a_refresh_of_what_ended_makes_the_watcher_subscribe_anew() {
    let mut bench = Bench::new();
    let request = bench.request("SUBSCRIBE", "sip:192.0.2.1:5060", "ben", phone(2), "Event: presence\n");
    let request = request.replace("To: <sip:192.0.2.1:5060>", "To: <sip:anna@example.org>;tag=long-gone");
    assert_eq!(status_of(&bench.signed("ben", "secret", phone(2), &request), "SUBSCRIBE").status(), 481);
}

#[test]
fn registering_makes_one_available() {
    let mut bench = Bench::new();
    let sent = watch(&mut bench, "sip:anna@example.org", "");
    let ok = ok_for(notifies(&sent)[0]);
    bench.receive(phone(2), &ok);
    let text = bench.request("REGISTER", "sip:example.org", "anna", phone(1), "Expires: 600\n");
    let mut sent = bench.signed("anna", "secret", phone(1), &text);
    sent.extend(bench.wait(Duration::from_millis(5)));
    assert!(notifies(&sent)[0].text.contains("<basic>open</basic>"), "{sent:#?}");
}

#[test]
fn a_lost_connection_does_not_end_a_subscription() {
    let mut bench = Bench::new();
    watch(&mut bench, "sip:anna@example.org", "");
    let sent = bench.last_send_fails();
    assert!(notifies(&sent).is_empty());
    assert_eq!(bench.core.events().subscriptions(), 1);
    bench.wait(Duration::from_secs(40));
    assert_eq!(bench.core.events().subscriptions(), 1, "it stands until it runs out or is refreshed");
}

#[test]
fn an_administrator_sees_who_watches_and_for_how_long() {
    let mut bench = Bench::new();
    bench.register("anna", phone(1));
    assert_eq!(bench.core.watchers_of(bench.now, "anna@example.org"), Some(Vec::new()));
    watch(&mut bench, "sip:anna@example.org", "");
    let found = bench.core.watchers_of(bench.now, "anna@example.org").expect("anna is a user");
    let shown: Vec<_> = found.iter().map(|one| (one.watcher.as_str(), one.relationship.as_str(), one.list)).collect();
    assert_eq!(shown, [("ben@example.org", "colleagues", false)]);
    assert!((3590..=3600).contains(&found[0].expires_in), "{}", found[0].expires_in);
    assert_eq!(bench.core.watchers_of(bench.now, "nobody@example.org"), None);
}

#[test]
fn a_calendar_that_comes_after_its_address_is_gone_changes_nothing() {
    let mut bench = Bench::new();
    let busy = BusyInterval {
        from: WallTime(bench.now.wall.0),
        to: WallTime(bench.now.wall.0 + 3_600_000),
        kind: BusyKind::Busy,
        subject: None,
        location: None,
    };
    let (ana, feed, now) = ("anna@example.org", "https://a.example/a.ics", bench.now);
    let come = |bench: &mut Bench, set: Option<&str>, from: Option<&str>| {
        let mut out = lyceum_net::Outbox::new();
        bench.core.set_calendar_feed(now, ana, set, Box::new(|_| ()), &mut out).expect("set");
        bench.core.set_calendar(now, ana, (from, vec![busy.clone()]), Box::new(|_| ()), &mut out).expect("taken");
        bench.settle(out, Duration::ZERO);
        bench.core.calendar_of(ana).expect("known").1
    };
    assert_eq!(come(&mut bench, None, Some(feed)), 0);
    assert_eq!(come(&mut bench, Some("https://b.example/b.ics"), Some(feed)), 0);
    assert_eq!(come(&mut bench, Some(feed), Some(feed)), 1);
    assert_eq!(come(&mut bench, None, None), 1, "from a file");
}

#[test]
fn an_old_answer_ends_no_subscription_that_took_its_place() {
    let mut bench = Bench::new();
    bench.register("anna", phone(1));
    let once = bench.request("SUBSCRIBE", "sip:anna@example.org", "ben", phone(2), "Event: presence\nExpires: 0\n");
    let mut sent = bench.signed("ben", "secret", phone(2), &once);
    sent.extend(bench.wait(Duration::from_millis(5)));
    let fetched = notifies(&sent)[0].clone();
    let next = watch(&mut bench, "sip:anna@example.org", "");
    let first = notifies(&next)[0].clone();
    bench.receive(phone(2), &ok_for(&fetched).replace("200 OK", "481 Gone"));
    bench.receive(phone(2), &ok_for(&first));
    let told = publish(&mut bench, &body("application/pidf+xml"), BUSY);
    let told: Vec<Sent> = told.into_iter().chain(bench.wait(Duration::from_millis(500))).collect();
    assert!(notifies(&told).iter().any(|sent| sent.value("Call-ID") == first.value("Call-ID")), "{told:#?}");
}

#[test]
fn a_new_password_takes_nobody_out_of_the_contact_lists_of_others() {
    let mut bench = Bench::new();
    bench.register("anna", phone(1));
    let first = watch(&mut bench, "sip:anna@example.org", "");
    bench.receive(phone(2), &ok_for(notifies(&first)[0]));
    let mut out = lyceum_net::Outbox::new();
    bench.core.user_gone(bench.now, lyceum_topology::UserId(1), "anna@example.org", &mut out);
    let told = bench.settle(out, Duration::ZERO);
    let states: Vec<&str> = notifies(&told).iter().map(|sent| sent.value("Subscription-State")).collect();
    assert!(!states.is_empty() && states.iter().all(|state| state.starts_with("active")), "{told:#?}");
}
