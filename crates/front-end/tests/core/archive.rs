//! Nothing that policy wants archived passes beside the archive, whatever it calls itself and whoever it claims to be for.

use std::net::SocketAddr;
use std::time::Duration;

use lyceum_store::{ArchiveRow, MessageEntry};
use lyceum_topology::{Document, HopTransport, NextHop, RouteMatch, StaticRoute};

use crate::bench::{Bench, Sent, phone, user};
use crate::messages::{answer, come, copies, say, say_as, words};

/// Messages of the organisation are archived, and with `critical` none passes that is not.
fn archiving(critical: bool, change: impl FnOnce(&mut Document)) -> Bench {
    Bench::with(
        |document| {
            change(document);
            let archiving = &mut document.policies.archiving.global;
            (archiving.archive_internal, archiving.block_on_archive_failure) = (Some(true), Some(critical));
        },
        vec![crate::bench::user(1, "anna"), crate::bench::user(2, "ben")],
    )
}

#[test]
fn in_critical_mode_nothing_passes_that_is_not_archived() {
    let mut bench = archiving(true, |_| {});
    come(&mut bench, 2);
    let sent = say(&mut bench, "hello");
    assert_eq!(answer(&sent), 200);
    assert!(bench.history.iter().any(|one| matches!(one, MessageEntry::Archive(row) if row.body.0 == b"hello")));
    assert_eq!(words(copies(&sent, 2)[0]), "hello");
    bench.archive_works = false;
    let sent = say(&mut bench, "psst!!");
    assert_eq!((answer(&sent), copies(&sent, 2).len()), (503, 0));
}

/// A MESSAGE of anna's, its lines changed.
fn send(bench: &mut Bench, uri: &str, words: &str, change: impl FnOnce(String) -> String) -> Vec<Sent> {
    let request = bench.request("MESSAGE", uri, "anna", phone(1), "Content-Type: text/plain\n");
    let length = format!("Content-Length: {}\n\n{words}", words.len());
    let request = change(request.replace("Content-Length: 0\n\n", &length));
    let mut sent = bench.signed("anna", "secret", phone(1), &request);
    sent.extend(bench.wait(Duration::from_millis(5)));
    sent
}

fn archived(bench: &Bench) -> Vec<&ArchiveRow> {
    fn row(entry: &MessageEntry) -> Option<&ArchiveRow> {
        match entry {
            MessageEntry::Archive(row) => Some(row),
            _ => None,
        }
    }
    bench.history.iter().filter_map(row).collect()
}

fn remembered(bench: &Bench) -> usize {
    let is = |one: &&MessageEntry| matches!(one, MessageEntry::Message(_) | MessageEntry::Delivered { .. });
    bench.history.iter().filter(is).count()
}

#[test]
fn who_is_meant_is_found_by_the_way_it_goes() {
    for (uri, to) in [
        ("sip:ben@192.0.2.1:5060", "<sip:ben@192.0.2.1:5060>"),
        ("sip:ben@example.org", "<sip:carl@example.org>"),
        ("sip:ben@example.org", "<sip:carl@example.org>;tag=made-up"),
        ("sip:ben@192.0.2.1:5060", "<sip:carl@example.org>;tag=made-up"),
    ] {
        let mut bench = archiving(false, |_| {});
        come(&mut bench, 2);
        let sent = send(&mut bench, uri, "psst", |text| text.replace(&format!("To: <{uri}>"), &format!("To: {to}")));
        let copy = copies(&sent, 2)[0].clone();
        crate::messages::take(&mut bench, &copy, "200 OK", 2);
        let rows = archived(&bench);
        let found: Vec<_> = rows.iter().map(|row| (&*row.sender, &*row.recipients[0], &row.body.0[..])).collect();
        assert_eq!(found, [("anna@example.org", "ben@example.org", &b"psst"[..])], "{uri} {to}");
        assert_eq!(remembered(&bench), 1, "{uri} {to}");
    }
}

#[test]
fn words_are_archived_whatever_they_call_themselves() {
    for kind in ["message/imdn+xml", "application/im-iscomposing+xml", "message/cpim"] {
        let mut bench = archiving(false, |_| {});
        assert_eq!(answer(&say_as(&mut bench, kind, "see you at nine")), 202, "{kind}");
        assert_eq!((archived(&bench).len(), remembered(&bench)), (1, 1), "{kind}");
    }
    let mut bench = archiving(false, |_| {});
    say_as(&mut bench, "application/im-iscomposing+xml", crate::messages::TYPING);
    assert_eq!((archived(&bench).len(), remembered(&bench)), (0, 0));
}

