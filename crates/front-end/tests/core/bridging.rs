//! Which messages' descriptions pass through mediation, and when a bridge ends.

use std::sync::{Arc, Mutex};

use lyceum_front_end::calls::bridging::{Bridge, Fault, Mediation, NewCall, Party, Passing, Unbridged};

use crate::bench::*;
use crate::dialogs::in_dialog;

/// Writes down what it is asked.
#[derive(Default)]
pub struct Noted {
    begun: u64,
    passed: Vec<String>,
    ended: Vec<u64>,
    settled: Vec<String>,
    silent: Vec<Bridge>,
    fails: Option<Fault>,
    full: bool,
    refused: bool,
    pub hosts: Vec<std::net::IpAddr>,
}

pub struct Fake(pub Arc<Mutex<Noted>>);

impl Mediation for Fake {
    fn begin(&mut self, call: &NewCall<'_>) -> Result<Option<Bridge>, Unbridged> {
        assert!(call.to_endpoint);
        let mut noted = self.0.lock().unwrap();
        if noted.full {
            return Err(Unbridged { fault: Fault::NoRoom, why: "every place is taken".into() });
        }
        noted.hosts.push(call.caller_host);
        assert_eq!(call.refused, noted.refused);
        noted.begun += 1;
        Ok(Some(Bridge(noted.begun)))
    }

    fn has_another(&self, call: &NewCall<'_>) -> bool {
        !call.refused
    }

    fn pass(&mut self, bridge: Bridge, passing: &Passing<'_>) -> Result<Option<Vec<u8>>, Unbridged> {
        let mut noted = self.0.lock().unwrap();
        let body = String::from_utf8_lossy(passing.body).into_owned();
        let from = if passing.from == Party::Caller { "caller" } else { "callee" };
        let kind = if passing.response { "response" } else { "request" };
        noted.passed.push(format!("{} {from} {kind} {} {}: {body}", bridge.0, passing.method.as_str(), passing.cseq));
        match noted.fails {
            Some(fault) => Err(Unbridged { fault, why: "it is \"so\"".into() }),
            None => Ok(Some(format!("bridged {body}").into_bytes())),
        }
    }

    fn settled(&mut self, bridge: Bridge, from: Party, cseq: u32) {
        self.0.lock().unwrap().settled.push(format!("{} {from:?} {cseq}", bridge.0));
    }

    fn end(&mut self, bridge: Bridge) {
        self.0.lock().unwrap().ended.push(bridge.0);
    }

    fn tend(&mut self) -> Vec<Bridge> {
        std::mem::take(&mut self.0.lock().unwrap().silent)
    }
}

fn bench() -> (Bench, Arc<Mutex<Noted>>) {
    let mut bench = Bench::new();
    let noted = Arc::new(Mutex::new(Noted::default()));
    bench.core.set_mediation(Box::new(Fake(Arc::clone(&noted))));
    (bench, noted)
}

fn with_body(text: &str, body: &str) -> String {
    let length = format!("Content-Type: application/sdp\nContent-Length: {}\n\n{body}", body.len());
    text.replace("Content-Length: 0\n\n", &length)
}

/// A signed INVITE with a description.
fn invite(bench: &mut Bench, body: &str) -> (String, Vec<Sent>) {
    let text = bench.request("INVITE", "sip:ben@example.org", "anna", phone(1), "");
    let asked = bench.receive(phone(1), &with_body(&text, body));
    let asked = asked.iter().find(|sent| sent.status() == 407).expect("a challenge");
    let text = with_body(&answered(&text, asked, "anna", "secret"), body);
    let sent = bench.receive(phone(1), &text);
    (text, sent)
}

fn fork(sent: &[Sent]) -> Sent {
    sent.iter().find(|sent| sent.first_line().starts_with("INVITE")).expect("a fork").clone()
}

fn body(sent: &Sent) -> &str {
    let text = sent.text.split_once("\r\n\r\n").or_else(|| sent.text.split_once("\n\n"));
    text.map_or("", |(_, body)| body)
}

