//! RFC 3264 by example: offers, answers, hold, refusals, re-offers.

use lyceum_sdp::*;

const TOP: &str = "v=0\r\no=- 7 7 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n";
const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

fn peer(media: &str) -> Description {
    Description::parse(format!("{TOP}{}", media.replace('|', "\r\n") + "\r\n").as_bytes()).expect("a description")
}

fn leg() -> Negotiation {
    Negotiation::new(Origin::new(42, "198.51.100.1".parse().expect("an address")))
}

fn stream(codecs: &[(u8, Encoding)]) -> Stream {
    let codecs = codecs.iter().map(|(number, encoding)| Codec::new(*number, encoding.clone())).collect();
    Stream::audio("198.51.100.1:16384".parse().expect("an address"), codecs)
}

fn key(tag: u32, suite: Suite) -> Crypto {
    Crypto::new(tag, suite, KeySalt::new(suite, &vec![7; suite.key_len() + suite.salt_len()]).expect("its length"))
}

fn accept(stream: Stream) -> Answer {
    Answer::Accept(Box::new(stream))
}

fn medium(description: &Description, index: usize) -> String {
    let media = &description.media[index];
    let formats = media.formats.join(" ");
    format!("{} {} {} {formats} {}", media.kind, media.port, media.protocol, description.direction(index))
}

/// The offer, what we like, and the answer: each on one line.
#[test]
fn answers_fit_their_offers() {
    use Encoding::{Opus, Pcma, Pcmu, TelephoneEvent};
    let ours = [(8, Pcma), (0, Pcmu), (111, Opus), (101, TelephoneEvent)];
    let cases = [
        ("m=audio 4000 RTP/AVP 0 8", "audio 16384 RTP/AVP 8 0 sendrecv"),
        ("m=audio 4000 RTP/AVP 0 97|a=rtpmap:97 telephone-event/8000", "audio 16384 RTP/AVP 0 97 sendrecv"),
        ("m=audio 4000 RTP/AVP 98|a=rtpmap:98 opus/48000/2", "audio 16384 RTP/AVP 98 sendrecv"),
        ("m=audio 4000 RTP/AVP 0|a=sendonly", "audio 16384 RTP/AVP 0 recvonly"),
        ("m=audio 4000 RTP/AVP 0|a=inactive", "audio 16384 RTP/AVP 0 inactive"),
        ("m=audio 4000 RTP/AVP 0|c=IN IP4 0.0.0.0", "audio 16384 RTP/AVP 0 recvonly"),
        ("m=audio 4000 RTP/AVPF 0", "audio 16384 RTP/AVPF 0 sendrecv"),
        ("m=audio 4000 RTP/AVP 18", "audio 0 RTP/AVP 18 inactive"),
        ("m=audio 0 RTP/AVP 0", "audio 0 RTP/AVP 0 inactive"),
        ("m=audio 4000 RTP/AVP 97|a=rtpmap:97 telephone-event/8000", "audio 0 RTP/AVP 97 inactive"),
        ("m=video 4000 RTP/AVP 97|a=rtpmap:97 VP8/90000", "video 0 RTP/AVP 97 inactive"),
        ("m=audio 4000 RTP/SAVP 0", "audio 0 RTP/SAVP 0 inactive"),
        ("m=image 4000 udptl t38", "image 0 udptl t38 inactive"),
    ];
    for (offer, answer) in cases {
        let mut leg = leg();
        leg.receive_offer(peer(offer)).expect("an offer");
        let given = leg.answer(&[accept(stream(&ours))]).expect("an answer");
        assert_eq!(medium(&given, 0), answer, "{offer}");
        assert_eq!(Description::parse(&given.to_bytes()).as_ref(), Ok(&given));
    }
}

