//! Server transactions.

use super::*;

#[test]
fn a_repeated_invite_gets_the_last_answer_where_it_came_from() {
    let mut b = Bench::new();
    assert_eq!(b.request(&plain("INVITE")), Incoming::New);
    let id = b.accept(&plain("INVITE"), false);
    assert_eq!(b.request(&plain("INVITE")), Incoming::Retransmission);
    assert_eq!(b.drain(), [""; 0], "nothing said yet");
    assert!(b.respond(id, 100));
    assert!(b.respond(id, 180));
    assert_eq!(b.drain(), ["peer<SIP/2.0 100 X", "peer<SIP/2.0 180 X"]);
    assert_eq!(b.request(&plain("INVITE")), Incoming::Retransmission);
    assert_eq!(b.drain(), ["new<SIP/2.0 180 X"]);
}

#[test]
fn a_refusal_is_repeated_until_the_ack() {
    let mut b = Bench::new();
    let id = b.accept(&plain("INVITE"), false);
    b.respond(id, 486);
    b.drain();
    let seen: Vec<u64> = b.run(Duration::from_secs(8)).into_iter().map(|(at, _)| at).collect();
    assert_eq!(seen.len(), 4, "0.5, 1.5, 3.5, 7.5 s: {seen:?}");
    assert_eq!(b.request(&plain("ACK")), Incoming::AckAbsorbed(id));
    assert_eq!(b.table.counts().kept_bytes, 0);
    assert_eq!(b.request(&plain("ACK")), Incoming::AckAbsorbed(id));
    assert_eq!(b.request(&plain("INVITE")), Incoming::Retransmission);
    assert_eq!(b.drain(), [""; 0]);
    let seen = b.run(Duration::from_secs(14));
    assert_eq!(seen.iter().map(|(_, w)| w.as_str()).collect::<Vec<_>>(), ["server ended"], "timer I");
    assert_eq!(b.table.counts(), Counts::default());
}

#[test]
fn without_an_ack_timer_h_ends() {
    let mut b = Bench::new();
    let id = b.accept(&plain("INVITE"), false);
    b.respond(id, 603);
    b.drain();
    let seen = b.run(Duration::from_secs(40));
    let repeats = seen.iter().filter(|(_, w)| w.starts_with("peer")).count();
    assert_eq!(repeats, 10, "T1 doubling to T2 within 32 s");
    let last: Vec<&str> = seen.iter().rev().take(2).map(|(_, w)| w.as_str()).collect();
    assert_eq!(last, ["server ended", "no ACK"]);
    assert_eq!(b.table.counts(), Counts::default());
}

#[test]
fn after_a_2xx_repeated_invites_are_absorbed_and_acks_pass() {
    let mut b = Bench::new();
    let id = b.accept(&plain("INVITE"), false);
    assert!(b.respond(id, 200));
    assert!(b.respond(id, 200), "the user repeats it until the ACK");
    assert!(!b.respond(id, 486));
    assert_eq!(b.drain().len(), 2);
    assert_eq!(b.table.counts().kept_bytes, 0);
    assert_eq!(b.request(&plain("INVITE")), Incoming::Retransmission);
    assert_eq!(b.request(&plain("ACK")), Incoming::AckForSuccess);
    let other = request("ACK", "SIP/2.0/UDP p;branch=z9hG4bKack", ";tag=2");
    assert_eq!(b.request(&other), Incoming::AckForSuccess, "its own branch, as by the book");
    assert_eq!(b.drain(), [""; 0]);
    b.run(Duration::from_secs(33));
    assert_eq!(b.table.counts(), Counts::default(), "timer L");
}

#[test]
fn over_a_reliable_transport_a_refusal_is_sent_once() {
    let mut b = Bench::new();
    let id = b.accept(&plain("INVITE"), true);
    b.respond(id, 486);
    assert_eq!(b.table.counts().kept_bytes, 0);
    b.drain();
    assert_eq!(b.run(Duration::from_secs(30)), []);
    assert_eq!(b.request(&plain("ACK")), Incoming::AckAbsorbed(id));
    assert_eq!(b.drain(), ["server ended"]);
}

#[test]
fn a_non_invite_answer_is_kept_until_timer_j() {
    let mut b = Bench::new();
    let id = b.accept(&plain("OPTIONS"), false);
    assert_eq!(b.request(&plain("OPTIONS")), Incoming::Retransmission);
    assert!(b.respond(id, 200));
    assert!(!b.respond(id, 404), "one final answer");
    assert_eq!(b.drain(), ["peer<SIP/2.0 200 X"]);
    assert_eq!(b.request(&plain("OPTIONS")), Incoming::Retransmission);
    assert_eq!(b.drain(), ["new<SIP/2.0 200 X"]);
    assert_eq!(b.run(Duration::from_millis(31_900)), []);
    assert_eq!(b.run(Duration::from_secs(33)).len(), 1);
    assert_eq!(b.request(&plain("OPTIONS")), Incoming::New);
}

#[test]
fn over_a_reliable_transport_a_non_invite_ends_with_its_answer() {
    let mut b = Bench::new();
    let id = b.accept(&plain("OPTIONS"), true);
    b.respond(id, 200);
    assert_eq!(b.drain(), ["peer<SIP/2.0 200 X", "server ended"]);
    assert_eq!(b.table.counts(), Counts::default());
}

