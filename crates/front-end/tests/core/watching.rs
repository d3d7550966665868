//! What watchers hear of later: changes of the directory, of policies and of contact lists, and what a store that could not
//! be written or a device that said no for now leaves behind.

use std::time::Duration;

use lyceum_net::Outbox;
use lyceum_users::contacts::{ContactEntry, ContactList};
use lyceum_users::presence::{ChoiceIntent, UserChoice};

use crate::bench::{Bench, Sent, phone, user};

const ANNA: &str = "sip:anna@example.org";
const OWN_LIST: &str = "Supported: eventlist\n";

/// A subscription of `who` on the device with their number, as far as its dialog is known.
struct Watch {
    number: u8,
    request: String,
    to: String,
    cseq: u32,
}

fn number_of(who: &str) -> u8 {
    ["", "anna", "ben", "carl"].iter().position(|name| *name == who).expect("a user") as u8
}

fn watch(bench: &mut Bench, who: &str, uri: &str, extra: &str) -> (Watch, Vec<Sent>) {
    let number = number_of(who);
    let request = bench.request("SUBSCRIBE", uri, who, phone(number), &format!("Expires: 3600\n{extra}"));
    let sent = bench.signed(who, "secret", phone(number), &request);
    let sent = later(bench, sent);
    let is = |one: &&Sent| one.status() == 200 && one.value("CSeq").ends_with("SUBSCRIBE");
    let to = sent.iter().find(is).unwrap_or_else(|| panic!("{sent:#?}")).value("To").to_owned();
    (Watch { number, request, to, cseq: 2 }, sent)
}

impl Watch {
    /// Asks again within the dialog, for this many seconds.
    fn ask(&mut self, bench: &mut Bench, event: &str, seconds: u32) -> Vec<Sent> {
        self.cseq += 1;
        let kept = |line: &&str| ["From:", "Call-ID:", "Contact:"].iter().any(|name| line.starts_with(name));
        let kept: Vec<&str> = self.request.lines().filter(kept).collect();
        let (at, branch) = (phone(self.number), bench.number());
        let text = format!(
            "SUBSCRIBE sip:192.0.2.1:5060 SIP/2.0\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{branch};rport\nMax-Forwards: 70\n\
             {}\nTo: {}\nCSeq: {} SUBSCRIBE\nEvent: {event}\nExpires: {seconds}\nContent-Length: 0\n\n",
            kept.join("\n"),
            self.to,
            self.cseq,
        );
        let who = ["", "anna", "ben", "carl"][usize::from(self.number)];
        let sent = bench.signed(who, "secret", at, &text);
        later(bench, sent)
    }
}

fn later(bench: &mut Bench, mut sent: Vec<Sent>) -> Vec<Sent> {
    sent.extend(bench.wait(Duration::from_millis(50)));
    sent
}

/// The notifications to a device.
fn told(sent: &[Sent], number: u8) -> Vec<&Sent> {
    sent.iter().filter(|one| one.first_line().starts_with("NOTIFY ") && one.to == phone(number)).collect()
}

/// Answers every NOTIFY with this status and these lines; gives what the last one of each device said.
fn answer(bench: &mut Bench, sent: &[Sent], status: &str) -> Vec<Sent> {
    let kept = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    let mut more = Vec::new();
    for notify in sent.iter().filter(|one| one.first_line().starts_with("NOTIFY ")) {
        let lines: Vec<&str> =
            notify.text.lines().filter(|line| kept.iter().any(|name| line.starts_with(name))).collect();
        let text = format!("SIP/2.0 {status}\n{}\nContent-Length: 0\n\n", lines.join("\n"));
        more.extend(bench.receive(notify.to, &text));
    }
    more
}

fn entry(name: &str) -> ContactEntry {
    let address = format!("{name}@example.org");
    ContactEntry { address, display_name: None, groups: Vec::new(), favourite: false }
}

fn add(bench: &mut Bench, owner: &str, names: &[&str]) -> Vec<Sent> {
    let edit = |list: &mut ContactList| names.iter().try_for_each(|name| list.put_contact(entry(name)));
    let mut out = Outbox::new();
    let owner = format!("{owner}@example.org");
    bench.core.edit_contacts(bench.now, &owner, edit, Box::new(|_| ()), &mut out).expect("a contact list");
    let sent = bench.settle(out, Duration::ZERO);
    later(bench, sent)
}

