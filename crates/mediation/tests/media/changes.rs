//! What changes while a call lasts: other addresses, other codecs, hold, a restart of ICE.

use lyceum_media::bridge::{LegSetup, Side};
use lyceum_media::web::Credentials;
use lyceum_mediation::media::{LegKind, Media, MediaEvent};
use lyceum_sdp::{Direction, Encoding};
use lyceum_topology::qos::PortRange;

use crate::ends::*;

#[test]
fn early_media_of_one_phone_gives_way_to_the_one_that_answers() {
    let mut bench = Bench::new(PortRange { first: 21_000, last: 21_099 });
    let opened = bench.open([LegKind::Rtp, LegKind::Rtp]);
    let (mut caller, mut early) = (Phone::new(&opened.legs[0]), Phone::new(&opened.legs[1]));
    let mut answering = Phone::new(&opened.legs[1]);
    bench.media.agree(opened.id, Side::A, caller.agreement(codecs(&[(8, Encoding::Pcma)]))).expect("it is taken");
    bench.media.agree(opened.id, Side::B, early.agreement(codecs(&[(8, Encoding::Pcma)]))).expect("it is taken");
    let ringing = packet(8, 1, &[1; 160]);
    early.send(&ringing);
    assert_eq!(until("the tone of ringing", || caller.receive()), ringing);
    bench.media.agree(opened.id, Side::B, answering.agreement(codecs(&[(8, Encoding::Pcma)]))).expect("it is taken");
    let sound = packet(8, 9, &[2; 160]);
    answering.send(&sound);
    assert_eq!(until("sound of the one that answered", || caller.receive()), sound);
    early.send(&packet(8, 2, &[3; 160]));
    caller.send(&packet(8, 1, &[4; 160]));
    assert!(until("sound to the one that answered", || answering.receive()).ends_with(&[4; 160]));
    assert_eq!((early.receive(), caller.receive()), (None, None), "and to no other");
    bench.running.stop();
}

#[test]
fn another_codec_is_taken_from_one_packet_to_the_next() {
    let mut bench = Bench::new(PortRange { first: 21_100, last: 21_199 });
    let opened = bench.open([LegKind::Rtp, LegKind::Rtp]);
    let (mut one, mut two) = (Phone::new(&opened.legs[0]), Phone::new(&opened.legs[1]));
    bench.media.agree(opened.id, Side::A, one.agreement(codecs(&[(8, Encoding::Pcma)]))).expect("it is taken");
    bench.media.agree(opened.id, Side::B, two.agreement(codecs(&[(8, Encoding::Pcma)]))).expect("it is taken");
    one.send(&packet(8, 1, &[0xD5; 160]));
    assert_eq!(payload(&until("sound", || two.receive())).0, 8);
    bench.media.agree(opened.id, Side::B, two.agreement(codecs(&[(0, Encoding::Pcmu)]))).expect("it is taken");
    one.send(&packet(8, 2, &[0xD5; 160]));
    let (payload_type, law) = payload(&until("sound", || two.receive()));
    assert_eq!((payload_type, law.len()), (0, 160), "and is made into the other law");
    bench.running.stop();
}

#[test]
fn a_held_leg_is_sent_nothing() {
    let mut bench = Bench::new(PortRange { first: 21_200, last: 21_299 });
    let opened = bench.open([LegKind::Rtp, LegKind::Rtp]);
    let (mut one, mut two) = (Phone::new(&opened.legs[0]), Phone::new(&opened.legs[1]));
    let pcma = || codecs(&[(8, Encoding::Pcma)]);
    bench.media.agree(opened.id, Side::A, one.agreement(pcma())).expect("it is taken");
    let mut held = two.agreement(pcma());
    held.setup = LegSetup { direction: Direction::RecvOnly, ..held.setup };
    bench.media.agree(opened.id, Side::B, held).expect("it is taken");
    one.send(&packet(8, 1, &[1; 160]));
    two.send(&packet(8, 1, &[2; 160]));
    assert!(until("music", || one.receive()).ends_with(&[2; 160]));
    assert_eq!(two.receive(), None);
    bench.media.agree(opened.id, Side::B, two.agreement(pcma())).expect("it is taken");
    one.send(&packet(8, 2, &[3; 160]));
    assert!(until("sound after the hold", || two.receive()).ends_with(&[3; 160]));
    bench.running.stop();
}

