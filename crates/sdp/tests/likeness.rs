//! The table `likeness.md`, row by row, and what descriptions tell of a leg.

use lyceum_sdp::{Between, Codec, Description, Encoding, Kind, LegMedia, Path, Security, likeness};

fn leg(text: &str) -> Vec<LegMedia> {
    text.split(';').map(str::trim).filter(|part| !part.is_empty()).map(medium).collect()
}

fn medium(text: &str) -> LegMedia {
    let (head, codecs) = text.split_once(':').expect("kind and protection, a colon, codecs");
    let (kind, security) = head.split_once(' ').expect("kind and protection");
    let kind = if kind == "audio" { Kind::Audio } else { Kind::Video };
    let security: Vec<Security> = security.split('/').filter_map(protection).collect();
    let codecs = codecs.split_ascii_whitespace().enumerate();
    let codecs = codecs.map(|(at, name)| Codec::new(96 + at as u8, Encoding::of(name))).collect();
    LegMedia::new(kind, &security, codecs)
}

fn protection(name: &str) -> Option<Security> {
    match name {
        "plain" => Some(Security::Plain),
        "sdes" => Some(Security::Sdes),
        "dtls" => Some(Security::Dtls),
        "none" => None,
        other => panic!("no such protection: {other}"),
    }
}

#[test]
fn the_table_holds() {
    let rows = include_str!("likeness.md").lines().filter(|line| line.starts_with('|')).skip(2);
    let mut count = 0;
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [case, a, b, anchor, found] = cells.as_slice() else { panic!("a row has five cells: {row}") };
        let between = Between { anchor: (!anchor.is_empty()).then(|| (*anchor).to_owned()) };
        let verdicts = likeness(&leg(a), &leg(b), &between);
        let shown: Vec<String> = verdicts.iter().map(|it| format!("{} {}", it.kind, it.path)).collect();
        assert_eq!(shown.join("; "), *found, "{case}");
        assert!(verdicts.iter().all(|it| !it.because.is_empty()), "{case}: no reason");
        count += 1;
    }
    assert_eq!(count, 20);
}

#[test]
fn a_reason_is_a_sentence_for_a_person() {
    let reason = |a: &str, b: &str| likeness(&leg(a), &leg(b), &Between::default())[0].because.clone();
    assert_eq!(reason("audio plain: PCMA", "audio sdes: PCMA"), "one side is plain, the other sdes");
    assert_eq!(
        reason("video plain: H264", "video plain: VP8"),
        "one side has H264, the other VP8, and only sound is transcoded"
    );
    assert_eq!(reason("audio plain: PCMA", ""), "the other side has no audio");
}

#[test]
fn numbers_of_passing_codecs_are_paired() {
    let verdicts = likeness(
        &leg("audio plain: opus telephone-event"),
        &leg("audio plain: telephone-event opus"),
        &Between::default(),
    );
    let pairs: Vec<(u8, u8)> = verdicts[0].same.iter().map(|(a, b)| (a.payload, b.payload)).collect();
    assert_eq!(pairs, [(96, 97), (97, 96)]);
}

#[test]
fn descriptions_tell_of_their_protection() {
    let top = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";
    let key = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";
    let print = format!("a=fingerprint:sha-256 {}\r\n", ["00"; 32].join(":"));
    let cases: &[(String, &[Security])] = &[
        ("m=audio 4000 RTP/AVP 8\r\n".into(), &[Security::Plain]),
        (format!("m=audio 4000 RTP/SAVP 8\r\n{key}"), &[Security::Sdes]),
        (format!("m=audio 4000 RTP/AVP 8\r\n{key}"), &[Security::Sdes, Security::Plain]),
        (format!("m=audio 9 UDP/TLS/RTP/SAVPF 8\r\n{print}"), &[Security::Dtls]),
        ("m=audio 0 RTP/AVP 8\r\n".into(), &[]),
        ("m=image 4000 udptl t38\r\n".into(), &[]),
    ];
    for (media, security) in cases {
        let description = Description::parse(format!("{top}{media}").as_bytes()).expect("a description");
        assert_eq!(LegMedia::of(&description)[0].security, *security, "{media}");
    }
    let refused = likeness(&leg("video none:"), &leg("video plain: VP8"), &Between::default());
    assert_eq!(refused[0].path, Path::Impossible);
}
