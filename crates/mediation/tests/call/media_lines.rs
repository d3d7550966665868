//! Several media in one call: pictures, a shared screen, what is refused, what comes and goes.

use lyceum_media::bridge::Side;
use lyceum_mediation::call::{Carried, Party, Protection};
use lyceum_sdp::Setup;
use lyceum_topology::qos::Modality;

use crate::bench::{Bench, CHROME, browser, phone};

const VIDEO: &str = "m=video 50003 UDP/TLS/RTP/SAVPF 96 97 98\r\nc=IN IP4 192.0.2.7\r\na=ice-ufrag:v1\r\n\
    a=ice-pwd:qqqqqqqqqqqqqqqqqqqqqqqq\r\na=setup:actpass\r\na=mid:1\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n\
    a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=rtpmap:98 H264/90000\r\n\
    a=fmtp:98 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n";
const DESK: &str = "m=audio 4000 RTP/AVP 8\r\n";

/// The digest that the sound names holds for the picture, too.
fn with_video(more: &str) -> String {
    let digest = vec!["CD"; 32].join(":");
    let video = format!("{VIDEO}a=fingerprint:sha-256 {digest}\r\n{more}");
    format!("{}{video}", browser("u1", "actpass", CHROME, ""))
}

fn bench() -> Bench {
    Bench::new(Party::browser(None), Party::phone(Protection::Plain, None))
}

#[test]
fn pictures_pass_where_both_have_the_codec() {
    let mut bench = bench();
    let answer = phone(
        "m=audio 4000 RTP/AVP 8\r\nm=video 4002 RTP/AVP 98\r\na=rtpmap:98 H264/90000\r\na=fmtp:98 packetization-mode=1;profile-level-id=42e01f\r\n",
    );
    let (offered, answered) = bench.call(1, &with_video(""), &answer);
    let codecs: Vec<_> = offered.media[1].codecs().iter().map(|codec| codec.encoding.to_string()).collect();
    assert_eq!(codecs, ["VP8", "H264"], "what only browsers know is left out");
    assert_eq!(answered.media[1].codecs().len(), 1);
    assert!(answered.media[1].attributes("rtcp-fb").any(|line| line == "98 nack pli"));
    assert_ne!(answered.media[0].port, answered.media[1].port, "each modality has its own port");
    assert!(answered.bundle().is_empty());
    let told = bench.told.lock().expect("alone");
    assert_eq!(told.opened.iter().map(|open| open.modality).collect::<Vec<_>>(), [Modality::Audio, Modality::Video]);
    assert_eq!(told.agreed.len(), 4);
}

#[test]
fn a_phone_without_pictures_refuses_them_alone() {
    let mut bench = bench();
    let answer = phone(&format!("{DESK}m=video 0 RTP/AVP 96\r\n"));
    let (_, answered) = bench.call(1, &with_video(""), &answer);
    assert_eq!((answered.media[0].port, answered.media[1].port), (20_000, 0));
    assert_eq!(bench.told.lock().expect("alone").closed.len(), 1, "the ports of the picture go back");
    // Hold: the refused line stays refused, and is offered anew only as a new medium.
    let (offered, answered) = bench.call(2, &with_video(""), &answer);
    assert_eq!((offered.media.len(), answered.media[1].port), (2, 0));
}

#[test]
fn a_screen_is_a_modality_of_its_own() {
    let mut bench = bench();
    bench.call(1, &browser("u1", "actpass", CHROME, ""), &phone(DESK));
    let answer = phone(
        "m=audio 4000 RTP/AVP 8\r\nm=video 4002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\na=content:slides\r\na=recvonly\r\n",
    );
    let (offered, answered) = bench.call(2, &with_video("a=content:slides\r\na=sendonly\r\n"), &answer);
    assert_eq!(offered.media[1].attribute("content"), Some("slides"));
    assert_eq!(answered.media[1].attribute("content"), Some("slides"));
    assert_eq!(bench.told.lock().expect("alone").opened[1].modality, Modality::Sharing);
}

#[test]
fn a_data_channel_keeps_its_place_and_is_refused() {
    let mut bench = bench();
    let data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:1\r\na=sctp-port:5000\r\n";
    let offer = format!("{}{data}", browser("u1", "actpass", CHROME, ""));
    let (offered, answered) =
        bench.call(1, &offer, &phone(&format!("{DESK}m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n")));
    assert_eq!((offered.media.len(), offered.media[1].port), (2, 0));
    assert_eq!((answered.media.len(), answered.media[1].port), (2, 0));
    assert_eq!(bench.told.lock().expect("alone").opened.len(), 1);
}

#[test]
fn opus_alone_is_made_into_what_the_phone_has() {
    let mut bench = bench();
    let (offered, answered) =
        bench.call(1, &browser("u1", "actpass", "111=opus/48000/2 110=telephone-event/48000", ""), &phone(DESK));
    let names: Vec<_> = offered.media[0].codecs().iter().map(|codec| codec.encoding.to_string()).collect();
    assert_eq!(names, ["opus", "G722", "PCMA", "PCMU", "telephone-event"]);
    assert_eq!(answered.media[0].codecs()[0].rtpmap(), "111 opus/48000/2");
    let told = bench.told.lock().expect("alone");
    assert_eq!(told.agreed[0].2.setup.send[0].payload, 8);
    assert_eq!(told.agreed[1].2.setup.send[0].payload, 111);
}

#[test]
fn a_picture_added_later_by_the_phone_reaches_the_browser() {
    let mut bench = bench();
    bench.call(1, &browser("u1", "actpass", CHROME, ""), &phone(DESK));
    let offer = phone("m=audio 4000 RTP/AVP 8\r\nm=video 4002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n");
    let offered = bench.pass(Side::B, Carried::Request, 3, &offer).expect("passes");
    assert_eq!((offered.setup(1), offered.media[1].mid()), (Some(Setup::ActPass), Some("1")));
    assert_eq!(offered.media[0].mid(), Some("0"));
    assert!(offered.bundle().is_empty());
}
