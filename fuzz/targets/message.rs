//! Any bytes as a datagram: every reader stays inside them, a splice without edits is the
//! identity, an edited message parses again and keeps what was not touched.
#![no_main]

#[path = "../../crates/sip/tests/properties/exercise.rs"]
#[allow(dead_code)]
mod exercise;

use libfuzzer_sys::fuzz_target;
use lyceum_sip::validate::Role;
use lyceum_sip::{Index, Limits, Message, Name, Splice, parse, refusal};

fuzz_target!(|bytes: &[u8]| {
    exercise::exercise(bytes);
    let mut index = Index::new();
    if parse(bytes, &mut index, &Limits::default()).is_err() {
        return;
    }
    let message = Message::new(bytes, &index);
    refusal(&message, &Role::Proxy { options: &[] });
    refusal(&message, &Role::UserAgent { methods: &[], options: &[], bodies: &["application/sdp"] });
    refusal(&message, &Role::Registrar { options: &["path"] });
    identity(message);
    edits(message);
});

fn identity(message: Message<'_>) {
    let mut out = Vec::new();
    Splice::new(message).write(&mut out);
    let told = message.content_length().is_some();
    let ended = message.bytes()[..message.bytes().len() - message.body().len()].ends_with(b"\r\n\r\n");
    if told && ended {
        assert_eq!(out, message.wire());
    }
}

fn edits(message: Message<'_>) {
    let mut out = Vec::new();
    Splice::new(message)
        .request_uri(b"sip:fuzz@example.org")
        .prepend(b"Via: SIP/2.0/UDP fuzz;branch=z9hG4bKf")
        .append(b"X-Fuzz: 1")
        .remove_first_value(Name::Route)
        .replace(Name::MaxForwards, b"69")
        .remove_named(b"x-gone")
        .set_top_via_params(Some([192, 0, 2, 1].into()), Some(5060))
        .write(&mut out);
    let mut index = Index::new();
    // Two headers more may be one too many.
    let limits = Limits { headers: 300, header_line: 9000, ..Limits::default() };
    parse(&out, &mut index, &limits).expect("an edited message parses");
    let edited = Message::new(&out, &index);
    assert_eq!(edited.body(), message.body());
    assert_eq!(edited.top_via().expect("ours").branch, b"z9hG4bKf");
    let touched = |name: Name, raw: &[u8]| {
        matches!(name, Name::Via | Name::Route | Name::MaxForwards | Name::ContentLength)
            || [&b"x-gone"[..], b"x-fuzz"].iter().any(|n| raw.eq_ignore_ascii_case(n))
    };
    assert_eq!(exercise::lines(&message, &touched), exercise::lines(&edited, &touched));
    let routes: Vec<&[u8]> = message.values(Name::Route).collect();
    if routes.iter().all(|r| !r.is_empty()) {
        assert!(edited.values(Name::Route).eq(routes.into_iter().skip(1)));
    }
}
