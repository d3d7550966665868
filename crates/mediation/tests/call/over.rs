//! How calls end by themselves, and how many there may be.

use std::time::Duration;

use lyceum_media::Time;
use lyceum_mediation::call::{CALLS_MAX, Carried, Party, Passing, Protection};
use lyceum_mediation::media::{MediaEvent, StreamId};

use lyceum_media::bridge::Side;

use crate::bench::{Bench, CHROME, browser, phone};

const DESK: &str = "m=audio 4000 RTP/AVP 8\r\n";
const WITH_VIDEO: &str = "m=audio 4000 RTP/AVP 8\r\nm=video 4002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n";

fn phones() -> Bench {
    Bench::new(Party::phone(Protection::Optional, None), Party::phone(Protection::Plain, None))
}

fn silent(stream: u64, second: u64, expected: bool) -> MediaEvent {
    let at = Time(second * 1_000_000);
    MediaEvent::Silent { stream: StreamId(stream), at, until: at + Duration::from_secs(10), expected }
}

#[test]
fn a_call_of_which_nothing_is_heard_ends_by_itself() {
    let mut bench = phones();
    bench.call(1, &phone(DESK), &phone(DESK));
    assert_eq!(bench.anchors.media_event(silent(0, 60, true)), Some(bench.id));
    assert!(bench.anchors.is_empty());
    assert_eq!(bench.told.lock().expect("alone").closed, [StreamId(0)]);
}

#[test]
fn one_silent_stream_ends_no_call_of_which_another_is_heard() {
    let mut bench = phones();
    bench.call(1, &phone(WITH_VIDEO), &phone(WITH_VIDEO));
    assert_eq!(bench.anchors.media_event(silent(0, 60, true)), None);
    assert_eq!(bench.anchors.media_event(silent(1, 75, true)), None, "of the other nothing was told for too long");
    assert_eq!(bench.anchors.media_event(silent(0, 80, true)), Some(bench.id));

    let mut bench = phones();
    bench.call(1, &phone(WITH_VIDEO), &phone(WITH_VIDEO));
    bench.anchors.media_event(silent(0, 60, true));
    bench.anchors.media_event(MediaEvent::Heard(StreamId(0)));
    assert_eq!(bench.anchors.media_event(silent(1, 61, true)), None, "it is heard again");
}

#[test]
fn held_streams_alone_end_no_call() {
    let mut bench = phones();
    bench.call(1, &phone(WITH_VIDEO), &phone(WITH_VIDEO));
    assert_eq!(bench.anchors.media_event(silent(0, 60, false)), None);
    assert_eq!(bench.anchors.media_event(silent(1, 61, false)), None);
    assert_eq!(bench.anchors.media_event(silent(1, 65, true)), Some(bench.id), "of one something should be heard");
}

#[test]
fn what_nobody_agrees_is_closed_and_ends_a_call_that_has_nothing_else() {
    let mut bench = phones();
    bench.pass(Side::A, Carried::Request, 1, &phone(DESK)).expect("passes");
    assert_eq!(bench.anchors.media_event(MediaEvent::Unagreed(StreamId(0))), Some(bench.id));
    assert!(bench.anchors.is_empty());

    let mut bench = phones();
    bench.call(1, &phone(DESK), &phone(DESK));
    bench.pass(Side::A, Carried::Request, 2, &phone(WITH_VIDEO)).expect("passes");
    assert_eq!(bench.anchors.media_event(MediaEvent::Unagreed(StreamId(1))), None);
    assert_eq!(bench.told.lock().expect("alone").closed, [StreamId(1)]);
}

#[test]
fn a_call_whose_last_stream_media_gave_up_is_over() {
    let mut bench = phones();
    bench.call(1, &phone(DESK), &phone(DESK));
    assert_eq!(bench.anchors.media_event(MediaEvent::Closed(StreamId(0), Box::default())), Some(bench.id));
    assert!(bench.anchors.is_empty());
}

#[test]
fn there_are_so_many_calls_and_no_more() {
    let mut bench = Bench::new(Party::browser(None), Party::phone(Protection::Plain, None));
    let (one, two) = (Party::browser(None), Party::phone(Protection::Plain, None));
    for _ in 1..CALLS_MAX {
        assert!(bench.anchors.begin(one, two).is_some());
    }
    assert!(bench.anchors.begin(one, two).is_none());
    assert!(bench.anchors.observe().is_some(), "those that are read count by themselves");
    bench.anchors.end(bench.id);
    let next = bench.anchors.begin(one, two).expect("there is room again");
    let offer = browser("u1", "actpass", CHROME, "");
    let passing = Passing { from: Side::A, carried: Carried::Request, cseq: 1, body: offer.as_bytes() };
    assert!(bench.anchors.pass(next, &passing).is_ok());
}
