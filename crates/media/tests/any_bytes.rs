//! Any bytes as packets: nothing panics, whatever the legs.

use lyceum_media::Time;
use lyceum_media::bridge::{Bridge, Identity, LegSetup, Outcome, Port, Protection, Side};
use lyceum_media::latch::Believe;
use lyceum_media::rtp::MAX_PACKET;
use lyceum_media::{codec, dtmf, rtcp, rtp, srtp};
use lyceum_sdp::{Codec, Direction, Encoding, KeySalt, Suite};
use proptest::prelude::*;

fn leg(address: &str, codecs: &[Codec]) -> LegSetup {
    LegSetup {
        rtp: address.parse().ok(),
        rtcp: None,
        signalled_from: None,
        believe: Believe::Anybody,
        protection: Protection::Plain,
        direction: Direction::SendRecv,
        send: codecs.to_vec(),
        receive: codecs.to_vec(),
        rtcp_mux: true,
        ptime: 20,
    }
}

fn bridge(from: Encoding, to: Encoding) -> Bridge {
    let events = Codec::new(101, Encoding::TelephoneEvent);
    let identity = Identity { ssrcs: [1, 2], starts: [(0, 0); 2], cname: "c".into() };
    let (a, b) = ([Codec::new(96, from), events], [Codec::new(97, to)]);
    Bridge::new(leg("192.0.2.1:4000", &a), leg("192.0.2.2:4000", &b), identity).expect("there is a way")
}

/// A packet that gets some way in.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    let head = (0..4u8, prop_oneof![Just(96u8), Just(101), Just(200), Just(201), any::<u8>()], 0..8u16, any::<u32>());
    (head, proptest::collection::vec(any::<u8>(), 0..300)).prop_map(|((flags, kind, number, time), payload)| {
        let mut bytes = vec![0x80 | flags << 4, kind];
        bytes.extend(number.to_be_bytes());
        bytes.extend(time.to_be_bytes());
        bytes.extend([0, 0, 0, 7]);
        bytes.extend(payload);
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_bridge_never_panics(packets in proptest::collection::vec(prop_oneof![packet(), proptest::collection::vec(any::<u8>(), 0..60)], 1..40)) {
        for (from, to) in [(Encoding::Pcma, Encoding::Opus), (Encoding::Opus, Encoding::G722), (Encoding::G722, Encoding::Pcmu), (Encoding::Pcmu, Encoding::Pcmu)] {
            let mut bridge = bridge(from, to);
            let mut buffer = [0; MAX_PACKET];
            for (at, bytes) in packets.iter().enumerate() {
                buffer[..bytes.len()].copy_from_slice(bytes);
                let source = "192.0.2.1:4000".parse().expect("an address");
                let outcome = bridge.packet(Time(at as u64 * 7_000), Side::A, Port::Rtp, source, &mut buffer, bytes.len());
                let mut made = 0;
                while bridge.poll(&mut buffer).is_some() {
                    made += 1;
                }
                prop_assert!(made <= 40, "{} packets of one", made);
                prop_assert!(made == 0 || outcome == Outcome::Made);
                let _ = (bridge.tick(Time(at as u64 * 7_000), Side::B, &mut buffer), bridge.records());
            }
        }
    }

    #[test]
    fn readers_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), profile in any::<u16>()) {
        if let Ok(packet) = rtp::Packet::parse(&bytes) {
            let _ = (packet.payload().len(), packet.csrcs().count());
            if let Some((profile, elements)) = packet.extension() {
                let _ = rtp::extension::elements(profile, elements).count();
            }
        }
        let _ = rtp::extension::elements(profile, &bytes).count();
        let _ = (rtcp::is_well_formed(&bytes), rtcp::parts(&bytes).count());
        let _ = (dtmf::event::Event::parse(&bytes), codec::comfort_noise::Noise::parse(&bytes));
        for suite in Suite::ALL {
            let key = KeySalt::new(suite, &vec![1; suite.key_len() + suite.salt_len()]).expect("its length");
            let mut peer = srtp::Unprotector::new(suite, &key);
            prop_assert!(peer.unprotect_rtp(&mut bytes.clone()).is_err());
            prop_assert!(peer.unprotect_rtcp(&mut bytes.clone()).is_err());
        }
    }
}
