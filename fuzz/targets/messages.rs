//! Any bytes as a body of messages: the first byte picks the reader. What is read is bounded, and what we write of it reads
//! back; the filter never lets more through than it was given.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lyceum_topology::{FileTransferPolicy, ImFilterPolicy};
use lyceum_users::messages::cpim::{Cpim, MAX_HEADERS};
use lyceum_users::messages::filter::{self, Entity, Verdict};
use lyceum_users::messages::imdn::{Imdn, MAX_MESSAGE_ID};
use lyceum_users::messages::iscomposing::{Composing, MAX_REFRESH_SECONDS};

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    match kind % 4 {
        0 => imdn(bytes),
        1 => cpim(bytes),
        2 => composing(bytes),
        _ => filtered(bytes),
    }
});

fn imdn(bytes: &[u8]) {
    let Ok(read) = Imdn::read(bytes) else { return };
    assert!(!read.message_id.is_empty() && read.message_id.len() <= MAX_MESSAGE_ID);
    let mut out = Vec::new();
    read.write(&mut out);
    assert_eq!(Imdn::read(&out), Ok(read));
}

fn cpim(bytes: &[u8]) {
    let Some(read) = Cpim::parse(bytes) else { return };
    assert!(read.headers.len() <= MAX_HEADERS && read.part_headers.len() <= MAX_HEADERS);
    assert!(bytes.ends_with(read.body), "the part is the end of what came");
    let _ = (read.content_type(), read.header("imdn.Message-ID"), read.asks_for("display"));
    if read.headers.is_empty() || read.part_headers.is_empty() {
        return;
    }
    let wrapped = read.with_body(b"another");
    let again = Cpim::parse(&wrapped).expect("what we write is read");
    assert_eq!((again.body, again.content_type()), (&b"another"[..], read.content_type()));
}

fn composing(bytes: &[u8]) {
    let Ok(read) = Composing::read(bytes) else { return };
    if let Composing::Active { refresh } = read {
        assert!((1..=MAX_REFRESH_SECONDS).contains(&refresh));
    }
    let mut out = Vec::new();
    read.write("text/plain", &mut out);
    assert_eq!(Composing::read(&out), Ok(read));
}

/// The first line is the media type.
fn filtered(bytes: &[u8]) {
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (kind, body) = (&bytes[..at], bytes.get(at + 1..).unwrap_or_default());
    let (links, files) = (ImFilterPolicy::default(), FileTransferPolicy::default());
    let check = |body| filter::check(&links, &files, &Entity { content_type: kind, encoding: b"", body });
    let first = check(body);
    assert_eq!(first, check(body), "the same again");
    if let Verdict::Rewrite(rewritten) = first {
        let second = check(&rewritten);
        assert!(!matches!(second, Verdict::Rewrite(again) if again != rewritten), "made inactive once is enough");
    }
}
