//! Any bytes as a body of presence: the first byte picks the reader. What is read is bounded, makes sense, and what we
//! write of it reads back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lyceum_sip::time::WallTime;
use lyceum_topology::PresencePolicy;
use lyceum_users::contacts::ContactList;
use lyceum_users::format::pidf::{MAX_NOTE, MAX_TUPLES, Pidf};
use lyceum_users::format::{multipart, resource_lists};
use lyceum_users::presence::calendar::{self, MAX_INTERVALS, Window};
use lyceum_users::presence::{
    Card, DeviceKind, Document, Facts, Presentities, Presentity, PublishIntent, Relationship, view,
};
use lyceum_users::{Group, Journal};

const LIMIT: usize = 25 << 10;
const NOW: WallTime = WallTime(1_795_262_400_000);

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    match kind % 5 {
        0 => pidf(bytes),
        1 => lists(bytes),
        2 => parts(bytes),
        3 => feed(bytes),
        _ => records(bytes),
    }
});

fn pidf(bytes: &[u8]) {
    let Ok(read) = Pidf::read(bytes, LIMIT) else { return };
    assert!(read.tuples.len() <= MAX_TUPLES);
    assert!(read.note.as_ref().is_none_or(|note| note.len() <= MAX_NOTE));
    let (mut group, mut journal, mut all) = (Group::new(0), Journal::new(), Presentities::default());
    let policy = PresencePolicy::default();
    let presentity = Presentity { aor: "a@example.org", now: NOW, policy: &policy };
    let intent = PublishIntent {
        if_match: None,
        expires: None,
        content_type: b"application/pidf+xml",
        body: bytes,
        source: None,
        device: None,
        kind: DeviceKind::Unknown,
        fresh: 1,
    };
    all.facts(presentity, Facts { registered: 1, ..Facts::default() }, &mut group, &mut journal);
    all.publish(presentity, &intent, &mut group, &mut journal).expect("what is read is accepted");
    let state = all.state(presentity, &group);
    for relationship in Relationship::ALL {
        let mut out = Vec::new();
        let shown = view(&state, &Card::default(), (*relationship).into());
        shown.pidf(&read.entity, &mut out);
        let again = Pidf::read(&out, 10 * LIMIT).expect("what we write is read");
        assert_eq!(again.availability, shown.availability.map(|a| a.0));
        let note = shown.out_of_office.or(shown.note).map(|note| note.split_whitespace().collect::<String>());
        assert_eq!(again.note.map(|note| note.split_whitespace().collect::<String>()), note);
    }
}

fn lists(bytes: &[u8]) {
    if let Ok(entries) = resource_lists::read(bytes) {
        assert!(entries.len() <= resource_lists::MAX_ENTRIES);
        assert!(entries.iter().all(|entry| !entry.uri.is_empty()));
    }
}

/// Up to the first line end a boundary, then the body.
fn parts(bytes: &[u8]) {
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (Ok(boundary), body) = (std::str::from_utf8(&bytes[..at]), &bytes[at..]) else { return };
    let Ok(parts) = multipart::read(body, boundary) else { return };
    assert!(parts.len() <= multipart::MAX_PARTS);
    assert!(parts.iter().map(|part| part.body.len()).sum::<usize>() <= body.len(), "parts do not overlap");
    for part in &parts {
        let _ = (part.content_type(), part.disposition());
    }
}

fn feed(bytes: &[u8]) {
    let window = Window { from: NOW, to: WallTime(NOW.0 + 30 * 86_400_000), floating_offset: 3_600 };
    let Ok(calendar) = calendar::read(bytes, window) else { return };
    assert!(calendar.busy.len() <= MAX_INTERVALS && calendar.busy.is_sorted());
    assert!(calendar.busy.iter().all(|busy| busy.from < busy.to && busy.from < window.to && busy.to > window.from));
}

/// Records as they are stored: what is unpacked packs to what unpacks to the same.
fn records(bytes: &[u8]) {
    if let Some(document) = Document::unpack(bytes) {
        let mut packed = Vec::new();
        document.pack(&mut packed);
        assert_eq!(Document::unpack(&packed), Some(document));
    }
    if let Some(list) = ContactList::unpack(bytes) {
        let mut packed = Vec::new();
        list.pack(&mut packed);
        assert_eq!(ContactList::unpack(&packed), Some(list));
    }
}
