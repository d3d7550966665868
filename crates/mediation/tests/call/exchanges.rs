//! Offer and answer over a call's life.

use lyceum_media::bridge::{Protection as Shield, Side};
use lyceum_mediation::call::{Carried, Party, PassError, Passing, Protection, What};
use lyceum_sdp::{Direction, Setup};

use crate::bench::{Bench, CHROME, browser, phone};

const DESK: &str = "m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";

fn browser_to_phone() -> Bench {
    Bench::new(Party::browser(None), Party::phone(Protection::Plain, None))
}

#[test]
fn a_browser_calls_a_phone() {
    let mut bench = browser_to_phone();
    let (offered, answered) = bench.call(1, &browser("u1", "actpass", CHROME, "a=sendrecv\r\n"), &phone(DESK));

    let head = &offered.media[0];
    assert_eq!((head.port, head.protocol.to_string()), (20_004, "RTP/AVP".to_owned()));
    assert!(offered.fingerprint(0).is_none() && !offered.has_ice(0) && head.crypto().is_empty());
    assert_eq!(head.codecs()[0].rtpmap(), "111 opus/48000/2");

    let head = &answered.media[0];
    assert_eq!((head.port, head.protocol.to_string()), (20_000, "UDP/TLS/RTP/SAVPF".to_owned()));
    assert!(answered.fingerprint(0).is_some() && answered.has_ice(0) && head.rtcp_mux());
    assert_eq!(answered.setup(0), Some(Setup::Active));
    let codecs: Vec<_> = head.codecs().iter().map(lyceum_sdp::Codec::rtpmap).collect();
    assert_eq!(codecs, ["8 PCMA/8000", "126 telephone-event/8000"], "nothing is transcoded that need not be");

    let told = bench.told.lock().expect("alone");
    let [(_, first, b), (_, second, a)] = &told.agreed[..] else { panic!("{}", told.agreed.len()) };
    assert_eq!((*first, *second), (Side::B, Side::A));
    assert_eq!(b.setup.rtp, "192.0.2.50:4000".parse().ok());
    let web = a.web.as_ref().expect("a browser");
    assert_eq!((web.ice.ufrag.as_str(), web.we_begin, web.controlling), ("u1", true, false));
    drop(told);
    let note = bench.anchors.poll_note().expect("it began");
    let What::Started(legs) = note.what else { panic!("{:?}", note.what) };
    assert_eq!((legs[0].protection, legs[1].protection, legs[1].codec.as_str()), ("dtls", "plain", "PCMA"));
}

#[test]
fn a_phone_calls_a_browser() {
    let mut bench = Bench::new(Party::phone(Protection::Plain, None), Party::browser(None));
    let (offered, answered) =
        bench.call(1, &phone(DESK), &browser("u2", "active", "8=PCMA/8000 101=telephone-event/8000", ""));
    assert_eq!(offered.setup(0), Some(Setup::ActPass));
    assert_eq!(offered.media[0].mid(), Some("0"));
    let codecs: Vec<_> = offered.media[0].codecs().iter().map(|codec| codec.encoding.to_string()).collect();
    assert_eq!(codecs, ["PCMA", "opus", "telephone-event"]);
    assert_eq!(answered.media[0].protocol.to_string(), "RTP/AVP");
    let told = bench.told.lock().expect("alone");
    let web = told.agreed[0].2.web.as_ref().expect("a browser");
    assert!(web.controlling && !web.we_begin);
}

#[test]
fn who_began_dtls_stays_who_did() {
    let mut bench = Bench::new(Party::phone(Protection::Plain, None), Party::browser(None));
    bench.call(1, &phone(DESK), &browser("u2", "active", "8=PCMA/8000", ""));
    let offer = browser("u2", "actpass", "8=PCMA/8000", "a=sendonly\r\n");
    let held = bench.pass(Side::B, Carried::Request, 7, &offer).expect("passes");
    assert_eq!(held.direction(0), Direction::SendOnly);
    let answer = phone("m=audio 4000 RTP/AVP 8\r\na=recvonly\r\n");
    let answered = bench.pass(Side::A, Carried::Response, 7, &answer).expect("passes");
    assert_eq!((answered.setup(0), answered.direction(0)), (Some(Setup::Passive), Direction::RecvOnly));
    let told = bench.told.lock().expect("alone");
    let (_, _, last) = told.agreed.iter().rfind(|(_, side, _)| *side == Side::B).expect("told");
    assert!(!last.web.as_ref().expect("a browser").we_begin);
    assert_eq!(last.setup.direction, Direction::RecvOnly, "our side of a browser that only sends");
}

