//! Endpoints for the tests: what they agreed, what they send, what reached them.

use std::net::SocketAddr;

use lyceum_media::Time;
use lyceum_media::bridge::{Bridge, Identity, LegSetup, Outcome, Port, Protection, Side, Transmit};
use lyceum_media::latch::Believe;
use lyceum_media::rtp::{Fields, HEADER_LEN, MAX_PACKET, Packet, write};
use lyceum_media::srtp::{Protector, Unprotector};
use lyceum_sdp::{Codec, Direction, Encoding, KeySalt, Suite};

pub const PHONE: &str = "192.0.2.1:4000";
pub const OTHER: &str = "198.51.100.2:6000";
pub const SUITE: Suite = Suite::AesCm128HmacSha1_80;

pub fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

pub fn codec(number: u8, encoding: Encoding) -> Codec {
    Codec::new(number, encoding)
}

pub fn leg(address: &str, codecs: &[Codec]) -> LegSetup {
    LegSetup {
        rtp: Some(at(address)),
        rtcp: Some(SocketAddr::new(at(address).ip(), at(address).port() + 1)),
        signalled_from: Some(at(address).ip()),
        believe: Believe::KnownHosts,
        protection: Protection::Plain,
        direction: Direction::SendRecv,
        send: codecs.to_vec(),
        receive: codecs.to_vec(),
        rtcp_mux: false,
        ptime: 20,
    }
}

pub fn key(byte: u8) -> KeySalt {
    KeySalt::new(SUITE, &[byte; 30]).expect("its length")
}

/// A leg with keys; ours is 1, the peer's 2.
pub fn secure(mut leg: LegSetup) -> LegSetup {
    leg.protection = Protection::Sdes { suite: SUITE, send: key(1), receive: key(2) };
    leg
}

/// The peer's side of such a leg.
pub fn peer() -> (Protector, Unprotector) {
    (Protector::new(SUITE, &key(2)), Unprotector::new(SUITE, &key(1)))
}

pub fn bridge(a: LegSetup, b: LegSetup) -> Bridge {
    let identity = Identity { ssrcs: [0xA, 0xB], starts: [(100, 5_000), (65_535, 9_000)], cname: "lyceum".into() };
    Bridge::new(a, b, identity).expect("there is a way")
}

pub fn packet(payload_type: u8, sequence: u16, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; HEADER_LEN + payload.len()];
    assert!(write(&mut bytes, &Fields { marker: false, payload_type, sequence, timestamp, ssrc: 77 }));
    bytes[HEADER_LEN..].copy_from_slice(payload);
    bytes
}

/// Gives a packet to the bridge and returns what went out because of it.
pub fn give(
    bridge: &mut Bridge,
    now_ms: u64,
    side: Side,
    from: &str,
    bytes: &[u8],
) -> (Outcome, Vec<(Transmit, Vec<u8>)>) {
    let mut buffer = [0; MAX_PACKET];
    buffer[..bytes.len()].copy_from_slice(bytes);
    let outcome = bridge.packet(Time(now_ms * 1000), side, Port::Rtp, at(from), &mut buffer, bytes.len());
    let mut sent = Vec::new();
    if let Outcome::Forward(transmit) = outcome {
        sent.push((transmit, buffer[..transmit.len].to_vec()));
    }
    while let Some(transmit) = bridge.poll(&mut buffer) {
        sent.push((transmit, buffer[..transmit.len].to_vec()));
    }
    (outcome, sent)
}

/// The header of a packet: marker, payload type, number, timestamp.
pub fn head(bytes: &[u8]) -> (bool, u8, u16, u32) {
    let packet = Packet::parse(bytes).expect("RTP");
    (packet.marker(), packet.payload_type(), packet.sequence(), packet.timestamp())
}

/// `count` samples of a tone at `rate`, from sample `from` on.
pub fn tone(rate: u32, from: usize, count: usize) -> Vec<i16> {
    let angle = |at: usize| (from + at) as f32 * 400.0 * std::f32::consts::TAU / rate as f32;
    (0..count).map(|at| (angle(at).sin() * 8000.0) as i16).collect()
}

pub fn power(pcm: &[i16]) -> f32 {
    (pcm.iter().map(|sample| f32::from(*sample).powi(2)).sum::<f32>() / pcm.len().max(1) as f32).sqrt()
}
