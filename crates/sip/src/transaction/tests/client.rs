//! Client transactions.

use super::*;

fn times(seen: &[(u64, String)], word: &str) -> Vec<u64> {
    seen.iter().filter(|(_, w)| w == word).map(|(at, _)| *at).collect()
}

/// Within one tick and the rounding of [`Bench::run`].
fn near(got: &[u64], want: &[u64]) -> bool {
    got.len() == want.len() && got.iter().zip(want).all(|(g, w)| g + 10 >= *w && *g <= w + 60)
}

#[test]
fn an_unanswered_invite_is_repeated_with_doubling_and_times_out() {
    let mut b = Bench::new();
    b.send(&plain("INVITE"), false);
    assert_eq!(b.drain(), ["next<INVITE sip:b@x SIP/2.0"]);
    let seen = b.run(Duration::from_secs(40));
    let again = times(&seen, "next<INVITE sip:b@x SIP/2.0");
    assert!(near(&again, &[500, 1500, 3500, 7500, 15500, 31500]), "{again:?}");
    assert!(near(&times(&seen, "timeout 7"), &[32_000]));
    assert_eq!(seen.last().map(|(_, w)| w.as_str()), Some("ended 7"));
    assert_eq!(b.table.counts(), Counts::default());
}

#[test]
fn a_non_invite_is_repeated_up_to_t2() {
    let mut b = Bench::new();
    b.send(&plain("OPTIONS"), false);
    b.drain();
    let seen = b.run(Duration::from_secs(40));
    let again = times(&seen, "next<OPTIONS sip:b@x SIP/2.0");
    let want = [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500];
    assert!(near(&again, &want), "{again:?}");
    assert!(near(&times(&seen, "timeout 7"), &[32_000]));
}

#[test]
fn after_a_100_a_non_invite_is_repeated_every_t2() {
    let mut b = Bench::new();
    b.send(&plain("OPTIONS"), false);
    b.drain();
    assert!(matches!(b.response("OPTIONS", 100), Response::Pass { user: 7, .. }));
    let seen = b.run(Duration::from_secs(40));
    let again = times(&seen, "next<OPTIONS sip:b@x SIP/2.0");
    assert!(near(&again, &[500, 4500, 8500, 12500, 16500, 20500, 24500, 28500]), "{again:?}");
}

#[test]
fn a_provisional_answer_stops_repeating_and_timer_c_takes_over() {
    let mut b = Bench::new();
    let id = b.send(&plain("INVITE"), false);
    b.drain();
    assert!(matches!(b.response("INVITE", 180), Response::Pass { user: 7, .. }));
    assert_eq!(b.run(Duration::from_secs(100)), []);
    // 100 does not set timer C anew, 183 does.
    b.response("INVITE", 100);
    b.response("INVITE", 183);
    assert_eq!(b.run(Duration::from_secs(280)), []);
    let seen = b.run(Duration::from_secs(282));
    assert!(near(&times(&seen, "timer C 7"), &[281_000]), "{seen:?}");
    assert_eq!(b.table.cancel(b.now, id, b""), Cancelling::Sent);
    assert_eq!(b.drain(), ["next<CANCEL sip:b@x SIP/2.0"]);
    assert_eq!(b.table.cancel(b.now, id, b""), Cancelling::Sent);
    assert_eq!(b.drain(), [""; 0], "one CANCEL only");
    // Nobody answers: it ends in 64·T1, and nobody is told of the CANCEL's own timeout.
    let seen = b.run(Duration::from_secs(320));
    assert_eq!(times(&seen, "timeout 7").len(), 1, "{seen:?}");
    assert_eq!(b.table.counts(), Counts::default());
}

#[test]
fn timer_c_ends_the_transaction_even_if_nobody_cancels() {
    let mut b = Bench::new();
    let id = b.send(&plain("INVITE"), true);
    b.table.set_timer_c(b.now, id, Duration::from_secs(200));
    b.response("INVITE", 100);
    b.drain();
    let seen = b.run(Duration::from_secs(300));
    assert!(near(&times(&seen, "timer C 7"), &[200_000]));
    assert!(near(&times(&seen, "timeout 7"), &[232_000]));
}

#[test]
fn a_refusal_is_acknowledged_each_time_and_passed_once() {
    let mut b = Bench::new();
    b.send(&plain("INVITE"), false);
    b.drain();
    assert!(matches!(b.response("INVITE", 486), Response::Pass { .. }));
    assert_eq!(b.drain(), ["next<ACK sip:b@x SIP/2.0"]);
    assert_eq!(b.response("INVITE", 486), Response::Absorbed);
    assert_eq!(b.drain(), ["next<ACK sip:b@x SIP/2.0"]);
    assert_eq!(b.run(Duration::from_millis(31_900)), []);
    let seen = b.run(Duration::from_secs(33));
    assert_eq!(seen.len(), 1, "timer D: {seen:?}");
    assert_eq!(b.response("INVITE", 486), Response::Stray);
    assert_eq!(b.table.counts(), Counts::default());
}

#[test]
fn over_a_reliable_transport_a_refusal_ends_at_once() {
    let mut b = Bench::new();
    b.send(&plain("INVITE"), true);
    b.drain();
    assert!(matches!(b.response("INVITE", 486), Response::Pass { .. }));
    assert_eq!(b.drain(), ["next<ACK sip:b@x SIP/2.0", "ended 7"]);
    assert_eq!(b.table.counts(), Counts::default());
}

