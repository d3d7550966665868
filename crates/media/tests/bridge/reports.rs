//! RTCP: forwarded between like legs, our own between unlike ones, and read on the way.

use std::time::Duration;

use lyceum_media::Time;
use lyceum_media::bridge::{Bridge, Dropped, Event, Outcome, Port, Side};
use lyceum_media::rtcp::{self, Block, Outgoing, Part, SenderInfo};
use lyceum_sdp::Encoding;

use crate::legs::*;

fn report(bridge: &mut Bridge, now_ms: u64, side: Side, from: &str, outgoing: &Outgoing<'_>) -> (Outcome, Vec<u8>) {
    let mut buffer = [0; 300];
    let len = rtcp::write(&mut buffer, outgoing).expect("there is room");
    let outcome = bridge.packet(Time(now_ms * 1000), side, Port::Rtcp, at(from), &mut buffer, len);
    let len = if let Outcome::Forward(transmit) = outcome { transmit.len } else { len };
    (outcome, buffer[..len].to_vec())
}

fn sender(ssrc: u32, blocks: &[Block]) -> Outgoing<'_> {
    let info = SenderInfo { ntp: 0x1234_5678_9ABC_DEF0, timestamp: 160, packets: 50, octets: 8000 };
    Outgoing { ssrc, info: Some(info), blocks, cname: "phone", bye: false }
}

#[test]
fn reports_pass_between_like_legs_and_tell_the_round_trip() {
    let codecs = [codec(8, Encoding::Pcma)];
    let mut bridge = bridge(leg(PHONE, &codecs), leg(OTHER, &codecs));
    let (outcome, _) = report(&mut bridge, 1000, Side::A, "192.0.2.1:4001", &sender(77, &[]));
    let Outcome::Forward(transmit) = outcome else { panic!("{outcome:?}") };
    assert_eq!((transmit.to, transmit.port), (Some(at("198.51.100.2:6001")), Port::Rtcp));
    let block = Block { ssrc: 77, lost: 4, jitter: 80, last_sr: 0x5678_9ABC, delay: 65_536 / 8, ..Block::default() };
    let answer = Outgoing { ssrc: 5, info: None, blocks: &[block], cname: "other", bye: false };
    report(&mut bridge, 1150, Side::B, "198.51.100.2:6001", &answer);
    let [_, b] = bridge.records();
    assert_eq!((b.round_trip, b.sent.lost, b.sent.jitter_us), (Some(Duration::from_millis(25)), 4, 10_000));
}

#[test]
fn reports_are_protected_too() {
    let codecs = [codec(8, Encoding::Pcma)];
    let mut bridge = bridge(leg(PHONE, &codecs), secure(leg(OTHER, &codecs)));
    let (_, mut sealed) = report(&mut bridge, 0, Side::A, "192.0.2.1:4001", &sender(77, &[]));
    let (_, mut unprotector) = peer();
    let len = unprotector.unprotect_rtcp(&mut sealed).expect("the phone can read it");
    assert!(matches!(rtcp::parts(&sealed[..len]).next(), Some(Part::Report(report)) if report.ssrc == 77));
    let (outcome, _) = report(&mut bridge, 0, Side::B, "198.51.100.2:6001", &sender(5, &[]));
    assert!(matches!(outcome, Outcome::Dropped(Dropped::Refused(_))), "plain reports are none of this leg's");
}

#[test]
fn a_stranger_ends_no_call_by_rtcp() {
    let codecs = [codec(8, Encoding::Pcma)];
    let mut bridge = bridge(leg(PHONE, &codecs), leg(OTHER, &codecs));
    let bye = Outgoing { bye: true, ..sender(77, &[]) };
    assert_eq!(report(&mut bridge, 0, Side::A, "203.0.113.66:4001", &bye).0, Outcome::Dropped(Dropped::Stranger));
    assert_eq!(bridge.poll_event(), None);
    report(&mut bridge, 0, Side::A, "192.0.2.1:4001", &bye);
    assert_eq!(bridge.poll_event(), Some(Event::Bye(Side::A)));
}

#[test]
fn unlike_legs_get_reports_of_ours() {
    let mut bridge = bridge(leg(PHONE, &[codec(8, Encoding::Pcma)]), leg(OTHER, &[codec(0, Encoding::Pcmu)]));
    for number in [0, 1, 2, 4] {
        give(
            &mut bridge,
            20 * u64::from(number),
            Side::A,
            PHONE,
            &packet(8, number, u32::from(number) * 160, &[0xD5; 160]),
        );
    }
    assert_eq!(report(&mut bridge, 100, Side::A, "192.0.2.1:4001", &sender(77, &[])).0, Outcome::Made);
    let mut buffer = [0; 300];
    let now = Time(1_100_000);
    assert!(bridge.next_timeout().is_some_and(|due| due <= now));
    let told = bridge.tick(now, Side::A, &mut buffer).expect("a report");
    assert_eq!(told.to, Some(at("192.0.2.1:4001")));
    let Some(Part::Report(report)) = rtcp::parts(&buffer[..told.len]).next() else { panic!("no report") };
    let block = report.blocks().next().expect("of what it sends");
    assert_eq!((report.ssrc, report.sender, block.ssrc, block.lost, block.highest), (0xA, None, 77, 1, 4));
    assert_eq!((block.last_sr, block.delay), (0x5678_9ABC, 65_536));
    let told = bridge.tick(now, Side::B, &mut buffer).expect("a report");
    let Some(Part::Report(report)) = rtcp::parts(&buffer[..told.len]).next() else { panic!("no report") };
    assert_eq!(
        (report.ssrc, report.sender.map(|info| (info.packets, info.timestamp))),
        (0xB, Some((5, 9_000 + 5 * 160)))
    );
    assert_eq!(bridge.next_timeout(), Some(Time(6_100_000)));
    assert_eq!(bridge.tick(now, Side::A, &mut buffer), None);
}