#[test]
fn an_answer_has_as_many_media_as_its_offer_in_their_order() {
    let mut leg = leg();
    leg.receive_offer(peer("m=video 5000 RTP/AVP 97|a=mid:v|m=audio 4000 RTP/AVP 0|a=mid:a")).expect("an offer");
    assert_eq!(leg.answer(&[Answer::Refuse]), Err(Refusal::Count { wanted: 2, found: 1 }));
    let answer = leg.answer(&[Answer::Refuse, accept(stream(&[(0, Encoding::Pcmu)]))]).expect("an answer");
    assert_eq!(
        [medium(&answer, 0), medium(&answer, 1)],
        ["video 0 RTP/AVP 97 inactive", "audio 16384 RTP/AVP 0 sendrecv"]
    );
    assert_eq!((answer.media[0].mid(), answer.media[1].mid()), (Some("v"), Some("a")));
    assert_eq!(leg.agreed().len(), 1);
    assert_eq!(leg.agreed()[0].index, 1);
}

#[test]
fn an_offer_is_answered_and_agreed() {
    let mut leg = leg();
    let mut ours = stream(&[(8, Encoding::Pcma), (0, Encoding::Pcmu), (101, Encoding::TelephoneEvent)]);
    ours.ptime = Some(20);
    let offer = leg.offer(&[Some(ours)]).expect("an offer");
    assert_eq!(medium(&offer, 0), "audio 16384 RTP/AVP 8 0 101 sendrecv");
    assert!(!leg.is_stable());
    let agreed = leg
        .receive_answer(peer("m=audio 4000 RTP/AVP 0 96|a=rtpmap:96 telephone-event/8000|a=ptime:30|a=recvonly"))
        .expect("an answer");
    let audio = &agreed[0];
    assert_eq!(audio.rtp, Some("192.0.2.7:4000".parse().expect("an address")));
    assert_eq!(audio.rtcp, Some("192.0.2.7:4001".parse().expect("an address")));
    assert_eq!((audio.direction, audio.ptime), (Direction::SendOnly, Some(30)));
    assert_eq!(audio.codec().map(|codec| codec.payload), Some(0));
    assert_eq!(audio.telephone_event().map(|codec| codec.payload), Some(96), "we send with the peer's number");
    assert_eq!(audio.receive.iter().map(|codec| codec.payload).collect::<Vec<_>>(), [0, 101], "and receive with ours");
    assert_eq!(audio.keys, Keys::Plain);
}

#[test]
fn early_media_may_be_replaced_by_the_final_answer() {
    let mut leg = leg();
    leg.offer(&[Some(stream(&[(0, Encoding::Pcmu)]))]).expect("an offer");
    leg.receive_answer(peer("m=audio 4000 RTP/AVP 0")).expect("of the 183");
    let agreed = leg.receive_answer(peer("m=audio 6000 RTP/AVP 0")).expect("of the 200");
    assert_eq!(agreed[0].rtp.map(|address| address.port()), Some(6000));
}

#[test]
fn wrong_answers_are_refused_and_the_offer_stays() {
    let cases = [
        ("m=audio 4000 RTP/AVP 0|m=audio 4002 RTP/AVP 0", Refusal::Count { wanted: 1, found: 2 }),
        ("m=video 4000 RTP/AVP 0", Refusal::Kind(0)),
        ("m=audio 4000 RTP/SAVP 0", Refusal::Kind(0)),
        ("m=audio 4000 RTP/AVP 8", Refusal::NotOffered(0)),
    ];
    for (answer, refusal) in cases {
        let mut leg = leg();
        leg.offer(&[Some(stream(&[(0, Encoding::Pcmu)]))]).expect("an offer");
        assert_eq!(leg.receive_answer(peer(answer)), Err(refusal), "{answer}");
        assert!(!leg.is_stable());
        assert!(leg.receive_answer(peer("m=audio 4000 RTP/AVPF 0")).is_ok(), "feedback profiles are let pass");
    }
    assert_eq!(leg().receive_answer(peer("m=audio 4000 RTP/AVP 0")), Err(Refusal::NothingOffered));
}

#[test]
fn only_one_offer_at_a_time() {
    let mut leg = leg();
    leg.offer(&[Some(stream(&[(0, Encoding::Pcmu)]))]).expect("an offer");
    assert_eq!(leg.receive_offer(peer("m=audio 4000 RTP/AVP 0")), Err(Refusal::Pending));
    assert_eq!(leg.offer(&[]), Err(Refusal::Pending));
    leg.roll_back();
    assert!(leg.receive_offer(peer("m=audio 4000 RTP/AVP 0")).is_ok());
    assert_eq!(leg.offer(&[]), Err(Refusal::Pending));
}

