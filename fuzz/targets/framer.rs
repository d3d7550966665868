//! Any bytes as a stream: whatever the chunks, the same messages, pings and refusals come out,
//! and what is held stays bounded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lyceum_sip::{Frame, Framer, Index, Limits, Message};

fuzz_target!(|bytes: &[u8]| {
    let Some((&seed, stream)) = bytes.split_first() else {
        return;
    };
    let whole = frames(&[stream]);
    let size = usize::from(seed % 61) + 1;
    let chunks: Vec<&[u8]> = stream.chunks(size).collect();
    assert_eq!(whole, frames(&chunks), "chunks of {size}");
    let middle = stream.len() * usize::from(seed) / 256;
    assert_eq!(whole, frames(&[&stream[..middle], &stream[middle..]]), "cut at {middle}");
});

#[derive(Debug, PartialEq)]
enum Seen {
    Message(Vec<u8>),
    Ping,
    Refused { status: u16, fatal: bool },
}

fn frames(chunks: &[&[u8]]) -> Vec<Seen> {
    let limits = Limits { message: 2048, body: 1024, ..Limits::default() };
    let mut framer = Framer::new(limits);
    let mut index = Index::new();
    let mut seen = Vec::new();
    for chunk in chunks {
        framer.push(chunk);
        while let Some(frame) = framer.next(&mut index) {
            match frame {
                Ok(Frame::Message(bytes)) => {
                    let message = Message::new(bytes, &index);
                    assert_eq!(message.wire(), bytes, "a frame is one message");
                    assert_eq!(message.content_length().map(|n| n as usize), Some(message.body().len()));
                    seen.push(Seen::Message(bytes.to_vec()));
                }
                Ok(Frame::Ping) => seen.push(Seen::Ping),
                // Half a ping shows in one chunking and not in another.
                Ok(Frame::Pong) => {}
                Err(e) => seen.push(Seen::Refused { status: e.error.status, fatal: e.fatal }),
            }
        }
        assert!(framer.is_dead() || framer.held() <= limits.message, "{} held", framer.held());
    }
    seen
}