#[test]
fn every_2xx_passes_until_timer_m() {
    let mut b = Bench::new();
    b.send(&plain("INVITE"), false);
    b.drain();
    for _ in 0..3 {
        assert!(matches!(b.response("INVITE", 200), Response::Pass { .. }));
    }
    assert_eq!(b.response("INVITE", 486), Response::Absorbed);
    assert_eq!(b.table.counts().kept_bytes, 0, "RFC 6026: nothing is needed any more");
    assert_eq!(b.drain(), [""; 0]);
    assert_eq!(b.run(Duration::from_secs(33)).len(), 1);
    assert_eq!(b.response("INVITE", 200), Response::Stray);
}

#[test]
fn a_non_invite_answer_passes_once_and_timer_k_absorbs_the_rest() {
    let mut b = Bench::new();
    b.send(&plain("OPTIONS"), false);
    b.drain();
    assert!(matches!(b.response("OPTIONS", 200), Response::Pass { .. }));
    assert_eq!(b.response("OPTIONS", 200), Response::Absorbed);
    assert_eq!(b.table.counts().kept_bytes, 0);
    assert_eq!(b.run(Duration::from_millis(4_900)), []);
    assert_eq!(b.run(Duration::from_millis(5_100)).len(), 1);
    assert_eq!(b.response("OPTIONS", 200), Response::Stray);
}

#[test]
fn matching_needs_branch_and_method() {
    let mut b = Bench::new();
    b.send(&plain("INVITE"), false);
    assert_eq!(b.response("CANCEL", 200), Response::Stray);
    let other = "SIP/2.0 200 X\nVia: SIP/2.0/UDP p;branch=z9hG4bKother\nCSeq: 1 INVITE\nContent-Length: 0\n\n";
    assert_eq!(with(other, |m| b.table.response_arrived(Time(0), m)), Response::Stray);
    let none = "SIP/2.0 200 X\nCSeq: 1 INVITE\nContent-Length: 0\n\n";
    assert_eq!(with(none, |m| b.table.response_arrived(Time(0), m)), Response::Stray);
}

#[test]
fn a_cancel_waits_for_the_first_provisional_answer() {
    let mut b = Bench::new();
    let id = b.send(&plain("INVITE"), false);
    b.drain();
    assert_eq!(b.table.cancel(b.now, id, b"Reason: SIP;cause=200\r\n"), Cancelling::Waiting);
    assert_eq!(b.drain(), [""; 0]);
    b.response("INVITE", 100);
    assert_eq!(b.drain(), ["next<CANCEL sip:b@x SIP/2.0"]);
    assert_eq!(b.response("CANCEL", 200), Response::Absorbed);
    assert!(matches!(b.response("INVITE", 487), Response::Pass { .. }));
    assert_eq!(b.drain(), ["next<ACK sip:b@x SIP/2.0"]);
    assert_eq!(b.table.cancel(b.now, id, b""), Cancelling::TooLate);
    b.run(Duration::from_secs(40));
    assert_eq!(b.table.counts(), Counts::default());
}

#[test]
fn a_final_answer_makes_a_waiting_cancel_void() {
    let mut b = Bench::new();
    let id = b.send(&plain("INVITE"), false);
    b.table.cancel(b.now, id, b"");
    b.drain();
    b.response("INVITE", 200);
    assert_eq!(b.drain(), [""; 0]);
}

#[test]
fn a_transport_error_ends_and_names_who_waited() {
    let mut b = Bench::new();
    let id = b.send(&plain("INVITE"), false);
    b.drain();
    assert_eq!(b.table.transport_error(b.now, id), Some(7));
    assert_eq!(b.drain(), ["ended 7"]);
    assert_eq!(b.table.transport_error(b.now, id), None, "a stale id");
    let id = b.send(&plain("INVITE"), false);
    b.response("INVITE", 486);
    assert_eq!(b.table.transport_error(b.now, id), None, "it had its answer");
}

#[test]
fn a_full_table_refuses() {
    let limits = TableLimits { clients: 1, servers: 1, kept_bytes: 400 };
    let mut b = Bench { table: Table::new(Timers::default(), limits, [9; 16]), now: Time(0) };
    b.send(&plain("OPTIONS"), false);
    let again =
        Outgoing { method: b"OPTIONS", branch: b"z9hG4bKc", bytes: b"x", reliable: false, peer: "next", user: 0 };
    assert_eq!(b.table.send(Time(0), again), Err(Full));
    let id = b.accept(&plain("OPTIONS"), false);
    let more = request("OPTIONS", "SIP/2.0/UDP p;branch=z9hG4bKd", "");
    assert_eq!(with(&more, |m| b.table.accept(Time(0), m, false, "peer")), Err(Full));
    // The answer goes out although it cannot be kept.
    let big = vec![b'x'; 500];
    b.drain();
    assert!(b.table.respond(Time(0), id, 200, &big));
    assert_eq!(b.drain().len(), 1);
    assert_eq!(b.request(&plain("OPTIONS")), Incoming::Retransmission);
    assert_eq!(b.drain(), [""; 0]);
}