/// What a second offer of the peer changes, seen against `m=audio 4000 RTP/AVP 0 8`.
#[test]
fn a_re_offer_says_what_changes() {
    let cases = [
        ("m=audio 4000 RTP/AVP 0 8", vec![]),
        ("m=audio 4000 RTP/AVP 0 8|a=sendonly", vec![Change::Direction(0, Direction::SendOnly)]),
        ("m=audio 4000 RTP/AVP 0 8|a=inactive", vec![Change::Direction(0, Direction::Inactive)]),
        ("m=audio 4000 RTP/AVP 0 8|c=IN IP4 0.0.0.0", vec![Change::Direction(0, Direction::SendOnly)]),
        ("m=audio 4002 RTP/AVP 0 8", vec![Change::Address(0)]),
        ("m=audio 4000 RTP/AVP 8", vec![Change::Codecs(0)]),
        ("m=audio 0 RTP/AVP 0 8", vec![Change::Removed(0)]),
        ("m=audio 4000 RTP/AVP 0 8|m=video 4002 RTP/AVP 97", vec![Change::Added(1)]),
        ("m=audio 4000 RTP/AVP 0 8|a=ice-ufrag:abcd|a=ice-pwd:x", vec![Change::IceRestart(0)]),
    ];
    for (second, changes) in cases {
        let mut leg = leg();
        leg.receive_offer(peer("m=audio 4000 RTP/AVP 0 8")).expect("an offer");
        leg.answer(&[accept(stream(&[(0, Encoding::Pcmu), (8, Encoding::Pcma)]))]).expect("an answer");
        assert_eq!(leg.receive_offer(peer(second)).map(|it| it.changes), Ok(changes), "{second}");
    }
}

#[test]
fn media_keep_their_places_for_life() {
    let mut leg = leg();
    leg.offer(&[Some(stream(&[(0, Encoding::Pcmu)])), Some(stream(&[(8, Encoding::Pcma)]))]).expect("an offer");
    leg.receive_answer(peer("m=audio 4000 RTP/AVP 0|m=audio 4002 RTP/AVP 8")).expect("an answer");
    let second = leg.offer(&[None]).expect("both are removed");
    assert_eq!([medium(&second, 0), medium(&second, 1)], ["audio 0 RTP/AVP 0 inactive", "audio 0 RTP/AVP 8 inactive"]);
    leg.roll_back();
    assert_eq!(leg.agreed().len(), 2, "the old agreement stands");
    leg.receive_offer(peer("m=audio 4000 RTP/AVP 0")).expect_err("the peer may not drop a line either");
}

#[test]
fn the_version_rises_with_each_change_only() {
    let mut leg = leg();
    let version = |it: &Description| it.origin().expect("an origin").version;
    let first = leg.offer(&[Some(stream(&[(0, Encoding::Pcmu)]))]).expect("an offer");
    leg.receive_answer(peer("m=audio 4000 RTP/AVP 0")).expect("an answer");
    let same = leg.offer(&[Some(stream(&[(0, Encoding::Pcmu)]))]).expect("a refresh");
    assert_eq!(same, first);
    leg.roll_back();
    let mut held = stream(&[(0, Encoding::Pcmu)]);
    held.direction = Direction::SendOnly;
    let hold = leg.offer(&[Some(held)]).expect("a hold");
    assert_eq!((version(&first), version(&hold)), (1, 2));
}

#[test]
fn numbers_keep_their_meaning() {
    let mut leg = leg();
    leg.receive_offer(peer("m=audio 4000 RTP/AVP 101 96|a=rtpmap:101 opus/48000/2|a=rtpmap:96 telephone-event/8000"))
        .expect("an offer");
    let ours = [(111, Encoding::Opus), (101, Encoding::TelephoneEvent), (96, Encoding::H264), (0, Encoding::Pcmu)];
    let codecs: Vec<Codec> = ours.iter().map(|(number, encoding)| Codec::new(*number, encoding.clone())).collect();
    let numbers: Vec<u8> = leg.numbered(0, &codecs).iter().map(|codec| codec.payload).collect();
    assert_eq!(numbers, [101, 96, 97, 0], "known ones keep theirs, the third's own number is taken");
}

