//! Instant messages as phones see them: forwarded, kept, delivered later, once each and in order.

use crate::bench::{Bench, Sent, phone};
use lyceum_front_end::refusal::Refusal;
use lyceum_store::MessageEntry;
use lyceum_topology::{AddressOfRecord, Directory, Document, DomainName, GroupRecord, Snapshot};
use std::sync::Arc;
use std::time::Duration;

/// That somebody types (RFC 3994).
pub const TYPING: &str =
    "<isComposing xmlns='urn:ietf:params:xml:ns:im-iscomposing'><state>active</state></isComposing>";

/// A MESSAGE of anna's to ben, with digest.
pub fn say(bench: &mut Bench, words: &str) -> Vec<Sent> {
    say_as(bench, "text/plain", words)
}

pub fn say_as(bench: &mut Bench, kind: &str, words: &str) -> Vec<Sent> {
    let extra = format!("Content-Type: {kind}\nMessage-ID: m-{}\n", words.len());
    let request = bench.request("MESSAGE", "sip:ben@example.org", "anna", phone(1), &extra);
    let length = format!("Content-Length: {}\n\n{words}", words.replace('\n', "\r\n").len());
    let request = request.replace("Content-Length: 0\n\n", &length);
    let mut sent = bench.signed("anna", "secret", phone(1), &request);
    sent.extend(bench.wait(Duration::from_millis(5)));
    sent
}

pub fn answer(sent: &[Sent]) -> u16 {
    let is = |one: &&Sent| one.status() >= 200 && one.to == phone(1);
    sent.iter().rfind(is).map_or(0, Sent::status)
}

/// The messages that left for a phone.
pub fn copies(sent: &[Sent], last: u8) -> Vec<&Sent> {
    sent.iter().filter(|one| one.first_line().starts_with("MESSAGE ") && one.to == phone(last)).collect()
}

pub fn words(copy: &Sent) -> &str {
    copy.text.split_once("\n\n").map_or("", |(_, body)| body)
}

pub fn take(bench: &mut Bench, copy: &Sent, status: &str, last: u8) -> Vec<Sent> {
    let kept = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    let lines: Vec<&str> = copy.text.lines().filter(|line| kept.iter().any(|name| line.starts_with(name))).collect();
    let text = format!("SIP/2.0 {status}\n{}\nContent-Length: 0\n\n", lines.join("\n"));
    let mut sent = bench.receive(phone(last), &text);
    sent.extend(bench.wait(Duration::from_millis(5)));
    sent
}

pub fn come(bench: &mut Bench, last: u8) -> Vec<Sent> {
    let text = bench.request("REGISTER", "sip:example.org", "ben", phone(last), "Expires: 600\n");
    let mut sent = bench.signed("ben", "secret", phone(last), &text);
    sent.extend(bench.wait(Duration::from_millis(5)));
    sent
}

#[test]
fn one_device_takes_a_message_itself() {
    let mut bench = Bench::new();
    come(&mut bench, 2);
    let sent = say(&mut bench, "hello");
    let copy = copies(&sent, 2)[0].clone();
    assert_eq!((words(&copy), answer(&sent)), ("hello", 0));
    let sent = take(&mut bench, &copy, "200 OK", 2);
    assert_eq!(answer(&sent), 200);
    assert!(matches!(&bench.history[..], [MessageEntry::Delivered { message, .. }] if message.body.0 == b"hello"));
    assert_eq!(bench.core.messages().waiting(), 0);
}

#[test]
fn while_nobody_is_signed_in_messages_wait_and_come_in_order() {
    let mut bench = Bench::new();
    for words in ["one", "three", "seven.."] {
        assert_eq!(answer(&say(&mut bench, words)), 202);
    }
    let sent = come(&mut bench, 2);
    let first = copies(&sent, 2)[0].clone();
    assert_eq!((words(&first), copies(&sent, 2).len()), ("one", 1));
    let sent = take(&mut bench, &first, "200 OK", 2);
    let second = copies(&sent, 2)[0].clone();
    assert_eq!(words(&second), "three");
    let sent = take(&mut bench, &second, "200 OK", 2);
    let third = copies(&sent, 2)[0].clone();
    assert_eq!(words(&third), "seven..");
    assert!(copies(&take(&mut bench, &third, "200 OK", 2), 2).is_empty());
    assert!(copies(&come(&mut bench, 2), 2).is_empty(), "each once");
}

