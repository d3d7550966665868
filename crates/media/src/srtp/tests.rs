//! Packets of the standards, round trips, attacks.

use aes_gcm::{AesGcm, KeyInit};
use lyceum_sdp::{KeySalt, Suite};

use super::transform::Transform;
use super::*;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}

fn key(suite: Suite) -> KeySalt {
    let bytes: Vec<u8> = (0..suite.key_len() + suite.salt_len()).map(|at| at as u8 * 3).collect();
    KeySalt::new(suite, &bytes).expect("its length")
}

fn pair(suite: Suite) -> (Protector, Unprotector) {
    (Protector::new(suite, &key(suite)), Unprotector::new(suite, &key(suite)))
}

fn packet(sequence: u16, ssrc: u32) -> ([u8; 200], usize) {
    let mut bytes = [0xAB; 200];
    let fields = crate::rtp::Fields { marker: false, payload_type: 0, sequence, timestamp: 160, ssrc };
    assert!(crate::rtp::write(&mut bytes, &fields));
    (bytes, 172)
}

/// The key of RFC 3711 appendix B.3.
fn appendix_b() -> KeySalt {
    let bytes = hex("E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6");
    KeySalt::new(Suite::AesCm128HmacSha1_80, &bytes).expect("its length")
}

#[test]
fn a_published_packet_of_each_kind_is_made_and_read() {
    let suite = Suite::AesCm128HmacSha1_80;
    let plain = hex("800F1234DECAFBADCAFEBABEABABABABABABABABABABABABABABABAB");
    let sealed = hex("800F1234DECAFBADCAFEBABE4E55DC4CE79978D88CA4D215949D2402B78D6ACC99EA179B8DBB");
    let mut buffer = plain.clone();
    buffer.resize(sealed.len(), 0);
    let length = Protector::new(suite, &appendix_b()).protect_rtp(&mut buffer, plain.len());
    assert_eq!((length, &buffer), (Ok(sealed.len()), &sealed));
    let mut peer = Unprotector::new(suite, &appendix_b());
    assert_eq!(peer.unprotect_rtp(&mut buffer).map(|it| it.len), Ok(plain.len()));
    assert_eq!(buffer[..plain.len()], plain);
    let mut report = hex("81C8000BCAFEBABE7128035BE487B9BDBEF89041F977A5A880000001993E08CD54D6C1230798");
    let length = peer.unprotect_rtcp(&mut report).expect("it is authentic");
    assert_eq!(report[..length], hex("81C8000BCAFEBABEABABABABABABABABABABABABABABABAB"));
}

#[test]
fn rfc_7714_section_16() {
    let salt: [u8; 12] = hex("517569642070726F2071756F").try_into().expect("its length");
    let key: [u8; 32] = std::array::from_fn(|at| at as u8);
    let short: [u8; 16] = std::array::from_fn(|at| at as u8);
    let plain = [hex("8040F17B8041F8D35501A0B2"), b"Gallia est omnis divisa in partes tres".to_vec()].concat();
    let cases = [
        (
            Transform::Gcm128(Box::new(AesGcm::new(&short.into())), salt),
            "F24DE3A3FB34DE6CACBA861C9D7E4BCABE633BD50D294E6F42A5F47A51C7D19B36DE3ADF8833899D7F27BEB16A9152CF765EE4390CCE",
        ),
        (
            Transform::Gcm256(Box::new(AesGcm::new(&key.into())), salt),
            "32B1DE78A822FE12EF9F78FA332E33AAB18012389A58E2F3B50B2A0276FFAE0F1BA63799B87B7AA3DB36DFFFD6B0F9BB7878D7A76C13",
        ),
    ];
    for (rtp, sealed) in cases {
        let suite = Suite::AeadAes128Gcm;
        let mut protector = Protector::new(suite, &super::tests::key(suite));
        protector.keys.rtp = rtp;
        let mut buffer = [plain.clone(), vec![0; 16]].concat();
        assert_eq!(protector.protect_rtp(&mut buffer, plain.len()), Ok(plain.len() + 16));
        assert_eq!(buffer[12..], hex(sealed));
    }
}

