//! Attacks, and what is used up.

use std::net::UdpSocket;

use lyceum_media::bridge::Side;
use lyceum_mediation::media::{LegKind, Media, MediaError, MediaEvent, Open};
use lyceum_net::probe::MarkedSocket;
use lyceum_sdp::Encoding;
use lyceum_topology::qos::{Modality, PortRange};

use crate::ends::*;

fn pcma() -> Vec<lyceum_sdp::Codec> {
    codecs(&[(8, Encoding::Pcma)])
}

#[test]
fn a_stranger_takes_no_stream_over_and_a_replayed_packet_is_no_sound() {
    let mut bench = Bench::new(PortRange { first: 22_000, last: 22_099 });
    let opened = bench.open([LegKind::Rtp, LegKind::Rtp]);
    let (mut secure, mut plain) = (Phone::new(&opened.legs[0]), Phone::new(&opened.legs[1]));
    let keyed = secure.secure(pcma());
    bench.media.agree(opened.id, Side::A, keyed).expect("it is taken");
    bench.media.agree(opened.id, Side::B, plain.agreement(pcma())).expect("it is taken");
    let sealed = secure.sealed(&packet(8, 1, &[1; 160]));
    secure.rtp.send_to(&sealed, opened.legs[0].rtp).expect("it goes");
    until("sound", || plain.receive());
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a port");
    // The same packet again, from where it came and from elsewhere, and plain sound on either leg.
    secure.rtp.send_to(&sealed, opened.legs[0].rtp).expect("it goes");
    stranger.send_to(&sealed, opened.legs[0].rtp).expect("it goes");
    stranger.send_to(&packet(8, 2, &[6; 160]), opened.legs[0].rtp).expect("it goes");
    plain.send(&packet(8, 1, &[3; 160]));
    until("sound", || secure.receive());
    for number in 0..20 {
        stranger.send_to(&packet(8, number, &[6; 160]), opened.legs[1].rtp).expect("it goes");
    }
    secure.send(&packet(8, 2, &[2; 160]));
    assert!(until("sound", || plain.receive()).ends_with(&[2; 160]), "nothing of the stranger's came before");
    plain.send(&packet(8, 2, &[4; 160]));
    assert!(until("sound", || secure.receive()).ends_with(&[4; 160]));
    let MediaEvent::Closed(_, records) = bench.close(opened.id) else { panic!("no record") };
    assert_eq!((records[0].refused, records[1].refused), (3, 20));
    bench.running.stop();
}

#[test]
fn a_browser_with_another_certificate_gets_nothing() {
    let mut bench = Bench::new(PortRange { first: 22_100, last: 22_199 });
    let opened = bench.open([LegKind::Web, LegKind::Rtp]);
    let (mut browser, mut phone) = (Browser::new(&opened.legs[0]), Phone::new(&opened.legs[1]));
    let mut said = browser.agreement(pcma());
    said.web.as_mut().expect("a web leg").fingerprint.digest[0] ^= 1;
    bench.media.agree(opened.id, Side::A, said).expect("it is taken");
    bench.media.agree(opened.id, Side::B, phone.agreement(pcma())).expect("it is taken");
    browser.answer();
    let event = until("the end of the handshake", || {
        browser.step();
        bench.events.try_recv().ok()
    });
    assert!(matches!(&event, MediaEvent::Failed(_, Side::A, why) if why.contains("fingerprint")), "{event:?}");
    phone.send(&packet(8, 1, &[1; 160]));
    assert_eq!(browser.receive(), None);
    bench.running.stop();
}

#[test]
fn nothing_is_sent_to_who_has_not_proved_itself() {
    let mut bench = Bench::new(PortRange { first: 22_200, last: 22_299 });
    let opened = bench.open([LegKind::Web, LegKind::Rtp]);
    let stranger = Phone::new(&opened.legs[0]);
    let request = b"\x00\x01\x00\x00\x21\x12\xA4\x42abcdefghijkl";
    for bytes in [&packet(8, 1, &[1; 160])[..], request, &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[0x40; 20]] {
        stranger.rtp.send_to(bytes, opened.legs[0].rtp).expect("it goes");
    }
    // A browser that connects on the same port is heard after all of it.
    let mut browser = Browser::new(&opened.legs[0]);
    bench.media.agree(opened.id, Side::A, browser.agreement(pcma())).expect("it is taken");
    browser.answer();
    browser.connect();
    assert!(stranger.rtp.recv_from(&mut [0; 100]).is_err(), "no answer of any kind");
    bench.running.stop();
}