#[test]
fn sdes_keys_are_matched_by_tag_and_suite() {
    let offered = format!(
        "m=audio 4000 RTP/SAVP 0|a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:{KEY}|a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"
    );
    let mut leg = leg();
    leg.receive_offer(peer(&offered)).expect("an offer");
    let mut ours = stream(&[(0, Encoding::Pcmu)]);
    ours.crypto = vec![key(1, Suite::AesCm128HmacSha1_80)];
    let answer = leg.answer(&[accept(ours.clone())]).expect("an answer");
    assert_eq!(answer.media[0].crypto()[0].tag, 2);
    let Keys::Sdes { send, receive } = &leg.agreed()[0].keys else { panic!("keys are agreed") };
    assert_eq!((send.tag, receive.tag, receive.suite), (2, 2, Suite::AesCm128HmacSha1_80));
    assert_eq!(send.key, ours.crypto[0].key);
}

#[test]
fn an_answer_without_a_key_is_refused() {
    let mut ours = stream(&[(0, Encoding::Pcmu)]);
    ours.protocol = Protocol::RtpSavp;
    ours.crypto = vec![key(1, Suite::AesCm128HmacSha1_80), key(2, Suite::AesCm128HmacSha1_32)];
    let mut leg = leg();
    leg.offer(&[Some(ours)]).expect("an offer");
    assert_eq!(leg.receive_answer(peer("m=audio 4000 RTP/SAVP 0")), Err(Refusal::Keys(0)));
    let wrong = format!("m=audio 4000 RTP/SAVP 0|a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{KEY}");
    assert_eq!(leg.receive_answer(peer(&wrong)), Err(Refusal::Keys(0)), "tag 2 is another suite");
    let right = format!("m=audio 4000 RTP/SAVP 0|a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:{KEY}");
    assert!(matches!(leg.receive_answer(peer(&right)).expect("an answer")[0].keys, Keys::Sdes { .. }));
}

#[test]
fn a_browser_offer_is_answered_with_ice_and_dtls() {
    let print = ["AB"; 32].join(":");
    let offered = format!(
        "a=group:BUNDLE 0 1|a=fingerprint:sha-256 {print}|m=audio 9 UDP/TLS/RTP/SAVPF 111 0|c=IN IP4 0.0.0.0|a=mid:0|\
        a=rtpmap:111 opus/48000/2|a=rtcp-mux|a=setup:actpass|a=ice-ufrag:abcd|a=ice-pwd:0123456789012345678901|\
        m=video 9 UDP/TLS/RTP/SAVPF 96|a=mid:1|a=rtpmap:96 VP8/90000|a=setup:actpass"
    );
    let mut leg = leg();
    leg.receive_offer(peer(&offered)).expect("an offer");
    let mut ours = stream(&[(8, Encoding::Pcma), (96, Encoding::Opus)]);
    ours.rtcp_mux = true;
    ours.ice = Some(Ice {
        ufrag: "wxyz".into(),
        pwd: "9876543210987654321098".into(),
        candidates: vec![Candidate::host(1, ours.address)],
    });
    ours.dtls = Some(Dtls {
        fingerprint: Fingerprint::parse(&format!("sha-256 {print}")).expect("whole"),
        setup: Setup::ActPass,
    });
    let answer = leg.answer(&[accept(ours), Answer::Refuse]).expect("an answer");
    assert_eq!(medium(&answer, 0), "audio 16384 UDP/TLS/RTP/SAVPF 111 sendrecv");
    assert_eq!((answer.bundle(), answer.setup(0)), (vec!["0"], Some(Setup::Active)));
    assert!(answer.media[0].rtcp_mux() && answer.has_ice(0) && answer.media[0].candidates().len() == 1);
    let agreed = leg.agreed();
    assert!(matches!(agreed[0].keys, Keys::Dtls { we_begin: true, .. }) && agreed[0].ice && agreed[0].rtcp_mux);
    assert_eq!(agreed[0].direction, Direction::SendRecv, "0.0.0.0 of a browser is no hold");
}