fn choose(bench: &mut Bench, choice: UserChoice) -> Vec<Sent> {
    let intent = ChoiceIntent { choice: Some((choice, None, None)), ..ChoiceIntent::default() };
    let mut out = Outbox::new();
    bench.core.choose_presence(bench.now, "anna@example.org", &intent, Box::new(|_| ()), &mut out).expect("a choice");
    let sent = bench.settle(out, Duration::ZERO);
    later(bench, sent)
}

fn refuse_last_block(bench: &mut Bench) -> Vec<Sent> {
    let seq = *bench.pending.last().expect("a block");
    let mut out = Outbox::new();
    bench.core.commit_failed(bench.now, seq, &mut out);
    bench.store_works = true;
    let sent = bench.settle(out, Duration::ZERO);
    later(bench, sent)
}

#[test]
fn a_policy_that_hides_takes_presence_out_of_sight_at_once() {
    let mut bench = Bench::new();
    bench.register("anna", phone(1));
    add(&mut bench, "anna", &["carl"]);
    add(&mut bench, "ben", &["anna"]);
    for (who, uri, extra) in [
        ("carl", ANNA, "Event: presence\n"),
        ("ben", "sip:ben@example.org;list=contacts", "Event: presence\nSupported: eventlist\n"),
    ] {
        let (_, sent) = watch(&mut bench, who, uri, extra);
        assert!(sent.iter().any(|one| one.text.contains("<basic>open</basic>")), "{who}: {sent:#?}");
        answer(&mut bench, &sent, "200 OK");
    }
    bench.change_document(|document| document.policies.presence.global.privacy_mode = Some(true));
    let sent = bench.wait(Duration::from_millis(300));
    let hidden = told(&sent, 2);
    assert_eq!(hidden.len(), 1, "{sent:#?}");
    assert!(!hidden[0].text.contains("<basic>open</basic>"), "ben is on no list of anna's: {}", hidden[0].text);
    assert!(told(&sent, 3).is_empty(), "carl is, and sees what he saw: {sent:#?}");
}

#[test]
fn a_new_name_is_told_to_those_who_watch_its_owner_and_to_nobody_else() {
    let mut bench = Bench::new();
    add(&mut bench, "ben", &["anna", "carl"]);
    let (_, sent) =
        watch(&mut bench, "ben", "sip:ben@example.org;list=contacts", &format!("Event: presence\n{OWN_LIST}"));
    answer(&mut bench, &sent, "200 OK");
    let (_, sent) = watch(&mut bench, "carl", "sip:ben@example.org", "Event: presence\n");
    answer(&mut bench, &sent, "200 OK");
    let mut anna = user(1, "anna");
    anna.display_name = Some("Anna Karenina".into());
    bench.change_users(vec![anna, user(2, "ben"), user(3, "carl")]);
    let sent = bench.wait(Duration::from_millis(300));
    let [one] = told(&sent, 2)[..] else { panic!("{sent:#?}") };
    assert!(one.text.contains("Anna Karenina") && one.text.contains("fullState=\"false\""), "{}", one.text);
    assert!(told(&sent, 3).is_empty(), "{sent:#?}");
}

#[test]
fn a_client_is_told_when_its_own_policies_change_and_not_otherwise() {
    let mut bench = Bench::new();
    let (_, sent) = watch(&mut bench, "anna", ANNA, "Event: ua-profile\n");
    let [first] = told(&sent, 1)[..] else { panic!("{sent:#?}") };
    assert_eq!(first.value("Content-Type"), "application/json");
    assert!(first.text.contains("\"max_contacts\":250"), "{}", first.text);
    answer(&mut bench, &sent, "200 OK");
    bench.change_users(vec![user(1, "anna"), user(2, "ben"), user(4, "dora")]);
    assert!(told(&bench.wait(Duration::from_millis(300)), 1).is_empty(), "others came and went");
    bench.change_document(|document| document.policies.presence.global.max_contacts = Some(300));
    let sent = bench.wait(Duration::from_millis(300));
    let [next] = told(&sent, 1)[..] else { panic!("{sent:#?}") };
    assert!(next.text.contains("\"max_contacts\":300"), "{}", next.text);
    answer(&mut bench, &sent, "200 OK");
    let mut anna = user(1, "anna");
    anna.mail = Some("anna@mail.example.org".into());
    bench.change_users(vec![anna, user(2, "ben")]);
    let sent = bench.wait(Duration::from_millis(300));
    assert!(told(&sent, 1).iter().any(|one| one.text.contains("anna@mail.example.org")), "{sent:#?}");
}