#[test]
fn who_gets_a_former_users_address_gets_nothing_of_theirs() {
    let mut bench = Bench::new();
    let address = "ben@example.org".to_owned();
    let members = ["anna@example.org", "ben@example.org", "carl@example.org"].map(str::to_owned);
    bench.core.make_conversation("anna@example.org", &members, "example.org", Box::new(|_| {})).expect("made");
    assert_eq!(answer(&say(&mut bench, "hello")), 202);
    let feed = Some("https://calendar.example.org/ben");
    let mut out = lyceum_net::Outbox::new();
    let set = bench.core.set_calendar_feed(bench.now, &address, feed, Box::new(|_| {}), &mut out);
    assert!(set.is_ok() && bench.core.calendar_feeds().len() == 1);
    let (told, heard) = std::sync::mpsc::sync_channel(1);
    let done = Box::new(move |kept| told.send(kept).expect("somebody listens"));
    bench.core.forget_former(bench.now, std::slice::from_ref(&address), done, &mut out);
    assert!(heard.try_recv().is_err(), "not before it is durable");
    bench.settle(out, Duration::ZERO);
    assert_eq!(heard.try_recv(), Ok(true));
    assert_eq!((bench.core.messages().waiting(), bench.core.calendar_feeds().len()), (0, 0));
    assert!(copies(&come(&mut bench, 2), 2).is_empty());
    let lists = bench.core.groups_mut().iter().flat_map(|group| group.facets(lyceum_users::facet_kind::LIST));
    let left: Vec<_> = lists.map(|(_, people)| String::from_utf8_lossy(people).into_owned()).collect();
    assert_eq!(left, ["anna@example.org,carl@example.org"]);
    let again = bench.core.make_conversation(&members[0], &members, "example.org", Box::new(|_| {}));
    assert!(again.is_ok(), "the new holder may be talked to");
}

#[test]
fn a_device_that_is_away_gets_it_when_it_is_back() {
    let mut bench = Bench::new();
    come(&mut bench, 2);
    let sent = say(&mut bench, "hello");
    assert_eq!(copies(&sent, 2).len(), 1);
    let sent = bench.wait(Duration::from_secs(5));
    assert_eq!(answer(&sent), 202, "stored, and soon enough for the sender");
    bench.wait(Duration::from_secs(33));
    let sent = come(&mut bench, 2);
    let again = copies(&sent, 2);
    assert_eq!(again.len(), 1);
    assert_eq!((words(again[0]), again[0].value("Message-ID")), ("hello", "m-5"));
}

#[test]
fn a_late_answer_confirms_what_was_stored() {
    let mut bench = Bench::new();
    come(&mut bench, 2);
    let sent = say(&mut bench, "hello");
    let copy = copies(&sent, 2)[0].clone();
    assert_eq!(answer(&bench.wait(Duration::from_secs(5))), 202);
    assert_eq!(bench.core.messages().waiting(), 1);
    take(&mut bench, &copy, "200 OK", 2);
    assert_eq!(bench.core.messages().waiting(), 0);
}

#[test]
fn who_comes_back_by_another_way_while_the_old_one_is_tried_gets_it_there() {
    let mut bench = Bench::new();
    let contact = |text: String| text.replace("5060>\n", "5060>;+sip.instance=\"<urn:uuid:1>\"\n");
    let come_at = |bench: &mut Bench, at: u8| {
        let text = contact(bench.request("REGISTER", "sip:example.org", "ben", phone(at), "Expires: 600\n"));
        let mut sent = bench.signed("ben", "secret", phone(at), &text);
        sent.extend(bench.wait(Duration::from_millis(5)));
        sent
    };
    come_at(&mut bench, 2);
    come(&mut bench, 4);
    let sent = say(&mut bench, "hello");
    assert_eq!(answer(&sent), 200);
    take(&mut bench, &copies(&sent, 4)[0].clone(), "200 OK", 4);
    // The phone is silent, and two seconds later it is back behind another address.
    bench.wait(Duration::from_secs(2));
    let mut sent = come_at(&mut bench, 5);
    sent.extend(bench.wait(Duration::from_secs(33)));
    let copy = copies(&sent, 5).first().expect("it comes to the new address").to_owned().clone();
    take(&mut bench, &copy, "200 OK", 5);
    assert_eq!(bench.core.messages().waiting(), 0);
}

#[test]
fn what_is_not_stored_is_delivered_to_nobody() {
    let mut bench = Bench::new();
    come(&mut bench, 2);
    come(&mut bench, 3);
    bench.store_works = false;
    let sent = say(&mut bench, "hello");
    assert!(copies(&sent, 2).is_empty() && copies(&sent, 3).is_empty(), "{sent:#?}");
}

