//! Sound goes through, leg by leg and kind by kind.

use lyceum_media::bridge::Side;
use lyceum_media::codec::{Decoder, Encoder};
use lyceum_mediation::media::{LegKind, Media, MediaAddress, MediaEvent};
use lyceum_sdp::Encoding;
use lyceum_topology::qos::PortRange;

use crate::ends::*;

fn pcma() -> Vec<lyceum_sdp::Codec> {
    codecs(&[(8, Encoding::Pcma)])
}

#[test]
fn a_browser_speaks_with_a_plain_phone() {
    let mut bench = Bench::new(PortRange { first: 20_100, last: 20_199 });
    let opened = bench.open([LegKind::Web, LegKind::Rtp]);
    let (mut browser, mut phone) = (Browser::new(&opened.legs[0]), Phone::new(&opened.legs[1]));
    bench.media.agree(opened.id, Side::A, browser.agreement(pcma())).expect("it is taken");
    browser.answer();
    bench.media.agree(opened.id, Side::B, phone.agreement(pcma())).expect("it is taken");
    browser.connect();
    assert!(matches!(bench.event(), MediaEvent::Connected(id, Side::A) if id == opened.id));
    for number in 0..50 {
        let sound = packet(8, number, &[number as u8; 160]);
        browser.send(&sound);
        assert_eq!(until("sound at the phone", || phone.receive()), sound);
        let back = packet(8, number, &[!number as u8; 160]);
        phone.send(&back);
        assert_eq!(until("sound at the browser", || browser.receive()), back);
    }
    let MediaEvent::Closed(_, records) = bench.close(opened.id) else { panic!("no record") };
    assert_eq!((records[0].received.packets, records[0].sent.packets), (50, 50));
    assert_eq!(records[1].received.codec, "PCMA");
    bench.running.stop();
}

#[test]
fn plain_and_sdes_phones_speak_with_each_other() {
    let mut bench = Bench::new(PortRange { first: 20_200, last: 20_299 });
    let opened = bench.open([LegKind::Rtp, LegKind::Rtp]);
    let (mut plain, mut secure) = (Phone::new(&opened.legs[0]), Phone::new(&opened.legs[1]));
    bench.media.agree(opened.id, Side::A, plain.agreement(pcma())).expect("it is taken");
    let keyed = secure.secure(pcma());
    bench.media.agree(opened.id, Side::B, keyed).expect("it is taken");
    for number in 0..50 {
        let sound = packet(8, number, &[7; 160]);
        plain.send(&sound);
        assert_eq!(until("sound", || secure.receive()), sound);
        secure.send(&sound);
        assert_eq!(until("sound", || plain.receive()), sound);
    }
    bench.running.stop();
}

/// 20 ms of a tone at 8000 Hz as the encoder wants it.
fn tone(rate: u32, frame: usize) -> Vec<i16> {
    let count = rate as usize / 50;
    let angle = |at: usize| (frame * count + at) as f32 * 440.0 * std::f32::consts::TAU / rate as f32;
    (0..count).map(|at| (angle(at).sin() * 8_000.0) as i16).collect()
}

fn loudness(pcm: &[i16]) -> f32 {
    (pcm.iter().map(|sample| f32::from(*sample).powi(2)).sum::<f32>() / pcm.len().max(1) as f32).sqrt()
}

/// Sound that one end codes and the other one decodes, through the bridge, with every tenth packet lost.
fn heard(from: (u8, Encoding), to: (u8, Encoding), browser_speaks: bool) -> f32 {
    let first = if browser_speaks { 20_300 } else { 20_350 } + 100 * u16::from(to.0 == 9 || from.0 == 9);
    let mut bench = Bench::new(PortRange { first, last: first + 49 });
    let opened = bench.open([LegKind::Web, LegKind::Rtp]);
    let (mut browser, mut phone) = (Browser::new(&opened.legs[0]), Phone::new(&opened.legs[1]));
    let (at_browser, at_phone) = if browser_speaks { (&from, &to) } else { (&to, &from) };
    bench
        .media
        .agree(opened.id, Side::A, browser.agreement(codecs(std::slice::from_ref(at_browser))))
        .expect("it is taken");
    let keyed = phone.secure(codecs(std::slice::from_ref(at_phone)));
    bench.media.agree(opened.id, Side::B, keyed).expect("it is taken");
    browser.answer();
    browser.connect();
    let (source, target) = (&codecs(&[from])[0], &codecs(&[to])[0]);
    let mut encoder = Encoder::new(source, 8_000).expect("it can be had");
    let mut decoder = Decoder::new(target, 8_000).expect("it can be had");
    let (mut pcm, mut buffer, mut number) = (Vec::new(), [0; 1_000], 0u16);
    until("two seconds of sound", || {
        let len = encoder.encode(&tone(8_000, usize::from(number)), &mut buffer).expect("it can be coded");
        let clock = source.clock / 50;
        let sound = timed(source.payload, number, clock * u32::from(number), &buffer[..len]);
        number += 1;
        if number % 10 != 7 {
            if browser_speaks { browser.send(&sound) } else { phone.send(&sound) }
        }
        while let Some(came) = if browser_speaks { phone.receive() } else { browser.receive() } {
            let (payload_type, payload) = payload(&came);
            assert_eq!(payload_type, target.payload);
            decoder.decode(&payload, &mut pcm).expect("it is the codec's");
        }
        (pcm.len() >= 16_000).then_some(())
    });
    assert!(number < 115, "lost packets are made up for: {number} sent for 100");
    bench.running.stop();
    loudness(&pcm[pcm.len() / 2..])
}

