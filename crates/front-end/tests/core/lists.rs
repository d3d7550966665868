//! A message to a list that comes with it (RFC 5365).

use std::time::Duration;

use lyceum_store::MessageEntry;

use crate::bench::{Bench, Sent, phone};
use crate::messages::{answer, come, copies, words};

fn mail(bench: &mut Bench, entries: &str, require: &str) -> Vec<Sent> {
    let list = format!(
        "<resource-lists xmlns='urn:ietf:params:xml:ns:resource-lists' xmlns:cp='urn:ietf:params:xml:ns:copycontrol'>\
         <list>{entries}</list></resource-lists>"
    );
    let body = format!(
        "--x\nContent-Type: text/plain\n\nhello\n--x\nContent-Type: application/resource-lists+xml\n\
         Content-Disposition: recipient-list\n\n{list}\n--x--\n"
    );
    let extra = format!("Content-Type: multipart/mixed;boundary=x\nRequire: {require}\nMessage-ID: all\n");
    let request = bench.request("MESSAGE", "sip:list@example.org", "anna", phone(1), &extra);
    let length = format!("Content-Length: {}\n\n{body}", body.replace('\n', "\r\n").len());
    let request = request.replace("Content-Length: 0\n\n", &length);
    let mut sent = bench.signed("anna", "secret", phone(1), &request);
    sent.extend(bench.wait(Duration::from_millis(5)));
    sent
}

fn entry(name: &str, copy: &str) -> String {
    format!("<entry uri='sip:{name}@example.org' cp:copyControl='{copy}'/>")
}

#[test]
fn everybody_on_the_list_gets_it() {
    let mut bench = Bench::new();
    come(&mut bench, 2);
    let sent = mail(&mut bench, &(entry("ben", "to") + &entry("carl", "cc")), "recipient-list-message");
    assert_eq!(answer(&sent), 202);
    let copy = copies(&sent, 2)[0];
    let all = "anna@example.org,ben@example.org,carl@example.org";
    assert_eq!((words(copy), copy.value("Conversation-Members")), ("hello", all));
    assert_eq!((copy.value("Content-Type"), bench.core.messages().waiting()), ("text/plain", 2));
    let back = format!("sip:conversation-{}@example.org", copy.value("Conversation-ID"));
    let request = bench.request("MESSAGE", &back, "anna", phone(1), "Content-Type: text/plain\n");
    assert_eq!(answer(&bench.signed("anna", "secret", phone(1), &request)), 200, "answers go to all");
}

#[test]
fn a_blind_copy_tells_of_nobody_else() {
    let mut bench = Bench::new();
    come(&mut bench, 2);
    let sent = mail(&mut bench, &(entry("carl", "to") + &entry("ben", "bcc")), "recipient-list-message");
    assert_eq!(answer(&sent), 202);
    let copy = copies(&sent, 2)[0];
    assert_eq!(
        (words(copy), copy.value("To"), copy.value("Conversation-Members")),
        ("hello", "<sip:ben@example.org>", "")
    );
    let people = |one: &MessageEntry| match one {
        MessageEntry::Message(message) => message.recipients.iter().map(|one| one.address.to_string()).collect(),
        _ => Vec::new(),
    };
    let histories: Vec<Vec<String>> = bench.history.iter().map(people).filter(|all| !all.is_empty()).collect();
    assert_eq!(histories, [["carl@example.org"], ["ben@example.org"]]);
}

#[test]
fn a_list_that_cannot_be_served_says_why() {
    for (entries, require, status, header, says) in [
        (entry("nobody", "to"), "recipient-list-message", 404, "Warning", "nobody@example.org is no user here"),
        (
            "<entry uri='a&#13;&#10;X: y'/>".to_owned(),
            "recipient-list-message",
            404,
            "Warning",
            "a''X: y is no user here",
        ),
        (String::new(), "recipient-list-message, x-more", 420, "Unsupported", "x-more"),
        ("<external/>".to_owned(), "recipient-list-message", 400, "Warning", "the list of recipients: "),
    ] {
        let mut bench = Bench::new();
        let sent = mail(&mut bench, &entries, require);
        let refused = sent.iter().rfind(|one| one.to == phone(1)).expect("an answer");
        assert_eq!((answer(&sent), refused.value(header).contains(says)), (status, true), "{refused:?}");
        assert_eq!(bench.core.messages().waiting(), 0);
    }
    let mut bench = Bench::with(
        |document| document.policies.message.global.max_recipients = Some(1),
        vec![crate::bench::user(1, "anna"), crate::bench::user(2, "ben"), crate::bench::user(3, "carl")],
    );
    let sent = mail(&mut bench, &(entry("ben", "to") + &entry("carl", "to")), "recipient-list-message");
    assert_eq!((answer(&sent), bench.core.messages().waiting()), (403, 0));
}

#[test]
fn what_is_kept_for_somebody_requires_nothing_that_we_do_not_know() {
    let mut bench = Bench::new();
    let extra = "Content-Type: text/plain\nRequire: recipient-list-message\n";
    let request = bench.request("MESSAGE", "sip:ben@example.org", "anna", phone(1), extra);
    let sent = bench.signed("anna", "secret", phone(1), &request);
    assert_eq!(sent.last().map(|one| (one.status(), one.value("Unsupported"))), Some((420, "recipient-list-message")));
}