#[test]
fn a_device_that_refuses_for_now_is_told_everything_when_it_asked_to() {
    let mut bench = Bench::new();
    bench.register("anna", phone(1));
    add(&mut bench, "ben", &["anna", "carl"]);
    let (_, sent) =
        watch(&mut bench, "ben", "sip:ben@example.org;list=contacts", &format!("Event: presence\n{OWN_LIST}"));
    let refused = answer(&mut bench, &sent, "503 Overloaded\nRetry-After: 20");
    assert!(told(&refused, 2).is_empty(), "{refused:#?}");
    choose(&mut bench, UserChoice::Busy);
    let sent = bench.wait(Duration::from_secs(18));
    assert!(told(&sent, 2).is_empty(), "it asked for twenty seconds: {sent:#?}");
    let sent = bench.wait(Duration::from_millis(2_200));
    let [again] = told(&sent, 2)[..] else { panic!("{sent:#?}") };
    assert!(again.text.contains("fullState=\"true\"") && again.text.contains("busy"), "{}", again.text);
    assert_eq!(again.text.matches("state=\"active\"").count(), 2, "{}", again.text);
    answer(&mut bench, &sent, "500 No");
    assert_eq!(told(&bench.wait(Duration::from_millis(30_100)), 2).len(), 1, "and again without being told when");
    assert_eq!(bench.core.events().subscriptions(), 1);
}

#[test]
fn who_asks_again_is_answered_however_long_their_device_wanted_silence() {
    let mut bench = Bench::new();
    let (mut ben, sent) = watch(&mut bench, "ben", ANNA, "Event: presence\n");
    answer(&mut bench, &sent, "503 Overloaded\nRetry-After: 500");
    let sent = ben.ask(&mut bench, "presence", 3600);
    assert_eq!(told(&sent, 2).len(), 1, "{sent:#?}");
}

#[test]
fn an_end_that_could_not_be_stored_is_no_end() {
    let mut bench = Bench::new();
    let (mut ben, sent) = watch(&mut bench, "ben", ANNA, "Event: presence\n");
    answer(&mut bench, &sent, "200 OK");
    bench.store_works = false;
    ben.ask(&mut bench, "presence", 0);
    let sent = refuse_last_block(&mut bench);
    assert!(sent.iter().any(|one| one.status() == 503), "{sent:#?}");
    assert!(told(&sent, 2).is_empty(), "{sent:#?}");
    let sent = choose(&mut bench, UserChoice::Busy);
    let [one] = told(&sent, 2)[..] else { panic!("{sent:#?}") };
    assert!(one.value("Subscription-State").starts_with("active;expires=3"), "{}", one.text);
}

#[test]
fn a_shorter_time_that_could_not_be_stored_does_not_run_out() {
    let mut bench = Bench::new();
    let (mut ben, sent) = watch(&mut bench, "ben", ANNA, "Event: presence\n");
    answer(&mut bench, &sent, "200 OK");
    bench.store_works = false;
    ben.ask(&mut bench, "presence", 1300);
    refuse_last_block(&mut bench);
    bench.wait(Duration::from_secs(1500));
    assert_eq!(bench.core.events().subscriptions(), 1, "an hour was granted and stored");
}

#[test]
fn watchers_hear_of_a_choice_and_of_a_contact_list_when_it_is_stored() {
    let mut bench = Bench::new();
    bench.register("anna", phone(1));
    let (_, sent) = watch(&mut bench, "ben", ANNA, "Event: presence\n");
    answer(&mut bench, &sent, "200 OK");
    let (_, sent) =
        watch(&mut bench, "anna", "sip:anna@example.org;list=contacts", &format!("Event: presence\n{OWN_LIST}"));
    answer(&mut bench, &sent, "200 OK");
    bench.store_works = false;
    let mut sent = choose(&mut bench, UserChoice::Busy);
    sent.extend(add(&mut bench, "anna", &["carl"]));
    sent.extend(bench.wait(Duration::from_secs(1)));
    assert!(told(&sent, 2).is_empty() && told(&sent, 1).is_empty(), "{sent:#?}");
    let sent = refuse_last_block(&mut bench);
    assert!(sent.iter().all(|one| !one.text.contains("busy") && !one.text.contains("carl@")), "{sent:#?}");
    answer(&mut bench, &sent, "200 OK");
    let mut sent = choose(&mut bench, UserChoice::Busy);
    sent.extend(add(&mut bench, "anna", &["carl"]));
    assert!(told(&sent, 2).iter().any(|one| one.text.contains("busy")), "{sent:#?}");
    assert!(told(&sent, 1).iter().any(|one| one.text.contains("sip:carl@example.org")), "{sent:#?}");
}

