//! Whom a message reaches, and when: do not disturb, the blocked, and what comes twice.

use std::time::Duration;

use lyceum_net::Outbox;
use lyceum_store::{MessageEntry, NewMessage};
use lyceum_users::contacts::Who;
use lyceum_users::presence::{ChoiceIntent, Relationship, UserChoice};

use crate::bench::{Bench, Sent, phone};
use crate::messages::{TYPING, answer, come, copies, say, say_as, take, words};

const BEN: &str = "ben@example.org";

fn choose(bench: &mut Bench, choice: UserChoice) -> Vec<Sent> {
    let intent = ChoiceIntent { choice: Some((choice, None, None)), ..ChoiceIntent::default() };
    let mut out = Outbox::new();
    bench.core.choose_presence(bench.now, BEN, &intent, Box::new(|_| ()), &mut out).expect("ben may choose");
    let mut sent = bench.settle(out, Duration::ZERO);
    sent.extend(bench.wait(Duration::from_millis(5)));
    sent
}

fn relate(bench: &mut Bench, other: &str, relationship: Relationship) {
    let who = Who::parse(other).expect("somebody");
    let edit = |list: &mut lyceum_users::contacts::ContactList| {
        list.relate(who, Some(relationship));
        Ok(())
    };
    let mut out = Outbox::new();
    bench.core.edit_contacts(bench.now, BEN, edit, Box::new(|_| ()), &mut out).expect("it is ben's list");
    bench.settle(out, Duration::ZERO);
}

/// A MESSAGE of somebody's, on behalf of phone 1.
fn send(bench: &mut Bench, from: &str, uri: &str, words: &str, extra: &str) -> Vec<Sent> {
    let extra = format!("Content-Type: text/plain\n{extra}");
    let request = bench.request("MESSAGE", uri, from, phone(1), &extra);
    let length = format!("Content-Length: {}\n\n{words}", words.len());
    let request = request.replace("Content-Length: 0\n\n", &length);
    let mut sent = bench.signed(from, "secret", phone(1), &request);
    sent.extend(bench.wait(Duration::from_millis(5)));
    sent
}

fn remembered(bench: &Bench) -> Vec<&NewMessage> {
    fn message(entry: &MessageEntry) -> Option<&NewMessage> {
        match entry {
            MessageEntry::Message(message) | MessageEntry::Delivered { message, .. } => Some(message),
            _ => None,
        }
    }
    bench.history.iter().filter_map(message).collect()
}

/// Takes what comes, one after another, and tells the words.
fn read_all(bench: &mut Bench, mut sent: Vec<Sent>, last: u8) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(copy) = copies(&sent, last).first().map(|copy| (*copy).clone()) {
        all.push(words(&copy).to_owned());
        sent = take(bench, &copy, "200 OK", last);
    }
    all
}

#[test]
fn messages_wait_while_somebody_does_not_want_to_be_disturbed() {
    let mut bench = Bench::new();
    come(&mut bench, 2);
    choose(&mut bench, UserChoice::DoNotDisturb);
    relate(&mut bench, "carl@example.org", Relationship::Workgroup);
    for words in ["one", "three"] {
        let sent = say(&mut bench, words);
        assert_eq!((answer(&sent), copies(&sent, 2).len()), (202, 0), "{words}");
    }
    let sent = say_as(&mut bench, "application/im-iscomposing+xml", TYPING);
    assert_eq!((answer(&sent), copies(&sent, 2).len()), (202, 0));
    assert!(copies(&come(&mut bench, 2), 2).is_empty(), "a refresh changes nothing");
    let members: Vec<String> = ["anna", "ben", "carl"].iter().map(|name| format!("{name}@example.org")).collect();
    let address =
        bench.core.make_conversation("anna@example.org", &members, "example.org", Box::new(|_| {})).expect("made");
    let sent = send(&mut bench, "anna", &format!("sip:{address}"), "to all", "");
    assert_eq!((answer(&sent), copies(&sent, 2).len()), (200, 0));
    let sent = send(&mut bench, "carl", "sip:ben@example.org", "urgent", "");
    assert_eq!(read_all(&mut bench, sent, 2), ["urgent"], "of the workgroup");
    let sent = choose(&mut bench, UserChoice::Available);
    assert_eq!(read_all(&mut bench, sent, 2), ["one", "three", "to all"]);
    assert_eq!(answer(&send(&mut bench, "anna", "sip:ben@example.org", "now", "")), 0, "forwarded again");
}