#[test]
fn a_restart_of_ice_stays_on_its_leg() {
    let mut bench = browser_to_phone();
    let (before, _) = bench.call(1, &browser("u1", "actpass", CHROME, ""), &phone(DESK));
    let again = browser("u9", "actpass", CHROME, "");
    let (after, answered) = bench.call(2, &again, &phone(DESK));
    assert_eq!(before.to_bytes(), after.to_bytes(), "the phone is offered what it was offered");
    assert_eq!(answered.attribute_of(0, "ice-ufrag"), Some("anew"));
    let told = bench.told.lock().expect("alone");
    assert_eq!(told.restarted.len(), 1);
    assert_eq!(told.agreed.last().and_then(|(_, _, it)| it.web.as_ref()).map(|web| web.ice.ufrag.as_str()), Some("u9"));
}

#[test]
fn an_offer_may_come_in_the_answer_to_the_invite() {
    let mut bench = browser_to_phone();
    let offered = bench.pass(Side::B, Carried::Response, 1, &phone(DESK)).expect("passes");
    assert_eq!(offered.setup(0), Some(Setup::ActPass));
    let answer = browser("u1", "active", "8=PCMA/8000 101=telephone-event/8000", "");
    let answered = bench.pass(Side::A, Carried::Confirmation, 1, &answer).expect("passes");
    assert_eq!(answered.media[0].port, 20_004);
    assert_eq!(bench.told.lock().expect("alone").agreed.len(), 2);
}

#[test]
fn early_media_and_the_final_answer() {
    let mut bench = browser_to_phone();
    let (_, early) = bench.call(1, &browser("u1", "actpass", CHROME, ""), &phone(DESK));
    let same = bench.pass(Side::B, Carried::Response, 1, &phone(DESK)).expect("passes");
    assert_eq!(early.to_bytes(), same.to_bytes());
    assert_eq!(bench.told.lock().expect("alone").agreed.len(), 2, "a repetition changes nothing");
    let other = phone("m=audio 4444 RTP/AVP 0\r\n");
    let last = bench.pass(Side::B, Carried::Response, 1, &other).expect("another device answers");
    assert_eq!(last.media[0].codecs()[0].rtpmap(), "0 PCMU/8000");
    let told = bench.told.lock().expect("alone");
    assert_eq!(
        told.agreed.iter().rfind(|(_, side, _)| *side == Side::B).map(|it| it.2.setup.rtp),
        Some("192.0.2.50:4444".parse().ok())
    );
    drop(told);
    assert!(matches!(bench.anchors.poll_note().map(|note| note.what), Some(What::Started(_))));
    assert!(matches!(bench.anchors.poll_note().map(|note| note.what), Some(What::Changed(_))));
}

#[test]
fn an_offer_that_was_refused_makes_room_for_the_next() {
    let mut bench = browser_to_phone();
    bench.call(1, &browser("u1", "actpass", CHROME, ""), &phone(DESK));
    bench.pass(Side::A, Carried::Request, 2, &browser("u1", "actpass", CHROME, "a=inactive\r\n")).expect("passes");
    // 488 or 491 has no description: nothing passes. Then the phone offers.
    bench.anchors.settled(bench.id, Side::A, 2);
    let held = bench.pass(Side::B, Carried::Request, 9, &phone(&format!("{DESK}a=sendonly\r\n"))).expect("passes");
    assert_eq!(held.direction(0), Direction::SendOnly);
    let answer = browser("u1", "active", "8=PCMA/8000 101=telephone-event/8000", "a=recvonly\r\n");
    let answered = bench.pass(Side::A, Carried::Response, 9, &answer).expect("passes");
    assert_eq!(answered.direction(0), Direction::RecvOnly);
}

#[test]
fn keys_of_sdes_are_ours_on_each_leg() {
    let theirs = "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
    let secure = format!("m=audio 4000 RTP/SAVP 8\r\na=crypto:4 AES_CM_128_HMAC_SHA1_80 {theirs}\r\n");
    let mut bench = Bench::new(Party::phone(Protection::Required, None), Party::phone(Protection::Plain, None));
    let (offered, answered) = bench.call(1, &phone(&secure), &phone("m=audio 4100 RTP/AVP 8\r\n"));
    assert_eq!((offered.media[0].protocol.to_string().as_str(), offered.media[0].crypto().len()), ("RTP/AVP", 0));
    let lines = answered.media[0].crypto();
    assert_eq!((lines.len(), lines[0].tag), (1, 4));
    assert!(!answered.media[0].attribute("crypto").expect("a line").contains(theirs));
    let told = bench.told.lock().expect("alone");
    let shields: Vec<_> = told.agreed.iter().map(|it| matches!(it.2.setup.protection, Shield::Plain)).collect();
    assert_eq!(shields, [true, false]);
}

#[test]
fn optional_keys_are_taken_or_left() {
    let answer = "m=audio 4000 RTP/AVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";
    for (answer, plain) in [(answer, false), ("m=audio 4000 RTP/AVP 8\r\n", true)] {
        let mut bench = Bench::new(Party::browser(None), Party::phone(Protection::Optional, None));
        let (offered, _) = bench.call(1, &browser("u1", "actpass", CHROME, ""), &phone(answer));
        assert_eq!((offered.media[0].protocol.to_string().as_str(), offered.media[0].crypto().len()), ("RTP/AVP", 2));
        let told = bench.told.lock().expect("alone");
        assert_eq!(matches!(told.agreed[0].2.setup.protection, Shield::Plain), plain);
    }
}

