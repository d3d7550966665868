//! Any bytes as packets of a leg: a bridge takes them, and what it makes is well formed and bounded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lyceum_media::Time;
use lyceum_media::bridge::{Bridge, Identity, LegSetup, Outcome, Port, Protection, Side};
use lyceum_media::latch::Believe;
use lyceum_media::rtp::{MAX_PACKET, Packet};
use lyceum_sdp::{Codec, Direction, Encoding};

fn leg(host: u8, codecs: Vec<Codec>) -> LegSetup {
    LegSetup {
        rtp: Some(([192, 0, 2, host], 4000).into()),
        rtcp: None,
        signalled_from: None,
        believe: Believe::KnownHosts,
        protection: Protection::Plain,
        direction: Direction::SendRecv,
        send: codecs.clone(),
        receive: codecs,
        rtcp_mux: true,
        ptime: 20,
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&pick, mut rest)) = bytes.split_first() else {
        return;
    };
    let encodings = [Encoding::Pcma, Encoding::Pcmu, Encoding::G722, Encoding::Opus];
    let events = Codec::new(101, Encoding::TelephoneEvent);
    let from = Codec::new(96, encodings[usize::from(pick & 3)].clone());
    let to = Codec::new(97, encodings[usize::from(pick >> 2 & 3)].clone());
    let identity = Identity { ssrcs: [1, 2], starts: [(0, 0); 2], cname: "c".into() };
    let other = if pick & 16 == 0 { vec![to] } else { vec![to, events.clone()] };
    let mut bridge = Bridge::new(leg(1, vec![from, events]), leg(2, other), identity).expect("there is a way");
    let mut buffer = [0; MAX_PACKET];
    let mut now = Time(0);
    while let Some((&len, tail)) = rest.split_first() {
        let len = usize::from(len).min(tail.len());
        buffer[..len].copy_from_slice(&tail[..len]);
        rest = &tail[len..];
        now.0 += 13_000;
        let source = ([192, 0, 2, 1], 4000).into();
        if let Outcome::Forward(transmit) = bridge.packet(now, Side::A, Port::Rtp, source, &mut buffer, len) {
            assert!(transmit.len <= MAX_PACKET);
        }
        let mut made = 0;
        while let Some(transmit) = bridge.poll(&mut buffer) {
            assert!(Packet::parse(&buffer[..transmit.len]).is_ok());
            made += 1;
            assert!(made <= 64, "one packet makes a bounded number");
        }
        let _ = bridge.tick(now, Side::B, &mut buffer);
        let _ = bridge.records();
    }
});
