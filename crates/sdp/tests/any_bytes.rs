//! Any bytes: nothing panics, and what is read is written with every line in its place.

use lyceum_sdp::{Candidate, Crypto, Description, Events, Fingerprint, LegMedia};
use proptest::prelude::*;

/// Lines as they occur and as they should not.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]=[ -~]{0,40}",
        "a=[a-z-]{1,12}:[ -~]{0,40}",
        "m=(audio|video|text) [0-9]{1,5} (RTP/AVP|RTP/SAVP|udptl)( [0-9]{1,3}){1,4}",
        "c=IN IP[46] [0-9.:]{1,12}",
        "a=rtpmap:[0-9]{1,3} [A-Za-z0-9]{1,6}/[0-9]{1,6}(/[0-9])?",
        "a=crypto:[0-9]{1,3} AES_CM_128_HMAC_SHA1_80 inline:[A-Za-z0-9+/]{36,44}(\\|2\\^20)?",
        "a=candidate:[0-9] [0-9] UDP [0-9]{1,10} [0-9.]{7,12} [0-9]{1,5} typ (host|srflx|relay)( [a-z0-9 ]{0,9})?",
        "[\\x00-\\x09\\x0b\\x0c\\x0e-\\x7f]{0,20}",
    ]
}

fn look(description: &Description) {
    for index in 0..=description.media.len() {
        let _ = (description.rtp_address(index), description.rtcp_address(index), description.direction(index));
        let _ = (description.fingerprint(index), description.setup(index), description.has_ice(index));
    }
    for media in &description.media {
        let _ = (media.codecs(), media.crypto(), media.candidates(), media.bandwidth_bps(), media.ptime());
    }
    let _ = (LegMedia::of(description), description.bundle(), description.origin(), format!("{description:?}"));
}

/// The lines of `bytes`; `m=` with single spaces, which is how we write it.
fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    let text = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec());
    let mut lines: Vec<Vec<u8>> = text.collect();
    while lines.last().is_some_and(|line| line.iter().all(|byte| *byte == b'\r')) {
        lines.pop();
    }
    lines
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(description) = Description::parse(&bytes) {
            look(&description);
        }
    }

    #[test]
    fn every_line_is_kept_in_its_order(rest in proptest::collection::vec(line(), 0..30)) {
        let text = format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n{}\r\n", rest.join("\r\n"));
        let Ok(description) = Description::parse(text.as_bytes()) else { return Ok(()) };
        look(&description);
        let written = description.to_bytes();
        let heads = |line: &Vec<u8>| line.starts_with(b"m=");
        let (before, after) = (lines(text.as_bytes()), lines(&written));
        prop_assert_eq!(before.len(), after.len());
        for (was, is) in before.iter().zip(&after) {
            prop_assert!(was == is || (heads(was) && heads(is)), "{:?} became {:?}", was, is);
        }
        prop_assert_eq!(Description::parse(&written), Ok(description));
    }

    #[test]
    fn values_never_panic(value in "[ -~]{0,60}") {
        let _ = (Crypto::parse(&value), Candidate::parse(&value), Fingerprint::parse(&value), Events::parse(&value));
    }
}

#[test]
fn unknown_lines_and_bytes_that_are_no_text_stay() {
    let mut text = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=caf\xe9\r\nt=0 0\r\ny=7\r\na=x-odd\r\n".to_vec();
    text.extend_from_slice(
        b"m=audio 4000 RTP/AVP 0\r\nq=?\r\na=x-\xff:\xfe\r\nm=image 0 udptl t38\r\na=T38FaxVersion:0\r\n",
    );
    let description = Description::parse(&text).expect("it is good enough");
    assert_eq!(description.to_bytes(), text);
}
