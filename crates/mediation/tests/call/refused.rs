//! Offers that are refused, that meet, and answers that come again.

use lyceum_media::bridge::Side;
use lyceum_mediation::call::{Carried, Party, PassError, Protection};
use lyceum_mediation::media::StreamId;

use crate::bench::{Bench, CHROME, browser, phone};

const DESK: &str = "m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";
const DESK_VIDEO: &str = "m=video 4002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n";

fn with_video(ufrag: &str, port: u16) -> String {
    let digest = vec!["CD"; 32].join(":");
    format!(
        "{}m=video {port} UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 192.0.2.7\r\na=ice-ufrag:{ufrag}\r\n\
         a=ice-pwd:qqqqqqqqqqqqqqqqqqqqqqqq\r\na=fingerprint:sha-256 {digest}\r\na=setup:actpass\r\na=mid:1\r\n\
         a=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n",
        browser(ufrag, "actpass", CHROME, "")
    )
}

fn bench() -> Bench {
    Bench::new(Party::browser(None), Party::phone(Protection::Plain, None))
}

#[test]
fn a_refused_offer_leaves_the_media_as_it_was() {
    let mut bench = bench();
    bench.call(1, &with_video("u1", 50_003), &phone(&format!("{DESK}{DESK_VIDEO}")));
    // The picture is to end and ICE to begin anew: the phone says 488.
    bench.pass(Side::A, Carried::Request, 2, &with_video("u9", 0)).expect("passes");
    bench.anchors.settled(bench.id, Side::A, 2);
    {
        let told = bench.told.lock().expect("alone");
        assert!(told.closed.is_empty() && told.restarted.is_empty(), "{:?} {:?}", told.closed, told.restarted);
        assert_eq!(told.agreed.len(), 4);
    }
    // What the phone offers now is answered with the same ports and the same ICE.
    let held = bench.pass(Side::B, Carried::Request, 7, &phone(&format!("{DESK}{DESK_VIDEO}"))).expect("passes");
    assert_eq!((held.media[1].port, held.attribute_of(0, "ice-ufrag")), (20_010, Some("ours")));
}

#[test]
fn an_offer_counts_from_its_answer_on() {
    let mut bench = bench();
    bench.call(1, &with_video("u1", 50_003), &phone(&format!("{DESK}{DESK_VIDEO}")));
    let none = phone(&format!("{DESK}m=video 0 RTP/AVP 96\r\n"));
    let (_, answered) = bench.call(2, &with_video("u9", 0), &none);
    assert_eq!((answered.media[1].port, answered.attribute_of(0, "ice-ufrag")), (0, Some("anew")));
    let told = bench.told.lock().expect("alone");
    assert_eq!(
        (told.closed.as_slice(), told.restarted.as_slice()),
        (&[StreamId(1)][..], &[(StreamId(0), Side::A)][..])
    );
}

#[test]
fn what_was_opened_for_a_refused_offer_is_closed() {
    let mut bench = bench();
    bench.call(1, &browser("u1", "actpass", CHROME, ""), &phone(DESK));
    bench.pass(Side::A, Carried::Request, 2, &with_video("u1", 50_003)).expect("passes");
    bench.anchors.settled(bench.id, Side::B, 2);
    bench.anchors.settled(bench.id, Side::A, 1);
    assert!(bench.told.lock().expect("alone").closed.is_empty(), "of another request");
    bench.anchors.settled(bench.id, Side::A, 2);
    assert_eq!(bench.told.lock().expect("alone").closed, [StreamId(1)]);
    bench.told.lock().expect("alone").full = true;
    let full = bench.pass(Side::A, Carried::Request, 3, &with_video("u1", 50_003));
    assert!(matches!(full, Err(PassError::Media(_))));
    let (_, answered) = bench.call(4, &browser("u1", "actpass", CHROME, "a=sendonly\r\n"), &phone(DESK));
    assert_eq!(answered.media[0].port, 20_000, "a call that goes on");
}

#[test]
fn two_offers_that_meet_are_told_apart() {
    let mut bench = bench();
    bench.call(1, &browser("u1", "actpass", CHROME, ""), &phone(DESK));
    bench.pass(Side::A, Carried::Request, 2, &browser("u1", "actpass", CHROME, "a=sendonly\r\n")).expect("passes");
    let other = bench.pass(Side::B, Carried::Request, 9, &phone(DESK));
    assert!(matches!(other, Err(PassError::Pending)), "{other:?}");
    let answered = bench.pass(Side::B, Carried::Response, 2, &phone(&format!("{DESK}a=recvonly\r\n"))).expect("passes");
    assert_eq!(answered.media[0].port, 20_000);
    bench.pass(Side::B, Carried::Request, 10, &phone(DESK)).expect("now it may");
}

#[test]
fn an_answer_that_comes_again_after_an_update_is_no_offer() {
    let mut bench = bench();
    let (_, early) = bench.call(1, &browser("u1", "actpass", CHROME, ""), &phone(DESK));
    let held = browser("u1", "actpass", CHROME, "a=sendonly\r\n");
    let (_, updated) = bench.call(2, &held, &phone(&format!("{DESK}a=recvonly\r\n")));
    let agreed = bench.told.lock().expect("alone").agreed.len();
    // The 200 of the INVITE says again what its 183 said, and repeats itself in other words.
    let again = bench.pass(Side::B, Carried::Response, 1, &phone(DESK)).expect("passes");
    let other = bench.pass(Side::B, Carried::Response, 1, &phone(&format!("{DESK}a=sendrecv\r\n"))).expect("passes");
    assert_eq!((again.to_bytes(), other.to_bytes()), (early.to_bytes(), early.to_bytes()));
    assert_ne!(updated.to_bytes(), early.to_bytes());
    assert_eq!(bench.told.lock().expect("alone").agreed.len(), agreed, "media hears nothing of it");
    // While an UPDATE is open it is no answer to that either.
    bench.pass(Side::A, Carried::Request, 3, &browser("u1", "actpass", CHROME, "")).expect("passes");
    assert_eq!(bench.pass(Side::B, Carried::Response, 1, &phone(DESK)).expect("passes").to_bytes(), early.to_bytes());
    bench.pass(Side::B, Carried::Response, 3, &phone(DESK)).expect("the answer");
}

#[test]
fn an_offer_in_an_answer_that_comes_again_is_the_same_offer() {
    let mut bench = bench();
    let offered = bench.pass(Side::B, Carried::Response, 1, &phone(DESK)).expect("passes");
    let again = bench.pass(Side::B, Carried::Response, 1, &phone(DESK)).expect("passes");
    let answer = browser("u1", "active", "8=PCMA/8000 101=telephone-event/8000", "");
    bench.pass(Side::A, Carried::Confirmation, 1, &answer).expect("passes");
    let late = bench.pass(Side::B, Carried::Response, 1, &phone(DESK)).expect("passes");
    assert!([again, late].iter().all(|it| it.to_bytes() == offered.to_bytes()));
    assert_eq!(bench.told.lock().expect("alone").agreed.len(), 2);
    assert_eq!(bench.told.lock().expect("alone").opened.len(), 1);
}
