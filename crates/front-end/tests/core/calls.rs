use std::time::Duration;

use lyceum_monitoring::{Outcome, Side};

use crate::bench::*;

fn copies<'a>(sent: &'a [Sent], method: &str) -> Vec<&'a Sent> {
    sent.iter().filter(|sent| sent.first_line().starts_with(method)).collect()
}

#[test]
fn a_call_rings_everywhere_and_the_losers_are_cancelled() {
    let mut bench = Bench::new();
    for last in [2, 3, 4] {
        bench.register("ben", phone(last));
    }
    let (_, sent) = bench.invite("anna", phone(1), "ben", "");
    assert_eq!(sent[0].status(), 100);
    let forks = copies(&sent, "INVITE");
    assert_eq!(forks.iter().map(|sent| sent.to).collect::<Vec<_>>(), [phone(2), phone(3), phone(4)]);
    let mut up = Vec::new();
    for fork in &forks {
        up.extend(bench.receive(fork.to, &reply(fork, "180 Ringing", "t", fork.to)));
    }
    assert_eq!(statuses(&up), [180, 180, 180]);
    let answered = bench.receive(phone(3), &reply(forks[1], "200 OK", "b", phone(3)));
    assert_eq!(answered.iter().filter(|sent| sent.status() == 200).count(), 1);
    let cancels = copies(&answered, "CANCEL");
    assert_eq!(cancels.iter().map(|sent| sent.to).collect::<Vec<_>>(), [phone(2), phone(4)]);
    assert!(cancels.iter().all(|cancel| cancel.value("Reason").contains("cause=200")));
    let late = bench.receive(phone(2), &reply(forks[0], "487 Request Terminated", "c", phone(2)));
    assert_eq!(copies(&late, "ACK").len(), 1, "the loser's 487 ends here");
    assert!(late.iter().all(|sent| sent.status() == 0));
}

#[test]
fn the_best_refusal_is_told_when_all_refuse() {
    let mut bench = Bench::new();
    bench.register("ben", phone(2));
    bench.register("ben", phone(3));
    let (_, sent) = bench.invite("anna", phone(1), "ben", "");
    let forks = copies(&sent, "INVITE");
    let first = bench.receive(phone(2), &reply(forks[0], "480 Gone", "b", phone(2)));
    assert!(first.iter().all(|sent| sent.status() == 0));
    let last = bench.receive(phone(3), &reply(forks[1], "486 Busy Here", "c", phone(3)));
    assert_eq!(last.iter().map(Sent::status).filter(|status| *status > 0).collect::<Vec<_>>(), [486]);
    let record = bench.records.pop().expect("a record of the failed call");
    assert_eq!((record.outcome, record.status), (Outcome::Busy, 486));
    assert_eq!(record.branches.iter().map(|branch| branch.status).collect::<Vec<_>>(), [480, 486]);
}

#[test]
fn the_caller_gives_up() {
    let mut bench = Bench::new();
    bench.register("ben", phone(2));
    let (invite, sent) = bench.invite("anna", phone(1), "ben", "");
    let fork = copies(&sent, "INVITE")[0].clone();
    bench.receive(phone(2), &reply(&fork, "180 Ringing", "b", phone(2)));
    let cancel = invite.replacen("INVITE sip", "CANCEL sip", 1).replace("CSeq: 2 INVITE", "CSeq: 2 CANCEL");
    let cancel: String =
        cancel.lines().filter(|line| !line.starts_with("Proxy-Auth")).map(|line| format!("{line}\n")).collect();
    let told = bench.receive(phone(1), &cancel);
    assert!(statuses(&told).contains(&200));
    assert_eq!(copies(&told, "CANCEL").len(), 1);
    let ended = bench.receive(phone(2), &reply(&fork, "487 Request Terminated", "b", phone(2)));
    assert!(statuses(&ended).contains(&487));
    let record = bench.records.pop().unwrap();
    assert_eq!((record.outcome, record.hung_up), (Outcome::Cancelled, Some(Side::Caller)));
}

#[test]
fn a_callee_that_never_answers_is_cancelled_after_the_ring_time() {
    let mut bench = Bench::new();
    bench.register("ben", phone(2));
    let (_, sent) = bench.invite("anna", phone(1), "ben", "");
    let fork = copies(&sent, "INVITE")[0].clone();
    bench.receive(phone(2), &reply(&fork, "180 Ringing", "b", phone(2)));
    let later = bench.wait(Duration::from_secs(70));
    assert!(!copies(&later, "CANCEL").is_empty());
    let ended = bench.receive(phone(2), &reply(&fork, "487 Request Terminated", "b", phone(2)));
    assert!(statuses(&ended).contains(&408), "{ended:?}");
}

#[test]
fn a_silent_endpoint_ends_in_408_and_leaves_nothing_behind() {
    let mut bench = Bench::new();
    bench.register("ben", phone(2));
    bench.invite("anna", phone(1), "ben", "");
    let told = bench.wait(Duration::from_secs(40));
    assert!(statuses(&told).contains(&408));
    bench.wait(Duration::from_secs(80));
    assert!(bench.core.is_drained());
}