#[test]
fn every_device_gets_it_and_a_repetition_is_known_by_its_branch() {
    let mut bench = Bench::new();
    come(&mut bench, 2);
    come(&mut bench, 3);
    let sent = say(&mut bench, "hello");
    assert_eq!(answer(&sent), 200, "stored for both");
    let (left, right) = (copies(&sent, 2)[0].clone(), copies(&sent, 3)[0].clone());
    take(&mut bench, &left, "200 OK", 2);
    let again = come(&mut bench, 2);
    assert!(copies(&again, 2).is_empty());
    // Somebody came meanwhile, so it is tried once more when the first try is over.
    let sent = bench.wait(Duration::from_secs(33));
    let repeated = copies(&sent, 3).last().expect("a repetition").to_owned().clone();
    assert!(bench.wait(Duration::from_secs(40)).iter().all(|one| copies(std::slice::from_ref(one), 2).is_empty()));
    let sent = come(&mut bench, 3);
    assert_eq!(copies(&sent, 3)[0].text, repeated.text, "and when the device comes");
    for name in ["Via", "Call-ID", "CSeq", "Message-ID"] {
        assert_eq!(repeated.value(name), right.value(name), "{name}");
    }
    take(&mut bench, &repeated, "200 OK", 3);
    assert_eq!(bench.core.messages().waiting(), 0);
}

#[test]
fn typing_is_never_kept() {
    let mut bench = Bench::new();
    let sent = say_as(&mut bench, "application/im-iscomposing+xml", TYPING);
    assert_eq!((answer(&sent), bench.core.messages().waiting(), bench.history.len()), (202, 0, 0));
}

#[test]
fn the_store_must_have_it_before_the_sender_is_told() {
    let mut bench = Bench::new();
    bench.store_works = false;
    assert_eq!(answer(&say(&mut bench, "hello")), 0);
    let seq = bench.pending[0];
    let mut out = lyceum_net::Outbox::new();
    bench.core.commit_failed(bench.now, seq, &mut out);
    let sent = bench.settle(out, Duration::ZERO);
    assert_eq!((answer(&sent), bench.core.messages().waiting()), (503, 0));
}

#[test]
fn everybody_of_a_conversation_gets_it_and_nobody_else_may_write() {
    let mut bench = Bench::new();
    come(&mut bench, 2);
    let members: Vec<String> = ["anna", "ben", "carl"].iter().map(|name| format!("{name}@example.org")).collect();
    let address =
        bench.core.make_conversation("anna@example.org", &members, "example.org", Box::new(|_| {})).expect("made");
    let extra = "Content-Type: text/plain\nMessage-ID: all\n";
    let send = |bench: &mut Bench, from: &str, members: u8| {
        let request = bench.request("MESSAGE", &format!("sip:{address}"), from, phone(members), extra);
        let request = request.replace("Content-Length: 0\n\n", "Content-Length: 5\n\nhello");
        let mut sent = bench.signed(from, "secret", phone(members), &request);
        sent.extend(bench.wait(Duration::from_millis(5)));
        sent
    };
    let sent = send(&mut bench, "anna", 1);
    assert_eq!(answer(&sent), 200);
    let copy = copies(&sent, 2)[0].clone();
    assert_eq!((words(&copy), copy.value("Conversation-Members")), ("hello", members.join(",").as_str()));
    take(&mut bench, &copy, "200 OK", 2);
    assert_eq!(bench.core.messages().waiting(), 1, "carl's");
    let typing = "Content-Type: application/im-iscomposing+xml\n";
    let request = bench.request("MESSAGE", &format!("sip:{address}"), "anna", phone(1), typing);
    let sent = bench.signed("anna", "secret", phone(1), &request);
    assert_eq!(answer(&sent), 202);
    let copy = copies(&sent, 2)[0].clone();
    assert_eq!(copy.value("Conversation-ID"), &address["conversation-".len()..address.len() - "@example.org".len()]);
    take(&mut bench, &copy, "200 OK", 2);
    assert_eq!(bench.core.messages().waiting(), 1, "that somebody types is kept for nobody");
    let pair =
        bench.core.make_conversation("anna@example.org", &members[1..], "example.org", Box::new(|_| {})).expect("made");
    assert_ne!(pair, address);
    let request = bench.request("MESSAGE", &format!("sip:{pair}"), "anna", phone(1), extra);
    let sent = bench.signed("anna", "secret", phone(1), &request);
    assert_eq!(answer(&sent), 403, "anna is not in it");
}