#[test]
fn what_came_before_waits_as_well_for_who_signs_in_undisturbed() {
    let mut bench = Bench::new();
    choose(&mut bench, UserChoice::DoNotDisturb);
    assert_eq!(answer(&say(&mut bench, "hello")), 202);
    assert!(copies(&come(&mut bench, 2), 2).is_empty());
    let sent = choose(&mut bench, UserChoice::Automatic);
    assert_eq!(read_all(&mut bench, sent, 2), ["hello"]);
}

#[test]
fn the_blocked_hear_what_they_would_hear_of_somebody_offline() {
    let mut bench = Bench::new();
    let offline = say(&mut bench, "hello");
    let mut bench = Bench::new();
    come(&mut bench, 2);
    relate(&mut bench, "anna@example.org", Relationship::Blocked);
    let blocked = say(&mut bench, "hello");
    assert_eq!((answer(&blocked), answer(&offline)), (202, 202));
    assert_eq!((copies(&blocked, 2).len(), bench.core.messages().waiting()), (0, 0));
    let histories: Vec<_> = remembered(&bench).iter().map(|one| (one.sender.kept, one.recipients[0].kept)).collect();
    assert_eq!(histories, [(true, false)]);
}

#[test]
fn a_conversation_is_remembered_by_those_whom_it_reaches() {
    let mut bench = Bench::new();
    relate(&mut bench, "anna@example.org", Relationship::Blocked);
    let members: Vec<String> = ["anna", "ben", "carl"].iter().map(|name| format!("{name}@example.org")).collect();
    let address =
        bench.core.make_conversation("anna@example.org", &members, "example.org", Box::new(|_| {})).expect("made");
    for _ in 0..2 {
        let sent = send(&mut bench, "anna", &format!("sip:{address}"), "hello", "Message-ID: all\n");
        assert_eq!(answer(&sent), 200);
    }
    let all = remembered(&bench);
    let histories: Vec<_> = all[0].recipients.iter().map(|one| (&*one.address, one.kept)).collect();
    assert_eq!((all.len(), &histories[..]), (1, &[(BEN, false), ("carl@example.org", true)][..]), "once");
    assert_eq!(bench.core.messages().waiting(), 1);
}

#[test]
fn other_words_are_another_message_whatever_their_headers_say() {
    let mut bench = Bench::new();
    for (words, branch) in [("first", "a"), ("second different", "b")] {
        let request = bench.request("MESSAGE", "sip:ben@example.org", "anna", phone(1), "Content-Type: text/plain\n");
        let line = |name: &str| request.lines().find(|line| line.starts_with(name)).expect("a header").to_owned();
        let length = format!("Content-Length: {}\n\n{words}", words.len());
        let request = request
            .replace(&line("Call-ID:"), "Call-ID: fixed")
            .replace(&line("From:"), "From: <sip:anna@example.org>;tag=fixed")
            .replace("branch=z9hG4bK", &format!("branch=z9hG4bK{branch}"))
            .replace("Content-Length: 0\n\n", &length);
        assert_eq!(answer(&bench.signed("anna", "secret", phone(1), &request)), 202);
    }
    let sent = come(&mut bench, 2);
    assert_eq!(read_all(&mut bench, sent, 2), ["first", "second different"]);
}