#[test]
fn descriptions_of_the_whole_call_pass_through_the_bridge() {
    let (mut bench, noted) = bench();
    bench.register("ben", phone(2));
    let (text, sent) = invite(&mut bench, "offer");
    let fork = fork(&sent);
    assert_eq!((body(&fork), fork.value("Content-Length")), ("bridged offer", "13"));
    let ringing = bench.receive(phone(2), &with_body(&reply(&fork, "183 Session Progress", "b", phone(2)), "early"));
    assert_eq!(body(&ringing[0]), "bridged early");
    let up = bench.receive(phone(2), &with_body(&reply(&fork, "200 OK", "b", phone(2)), "answer"));
    let ok = up.iter().find(|sent| sent.status() == 200).expect("the 200");
    assert_eq!(body(ok), "bridged answer");
    let ack = bench.receive(phone(1), &with_body(&in_dialog("ACK", &text, ok, 2), "late"));
    assert_eq!(body(&ack[0]), "bridged late");
    let held = bench.receive(phone(1), &with_body(&in_dialog("INVITE", &text, ok, 3), "hold"));
    let held = held.iter().find(|sent| sent.to == phone(2)).expect("the re-INVITE");
    assert_eq!(body(held), "bridged hold");
    let yes = bench.receive(phone(2), &with_body(&reply(held, "200 OK", "x", phone(2)).replace(";tag=x", ""), "held"));
    assert_eq!(body(&yes[0]), "bridged held");
    assert!(noted.lock().unwrap().ended.is_empty());
    bench.receive(phone(1), &in_dialog("BYE", &text, ok, 4));
    let noted = noted.lock().unwrap();
    assert_eq!(noted.ended, [1]);
    assert_eq!(
        noted.passed,
        [
            "1 caller request INVITE 2: offer",
            "1 callee response INVITE 2: early",
            "1 callee response INVITE 2: answer",
            "1 caller request ACK 2: late",
            "1 caller request INVITE 3: hold",
            "1 callee response INVITE 3: held",
        ]
    );
}

#[test]
fn each_branch_has_its_own_bridge_and_losers_give_theirs_back() {
    let (mut bench, noted) = bench();
    bench.register("ben", phone(2));
    bench.register("ben", phone(3));
    let (_, sent) = invite(&mut bench, "offer");
    let forks: Vec<&Sent> = sent.iter().filter(|sent| sent.first_line().starts_with("INVITE")).collect();
    assert_eq!(noted.lock().unwrap().begun, 2);
    bench.receive(phone(2), &reply(forks[0], "486 Busy Here", "a", phone(2)));
    assert_eq!(noted.lock().unwrap().ended, [1]);
    bench.receive(phone(3), &with_body(&reply(forks[1], "200 OK", "b", phone(3)), "answer"));
    bench.wait(std::time::Duration::from_secs(60));
    assert_eq!(noted.lock().unwrap().ended, [1], "the bridge of an answered branch stays");
}

#[test]
fn a_branch_that_stays_silent_gives_its_bridge_back() {
    let (mut bench, noted) = bench();
    bench.register("ben", phone(2));
    invite(&mut bench, "offer");
    bench.wait(std::time::Duration::from_secs(60));
    assert_eq!(noted.lock().unwrap().ended, [1]);
}

#[test]
fn what_cannot_be_bridged_is_refused_by_whose_fault_it_is_and_reaches_nobody() {
    for (fault, status, code, warning, patience) in [
        (Fault::Description, 488, "LYS0079", 399, ""),
        (Fault::NoMedium, 488, "LYS0079", 304, ""),
        (Fault::NoCodec, 488, "LYS0079", 305, ""),
        (Fault::Glare, 491, "LYS0080", 399, ""),
        (Fault::NoRoom, 503, "LYS0081", 399, "10"),
        (Fault::Failure, 500, "LYS0082", 399, ""),
    ] {
        let (mut bench, noted) = bench();
        noted.lock().unwrap().fails = Some(fault);
        bench.register("ben", phone(2));
        let (_, sent) = invite(&mut bench, "offer");
        assert!(sent.iter().all(|sent| sent.to == phone(1)), "{sent:?}");
        assert_eq!(statuses(&sent), [100, status]);
        assert_eq!(sent[1].value("Lyceum-Diagnostics"), code);
        assert_eq!(sent[1].value("Warning"), format!("{warning} lyceum \"it is 'so'\""));
        assert_eq!(sent[1].value("Retry-After"), patience);
        assert_eq!(noted.lock().unwrap().ended, [1]);
        let record = bench.records.last().expect("a record");
        assert_eq!((record.status, record.code.as_deref()), (status, Some(code)));
        assert!(record.decision.iter().any(|step| step.sentence().contains("it is")), "{:?}", record.decision);
    }
}

