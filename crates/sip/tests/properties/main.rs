//! Properties over generated messages: what goes in comes out, edits touch nothing else,
//! chunks do not matter, and no bytes can do harm.

mod exercise;
mod generate;

use lyceum_sip::{Frame, Framer, Index, Limits, Message, Name, Splice, parse};
use proptest::prelude::*;

use exercise::{exercise, lines};
use generate::{Model, edits, model};

fn indexed<T>(bytes: &[u8], check: impl FnOnce(Message<'_>) -> T) -> T {
    let mut index = Index::new();
    parse(bytes, &mut index, &Limits::default()).expect("a generated message parses");
    check(Message::new(bytes, &index))
}

fn frames(chunks: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut framer = Framer::new(Limits::default());
    let mut index = Index::new();
    let mut seen = Vec::new();
    for chunk in chunks {
        framer.push(chunk);
        while let Some(frame) = framer.next(&mut index) {
            match frame {
                Ok(Frame::Message(bytes)) => seen.push(bytes.to_vec()),
                Ok(Frame::Ping) => seen.push(b"ping".to_vec()),
                Ok(Frame::Pong) => {}
                Err(e) => seen.push(format!("{:?} {}", e.error.what, e.fatal).into_bytes()),
            }
        }
    }
    seen
}

fn cut<'a>(bytes: &'a [u8], at: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = at.iter().map(|i| i.index(bytes.len() + 1)).collect();
    at.push(0);
    at.push(bytes.len());
    at.sort_unstable();
    at.windows(2).map(|w| &bytes[w[0]..w[1]]).collect()
}

proptest! {
    #[test]
    fn a_generated_message_round_trips(model in model()) {
        let bytes = model.write();
        indexed(&bytes, |m| {
            prop_assert_eq!(m.validate(), Ok(()));
            prop_assert_eq!(m.method_token(), model.method.as_bytes());
            prop_assert_eq!(m.request_uri(), model.uri.as_bytes());
            prop_assert_eq!(m.call_id(), model.call_id.as_bytes());
            prop_assert_eq!(m.cseq().number, model.cseq);
            prop_assert_eq!(m.from_tag(), Some(model.from_tag.as_bytes()));
            prop_assert_eq!(m.max_forwards(), Some(Ok(model.max_forwards)));
            let branches: Vec<String> = m.vias().map(|v| String::from_utf8_lossy(v.expect("valid").branch).into()).collect();
            prop_assert_eq!(&branches, &model.branches);
            prop_assert_eq!(m.contacts().count(), model.contacts.len());
            for (contact, (uri, q)) in m.contacts().zip(&model.contacts) {
                let contact = contact.expect("valid");
                prop_assert_eq!(contact.address().expect("no star").uri, uri.as_bytes());
                prop_assert_eq!(contact.q(), *q);
            }
            for (name, value) in &model.extensions {
                prop_assert_eq!(m.value_named(name.as_bytes()), Some(value.as_bytes()));
            }
            prop_assert_eq!(m.body(), &model.body[..]);
            Ok(())
        })?;
    }

    #[test]
    fn a_splice_without_edits_is_the_identity(model in model()) {
        let bytes = model.write();
        let mut out = Vec::new();
        indexed(&bytes, |m| Splice::new(m).write(&mut out));
        prop_assert_eq!(out, bytes);
    }

    #[test]
    fn a_splice_leaves_untouched_lines_alone(model in model(), edits in edits()) {
        let bytes = model.write();
        indexed(&bytes, |m| {
            let mut splice = Splice::new(m);
            for edit in &edits {
                edit.apply(&mut splice);
            }
            let mut out = Vec::new();
            splice.write(&mut out);
            indexed(&out, |after| {
                let touched = |name: Name, raw: &[u8]| edits.iter().any(|e| e.touches(name, raw));
                prop_assert_eq!(lines(&m, &touched), lines(&after, &touched));
                let body = edits.iter().rev().find_map(|e| e.new_body()).unwrap_or(&model.body);
                prop_assert_eq!(after.body(), body);
                prop_assert_eq!(after.content_length(), Some(body.len() as u32));
                prop_assert_eq!(after.count(Name::ContentLength), 1);
                for edit in &edits {
                    edit.holds(&m, &after, &edits)?;
                }
                Ok(())
            })
        })?;
    }

    #[test]
    fn chunks_do_not_matter(
        models in prop::collection::vec(model(), 1..4),
        pings in prop::collection::vec(any::<bool>(), 4),
        at in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut stream = Vec::new();
        let mut expected = Vec::new();
        for (model, ping) in models.iter().zip(pings) {
            if ping {
                stream.extend_from_slice(b"\r\n\r\n");
                expected.push(b"ping".to_vec());
            }
            let bytes = model.write();
            stream.extend_from_slice(&bytes);
            expected.push(bytes);
        }
        prop_assert_eq!(&frames(&[&stream]), &expected);
        prop_assert_eq!(&frames(&cut(&stream, &at)), &expected);
    }

    #[test]
    fn mutated_messages_do_no_harm(
        model in model(),
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 1..16),
        at in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let mut bytes = model.write();
        for (place, byte, what) in hits {
            let place = place.index(bytes.len());
            match what {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                _ => { bytes.remove(place); }
            }
        }
        exercise(&bytes);
        prop_assert_eq!(frames(&[&bytes]), frames(&cut(&bytes, &at)));
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        exercise(&bytes);
    }

    #[test]
    fn random_lines_do_no_harm(text in "(INVITE sip:[a-z@:;%<>\" ]{0,12} SIP/2\\.0\r\n)?([A-Za-z-]{1,12} ?: ?[ -~\t]{0,30}(\r\n [ -~]{0,8})?\r\n){0,12}(\r\n)?.{0,20}") {
        exercise(text.as_bytes());
    }
}

#[test]
fn the_generator_makes_what_it_says() {
    let model = Model::sample();
    indexed(&model.write(), |m| assert_eq!(m.validate(), Ok(())));
}

#[test]
fn what_fuzzing_found_does_no_harm() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let mut count = 0;
    for target in ["message", "framer", "uri"] {
        for entry in std::fs::read_dir(corpus.join(target)).expect("a corpus") {
            exercise(&std::fs::read(entry.expect("an entry").path()).expect("bytes"));
            count += 1;
        }
    }
    assert!(count > 300, "{count}");
}
