//! Any bytes as datagrams to a browser's leg: nothing panics, what is sent stays bounded and goes to the peer alone, and no
//! bytes make a stranger known or give keys.
#![no_main]

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use lyceum_media::Time;
use lyceum_media::web::{Certificate, Credentials, Epoch, Taken, WebEvent, WebRemote, WebSetup, WebTransport};
use lyceum_sdp::{Candidate, Ice};

const OURS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), 4000);
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 2)), 5000);

fn certificate() -> Certificate {
    static MADE: OnceLock<Certificate> = OnceLock::new();
    let make = || {
        let key = rcgen::KeyPair::generate().expect("a key");
        let parameters = rcgen::CertificateParams::new(vec!["fuzz".to_owned()]).expect("a name");
        let signed = parameters.self_signed(&key).expect("a certificate");
        Certificate::new(signed.der().to_vec(), key.serialize_der()).expect("it can be used")
    };
    MADE.get_or_init(make).clone()
}

fn end(address: SocketAddr, name: u8) -> (WebTransport, Ice) {
    static START: OnceLock<Instant> = OnceLock::new();
    let credentials = Credentials::new(&[name; 24]);
    let Credentials { ufrag, pwd } = credentials.clone();
    let ice = Ice { ufrag, pwd, candidates: vec![Candidate::host(1, address)] };
    let epoch = Epoch::new(*START.get_or_init(Instant::now));
    let setup = WebSetup { credentials, addresses: vec![address], certificate: certificate(), seed: [name; 32], epoch };
    (WebTransport::new(setup), ice)
}

/// Lets the two ends check each other; handshakes are not carried.
fn prove(ours: &mut WebTransport, theirs: &mut WebTransport, now: &mut Time) {
    for _ in 0..6 {
        now.0 += 60_000;
        ours.timeout(*now);
        theirs.timeout(*now);
        while let Some(transmit) = ours.poll_transmit() {
            if transmit.bytes[0] < 4 {
                theirs.packet(*now, OURS, PEER, &transmit.bytes);
            }
        }
        while let Some(transmit) = theirs.poll_transmit() {
            if transmit.bytes[0] < 4 {
                ours.packet(*now, PEER, OURS, &transmit.bytes);
            }
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&pick, mut rest)) = bytes.split_first() else { return };
    let (mut ours, own_ice) = end(OURS, 1);
    let (mut theirs, their_ice) = end(PEER, 2);
    let (we_begin, controlling) = (pick & 1 != 0, pick & 2 != 0);
    let fingerprint = certificate().fingerprint().clone();
    let mut now = Time(1_000_000);
    let remote = WebRemote { ice: their_ice, fingerprint: fingerprint.clone(), we_begin, controlling };
    ours.agree(now, remote);
    if pick & 4 != 0 {
        let remote = WebRemote { ice: own_ice, fingerprint, we_begin: !we_begin, controlling: !controlling };
        theirs.agree(now, remote);
        prove(&mut ours, &mut theirs, &mut now);
    }
    let mut sent = 0;
    while let Some((&[high, low, from], tail)) = rest.split_first_chunk() {
        let len = usize::from(u16::from_be_bytes([high, low]) % 1500).min(tail.len());
        let (packet, tail) = tail.split_at(len);
        rest = tail;
        now.0 += 21_000;
        let from = if from & 1 == 0 { PEER } else { SocketAddr::from(([203, 0, 113, from], 9)) };
        let taken = ours.packet(now, from, OURS, packet);
        assert_ne!(taken, Taken::Media, "without a handshake there is no media");
        assert!(from == PEER || taken == Taken::Dropped, "a stranger is nobody");
        if ours.next_timeout().is_some_and(|due| due <= now) {
            ours.timeout(now);
        }
        while let Some(transmit) = ours.poll_transmit() {
            assert_eq!((transmit.local, transmit.remote), (OURS, PEER));
            sent += 1;
        }
        while let Some(event) = ours.poll_event() {
            assert!(matches!(event, WebEvent::Failed(_) | WebEvent::Disconnected), "{event:?}");
        }
    }
    assert!(sent <= 64 + 4 * bytes.len(), "{sent} packets for {} bytes", bytes.len());
    ours.close(now);
});