#[test]
fn opus_and_the_codecs_of_phones_are_made_into_each_other() {
    for phone in [(8, Encoding::Pcma), (0, Encoding::Pcmu), (9, Encoding::G722)] {
        for browser_speaks in [true, false] {
            let opus = (111, Encoding::Opus);
            let (from, to) = if browser_speaks { (opus, phone.clone()) } else { (phone.clone(), opus) };
            let loud = heard(from, to, browser_speaks);
            // 5,657 without loss; concealment fades, and G.722 has to find its steps again.
            assert!((3_000.0..7_000.0).contains(&loud), "{phone:?}, the browser speaks: {browser_speaks}: {loud}");
        }
    }
}

#[test]
fn a_key_goes_on_under_the_other_number_and_is_told() {
    let mut bench = Bench::new(PortRange { first: 20_500, last: 20_599 });
    let opened = bench.open([LegKind::Web, LegKind::Rtp]);
    let (mut browser, mut phone) = (Browser::new(&opened.legs[0]), Phone::new(&opened.legs[1]));
    let with_events = |number| codecs(&[(8, Encoding::Pcma), (number, Encoding::TelephoneEvent)]);
    bench.media.agree(opened.id, Side::A, browser.agreement(with_events(126))).expect("it is taken");
    bench.media.agree(opened.id, Side::B, phone.agreement(with_events(101))).expect("it is taken");
    browser.answer();
    browser.connect();
    assert!(matches!(bench.event(), MediaEvent::Connected(..)));
    browser.send(&packet(126, 1, &[7, 10, 0, 160]));
    assert_eq!(payload(&until("the key", || phone.receive())), (101, vec![7, 10, 0, 160]));
    assert!(matches!(bench.event(), MediaEvent::Key(_, Side::A, '7')));
    bench.running.stop();
}

#[test]
fn pictures_pass_between_browsers_and_a_whole_one_is_asked_for() {
    let mut bench = Bench::new(PortRange { first: 20_600, last: 20_699 });
    let opened = bench.open([LegKind::Web, LegKind::Web]);
    let (mut one, mut two) = (Browser::new(&opened.legs[0]), Browser::new(&opened.legs[1]));
    bench.media.agree(opened.id, Side::A, one.agreement(codecs(&[(96, Encoding::Vp8)]))).expect("it is taken");
    bench.media.agree(opened.id, Side::B, two.agreement(codecs(&[(120, Encoding::Vp8)]))).expect("it is taken");
    one.answer();
    two.answer();
    one.connect();
    two.connect();
    let mut number = 0;
    let asked = until("a report with feedback", || {
        number += 1;
        one.send(&packet(96, number, &[3; 1_000]));
        assert_eq!(payload(&until("a picture", || two.receive())), (120, vec![3; 1_000]));
        one.step();
        one.reports.pop()
    });
    assert_eq!(asked[asked.len() - 12..asked.len() - 10], [0x81, 206], "picture loss indication");
    bench.running.stop();
}

#[test]
fn an_address_of_version_6_is_a_candidate_too() {
    let mut bench = Bench::with(PortRange { first: 20_700, last: 20_799 }, |options| {
        options.addresses.push(MediaAddress::plain("::1".parse().expect("an address")));
    });
    let opened = bench.open([LegKind::Web, LegKind::Rtp]);
    let (mut browser, mut phone) = (Browser::on(&opened.legs[0], "[::1]:0"), Phone::new(&opened.legs[1]));
    bench.media.agree(opened.id, Side::A, browser.agreement(pcma())).expect("it is taken");
    bench.media.agree(opened.id, Side::B, phone.agreement(pcma())).expect("it is taken");
    browser.answer();
    browser.connect();
    let sound = packet(8, 1, &[5; 160]);
    browser.send(&sound);
    assert_eq!(until("sound", || phone.receive()), sound);
    bench.running.stop();
}