#[test]
fn what_cannot_be_bridged_is_said() {
    let mut bench = browser_to_phone();
    let broken = bench.pass(Side::A, Carried::Request, 1, "v=0\r\nnonsense");
    assert!(matches!(&broken, Err(PassError::Description(error)) if error.line == 2), "{broken:?}");
    let data =
        "v=0\r\no=- 7 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";
    assert!(matches!(bench.pass(Side::A, Carried::Request, 1, data), Err(PassError::NoMedium)));
    bench.told.lock().expect("alone").full = true;
    let full = bench.pass(Side::A, Carried::Request, 1, &browser("u1", "actpass", CHROME, ""));
    assert!(matches!(full, Err(PassError::Media(_))));
    bench.told.lock().expect("alone").full = false;
    bench.call(1, &browser("u1", "actpass", CHROME, ""), &phone(DESK));
}

#[test]
fn the_end_closes_every_stream_and_keeps_its_quality() {
    let mut bench = browser_to_phone();
    bench.call(1, &browser("u1", "actpass", CHROME, ""), &phone(DESK));
    let id = bench.id;
    bench.anchors.end(id);
    assert!(bench.anchors.is_empty());
    assert_eq!(bench.told.lock().expect("alone").closed.len(), 1);
    let gone = bench.pass(Side::A, Carried::Request, 2, &browser("u1", "actpass", CHROME, ""));
    assert!(matches!(gone, Err(PassError::Gone)));
    let next = bench.anchors.begin(Party::browser(None), Party::browser(None)).expect("there is room");
    assert_ne!(next, id, "a name is not given twice");
}

#[test]
fn a_direct_call_is_noted_and_left_alone() {
    let mut bench = browser_to_phone();
    let id = bench.anchors.observe().expect("there is room");
    let mut pass = |from, carried, cseq, body: &str| {
        let passing = Passing { from, carried, cseq, body: body.as_bytes() };
        assert!(bench.anchors.pass(id, &passing).expect("it can be read").is_none());
        bench.anchors.poll_note()
    };
    let offer = phone("b=AS:80\r\nm=audio 4000 RTP/AVP 8 0\r\nb=AS:64\r\n");
    assert!(pass(Side::A, Carried::Request, 1, &offer).is_none());
    let answer = phone("m=audio 4100 RTP/AVP 0\r\n");
    let begun = pass(Side::B, Carried::Response, 1, &answer).expect("a note");
    let What::Started(legs) = begun.what else { panic!("{:?}", begun.what) };
    assert_eq!((legs[0].remote, legs[1].remote), ("192.0.2.50:4000".parse().ok(), "192.0.2.50:4100".parse().ok()));
    assert_eq!((legs[0].bandwidth_bps, legs[0].codec.as_str(), legs[1].codec.as_str()), (Some(64_000), "PCMU", "PCMU"));
    assert!(pass(Side::B, Carried::Response, 1, &answer).is_none(), "the same answer again is no news");
    assert!(pass(Side::B, Carried::Request, 5, &phone("m=audio 4100 RTP/AVP 0\r\na=sendonly\r\n")).is_none());
    let held = pass(Side::A, Carried::Response, 5, &phone("m=audio 4000 RTP/AVP 0\r\na=recvonly\r\n")).expect("a note");
    assert!(matches!(held.what, What::Changed(_)));
    bench.anchors.end(id);
    assert!(matches!(bench.anchors.poll_note().map(|note| note.what), Some(What::Ended(None))));
}

#[test]
fn an_answer_that_is_wrong_leaves_room_for_the_right_one() {
    let mut bench = browser_to_phone();
    bench.pass(Side::A, Carried::Request, 1, &browser("u1", "actpass", CHROME, "")).expect("passes");
    let wrong = phone(&format!("{DESK}m=video 4002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"));
    assert!(matches!(bench.pass(Side::B, Carried::Response, 1, &wrong), Err(PassError::Exchange(_))));
    let answered = bench.pass(Side::B, Carried::Response, 1, &phone(DESK)).expect("the right one");
    assert_eq!(answered.media[0].port, 20_000);
    assert!(bench.pass(Side::B, Carried::Response, 1, &wrong).is_err(), "of another device");
    bench.call(2, &browser("u1", "actpass", CHROME, ""), &phone(DESK));
}

#[test]
fn a_direct_call_that_cannot_be_read_is_not_disturbed() {
    let mut bench = browser_to_phone();
    let id = bench.anchors.observe().expect("there is room");
    let passing = Passing { from: Side::A, carried: Carried::Request, cseq: 1, body: b"v=0\r\nnonsense" };
    assert!(matches!(bench.anchors.pass(id, &passing), Ok(None)));
}