#[test]
fn who_watches_by_a_list_is_seen_and_asked_about() {
    let mut bench = Bench::new();
    let (_, sent) = watch(&mut bench, "anna", ANNA, "Event: presence.winfo\n");
    assert!(!told(&sent, 1)[0].text.contains("<watcher "), "{sent:#?}");
    answer(&mut bench, &sent, "200 OK");
    let (mut ben, sent) =
        watch(&mut bench, "ben", "sip:ben@example.org;list=contacts", &format!("Event: presence\n{OWN_LIST}"));
    answer(&mut bench, &sent, "200 OK");
    let sent = add(&mut bench, "ben", &["anna"]);
    assert!(told(&sent, 1).is_empty(), "the first was told just now: {sent:#?}");
    let sent = bench.wait(Duration::from_millis(5_100));
    let [one] = told(&sent, 1)[..] else { panic!("{sent:#?}") };
    assert!(one.text.contains("sip:ben@example.org</watcher>"), "{}", one.text);
    answer(&mut bench, &sent, "200 OK");
    let asked = bench.core.contacts_of("anna@example.org").expect("anna's list").pending_watchers;
    assert_eq!(asked, ["ben@example.org"]);
    let mut sent = ben.ask(&mut bench, "presence", 0);
    answer(&mut bench, &sent, "200 OK");
    sent.extend(bench.wait(Duration::from_millis(5_100)));
    let [one] = told(&sent, 1)[..] else { panic!("{sent:#?}") };
    assert!(!one.text.contains("<watcher "), "{}", one.text);
}

#[test]
fn a_poll_gets_the_state_once() {
    let mut bench = Bench::new();
    bench.register("anna", phone(1));
    let request = bench.request("SUBSCRIBE", ANNA, "ben", phone(2), "Event: presence\nExpires: 0\n");
    let sent = bench.signed("ben", "secret", phone(2), &request);
    let sent = later(&mut bench, sent);
    let [one] = told(&sent, 2)[..] else { panic!("{sent:#?}") };
    assert_eq!(one.value("Subscription-State"), "terminated;reason=timeout");
    assert!(one.text.contains("<basic>open</basic>"), "{}", one.text);
    assert_eq!(bench.core.events().subscriptions(), 0);
}

/// A REGISTER of anna for so many seconds, and what it brought.
fn register(bench: &mut Bench, seconds: u32) -> Vec<Sent> {
    let text = bench.request("REGISTER", "sip:example.org", "anna", phone(1), &format!("Expires: {seconds}\n"));
    let sent = bench.signed("anna", "secret", phone(1), &text);
    later(bench, sent)
}

fn poll(bench: &mut Bench) -> Sent {
    let request = bench.request("SUBSCRIBE", ANNA, "carl", phone(3), "Event: presence\nExpires: 0\n");
    let sent = bench.signed("carl", "secret", phone(3), &request);
    let sent = later(bench, sent);
    told(&sent, 3)[0].clone()
}

#[test]
fn a_sign_in_that_could_not_be_stored_makes_nobody_available() {
    for (before, wanted) in [(0, 600), (600, 0)] {
        let mut bench = Bench::new();
        register(&mut bench, before);
        let state = if before > 0 { "<basic>open</basic>" } else { "<basic>closed</basic>" };
        let (_, sent) = watch(&mut bench, "ben", ANNA, "Event: presence\n");
        answer(&mut bench, &sent, "200 OK");
        bench.store_works = false;
        let sent = register(&mut bench, wanted);
        assert!(told(&sent, 2).is_empty(), "not stored yet: {sent:#?}");
        let sent = refuse_last_block(&mut bench);
        assert!(sent.iter().any(|one| one.status() == 503), "{sent:#?}");
        assert!(told(&sent, 2).iter().all(|one| one.text.contains(state)), "{sent:#?}");
        bench.wait(Duration::from_secs(15));
        assert!(poll(&mut bench).text.contains(state), "from {before} to {wanted} seconds");
    }
}

