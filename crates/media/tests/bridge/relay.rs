//! What is alike is forwarded: as it is, under another number, under other keys.

use lyceum_media::Time;
use lyceum_media::bridge::{Dropped, DtlsKeys, Event, Outcome, Port, Protection, Side};
use lyceum_media::latch::{Believe, SILENCE};
use lyceum_media::rtcp::{self, Part};
use lyceum_media::srtp::SrtpError;
use lyceum_sdp::{Direction, Encoding};

use crate::legs::*;

#[test]
fn a_packet_passes_as_it_is_but_for_its_payload_type() {
    let a = leg(PHONE, &[codec(8, Encoding::Pcma), codec(101, Encoding::TelephoneEvent)]);
    let b = leg(OTHER, &[codec(96, Encoding::TelephoneEvent), codec(8, Encoding::Pcma)]);
    let mut bridge = bridge(a, b);
    let sound = packet(8, 7, 160, &[0xD5; 160]);
    let (_, sent) = give(&mut bridge, 0, Side::A, PHONE, &sound);
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].0.side, sent[0].0.to, &sent[0].1), (Side::B, Some(at(OTHER)), &sound));
    let (_, sent) = give(&mut bridge, 20, Side::A, PHONE, &packet(101, 8, 320, &[5, 10, 0, 160]));
    assert_eq!(sent[0].1, packet(96, 8, 320, &[5, 10, 0, 160]));
    assert_eq!(bridge.poll_event(), Some(Event::Key(Side::A, '5')));
    assert!(!bridge.is_transcoding(Side::A));
}

#[test]
fn plain_becomes_srtp_and_back() {
    let codecs = [codec(0, Encoding::Pcmu)];
    let mut bridge = bridge(leg(PHONE, &codecs), secure(leg(OTHER, &codecs)));
    let (mut protector, mut unprotector) = peer();
    for number in 0..50 {
        let plain = packet(0, number, u32::from(number) * 160, &[number as u8; 160]);
        let (_, mut sent) = give(&mut bridge, 0, Side::A, PHONE, &plain);
        let sealed = &mut sent[0].1;
        assert_eq!(sealed.len(), plain.len() + 10);
        assert_ne!(sealed[12..172], plain[12..172]);
        let opened = unprotector.unprotect_rtp(sealed).expect("the phone can read it");
        assert_eq!(sealed[..opened.len], plain);
        let mut back = [plain.clone(), vec![0; 20]].concat();
        let len = protector.protect_rtp(&mut back, plain.len()).expect("the phone can send it");
        let (_, sent) = give(&mut bridge, 0, Side::B, OTHER, &back[..len]);
        assert_eq!(sent[0].1, plain);
    }
}

#[test]
fn a_replayed_or_forged_packet_goes_nowhere() {
    let codecs = [codec(0, Encoding::Pcmu)];
    let mut bridge = bridge(leg(PHONE, &codecs), secure(leg(OTHER, &codecs)));
    let (mut protector, _) = peer();
    let mut sealed = [packet(0, 1, 160, &[1; 160]), vec![0; 20]].concat();
    let len = protector.protect_rtp(&mut sealed, 172).expect("protected");
    assert!(matches!(give(&mut bridge, 0, Side::B, OTHER, &sealed[..len]).0, Outcome::Forward(_)));
    let replayed = Outcome::Dropped(Dropped::Refused(SrtpError::Replayed));
    assert_eq!(give(&mut bridge, 0, Side::B, OTHER, &sealed[..len]).0, replayed);
    assert_eq!(give(&mut bridge, 0, Side::B, "203.0.113.9:9", &sealed[..len]).0, replayed, "it moves nothing either");
    assert_eq!(bridge.destination(Side::B), Some(at(OTHER)));
    let forged = give(&mut bridge, 0, Side::B, OTHER, &packet(0, 2, 320, &[1; 170])).0;
    assert_eq!(forged, Outcome::Dropped(Dropped::Refused(SrtpError::Forged)));
    assert_eq!(bridge.records()[1].refused, 3);
}