#[test]
fn a_call_for_which_there_is_no_room_is_told_so() {
    let (mut bench, noted) = bench();
    noted.lock().unwrap().full = true;
    bench.register("ben", phone(2));
    let (_, sent) = invite(&mut bench, "offer");
    assert_eq!(statuses(&sent), [100, 503]);
    assert_eq!(sent[1].value("Warning"), "399 lyceum \"every place is taken\"");
}

/// Anna talks to Ben: her INVITE and its 200.
fn talking(bench: &mut Bench) -> (String, Sent) {
    bench.register("ben", phone(2));
    let (text, sent) = invite(bench, "offer");
    let up = bench.receive(phone(2), &with_body(&reply(&fork(&sent), "200 OK", "b", phone(2)), "answer"));
    (text, up.iter().find(|sent| sent.status() == 200).expect("the 200").clone())
}

#[test]
fn an_offer_in_a_call_is_refused_and_the_call_goes_on() {
    let (mut bench, noted) = bench();
    let (text, ok) = talking(&mut bench);
    for (cseq, fault, status) in [(3, Fault::NoCodec, 488), (4, Fault::Glare, 491), (5, Fault::NoRoom, 503)] {
        noted.lock().unwrap().fails = Some(fault);
        let again = in_dialog("INVITE", &text, &ok, cseq).replace("z9hG4bKINVITE", &format!("z9hG4bKagain{cseq}"));
        let told = bench.receive(phone(1), &with_body(&again, "hold"));
        assert_eq!(statuses(&told), [100, status]);
        assert!(told[1].value("Warning").ends_with("lyceum \"it is 'so'\""));
    }
    assert!(noted.lock().unwrap().ended.is_empty());
}

#[test]
fn mediation_hears_when_an_offer_is_refused_or_never_answered() {
    let (mut bench, noted) = bench();
    let (text, ok) = talking(&mut bench);
    assert_eq!(std::mem::take(&mut noted.lock().unwrap().settled), ["1 Caller 2"], "the call's own");
    let held = bench.receive(phone(1), &with_body(&in_dialog("INVITE", &text, &ok, 3), "hold"));
    let held = held.iter().find(|sent| sent.to == phone(2)).expect("the re-INVITE");
    bench.receive(phone(2), &reply(held, "488 Not Acceptable Here", "x", phone(2)).replace(";tag=x", ""));
    assert_eq!(noted.lock().unwrap().settled.first().map(String::as_str), Some("1 Caller 3"));
    noted.lock().unwrap().settled.clear();
    let update = in_dialog("UPDATE", &text, &ok, 4);
    bench.receive(phone(1), &with_body(&update, "more"));
    bench.wait(std::time::Duration::from_secs(40));
    assert!(noted.lock().unwrap().settled.contains(&"1 Caller 4".to_owned()), "nobody answered");
}

#[test]
fn the_bridge_of_a_call_that_nobody_ends_is_taken_back() {
    let (mut bench, noted) = bench();
    let (text, ok) = talking(&mut bench);
    bench.wait(std::time::Duration::from_secs(6 * 3600));
    let told = bench.receive(phone(1), &with_body(&in_dialog("INVITE", &text, &ok, 3), "hold"));
    let held = told.iter().find(|sent| sent.to == phone(2)).expect("the re-INVITE");
    assert_eq!(body(held), "bridged hold");
    bench.receive(phone(2), &with_body(&reply(held, "200 OK", "x", phone(2)).replace(";tag=x", ""), "held"));
    bench.wait(std::time::Duration::from_secs(11 * 3600));
    assert!(noted.lock().unwrap().ended.is_empty(), "something was heard six hours after the beginning");
    bench.wait(std::time::Duration::from_secs(2 * 3600));
    assert_eq!(noted.lock().unwrap().ended, [1]);
}

#[test]
fn the_bridge_ends_with_the_session_that_is_not_refreshed() {
    let (mut bench, noted) = bench();
    bench.register("ben", phone(2));
    let (_, sent) = invite(&mut bench, "");
    let ok = reply(&fork(&sent), "200 OK", "b", phone(2))
        .replace("Content-Length", "Require: timer\nSession-Expires: 1800;refresher=uas\nContent-Length");
    bench.receive(phone(2), &ok);
    bench.wait(std::time::Duration::from_secs(1700));
    assert!(noted.lock().unwrap().ended.is_empty());
    bench.wait(std::time::Duration::from_secs(300));
    assert_eq!(noted.lock().unwrap().ended, [1], "no description ever passed, and nobody hung up");
}

