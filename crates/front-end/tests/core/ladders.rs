//! Ladders of calls that nobody traced.

use lyceum_monitoring::{Ladder, TraceEntry, Verdict};
use lyceum_topology::KeepLadders;
use std::time::Duration;

use crate::bench::*;

fn lines(ladder: &[TraceEntry]) -> Vec<String> {
    ladder.iter().map(|entry| format!("{:?} {}", entry.direction, entry.first_line.reveal())).collect()
}

fn with(policy: KeepLadders) -> Bench {
    Bench::with(
        |document| document.policies.call_detail.global.keep_ladders = Some(policy),
        vec![user(1, "anna"), user(2, "ben")],
    )
}

/// Anna calls Ben, who answers with `status`; everybody acknowledges. What Ben's phone got.
fn call(bench: &mut Bench, status: &str) -> Sent {
    bench.register("ben", phone(2));
    let (invite, sent) = bench.invite("anna", phone(1), "ben", "");
    let copy = sent.iter().find(|sent| sent.first_line().starts_with("INVITE")).expect("a copy").clone();
    let told = bench.receive(phone(2), &reply(&copy, status, "b", phone(2)));
    let last = told.iter().find(|sent| sent.status() >= 200).expect("a final answer");
    let ack = match last.status() {
        200..=299 => crate::dialogs::in_dialog("ACK", &invite, last, 2),
        _ => answered_ack(&invite, last),
    };
    bench.receive(phone(1), &ack);
    copy
}

/// The ACK of a refusal: the branch of the signed INVITE, To of the answer.
fn answered_ack(invite: &str, last: &Sent) -> String {
    let via = invite.lines().find(|line| line.starts_with("Via")).unwrap();
    let from = invite.lines().find(|line| line.starts_with("From")).unwrap();
    let call_id = invite.lines().find(|line| line.starts_with("Call-ID")).unwrap();
    let uri = invite.split(' ').nth(1).unwrap();
    let sequence = last.value("CSeq").split(' ').next().unwrap();
    format!(
        "ACK {uri} SIP/2.0\n{via}\n{from}\nTo: {}\n{call_id}\nCSeq: {sequence} ACK\nMax-Forwards: 70\nContent-Length: 0\n\n",
        last.value("To")
    )
}

#[test]
fn a_failed_call_is_kept_whole_and_explained() {
    let mut bench = with(KeepLadders::Failed);
    call(&mut bench, "500 Out of Order");
    assert!(bench.ladders.is_empty(), "its last words may still come");
    bench.wait(Duration::from_secs(2));
    let entries = bench.ladders.pop().expect("a ladder");
    assert_eq!(
        lines(&entries),
        [
            "Received INVITE sip:ben@example.org SIP/2.0",
            "Sent SIP/2.0 100 Trying",
            "Sent INVITE sip:ben@198.51.100.2:5060 SIP/2.0",
            "Received SIP/2.0 500 Out of Order",
            "Sent ACK sip:ben@198.51.100.2:5060 SIP/2.0",
            "Sent SIP/2.0 500 Out of Order",
            "Received ACK sip:ben@example.org SIP/2.0",
        ]
    );
    assert!(entries[0].message.reveal().contains("response=<secret>") || !entries[0].message.reveal().contains("0a"));
    let ladder = Ladder::build(entries);
    assert_eq!(ladder.explain().verdict, Verdict::Failed);
    assert_eq!(bench.core.transactions().clients, 1, "the call itself goes on as ever");
}

#[test]
fn what_the_people_decided_is_no_failure() {
    let mut bench = with(KeepLadders::Failed);
    for status in ["486 Busy Here", "603 Decline", "200 OK"] {
        call(&mut bench, status);
    }
    bench.wait(Duration::from_secs(40));
    assert!(bench.ladders.is_empty());
}

#[test]
fn none_keeps_none_and_all_keeps_the_answered() {
    for (policy, count) in [(KeepLadders::None, 0), (KeepLadders::All, 1)] {
        let mut bench = with(policy);
        call(&mut bench, "200 OK");
        bench.wait(Duration::from_secs(2));
        assert_eq!(bench.ladders.len(), count, "{policy:?}");
        if let Some(entries) = bench.ladders.pop() {
            let lines = lines(&entries);
            assert!(lines.last().is_some_and(|line| line.starts_with("Sent ACK")), "{lines:?}");
        }
    }
}