#[test]
fn an_end_that_is_not_stored_for_long_is_not_told_before() {
    let mut bench = Bench::new();
    let (mut ben, sent) = watch(&mut bench, "ben", ANNA, "Event: presence\n");
    answer(&mut bench, &sent, "200 OK");
    bench.store_works = false;
    let mut sent = ben.ask(&mut bench, "presence", 0);
    sent.extend(bench.wait(Duration::from_secs(11)));
    assert!(told(&sent, 2).is_empty(), "{sent:#?}");
    refuse_last_block(&mut bench);
    bench.wait(Duration::from_secs(11));
    assert_eq!(bench.core.events().subscriptions(), 1);
}

#[test]
fn a_refused_refresh_does_not_forget_that_something_is_to_be_told_later() {
    let mut bench = Bench::new();
    let (mut ben, sent) = watch(&mut bench, "ben", ANNA, "Event: presence\n");
    answer(&mut bench, &sent, "503 Overloaded\nRetry-After: 20");
    bench.store_works = false;
    ben.ask(&mut bench, "presence", 3600);
    let sent = refuse_last_block(&mut bench);
    assert!(told(&sent, 2).is_empty(), "{sent:#?}");
    assert_eq!(told(&bench.wait(Duration::from_millis(20_200)), 2).len(), 1);
}

#[test]
fn changes_one_after_the_other_keep_nobody_from_being_looked_at() {
    let users = (1..=200).map(|id| user(id, &format!("u{id}"))).chain([user(901, "anna"), user(902, "ben")]).collect();
    let mut bench = Bench::with(|_| {}, users);
    bench.register("anna", phone(1));
    // Ben's watch has the last place; those before it are lists of many.
    for _ in 0..20 {
        let names: Vec<String> = (1..=200).map(|id| format!("u{id}")).collect();
        add(&mut bench, "anna", &names.iter().map(String::as_str).collect::<Vec<_>>());
        let (_, sent) =
            watch(&mut bench, "anna", "sip:anna@example.org;list=contacts", &format!("Event: presence\n{OWN_LIST}"));
        answer(&mut bench, &sent, "200 OK");
    }
    let (_, sent) = watch(&mut bench, "ben", ANNA, "Event: presence\n");
    answer(&mut bench, &sent, "200 OK");
    let mut told_ben = false;
    for round in 0..40 {
        bench.change_document(|document| {
            document.policies.presence.global.privacy_mode = Some(true);
            document.policies.presence.global.max_contacts = Some(300 + round);
        });
        let sent = bench.wait(Duration::from_millis(2));
        told_ben |= !told(&sent, 2).is_empty();
        answer(&mut bench, &sent, "200 OK");
    }
    assert!(told_ben, "ben may see anna no longer, and was not told");
}

#[test]
fn who_asks_once_for_a_long_list_gets_all_of_it() {
    let users = (1..=100).map(|id| user(id, &format!("u{id}"))).chain([user(901, "ben")]).collect();
    let mut bench = Bench::with(|_| {}, users);
    let names: Vec<String> = (1..=100).map(|id| format!("u{id}")).collect();
    add(&mut bench, "ben", &names.iter().map(String::as_str).collect::<Vec<_>>());
    let list = "sip:ben@example.org;list=contacts";
    let request =
        bench.request("SUBSCRIBE", list, "ben", phone(2), &format!("Event: presence\nExpires: 0\n{OWN_LIST}"));
    let mut sent = bench.signed("ben", "secret", phone(2), &request);
    sent.extend(bench.wait(Duration::from_millis(20)));
    let (mut active, mut last) = (0, String::new());
    while let Some(one) = told(&sent, 2).last().map(|one| (*one).clone()) {
        active += one.text.matches("state=\"active\"").count();
        last = one.value("Subscription-State").to_owned();
        let mut more = answer(&mut bench, &sent, "200 OK");
        more.extend(bench.wait(Duration::from_millis(20)));
        sent = more;
    }
    assert_eq!((active, last.as_str()), (100, "terminated;reason=timeout"));
    assert_eq!(bench.core.events().subscriptions(), 0);
}
