//! The hot paths in a loop, for counting instructions:
//!
//! ```text
//! valgrind --tool=callgrind --toggle-collect='hot::work*' target/release/examples/hot parse 1000
//! ```
//!
//! `hot WHAT N` with WHAT one of `parse`, `validate`, `forward`, `respond`, `frame` prints the
//! time per operation, which a shared machine makes meaningless; the instruction count is not.

use std::hint::black_box;

use lyceum_sip::{Frame, Framer, Index, Limits, Message, Name, ResponseBuilder, Splice, parse};

/// What a desk phone sends through an edge: 500 bytes and some.
const REQUEST: &[u8] = b"INVITE sip:bob@example.org SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.17:5060;branch=z9hG4bKnashds8c2f1a7;rport\r\n\
    Max-Forwards: 70\r\n\
    From: \"Alice Example\" <sip:alice@example.org>;tag=9fxced76sl\r\n\
    To: \"Bob\" <sip:bob@example.org>\r\n\
    Call-ID: 3848276298220188511@192.0.2.17\r\n\
    CSeq: 314159 INVITE\r\n\
    Contact: <sip:alice@192.0.2.17:5060;transport=udp>\r\n\
    Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE\r\n\
    Supported: replaces, timer, outbound\r\n\
    User-Agent: Example Phone/4.2\r\n\
    Content-Type: application/sdp\r\n\
    Content-Length: 29\r\n\
    \r\n\
    v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\n";

#[inline(never)]
fn work(what: &str, times: u64) -> usize {
    let limits = Limits::default();
    let mut index = Index::new();
    let mut out = Vec::with_capacity(4096);
    let mut framer = Framer::new(limits);
    let mut total = 0;
    if what == "forward" || what == "respond" || what == "validate" {
        parse(REQUEST, &mut index, &limits).expect("a sound request");
    }
    for _ in 0..times {
        let bytes = black_box(REQUEST);
        out.clear();
        match what {
            "parse" => total += parse(bytes, &mut index, &limits).expect("a sound request"),
            "validate" => total += usize::from(Message::new(bytes, &index).validate().is_ok()),
            "forward" => {
                Splice::new(Message::new(bytes, &index))
                    .request_uri(b"sip:bob@192.0.2.99:5060;transport=udp")
                    .set_top_via_params(Some([192, 0, 2, 17].into()), Some(5060))
                    .prepend(b"Record-Route: <sip:proxy.example.org;lr>")
                    .prepend(b"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK.0123456789abcdef;rport")
                    .replace(Name::MaxForwards, b"69")
                    .remove(Name::Route)
                    .write(&mut out);
                total += out.len();
            }
            "respond" => {
                ResponseBuilder::new(&Message::new(bytes, &index), 180, "")
                    .to_tag(b"8321234356")
                    .received([192, 0, 2, 17].into(), 5060)
                    .write(&mut out);
                total += out.len();
            }
            "frame" => {
                framer.push(bytes);
                while let Some(Ok(Frame::Message(message))) = framer.next(&mut index) {
                    total += message.len();
                }
            }
            _ => panic!("parse, validate, forward, respond or frame"),
        }
    }
    total
}

fn main() {
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap_or_else(|| "parse".to_owned());
    let times = args.next().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    #[allow(clippy::disallowed_methods)] // A bench measures time; the library never reads it.
    let start = std::time::Instant::now();
    let total = work(&what, times);
    let each = start.elapsed().as_nanos() as f64 / times as f64;
    println!("{what}: {} bytes in, {} out, {each:.1} ns each", REQUEST.len(), total as u64 / times.max(1));
}