#[test]
fn a_conversation_has_users_only_and_nobody_makes_it_over() {
    let mut bench = Bench::new();
    let maker = "anna@example.org";
    let mut make = |people: &[&str]| {
        let people: Vec<String> = people.iter().map(|one| (*one).to_owned()).collect();
        bench.core.make_conversation(maker, &people, "example.org", Box::new(|_| {}))
    };
    let real = make(&[maker, "ben@example.org", "carl@example.org"]).expect("made");
    for bad in [
        "nobody@example.org",
        "who@elsewhere.example",
        "x@example.org\r\nEvil: 1",
        "ben@example.org\0carl@example.org",
        "ben@example.org,carl@example.org",
    ] {
        assert_eq!(make(&[maker, "ben@example.org", bad]), Err(Refusal::NotFound), "{bad:?}");
    }
    let again = make(&[maker, "ben@example.org", "carl@example.org"]);
    assert_eq!(again.as_ref(), Ok(&real), "what there is stays");
    let reordered = make(&["carl@example.org", "ben@example.org", maker]);
    assert_eq!(reordered, Ok(real), "whatever their order");
}

#[test]
fn who_makes_ever_more_conversations_loses_the_oldest() {
    let mut users: Vec<_> = ["anna", "ben"].iter().zip(1..).map(|(name, id)| crate::bench::user(id, name)).collect();
    users.extend((0..201).map(|n| crate::bench::user(n + 10, &format!("user{n}"))));
    let mut bench = Bench::with(|_| {}, users);
    let mut addresses = Vec::new();
    for n in 0..201 {
        let members = ["anna", "ben", &format!("user{n}")].map(|name| format!("{name}@example.org"));
        let made = bench.core.make_conversation("anna@example.org", &members, "example.org", Box::new(|_| {}));
        addresses.push(made.expect("made"));
    }
    let mut write = |address: &str| {
        let text = "Content-Type: text/plain\n";
        let request = bench.request("MESSAGE", &format!("sip:{address}"), "anna", phone(1), text);
        answer(&bench.signed("anna", "secret", phone(1), &request))
    };
    assert_eq!((write(&addresses[0]), write(&addresses[1]), write(&addresses[200])), (404, 200, 200));
}

/// anna, ben, carl and the group `all` of ben and carl.
fn with_group(most: u32) -> Bench {
    let mut bench = Bench::new();
    let address = |name: &str| AddressOfRecord::parse(&format!("{name}@example.org")).expect("an address");
    let mut directory = Directory::default();
    for (id, name) in [(1, "anna"), (2, "ben"), (3, "carl")] {
        directory.insert(crate::bench::user(id, name)).expect("no conflict");
    }
    let members = [address("ben"), address("carl")].into();
    directory.insert_group(GroupRecord { address: address("all"), display_name: None, members });
    let domain = DomainName::parse("example.org").expect("a domain");
    let mut document = Document::dev(domain.clone(), domain);
    document.policies.message.global.max_recipients = Some(most);
    bench.core.swap_snapshot(bench.now, Arc::new(Snapshot::compile(&document, directory).expect("it compiles")));
    bench
}

fn say_to_all(bench: &mut Bench) -> Vec<Sent> {
    let extra = "Content-Type: text/plain\nMessage-ID: all\n";
    let request = bench.request("MESSAGE", "sip:All@example.org", "anna", phone(1), extra);
    let request = request.replace("Content-Length: 0\n\n", "Content-Length: 5\n\nhello");
    let mut sent = bench.signed("anna", "secret", phone(1), &request);
    sent.extend(bench.wait(Duration::from_millis(5)));
    sent
}

#[test]
fn a_message_to_a_group_goes_to_its_people_and_so_do_answers() {
    let mut bench = with_group(100);
    come(&mut bench, 2);
    let sent = say_to_all(&mut bench);
    assert_eq!(answer(&sent), 200);
    let copy = copies(&sent, 2)[0].clone();
    let all = "anna@example.org,ben@example.org,carl@example.org";
    assert_eq!((words(&copy), copy.value("Conversation-Members")), ("hello", all));
    take(&mut bench, &copy, "200 OK", 2);
    assert_eq!(bench.core.messages().waiting(), 1, "carl's");
    let back = format!("sip:conversation-{}@example.org", copy.value("Conversation-ID"));
    let request = bench.request("MESSAGE", &back, "ben", phone(2), "Content-Type: text/plain\n");
    let sent = bench.signed("ben", "secret", phone(2), &request);
    assert_eq!(sent.iter().rfind(|one| one.status() >= 200 && one.to == phone(2)).map(Sent::status), Some(200));
    assert_eq!(bench.core.messages().waiting(), 3, "two of carl's, and anna's who has no device");
}

#[test]
fn a_group_larger_than_policy_allows_gets_nothing() {
    let mut bench = with_group(1);
    come(&mut bench, 2);
    let sent = say_to_all(&mut bench);
    assert!(answer(&sent) >= 400, "{}", answer(&sent));
    assert_eq!((copies(&sent, 2).len(), bench.core.messages().waiting()), (0, 0));
}