#[test]
fn a_full_range_says_so_and_ports_come_back() {
    let mut bench = Bench::with(PortRange { first: 22_300, last: 22_307 }, |options| options.streams_max = 100);
    let two = Open { modality: Modality::Audio, legs: [LegKind::Rtp, LegKind::Rtp] };
    let opened: Vec<_> = (0..2).map(|_| bench.open(two.legs)).collect();
    assert!(matches!(bench.media.open(two), Err(MediaError::NoPort(Modality::Audio))));
    let mut ports: Vec<u16> = opened.iter().flat_map(|it| it.legs.iter().map(|leg| leg.rtp.port())).collect();
    ports.sort_unstable();
    assert_eq!(ports, [22_300, 22_302, 22_304, 22_306]);
    assert!(opened.iter().flat_map(|it| &it.legs).all(|leg| leg.rtcp.map(|it| it.port()) == Some(leg.rtp.port() + 1)));
    bench.close(opened[0].id);
    bench.open(two.legs);
    assert!(bench.media.open(two).is_err());
    // A modality without ports has no streams.
    let files = Open { modality: Modality::Signalling, ..two };
    assert!(matches!(bench.media.open(files), Err(MediaError::NoPort(Modality::Signalling))));
    bench.running.stop();
    UdpSocket::bind("127.0.0.1:22300").expect("every port is closed");
}

#[test]
fn the_number_of_streams_is_bounded_and_a_half_opened_one_leaves_nothing() {
    let mut bench = Bench::with(PortRange { first: 22_400, last: 22_402 }, |options| options.streams_max = 1);
    // One pair is there, a second is not: what was taken of the first is given back.
    let legs = [LegKind::Rtp, LegKind::Rtp];
    assert!(matches!(bench.media.open(Open { modality: Modality::Audio, legs }), Err(MediaError::NoPort(_))));
    let opened = bench.open([LegKind::Rtp, LegKind::Web]);
    let one_more = bench.media.open(Open { modality: Modality::Audio, legs });
    assert!(matches!(one_more, Err(MediaError::Full(1))));
    bench.close(opened.id);
    assert_eq!(bench.media.streams(), 0);
    bench.running.stop();
}

#[test]
fn packets_carry_the_mark_of_their_modality() {
    let mut bench = Bench::new(PortRange { first: 22_500, last: 22_599 });
    for (modality, dscp) in [(Modality::Audio, 46), (Modality::Video, 34)] {
        let open = Open { modality, legs: [LegKind::Rtp, LegKind::Rtp] };
        let opened = bench.media.open(open).expect("there are ports");
        let (mut one, two) = (Phone::new(&opened.legs[0]), Phone::new(&opened.legs[1]));
        let here = "127.0.0.1".parse().expect("an address");
        let seen = MarkedSocket::bind(here, std::iter::empty(), 0).expect("a port");
        bench.media.agree(opened.id, Side::A, one.agreement(pcma())).expect("it is taken");
        let mut agreement = two.agreement(pcma());
        agreement.setup.rtp = seen.local_addr().ok();
        bench.media.agree(opened.id, Side::B, agreement).expect("it is taken");
        one.send(&packet(8, 1, &[1; 160]));
        let received = seen.receive(&mut [0; 300], std::time::Duration::from_secs(20)).expect("it comes");
        assert_eq!(received.map(|received| received.dscp), Some(dscp), "{modality}");
    }
    bench.running.stop();
}

#[test]
fn a_leg_that_dies_leaves_the_other_alone() {
    let mut bench = Bench::new(PortRange { first: 22_600, last: 22_699 });
    let opened = bench.open([LegKind::Web, LegKind::Rtp]);
    let (mut browser, mut phone) = (Browser::new(&opened.legs[0]), Phone::new(&opened.legs[1]));
    let events = || codecs(&[(8, Encoding::Pcma), (101, Encoding::TelephoneEvent)]);
    bench.media.agree(opened.id, Side::A, browser.agreement(events())).expect("it is taken");
    bench.media.agree(opened.id, Side::B, phone.agreement(events())).expect("it is taken");
    browser.answer();
    browser.connect();
    browser.send(&packet(8, 1, &[1; 160]));
    until("sound", || phone.receive());
    drop(browser);
    for number in 0..49 {
        phone.send(&packet(8, number, &[2; 160]));
    }
    phone.send(&packet(101, 49, &[5, 10, 0, 160]));
    until("the key", || Some(bench.event()).filter(|event| matches!(event, MediaEvent::Key(_, Side::B, '5'))));
    let other = bench.open([LegKind::Rtp, LegKind::Rtp]);
    assert_ne!(other.id, opened.id, "media goes on");
    let MediaEvent::Closed(_, records) = bench.close(opened.id) else { panic!("no record") };
    assert_eq!(records[1].received.packets, 50);
    bench.running.stop();
}