#[test]
fn rfc_4320_a_100_is_due_after_3500_ms_and_no_408_comes_late() {
    let mut b = Bench::new();
    let id = b.accept(&plain("OPTIONS"), false);
    assert!(!b.respond(id, 100), "too early");
    assert!(!b.respond(id, 180), "never");
    let seen = b.run(Duration::from_secs(4));
    assert_eq!(seen.len(), 1);
    assert!(seen[0].1 == "100 due" && (3500..3520).contains(&(seen[0].0 + 10)), "{seen:?}");
    assert!(b.respond(id, 100));
    assert!(!b.respond(id, 408));
    b.drain();
    assert_eq!(b.request(&plain("OPTIONS")), Incoming::Retransmission);
    assert_eq!(b.drain(), ["new<SIP/2.0 100 X"]);
    let seen = b.run(Duration::from_secs(33));
    assert_eq!(seen.iter().map(|(_, w)| w.as_str()).collect::<Vec<_>>(), ["server ended"], "silently");
}

#[test]
fn a_cancel_finds_its_invite() {
    let mut b = Bench::new();
    assert_eq!(b.request(&plain("CANCEL")), Incoming::Cancel(None));
    let id = b.accept(&plain("INVITE"), false);
    assert_eq!(b.request(&plain("CANCEL")), Incoming::Cancel(Some(id)));
    let cancel = b.accept(&plain("CANCEL"), false);
    assert_ne!(cancel, id);
    b.respond(cancel, 200);
    assert_eq!(b.request(&plain("CANCEL")), Incoming::Retransmission);
    assert_eq!(b.drain(), ["peer<SIP/2.0 200 X", "new<SIP/2.0 200 X"]);
}

#[test]
fn matching_needs_branch_sent_by_and_method() {
    let cases = [
        ("SIP/2.0/UDP p;branch=z9hG4bKb", "OPTIONS", Incoming::Retransmission),
        ("SIP/2.0/UDP P ;received=192.0.2.1;branch=z9hG4bKb", "OPTIONS", Incoming::Retransmission),
        ("SIP/2.0/UDP p;branch=z9hG4bKc", "OPTIONS", Incoming::New),
        ("SIP/2.0/UDP q;branch=z9hG4bKb", "OPTIONS", Incoming::New),
        ("SIP/2.0/UDP p:5070;branch=z9hG4bKb", "OPTIONS", Incoming::New),
        ("SIP/2.0/UDP p;branch=z9hG4bKb", "REGISTER", Incoming::New),
    ];
    for (via, method, want) in cases {
        let mut b = Bench::new();
        let id = b.accept(&plain("OPTIONS"), false);
        // Answered: a copy on another path is then no merged request.
        b.respond(id, 200);
        assert_eq!(b.request(&request(method, via, "")), want, "{via} {method}");
    }
}

#[test]
fn rfc_2543_requests_match_without_a_cookie() {
    let old = "SIP/2.0/UDP p;branch=1";
    for via in [old, "SIP/2.0/UDP p", "SIP/2.0/UDP p;branch=z9hG4bK"] {
        let mut b = Bench::new();
        let id = b.accept(&request("INVITE", via, ""), false);
        assert_eq!(b.request(&request("INVITE", via, "")), Incoming::Retransmission);
        assert_eq!(b.request(&request("CANCEL", via, "")), Incoming::Cancel(Some(id)));
        b.respond(id, 486);
        assert_eq!(b.request(&request("ACK", via, ";tag=ours")), Incoming::AckAbsorbed(id));
        let next = request("INVITE", via, "").replace("CSeq: 1", "CSeq: 2");
        assert_eq!(b.request(&next), Incoming::New);
    }
}

#[test]
fn the_same_request_by_two_paths_is_merged_while_unanswered() {
    let mut b = Bench::new();
    let id = b.accept(&plain("INVITE"), false);
    let copy = request("INVITE", "SIP/2.0/UDP q;branch=z9hG4bKq", "");
    assert_eq!(b.request(&copy), Incoming::Merged);
    let spiral = copy.replace("INVITE sip:b@x", "INVITE sip:b2@x");
    assert_eq!(b.request(&spiral), Incoming::New, "RFC 5393: another target is a spiral");
    let dialog = request("INVITE", "SIP/2.0/UDP q;branch=z9hG4bKq", ";tag=2");
    assert_eq!(b.request(&dialog), Incoming::New);
    b.respond(id, 503);
    assert_eq!(b.request(&copy), Incoming::New, "the first copy has its answer: a new attempt");
}

#[test]
fn nobody_answers_an_invite_for_a_quarter_of_an_hour() {
    let mut b = Bench::new();
    let id = b.accept(&plain("INVITE"), false);
    b.run(Duration::from_secs(800));
    b.respond(id, 180);
    b.drain();
    assert_eq!(b.run(Duration::from_secs(1_690)), []);
    assert_eq!(b.run(Duration::from_secs(1_710)).len(), 1);
    assert_eq!(b.table.counts(), Counts::default());
}

#[test]
fn forgotten_transactions_leave_nothing() {
    let mut b = Bench::new();
    let id = b.accept(&plain("REGISTER"), false);
    b.respond(id, 200);
    b.table.forget(id);
    assert_eq!(b.table.counts(), Counts::default());
    assert_eq!(b.table.next_timeout(), None);
    assert_eq!(b.request(&plain("REGISTER")), Incoming::New);
    let id = b.accept(&plain("INVITE"), false);
    b.drain();
    b.table.server_transport_error(b.now, id);
    assert_eq!(b.drain(), ["server ended"]);
    assert!(!b.respond(id, 200));
}
