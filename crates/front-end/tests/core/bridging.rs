//! Which messages' descriptions pass through mediation, and when a bridge ends.

use std::sync::{Arc, Mutex};

use lyceum_front_end::calls::bridging::{Bridge, Mediation, NewCall, Party, Passing};

use crate::bench::*;
use crate::dialogs::in_dialog;

/// Writes down what it is asked.
#[derive(Default)]
struct Noted {
    begun: u64,
    passed: Vec<String>,
    ended: Vec<u64>,
    silent: Vec<Bridge>,
    fails: bool,
    refused: bool,
}

struct Fake(Arc<Mutex<Noted>>);

impl Mediation for Fake {
    fn begin(&mut self, call: &NewCall<'_>) -> Option<Bridge> {
        assert!(call.to_endpoint);
        let mut noted = self.0.lock().unwrap();
        assert_eq!(call.refused, noted.refused);
        noted.begun += 1;
        Some(Bridge(noted.begun))
    }

    fn has_another(&self, call: &NewCall<'_>) -> bool {
        !call.refused
    }

    fn pass(&mut self, bridge: Bridge, passing: &Passing<'_>) -> Result<Option<Vec<u8>>, String> {
        let mut noted = self.0.lock().unwrap();
        let body = String::from_utf8_lossy(passing.body).into_owned();
        let from = if passing.from == Party::Caller { "caller" } else { "callee" };
        let kind = if passing.response { "response" } else { "request" };
        noted.passed.push(format!("{} {from} {kind} {} {}: {body}", bridge.0, passing.method.as_str(), passing.cseq));
        if noted.fails { Err("no port is free".into()) } else { Ok(Some(format!("bridged {body}").into_bytes())) }
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
fn what_cannot_be_bridged_is_refused_and_reaches_nobody() {
    let (mut bench, noted) = bench();
    noted.lock().unwrap().fails = true;
    bench.register("ben", phone(2));
    let (_, sent) = invite(&mut bench, "offer");
    assert!(sent.iter().all(|sent| sent.to == phone(1)), "{sent:?}");
    assert_eq!(statuses(&sent), [100, 500]);
    assert_eq!(noted.lock().unwrap().ended, [1]);
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
    let (_, sent) = invite(&mut bench, "offer");
    noted.lock().unwrap().fails = true;
    let up = bench.receive(phone(2), &with_body(&reply(&fork(&sent), "200 OK", "b", phone(2)), "answer"));
    let ok = up.iter().find(|sent| sent.status() == 200).expect("the 200");
    assert_eq!((body(ok), ok.value("Content-Length")), ("", "0"));
}