#[test]
fn what_is_only_forwarded_is_archived_first_too() {
    let gateway = SocketAddr::from(([203, 0, 113, 1], 5080));
    let route = |document: &mut Document| {
        document.static_routes.push(StaticRoute {
            name: "gateway".into(),
            description: String::new(),
            matches: RouteMatch::TelPrefix { prefix: "+49".into() },
            next_hops: vec![NextHop {
                host: "203.0.113.1".into(),
                port: Some(5080),
                transport: HopTransport::Udp,
                priority: 1,
                weight: 1,
            }],
        });
        document.policies.archiving.global.archive_external = Some(true);
    };
    let mut bench = archiving(true, route);
    let uri = "sip:+4930123@example.org";
    let sent = send(&mut bench, uri, "hello", |text| text);
    let copy = sent.iter().find(|one| one.to == gateway).expect("a copy");
    assert_eq!((words(copy), &*archived(&bench)[0].recipients[0]), ("hello", "+4930123@example.org"));
    bench.archive_works = false;
    let sent = send(&mut bench, uri, "psst", |text| text);
    assert_eq!((answer(&sent), sent.iter().any(|one| one.to == gateway)), (503, false));
    bench.archive_works = true;
    let sent = send(&mut bench, "sip:x@elsewhere.example", "psst", |text| text);
    assert_eq!((answer(&sent), archived(&bench).len()), (403, 1), "what goes nowhere was said to nobody");
}

#[test]
fn one_device_is_reached_by_its_gruu_once_the_archive_has_it() {
    let mut bench = archiving(true, |_| {});
    come(&mut bench, 3);
    let text = bench.request("REGISTER", "sip:example.org", "ben", phone(2), "Supported: gruu\n");
    let text = text.replace("5060>\n", "5060>;+sip.instance=\"<urn:uuid:1>\"\n");
    let ok = bench.signed("ben", "secret", phone(2), &text).pop().expect("an answer");
    let part = |name: &str| {
        let all = ok.values("Contact").join(" ");
        all.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next()).expect("a GRUU").to_owned()
    };
    for (count, name) in ["pub-gruu", "temp-gruu"].into_iter().enumerate() {
        bench.archive_works = false;
        let sent = send(&mut bench, &part(name), "psst", |text| text);
        assert_eq!((answer(&sent), copies(&sent, 2).len()), (503, 0), "{name}");
        bench.archive_works = true;
        let sent = send(&mut bench, &part(name), "hello", |text| text.replace("To: <", "To: <sip:carl@example.org;x="));
        let copy = copies(&sent, 2)[0].clone();
        assert_eq!((words(&copy), copies(&sent, 3).len()), ("hello", 0), "{name}");
        crate::messages::take(&mut bench, &copy, "200 OK", 2);
        let rows = archived(&bench);
        assert_eq!((rows.len(), &*rows[count].recipients[0]), (count + 1, "ben@example.org"), "{name}");
    }
}

#[test]
fn who_is_removed_while_the_archive_writes_says_nothing_more() {
    let mut bench = archiving(true, |_| {});
    come(&mut bench, 2);
    bench.archive_is_silent = true;
    assert_eq!(answer(&say(&mut bench, "hello")), 0);
    bench.change_users(vec![user(2, "ben")]);
    let sent = bench.archive_goes_on();
    assert_eq!((answer(&sent), copies(&sent, 2).len()), (403, 0));
}

#[test]
fn a_message_waits_for_the_archive_no_longer_than_its_sender() {
    let mut bench = archiving(true, |_| {});
    come(&mut bench, 2);
    bench.archive_is_silent = true;
    for (wait, arrived) in [(31, 1), (33, 0)] {
        say(&mut bench, "hello");
        bench.wait(Duration::from_secs(wait));
        let mut out = lyceum_net::Outbox::new();
        let token = bench.archiving.pop().unwrap();
        bench.core.archived(bench.now, &[token], true, &mut out);
        let mut sent = bench.settle(out, Duration::ZERO);
        sent.extend(bench.wait(Duration::from_millis(5)));
        assert_eq!(copies(&sent, 2).len(), arrived, "after {wait} s");
    }
}
