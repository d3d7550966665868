//! Any bytes as a session description: what is read is written again line by line, and an answer to it can be read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lyceum_sdp::{Answer, Between, Codec, Description, Encoding, LegMedia, Negotiation, Origin, Stream, likeness};

fuzz_target!(|bytes: &[u8]| {
    let Ok(description) = Description::parse(bytes) else {
        return;
    };
    let written = description.to_bytes();
    assert_eq!(Description::parse(&written).as_ref(), Ok(&description), "what we write reads back the same");
    assert!(format!("{description:?}").len() < 64 * bytes.len() + 4096);
    let legs = LegMedia::of(&description);
    assert!(likeness(&legs, &legs, &Between::default()).len() >= legs.len());
    let count = description.media.len();
    let mut leg = Negotiation::new(Origin::new(1, [192, 0, 2, 1].into()));
    leg.receive_offer(description).expect("the first offer is taken");
    let codecs = vec![Codec::new(8, Encoding::Pcma), Codec::new(111, Encoding::Opus)];
    let ours = Stream::audio(([192, 0, 2, 1], 4000).into(), codecs);
    let answer = leg.answer(&vec![Answer::Accept(Box::new(ours)); count]).expect("an entry for each medium");
    assert_eq!(Description::parse(&answer.to_bytes()).map(|it| it.media.len()), Ok(count));
    assert!(leg.agreed().len() <= count);
});
