//! Sound goes through, leg by leg and kind by kind.

use lyceum_media::bridge::Side;
use lyceum_mediation::media::{LegKind, Media, MediaEvent};
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
    bench.media.agree(opened.id, Side::A, browser.agreement(pcma()));
    browser.answer();
    bench.media.agree(opened.id, Side::B, phone.agreement(pcma()));
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
    bench.media.agree(opened.id, Side::A, plain.agreement(pcma()));
    let keyed = secure.secure(pcma());
    bench.media.agree(opened.id, Side::B, keyed);
    for number in 0..50 {
        let sound = packet(8, number, &[7; 160]);
        plain.send(&sound);
        assert_eq!(until("sound", || secure.receive()), sound);
        secure.send(&sound);
        assert_eq!(until("sound", || plain.receive()), sound);
    }
    bench.running.stop();
}
