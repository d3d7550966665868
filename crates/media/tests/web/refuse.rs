//! What is not the peer's goes nowhere.

use lyceum_media::web::{Taken, WebEvent};
use lyceum_sdp::Candidate;

use crate::net::{FAIR, LEFT, Net, RIGHT, at, certificate};

const STRANGER: &str = "203.0.113.66:6666";
const RTP: &[u8] = &[0x80, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 9];

#[test]
fn another_certificate_than_announced_gives_no_keys() {
    for side in 0..2 {
        let mut net = Net::new(FAIR, 1);
        let mut remotes = net.remotes();
        remotes[side].fingerprint = certificate(2).fingerprint().clone();
        let [left, right] = remotes;
        net.ends[0].transport.agree(net.now, left);
        net.ends[1].transport.agree(net.now, right);
        net.run(3_000);
        let events = &net.ends[side].events;
        assert!(matches!(events.as_slice(), [WebEvent::Failed(why)] if why.contains("fingerprint")), "{events:?}");
        assert_eq!(net.ends[side].take(net.now, at(if side == 0 { RIGHT } else { LEFT }), RTP), Taken::Dropped);
        assert_eq!(net.ends[side].transport.path(), None);
    }
}

#[test]
fn packets_of_strangers_are_dropped_before_and_after() {
    let mut net = Net::new(FAIR, 2);
    let hello = [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0];
    assert_eq!(net.ends[0].take(net.now, at(RIGHT), RTP), Taken::Dropped, "nothing is agreed");
    net.agree();
    assert_eq!(net.ends[0].take(net.now, at(RIGHT), RTP), Taken::Dropped, "nothing is proved");
    assert_eq!(net.ends[0].take(net.now, at(RIGHT), &hello), Taken::Dropped, "nobody has checked");
    assert!(net.connect(2_000));
    for bytes in [RTP, &hello, &[0x40, 0, 0, 0], b"\x00\x01\x00\x00!\x12\xA4\x42aaaaaaaaaaaa", &[], &[0]] {
        assert_eq!(net.ends[0].take(net.now, at(STRANGER), bytes), Taken::Dropped, "{bytes:?}");
    }
    assert_eq!(net.ends[0].take(net.now, at(RIGHT), RTP), Taken::Media);
    assert!(net.ends[0].sent.iter().all(|(_, to)| *to == at(RIGHT)), "and nobody else was ever sent to");
}

#[test]
fn nothing_but_checks_is_sent_before_a_pair_is_proved() {
    let mut net = Net::new(FAIR, 3);
    let [left, _] = net.remotes();
    net.ends[0].transport.agree(net.now, left);
    net.run(40_000);
    let sent = &net.ends[0].sent;
    assert!(!sent.is_empty() && sent.iter().all(|(first, _)| *first == 0), "{sent:?}");
    assert!(sent.len() < 40, "{} packets to an address that never answered", sent.len());
}

#[test]
fn names_groups_and_other_transports_are_no_candidates() {
    let mut net = Net::new(FAIR, 4);
    let [mut left, _] = net.remotes();
    left.ice.candidates = [
        "1 1 udp 2113937151 4e1b2a6c-0d43.local 50000 typ host",
        "2 1 tcp 1518280447 203.0.113.1 9 typ host tcptype active",
        "3 2 udp 2113937150 203.0.113.1 50001 typ host",
        "4 1 udp 2113937150 224.0.0.1 50001 typ host",
        "5 1 udp 2113937150 0.0.0.0 50001 typ host",
        "6 1 udp 2113937150 255.255.255.255 50001 typ host",
        "7 1 udp 2113937150 203.0.113.1 0 typ host",
    ]
    .map(|text| Candidate::parse(text).expect(text))
    .into();
    net.ends[0].transport.agree(net.now, left);
    net.run(5_000);
    assert_eq!(net.ends[0].sent, []);
}

#[test]
fn a_description_with_thousands_of_candidates_makes_few_checks() {
    let mut net = Net::new(FAIR, 5);
    let [mut left, _] = net.remotes();
    let many = (1..5_000u16).map(|port| Candidate::host(1, ([203, 0, 113, 1], port).into()));
    left.ice.candidates = many.collect();
    net.ends[0].transport.agree(net.now, left);
    net.run(60_000);
    let mut targets: Vec<_> = net.ends[0].sent.iter().map(|(_, to)| *to).collect();
    targets.sort_unstable();
    targets.dedup();
    assert!(targets.len() <= 32 && net.ends[0].sent.len() < 32 * 12, "{} packets", net.ends[0].sent.len());
}