#[test]
fn other_bodies_and_other_dialogs_are_left_alone() {
    let (mut bench, noted) = bench();
    bench.register("ben", phone(2));
    let text = bench.request("MESSAGE", "sip:ben@example.org", "anna", phone(1), "");
    let text = text.replace("Content-Length: 0\n\n", "Content-Type: text/plain\nContent-Length: 5\n\nhello");
    let asked = bench.receive(phone(1), &text);
    let asked = asked.iter().find(|sent| sent.status() == 407).expect("a challenge");
    let head = answered(&text, asked, "anna", "secret");
    bench.receive(phone(1), &head);
    let noted = noted.lock().unwrap();
    assert!(noted.begun == 0 && noted.passed.is_empty());
}

#[test]
fn a_bridge_that_ended_by_itself_is_forgotten() {
    let (mut bench, noted) = bench();
    bench.register("ben", phone(2));
    let (text, sent) = invite(&mut bench, "offer");
    let up = bench.receive(phone(2), &with_body(&reply(&fork(&sent), "200 OK", "b", phone(2)), "answer"));
    let ok = up.iter().find(|sent| sent.status() == 200).expect("the 200").clone();
    noted.lock().unwrap().silent.push(Bridge(1));
    bench.wait(std::time::Duration::from_secs(90));
    let held = bench.receive(phone(1), &with_body(&in_dialog("INVITE", &text, &ok, 3), "hold"));
    let held = held.iter().find(|sent| sent.to == phone(2)).expect("the re-INVITE");
    assert_eq!(body(held), "hold");
}

#[test]
fn who_refuses_the_first_offer_of_a_bridge_gets_another_and_only_one() {
    let (mut bench, noted) = bench();
    bench.register("ben", phone(2));
    let (_, sent) = invite(&mut bench, "offer");
    noted.lock().unwrap().refused = true;
    let again = bench.receive(phone(2), &reply(&fork(&sent), "488 Not Acceptable Here", "b", phone(2)));
    let again = fork(&again);
    assert_eq!((again.to, noted.lock().unwrap().ended.as_slice()), (phone(2), [1].as_slice()));
    let up = bench.receive(phone(2), &reply(&again, "488 Not Acceptable Here", "c", phone(2)));
    assert!(up.iter().any(|sent| sent.to == phone(1) && sent.status() == 488), "{up:?}");
    assert_eq!(noted.lock().unwrap().begun, 2);
}

#[test]
fn the_bye_of_one_of_two_answers_leaves_the_bridge_to_the_other() {
    let (mut bench, noted) = bench();
    bench.register("ben", phone(2));
    let (text, sent) = invite(&mut bench, "offer");
    let fork = fork(&sent);
    let answer = |bench: &mut Bench, tag| {
        let up = bench.receive(phone(2), &with_body(&reply(&fork, "200 OK", tag, phone(2)), "answer"));
        up.iter().find(|sent| sent.status() == 200).expect("the 200").clone()
    };
    let (one, two) = (answer(&mut bench, "b"), answer(&mut bench, "c"));
    bench.receive(phone(1), &in_dialog("BYE", &text, &two, 3));
    assert!(noted.lock().unwrap().ended.is_empty());
    bench.receive(phone(1), &in_dialog("BYE", &text, &one, 4).replace("z9hG4bKBYE", "z9hG4bKsecond"));
    assert_eq!(noted.lock().unwrap().ended, [1]);
}

#[test]
fn an_answer_that_cannot_be_bridged_is_not_passed_as_it_came() {
    let (mut bench, noted) = bench();
    bench.register("ben", phone(2));
    let (text, sent) = invite(&mut bench, "offer");
    noted.lock().unwrap().fails = Some(Fault::Description);
    let up = bench.receive(phone(2), &with_body(&reply(&fork(&sent), "200 OK", "b", phone(2)), "answer"));
    let ok = up.iter().find(|sent| sent.status() == 200).expect("the 200").clone();
    assert_eq!((body(&ok), ok.value("Content-Length")), ("", "0"));
    assert_eq!(ok.value("Warning"), "399 lyceum \"it is 'so'\"");
    let ack = bench.receive(phone(1), &with_body(&in_dialog("ACK", &text, &ok, 2), "late"));
    assert_eq!((ack[0].to, body(&ack[0])), (phone(2), ""), "nobody can refuse an ACK");
}