#[test]
fn media_follows_a_phone_behind_nat_and_no_hijacker() {
    let codecs = [codec(0, Encoding::Pcmu)];
    let mut setup = leg("10.0.0.5:4000", &codecs);
    setup.signalled_from = Some(at("203.0.113.7:5060").ip());
    let mut bridge = bridge(setup, leg(OTHER, &codecs));
    let natted = "203.0.113.7:61000";
    let from =
        |bridge: &mut _, ms, source, number| give(bridge, ms, Side::A, source, &packet(0, number, 0, &[1; 160])).0;
    for number in 0..3 {
        assert_eq!(from(&mut bridge, 0, natted, number), Outcome::Dropped(Dropped::Stranger), "not yet believed");
    }
    assert!(matches!(from(&mut bridge, 0, natted, 3), Outcome::Forward(_)));
    assert_eq!(bridge.poll_event(), Some(Event::Moved(Side::A, at(natted))));
    let late = SILENCE.as_millis() as u64 + 1000;
    for number in 0..50 {
        assert_eq!(from(&mut bridge, late, "198.51.100.66:1", number), Outcome::Dropped(Dropped::Stranger));
    }
    let (_, sent) = give(&mut bridge, late, Side::B, OTHER, &packet(0, 1, 0, &[2; 160]));
    assert_eq!(sent[0].0.to, Some(at(natted)));
}

#[test]
fn hold_stops_one_direction_and_not_the_other() {
    let codecs = [codec(0, Encoding::Pcmu)];
    let (mut a, b) = (leg(PHONE, &codecs), leg(OTHER, &codecs));
    a.direction = Direction::RecvOnly;
    let mut bridge = bridge(a, b);
    assert!(matches!(give(&mut bridge, 0, Side::A, PHONE, &packet(0, 1, 0, &[1; 160])).0, Outcome::Forward(_)));
    assert_eq!(give(&mut bridge, 0, Side::B, OTHER, &packet(0, 1, 0, &[1; 160])).0, Outcome::Dropped(Dropped::Held));
}

#[test]
fn what_was_not_agreed_goes_nowhere() {
    let mut bridge = bridge(leg(PHONE, &[codec(0, Encoding::Pcmu)]), leg(OTHER, &[codec(0, Encoding::Pcmu)]));
    let outcomes = [
        give(&mut bridge, 0, Side::A, PHONE, &packet(3, 1, 0, &[1; 33])).0,
        give(&mut bridge, 0, Side::A, PHONE, &[0x80; 5]).0,
        give(&mut bridge, 0, Side::A, PHONE, b"GET / HTTP/1.1").0,
    ];
    assert_eq!(outcomes, [Dropped::PayloadType, Dropped::Malformed, Dropped::Malformed].map(Outcome::Dropped));
}

#[test]
fn video_passes_by_its_codec() {
    let vp8 = |number| codec(number, Encoding::Vp8);
    let mut bridge = bridge(leg(PHONE, &[vp8(96)]), leg(OTHER, &[vp8(120)]));
    let (_, sent) = give(&mut bridge, 0, Side::A, PHONE, &packet(96, 1, 0, &[1; 1200]));
    assert_eq!(head(&sent[0].1).1, 120);
}

#[test]
fn keys_that_stay_go_on_counting_after_a_re_invite() {
    let codecs = [codec(0, Encoding::Pcmu)];
    let mut bridge = bridge(leg(PHONE, &codecs), secure(leg(OTHER, &codecs)));
    let (mut protector, mut unprotector) = peer();
    let mut once = [packet(0, 9, 160, &[1; 160]), vec![0; 20]].concat();
    let len = protector.protect_rtp(&mut once, 172).expect("protected");
    give(&mut bridge, 0, Side::B, OTHER, &once[..len]);
    let (_, mut sent) = give(&mut bridge, 0, Side::A, PHONE, &packet(0, 65_535, 0, &[1; 160]));
    unprotector.unprotect_rtp(&mut sent[0].1).expect("the phone can read it");
    let mut moved = secure(leg("198.51.100.9:7000", &codecs));
    moved.believe = Believe::KnownHosts;
    bridge.update(Side::B, moved).expect("there is a way");
    assert!(matches!(give(&mut bridge, 0, Side::B, OTHER, &once[..len]).0, Outcome::Dropped(Dropped::Refused(_))));
    let (_, mut sent) = give(&mut bridge, 20, Side::A, PHONE, &packet(0, 0, 160, &[1; 160]));
    assert_eq!(sent[0].0.to, Some(at("198.51.100.9:7000")));
    unprotector.unprotect_rtp(&mut sent[0].1).expect("the rollover counter went on");
}

#[test]
fn a_record_counts_loss_and_jitter() {
    let codecs = [codec(8, Encoding::Pcma)];
    let mut bridge = bridge(leg(PHONE, &codecs), leg(OTHER, &codecs));
    for number in (0..1000u16).filter(|number| number % 20 != 7) {
        let late = u64::from(number % 3);
        give(
            &mut bridge,
            1000 + u64::from(number) * 20 + late,
            Side::A,
            PHONE,
            &packet(8, number, u32::from(number) * 160, &[0xD5; 160]),
        );
    }
    let [a, b] = bridge.records();
    assert_eq!((a.received.codec.as_str(), a.received.packets, a.received.lost), ("PCMA", 950, 50));
    assert!((a.received.loss - 0.05).abs() < 0.001 && a.received.jitter_us > 500, "{a:?}");
    assert!((3.5..4.2).contains(&a.received.mos), "{}", a.received.mos);
    assert_eq!((b.sent.packets, b.sent.bytes, b.received.packets), (950, 950 * 160, 0));
}

