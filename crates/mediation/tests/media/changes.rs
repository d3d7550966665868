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
    bench.media.agree(opened.id, Side::A, caller.agreement(codecs(&[(8, Encoding::Pcma)])));
    bench.media.agree(opened.id, Side::B, early.agreement(codecs(&[(8, Encoding::Pcma)])));
    let ringing = packet(8, 1, &[1; 160]);
    early.send(&ringing);
    assert_eq!(until("the tone of ringing", || caller.receive()), ringing);
    bench.media.agree(opened.id, Side::B, answering.agreement(codecs(&[(8, Encoding::Pcma)])));
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
    bench.media.agree(opened.id, Side::A, one.agreement(codecs(&[(8, Encoding::Pcma)])));
    bench.media.agree(opened.id, Side::B, two.agreement(codecs(&[(8, Encoding::Pcma)])));
    one.send(&packet(8, 1, &[0xD5; 160]));
    assert_eq!(payload(&until("sound", || two.receive())).0, 8);
    bench.media.agree(opened.id, Side::B, two.agreement(codecs(&[(0, Encoding::Pcmu)])));
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
    bench.media.agree(opened.id, Side::A, one.agreement(pcma()));
    let mut held = two.agreement(pcma());
    held.setup = LegSetup { direction: Direction::RecvOnly, ..held.setup };
    bench.media.agree(opened.id, Side::B, held);
    one.send(&packet(8, 1, &[1; 160]));
    two.send(&packet(8, 1, &[2; 160]));
    assert!(until("music", || one.receive()).ends_with(&[2; 160]));
    assert_eq!(two.receive(), None);
    bench.media.agree(opened.id, Side::B, two.agreement(pcma()));
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
    bench.media.agree(opened.id, Side::A, browser.agreement(pcma()));
    bench.media.agree(opened.id, Side::B, phone.agreement(pcma()));
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
    bench.media.agree(opened.id, Side::A, browser.agreement(pcma()));
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
fn a_stream_that_falls_silent_is_told_once_and_a_held_one_never() {
    let mut bench = Bench::with(PortRange { first: 21_400, last: 21_499 }, |options| {
        options.silence = std::time::Duration::from_millis(50);
    });
    // The first one is held: it may be silent for as long as it likes, and would be told of first.
    let [_, opened] = [Direction::SendOnly, Direction::SendRecv].map(|direction| {
        let opened = bench.open([LegKind::Rtp, LegKind::Rtp]);
        let (one, two) = (Phone::new(&opened.legs[0]), Phone::new(&opened.legs[1]));
        bench.media.agree(opened.id, Side::A, one.agreement(codecs(&[(8, Encoding::Pcma)])));
        let mut second = two.agreement(codecs(&[(8, Encoding::Pcma)]));
        second.setup.direction = direction;
        bench.media.agree(opened.id, Side::B, second);
        opened
    });
    assert!(matches!(bench.event(), MediaEvent::Silent(id) if id == opened.id));
    assert!(matches!(bench.close(opened.id), MediaEvent::Closed(id, _) if id == opened.id), "nothing else came before");
    bench.running.stop();
}