#[test]
fn a_dead_connection_is_told_at_once() {
    let mut bench = Bench::new();
    let text = bench.request("REGISTER", "sip:example.org", "ben", phone(2), "Expires: 600\n").replace("/UDP", "/TCP");
    let asked = bench.receive_stream(7, phone(2), &text).pop().unwrap();
    bench.receive_stream(7, phone(2), &answered(&text, &asked, "ben", "secret"));
    bench.invite("anna", phone(1), "ben", "");
    let told = bench.last_send_fails();
    assert!(told.iter().any(|sent| matches!(sent.status(), 430 | 480)), "{told:?}");
}

#[test]
fn the_second_flow_of_a_device_is_tried_when_the_first_is_dead() {
    let mut bench = Bench::new();
    for (connection, reg_id) in [(7, 1), (8, 2)] {
        let text = bench
            .request("REGISTER", "sip:example.org", "ben", phone(2), "Supported: outbound\n")
            .replace("/UDP", "/TCP")
            .replace("5060>\nSupp", &format!("5060>;reg-id={reg_id};+sip.instance=\"<urn:uuid:1>\"\nSupp"));
        let asked = bench.receive_stream(connection, phone(2), &text).pop().unwrap();
        let ok = bench.receive_stream(connection, phone(2), &answered(&text, &asked, "ben", "secret")).pop().unwrap();
        assert_eq!(ok.status(), 200, "{}", ok.text);
    }
    let (_, sent) = bench.invite("anna", phone(1), "ben", "");
    assert_eq!(copies(&sent, "INVITE").len(), 1, "one device rings once");
    let next = bench.last_send_fails();
    assert_eq!(copies(&next, "INVITE").len(), 1, "{next:?}");
    assert_ne!(copies(&sent, "INVITE")[0].to, copies(&next, "INVITE")[0].to);
}

#[test]
fn an_ack_takes_the_newest_connection_of_its_device() {
    let mut bench = Bench::new();
    let register = |bench: &mut Bench, connection| {
        let text = bench.request("REGISTER", "sip:example.org", "ben", phone(2), "").replace("/UDP", "/TCP");
        let asked = bench.receive_stream(connection, phone(2), &text).pop().unwrap();
        let ok = bench.receive_stream(connection, phone(2), &answered(&text, &asked, "ben", "secret")).pop().unwrap();
        assert_eq!(ok.status(), 200, "{}", ok.text);
        ok.to
    };
    register(&mut bench, 7);
    let (invite, sent) = bench.invite("anna", phone(1), "ben", "");
    let fork = copies(&sent, "INVITE")[0].clone();
    let answer = reply(&fork, "200 OK", "b", phone(2)).replace("<sip:x@", "<sip:ben@");
    let up = bench.receive_stream(7, phone(2), &answer);
    let ok = up.iter().find(|sent| sent.status() == 200).unwrap().clone();
    let newest = register(&mut bench, 9);
    assert_ne!(fork.to, newest);
    let ack = bench.receive(phone(1), &crate::dialogs::in_dialog("ACK", &invite, &ok, 2));
    assert_eq!(copies(&ack, "ACK").iter().map(|ack| ack.to).collect::<Vec<_>>(), [newest]);
}

#[test]
fn the_record_tells_who_talked_and_who_hung_up() {
    let mut bench = Bench::new();
    bench.register("ben", phone(2));
    let (invite, sent) = bench.invite("anna", phone(1), "ben", "");
    let fork = copies(&sent, "INVITE")[0].clone();
    let ok = bench
        .receive(phone(2), &reply(&fork, "200 OK", "b", phone(2)))
        .into_iter()
        .find(|sent| sent.status() == 200)
        .unwrap();
    assert!(bench.records.is_empty());
    let bye = crate::dialogs::in_dialog("BYE", &invite, &ok, 3);
    bench.wait(Duration::from_secs(5));
    let forwarded = bench.receive(phone(1), &bye);
    assert_eq!(copies(&forwarded, "BYE")[0].to, phone(2));
    let record = bench.records.pop().expect("a record after BYE");
    assert_eq!((record.outcome, record.status, record.hung_up), (Outcome::Answered, 200, Some(Side::Caller)));
    assert_eq!(record.talk_millis(), Some(5000));
    assert_eq!(record.caller.user, Some(1));
}

#[test]
fn a_phone_that_says_503_was_reached_all_the_same() {
    let mut bench = Bench::new();
    bench.register("ben", phone(2));
    let (_, sent) = bench.invite("anna", phone(1), "ben", "");
    let fork = sent.iter().find(|sent| sent.first_line().starts_with("INVITE")).expect("a fork").clone();
    let up = bench.receive(phone(2), &reply(&fork, "503 Service Unavailable", "b", phone(2)));
    let told = up.iter().find(|sent| sent.to == phone(1)).expect("an answer");
    assert_eq!((told.status(), told.value("Lyceum-Diagnostics")), (500, "LYS0058"));
}