fn dtls_keys(send: u8, receive: u8) -> DtlsKeys {
    DtlsKeys { suite: SUITE, send: key(send), receive: key(receive) }
}

#[test]
fn a_leg_without_its_keys_lets_nothing_pass_and_keeps_them_when_it_is_agreed_anew() {
    let codecs = [codec(0, Encoding::Pcmu)];
    let mut browser = leg(OTHER, &codecs);
    browser.protection = Protection::Dtls(None);
    let mut bridge = bridge(leg(PHONE, &codecs), browser.clone());
    let plain = |number| packet(0, number, u32::from(number) * 160, &[1; 160]);
    assert_eq!(give(&mut bridge, 0, Side::A, PHONE, &plain(1)).0, Outcome::Dropped(Dropped::NoKeys));
    assert_eq!(give(&mut bridge, 0, Side::B, OTHER, &plain(1)).0, Outcome::Dropped(Dropped::NoKeys));
    assert!(!bridge.key(Side::A, dtls_keys(1, 2)), "a plain leg takes no keys");
    assert!(bridge.key(Side::B, dtls_keys(1, 2)));
    let (mut protector, mut unprotector) = peer();
    let (_, mut sent) = give(&mut bridge, 0, Side::A, PHONE, &plain(2));
    assert_eq!(sent[0].0.to, None, "its transport knows where to");
    unprotector.unprotect_rtp(&mut sent[0].1).expect("the browser can read it");
    let mut sealed = [plain(2), vec![0; 20]].concat();
    let len = protector.protect_rtp(&mut sealed, 172).expect("protected");
    assert!(matches!(give(&mut bridge, 0, Side::B, OTHER, &sealed[..len]).0, Outcome::Forward(_)));
    bridge.update(Side::B, browser).expect("there is a way");
    let replayed = Outcome::Dropped(Dropped::Refused(SrtpError::Replayed));
    assert_eq!(give(&mut bridge, 0, Side::B, OTHER, &sealed[..len]).0, replayed, "keys and windows stay");
}

#[test]
fn who_begins_to_look_gets_a_whole_picture_and_feedback_keeps_its_source() {
    let codecs = [codec(96, Encoding::Vp8)];
    let mut browser = leg(OTHER, &codecs);
    browser.protection = Protection::Dtls(None);
    browser.rtcp_mux = true;
    let mut bridge = bridge(leg(PHONE, &codecs), browser);
    let mut buffer = [0; 300];
    give(&mut bridge, 0, Side::A, PHONE, &packet(96, 1, 0, &[1; 900]));
    assert_eq!(bridge.poll_picture(Time(0), &mut buffer), None, "nobody can look yet");
    bridge.key(Side::B, dtls_keys(1, 2));
    give(&mut bridge, 0, Side::A, PHONE, &packet(96, 2, 0, &[1; 900]));
    let asked = bridge.poll_picture(Time(0), &mut buffer).expect("a picture is asked for");
    assert_eq!((asked.side, asked.port), (Side::A, Port::Rtcp));
    assert!(rtcp::is_well_formed(&buffer[..asked.len]));
    let last = rtcp::parts(&buffer[..asked.len]).last();
    let Some(Part::Other { kind: 206, count: 1, body }) = last else { panic!("{last:?}") };
    assert_eq!(body[4..], 77u32.to_be_bytes(), "of the source that speaks");
    assert!(!bridge.wants_picture() || bridge.poll_picture(Time(0), &mut buffer).is_none(), "once");
    // A browser's own feedback (a NACK) goes on as it is: sources are the same on both legs.
    let (mut protector, _) = peer();
    let nack = [0x81, 205, 0, 3, 0, 0, 0, 5, 0, 0, 0, 77, 0, 2, 0, 0];
    let mut sealed = [&nack[..], &[0; 20]].concat();
    let len = protector.protect_rtcp(&mut sealed, nack.len()).expect("protected");
    let (_, sent) = give(&mut bridge, 0, Side::B, OTHER, &sealed[..len]);
    assert_eq!((sent[0].0.port, &sent[0].1[..]), (Port::Rtcp, &nack[..]));
}
