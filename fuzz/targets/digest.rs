//! Any bytes as credentials and as a challenge: what is read lies inside them, a guessed proof
//! never verifies, a guessed nonce is never ours, and an answer to a challenge can be read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lyceum_sip::WallTime;
use lyceum_sip::digest::{Challenge, Credentials, Ha1, Kind, NonceUse, NonceVerdict, Nonces, verify};
use std::time::Duration;

fuzz_target!(|bytes: &[u8]| {
    let inside = |part: &[u8]| {
        let (outer, inner) = (bytes.as_ptr_range(), part.as_ptr_range());
        part.is_empty() || outer.start <= inner.start && inner.end <= outer.end
    };
    if let Some(challenge) = Challenge::parse(bytes) {
        assert!(inside(challenge.realm) && inside(challenge.nonce) && challenge.opaque.is_none_or(inside));
    }
    let Ok(credentials) = Credentials::parse(bytes) else {
        return;
    };
    let parts = [
        credentials.raw_username,
        credentials.realm,
        credentials.nonce,
        credentials.uri,
        credentials.raw_nc,
        credentials.cnonce,
        credentials.opaque.unwrap_or(&[]),
    ];
    assert!(parts.into_iter().all(inside), "every part is borrowed from the value");
    assert!(credentials.username().len() <= credentials.raw_username.len());
    let ha1 = Ha1::of(b"fuzz", b"example.org", b"a password nobody guesses");
    assert!(!verify(&credentials, b"REGISTER", &ha1, b""), "a guess verified");
    let now = WallTime(1_700_000_000_000);
    let of = NonceUse { kind: Kind::Www, source: [192, 0, 2, 1].into() };
    let mut nonces = Nonces::new([7; 32], 1, Duration::from_secs(300));
    assert_eq!(nonces.check(credentials.nonce, credentials.nc, of, now), NonceVerdict::Forged);
});