#[test]
fn what_waits_leaves_after_the_answer_to_the_registration() {
    let mut bench = Bench::new();
    say(&mut bench, "hello");
    bench.store_works = false;
    let text = bench.request("REGISTER", "sip:example.org", "ben", phone(2), "Expires: 600\n");
    let sent = bench.signed("ben", "secret", phone(2), &text);
    assert!(sent.iter().all(|one| one.status() != 200) && copies(&sent, 2).is_empty());
    let (seq, mut out) = (bench.pending[0], Outbox::new());
    bench.core.committed(bench.now, seq, &mut out);
    let sent = bench.settle(out, Duration::ZERO);
    let lines: Vec<&str> = sent.iter().map(|one| &one.first_line()[..7]).collect();
    assert_eq!(lines, ["SIP/2.0", "MESSAGE"]);
}

#[test]
fn a_device_without_an_instance_gets_what_waited_once() {
    let mut bench = Bench::new();
    say(&mut bench, "hello");
    let sent = come(&mut bench, 2);
    assert_eq!(read_all(&mut bench, sent, 2), ["hello"]);
    assert!(copies(&come(&mut bench, 3), 3).is_empty(), "the same phone with another port, for all we know");
}

#[test]
fn a_wrapper_is_looked_into() {
    let wrap = |from: &str, kind: &str, body: &str| format!("From: {from}\n\nContent-Type: {kind}\n\n{body}");
    let id = "<sip:anna@example.org>\nNS: imdn <urn:ietf:params:imdn>\nimdn.Message-ID: 34jk";
    let mut bench = Bench::new();
    let send = |bench: &mut Bench, body: String| answer(&say_as(bench, "message/cpim", &body));
    assert_eq!(send(&mut bench, wrap(id, "text/plain", "hello")), 202);
    let notice = "<imdn xmlns='urn:ietf:params:xml:ns:imdn'><message-id>34jk</message-id><display-notification><status>\
        <displayed/></status></display-notification></imdn>";
    assert_eq!(send(&mut bench, wrap("<im:anna@example.org>", "message/imdn+xml", notice)), 202);
    assert_eq!(send(&mut bench, wrap("Carl <sip:carl@example.org>", "text/plain", "hello")), 403);
    let all = remembered(&bench);
    let one = (all[0].wire_id.as_deref(), &*all[0].content_type, &all[0].body.0[..]);
    assert_eq!((all.len(), one), (1, (Some("34jk"), "text/plain", &b"hello"[..])));
    assert!(matches!(&bench.history[1], MessageEntry::Mark { .. }), "{:?}", bench.history);
}

#[test]
fn a_body_of_the_largest_size_passes() {
    for (size, status) in [(131_072, 202), (131_073, 513)] {
        let mut bench = Bench::new();
        let sent = send(&mut bench, "anna", "sip:ben@example.org", &"x".repeat(size), "");
        assert_eq!(answer(&sent), status, "{size}");
    }
}

#[test]
fn what_follows_a_fold_is_no_header_of_its_own() {
    let mut bench = Bench::new();
    for last in [2, 4] {
        bench.register("ben", phone(last));
    }
    let folded = "Subject: a\n P-Asserted-Identity: <sip:boss@example.org>\n";
    let mut sent = send(&mut bench, "anna", "sip:ben@example.org", "hello", folded);
    sent.extend(bench.wait(std::time::Duration::from_millis(20)));
    let copies: Vec<_> = sent.iter().filter(|one| one.first_line().starts_with("MESSAGE")).collect();
    assert_eq!(copies.len(), 2, "{sent:#?}");
    for copy in copies {
        assert!(
            copy.value("Subject").starts_with("a ") && copy.value("Subject").ends_with("boss@example.org>"),
            "{copy:?}"
        );
        assert!(copy.text.lines().all(|line| !line.trim_start().starts_with("P-Asserted")), "{copy:?}");
    }
}
