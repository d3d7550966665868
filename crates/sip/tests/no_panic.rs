//! No bytes make the readers of credentials, tokens and nonces panic, and what we write we read.

use lyceum_sip::digest::{
    Algorithm, Challenge, Credentials, Ha1, Kind, Login, NonceUse, NonceVerdict, Nonces, Signed, challenge, respond,
    verify,
};
use lyceum_sip::gruu::Gruus;
use lyceum_sip::token::{DialogEnds, FlowTokens, RouteTokens};
use lyceum_sip::{SecretKey, Uri, WallTime};
use proptest::prelude::*;
use std::time::Duration;

/// Text near the grammar, so that the deep branches are reached.
fn near_digest() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "Digest ",
        "username",
        "realm",
        "nonce",
        "uri",
        "response",
        "qop",
        "nc",
        "cnonce",
        "algorithm",
        "=",
        "=\"",
        "\"",
        "\\",
        ",",
        " ",
        "auth",
        "auth-int",
        "MD5",
        "SHA-256",
        "00000001",
        "0123456789abcdef0123456789abcdef",
        "userhash",
        "stale",
        "true",
        "\r\n ",
        "\u{e4}",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| ["Digest ", &pieces.concat()].concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn digest_readers_never_panic(near in near_digest(), far in prop::collection::vec(any::<u8>(), 0..200)) {
        let ha1 = Ha1::of(b"u", b"r", b"p");
        for value in [&near, &far] {
            if let Ok(c) = Credentials::parse(value) {
                let _ = (c.username(), verify(&c, b"REGISTER", &ha1, b""));
            }
            let _ = Challenge::parse(value);
        }
    }

    #[test]
    fn tokens_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..120), letters in "[A-Za-z0-9_.-]{0,90}") {
        let key = SecretKey([1; 32]);
        let (route, flow, gruu) = (RouteTokens::new(&key), FlowTokens::new(&key), Gruus::new(&key));
        let mut nonces = Nonces::with_ring([1; 32], 0, Duration::from_secs(60), 8);
        let ends = DialogEnds { call_id: b"c", from_tag: b"a", to_tag: b"b", from: b"sip:a@x", to: &bytes };
        let of = NonceUse { kind: Kind::Proxy, source: [192, 0, 2, 1].into() };
        let none = std::iter::empty::<&[u8]>;
        for token in [&bytes[..], letters.as_bytes()] {
            prop_assert_eq!(route.verify(token, &ends, none()), None);
            prop_assert_eq!(flow.decode(token), None);
            prop_assert_eq!(nonces.check(token, Some(1), of, WallTime(1)), NonceVerdict::Forged);
            let _ = route.complete(&mut token.to_vec(), &ends, none());
        }
        let uri = format!("sip:tgruu.{letters}@x;gr");
        if let Ok(uri) = Uri::parse(uri.as_bytes()) {
            prop_assert_eq!(gruu.read(&uri), None);
        }
    }

    #[test]
    fn an_answer_to_our_challenge_verifies(
        user in "[^\\x00-\\x1f\\x7f]{0,20}",
        realm in "[a-z.\"\\\\]{1,20}",
        password in ".{0,20}",
        sha in any::<bool>(),
        nc in 1..200_u32,
    ) {
        let algorithm = if sha { Algorithm::Sha256 } else { Algorithm::Md5 };
        let mut line = Vec::new();
        challenge(&mut line, Kind::Www, realm.as_bytes(), b"nonce", &[algorithm], false);
        let value = line.strip_prefix(b"WWW-Authenticate: ").and_then(|l| l.strip_suffix(b"\r\n")).expect("a line");
        let asked = Challenge::parse(value).expect("our own challenge");
        let login = Login { username: user.as_bytes(), password: password.as_bytes() };
        let request = Signed { method: b"REGISTER", uri: b"sip:x", body: b"" };
        let mut answer = Vec::new();
        prop_assert!(respond(&mut answer, &asked, &login, &request, nc, b"cn").is_some());
        let given = Credentials::parse(&answer).expect("our own answer");
        prop_assert_eq!(&*given.username(), user.as_bytes());
        prop_assert_eq!(given.nc, Some(nc));
        let ha1 = Ha1::of(user.as_bytes(), realm.as_bytes(), password.as_bytes());
        prop_assert!(verify(&given, b"REGISTER", &ha1, b""));
        prop_assert!(!verify(&given, b"INVITE", &ha1, b""));
    }
}