#[test]
fn a_browser_that_changes_its_network_comes_back_by_a_restart_of_ice() {
    let mut bench = Bench::new(PortRange { first: 21_300, last: 21_399 });
    let opened = bench.open([LegKind::Web, LegKind::Rtp]);
    let (mut browser, mut phone) = (Browser::new(&opened.legs[0]), Phone::new(&opened.legs[1]));
    let pcma = || codecs(&[(8, Encoding::Pcma)]);
    bench.media.agree(opened.id, Side::A, browser.agreement(pcma())).expect("it is taken");
    bench.media.agree(opened.id, Side::B, phone.agreement(pcma())).expect("it is taken");
    browser.answer();
    browser.connect();
    assert!(matches!(bench.event(), MediaEvent::Connected(..)));
    browser.send(&packet(8, 1, &[1; 160]));
    until("sound", || phone.receive());
    let told = bench.media.restart_ice(opened.id, Side::A).expect("it is a web leg");
    assert_ne!(told.ice.ufrag, browser.to.web.as_ref().expect("a web leg").ice.ufrag);
    assert_eq!(told.fingerprint, browser.to.web.as_ref().expect("a web leg").fingerprint);
    browser.to.web = Some(told);
    browser.moves(Credentials::new(&[33; 24]));
    bench.media.agree(opened.id, Side::A, browser.agreement(pcma())).expect("it is taken");
    browser.answer();
    let moved = until("the move", || {
        browser.step();
        bench.events.try_recv().ok()
    });
    assert!(matches!(moved, MediaEvent::Moved(_, Side::A, to) if to == browser.address()), "{moved:?}");
    let back = packet(8, 5, &[6; 160]);
    phone.send(&back);
    assert_eq!(until("sound at the new place", || browser.receive()), back, "under the keys of before");
    assert!(bench.media.restart_ice(opened.id, Side::B).is_none(), "a phone has no ICE");
    bench.running.stop();
}

#[test]
fn a_silent_stream_is_told_until_it_is_heard_and_a_held_one_is_told_as_such() {
    let mut bench = Bench::with(PortRange { first: 21_400, last: 21_499 }, |options| {
        options.silence = std::time::Duration::from_millis(60);
    });
    let [(held, _), (opened, mut phone)] = [Direction::SendOnly, Direction::SendRecv].map(|direction| {
        let opened = bench.open([LegKind::Rtp, LegKind::Rtp]);
        let (one, two) = (Phone::new(&opened.legs[0]), Phone::new(&opened.legs[1]));
        let mut second = two.agreement(codecs(&[(8, Encoding::Pcma)]));
        second.setup.direction = direction;
        let first = one.agreement(codecs(&[(8, Encoding::Pcma)]));
        bench.media.agree(opened.id, Side::A, first).expect("it is taken");
        bench.media.agree(opened.id, Side::B, second).expect("it is taken");
        (opened.id, one)
    });
    let silent = |bench: &Bench, of| loop {
        if let MediaEvent::Silent { stream, at, until, expected } = bench.event()
            && stream == of
        {
            assert!(at < until);
            return (at, expected);
        }
    };
    let (first, expected) = silent(&bench, opened);
    let (second, _) = silent(&bench, opened);
    assert!(first < second && expected, "again and again");
    assert!(!silent(&bench, held).1, "who holds may be silent");
    phone.send(&packet(8, 1, &[1; 160]));
    until("the news", || Some(bench.event()).filter(|event| matches!(event, MediaEvent::Heard(id) if *id == opened)));
    bench.running.stop();
}

#[test]
fn a_stream_that_nobody_agrees_is_told() {
    let mut bench = Bench::with(PortRange { first: 21_500, last: 21_599 }, |options| {
        options.agreement = std::time::Duration::from_millis(20);
    });
    let opened = bench.open([LegKind::Rtp, LegKind::Web]);
    assert!(matches!(bench.event(), MediaEvent::Unagreed(id) if id == opened.id));
    bench.close(opened.id);
    bench.running.stop();
}

#[test]
fn the_end_of_a_stream_is_told_until_it_is_taken() {
    let (tell, events) = std::sync::mpsc::sync_channel(0);
    let here = lyceum_mediation::media::MediaAddress::plain("127.0.0.1".parse().expect("an address"));
    let mut options = lyceum_mediation::media::MediaOptions::new(
        vec![here],
        &lyceum_topology::qos::QosSettings::default().in_force(),
    );
    options.ports.audio = Some(PortRange { first: 21_600, last: 21_699 });
    // Without room, an event is taken only while somebody waits for it.
    let refused = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = std::sync::Arc::clone(&refused);
    let running = options
        .start(Box::new(move |event| {
            let taken = tell.try_send(event).is_ok();
            count.fetch_add(u32::from(!taken), std::sync::atomic::Ordering::Relaxed);
            taken
        }))
        .expect("media");
    let mut media = running.handle();
    let open = lyceum_mediation::media::Open {
        modality: lyceum_topology::qos::Modality::Audio,
        legs: [LegKind::Rtp, LegKind::Rtp],
    };
    let opened = media.open(open).expect("there are ports");
    media.close(opened.id);
    until("a refusal", || (refused.load(std::sync::atomic::Ordering::Relaxed) > 0).then_some(()));
    assert_eq!(media.streams(), 0, "its ports do not wait for it");
    let event = events.recv_timeout(std::time::Duration::from_secs(20)).expect("the end");
    assert!(matches!(event, MediaEvent::Closed(id, _) if id == opened.id));
    running.stop();
}