#[test]
fn every_suite_goes_there_and_back() {
    for suite in Suite::ALL {
        let (mut protector, mut unprotector) = pair(suite);
        for sequence in [65_534, 65_535, 0, 1, 70] {
            let (mut bytes, len) = packet(sequence, 9);
            let plain = bytes;
            let sealed = protector.protect_rtp(&mut bytes, len).expect("it is protected");
            assert_eq!(bytes[..12], plain[..12], "the header stays readable");
            assert_ne!(bytes[12..len], plain[12..len]);
            let opened = unprotector.unprotect_rtp(&mut bytes[..sealed]).expect("it is authentic");
            assert_eq!((opened.len, opened.newest), (len, true));
            assert_eq!(bytes[..len], plain[..len], "{} {sequence}", suite.name());
        }
        let mut report = [0u8; 80];
        report[..8].copy_from_slice(&[0x80, 201, 0, 1, 0, 0, 0, 9]);
        for _ in 0..3 {
            let mut bytes = report;
            let sealed = protector.protect_rtcp(&mut bytes, 8 + 24).expect("it is protected");
            assert_eq!(unprotector.unprotect_rtcp(&mut bytes[..sealed]), Ok(32));
            assert_eq!(bytes[..32], report[..32]);
            assert_eq!(unprotector.unprotect_rtcp(&mut bytes[..sealed]), Err(SrtpError::Replayed));
        }
    }
}

#[test]
fn a_changed_byte_anywhere_is_found() {
    for suite in Suite::ALL {
        let (mut protector, mut unprotector) = pair(suite);
        let (mut bytes, len) = packet(1, 9);
        let sealed = protector.protect_rtp(&mut bytes, len).expect("it is protected");
        // The first byte and the length of the header aside, whose change makes another shape.
        for at in (1..sealed).step_by(3) {
            let mut changed = bytes;
            changed[at] ^= 0x10;
            assert_eq!(
                unprotector.unprotect_rtp(&mut changed[..sealed]),
                Err(SrtpError::Forged),
                "{} {at}",
                suite.name()
            );
        }
        assert!(unprotector.unprotect_rtp(&mut bytes[..sealed]).is_ok());
        assert_eq!(unprotector.sources.0.len(), 1, "forgeries make no sources");
    }
}

#[test]
fn a_packet_is_let_in_once_and_not_when_old() {
    let (mut protector, mut unprotector) = pair(Suite::AesCm128HmacSha1_80);
    let mut sealed = Vec::new();
    for sequence in 0..300 {
        let (mut bytes, len) = packet(sequence, 9);
        let length = protector.protect_rtp(&mut bytes, len).expect("it is protected");
        sealed.push(bytes[..length].to_vec());
    }
    let mut open = |at: usize| unprotector.unprotect_rtp(&mut sealed[at].clone()).map(|it| it.newest);
    assert_eq!((open(200), open(150), open(299)), (Ok(true), Ok(false), Ok(true)));
    assert_eq!(
        (open(200), open(150), open(299)),
        (Err(SrtpError::Replayed), Err(SrtpError::Replayed), Err(SrtpError::Replayed))
    );
    assert_eq!(open(171), Err(SrtpError::Replayed), "older than the window");
    assert_eq!(open(172), Ok(false));
}

#[test]
fn one_number_is_never_used_for_two_texts() {
    let (mut protector, _) = pair(Suite::AesCm128HmacSha1_80);
    let (mut bytes, len) = packet(7, 9);
    assert!(protector.protect_rtp(&mut bytes, len).is_ok());
    let (mut other, len) = packet(7, 9);
    other[20] = 0;
    assert_eq!(protector.protect_rtp(&mut other, len), Err(SrtpError::Replayed));
}

#[test]
fn sources_are_bounded_and_broken_packets_refused() {
    let (mut protector, mut unprotector) = pair(Suite::AesCm128HmacSha1_32);
    for ssrc in 0..MAX_SOURCES as u32 {
        let (mut bytes, len) = packet(1, ssrc);
        assert_eq!(protector.protect_rtp(&mut bytes, len), Ok(len + 4));
    }
    let (mut bytes, len) = packet(1, 999);
    assert_eq!(protector.protect_rtp(&mut bytes, len), Err(SrtpError::TooManySources));
    assert_eq!(protector.protect_rtp(&mut bytes, 3), Err(SrtpError::Malformed));
    assert_eq!(protector.protect_rtp(&mut bytes, 500), Err(SrtpError::Malformed));
    let (mut bytes, _) = packet(2, 1);
    assert_eq!(protector.protect_rtp(&mut bytes, 198), Err(SrtpError::NoRoom));
    for len in 0..16 {
        assert!(unprotector.unprotect_rtp(&mut bytes[..len]).is_err());
        assert!(unprotector.unprotect_rtcp(&mut bytes[..len]).is_err());
    }
    assert_eq!(format!("{protector:?}"), "Protector of 64 sources");
}
