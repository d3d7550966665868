use super::*;

const OPTIONS: &[u8] = b"OPTIONS sip:a@h SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: <sip:b@h>;tag=1\r\n\
    To: <sip:a@h>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 4\r\n\r\nbody";

/// What a framer yields, in words.
fn frames(chunks: &[&[u8]]) -> Vec<String> {
    let mut framer = Framer::new(Limits::default());
    let mut index = Index::new();
    let mut seen = Vec::new();
    for chunk in chunks {
        framer.push(chunk);
        while let Some(frame) = framer.next(&mut index) {
            seen.push(match frame {
                Ok(Frame::Message(bytes)) => format!("message {}", bytes.len()),
                Ok(Frame::Ping) => "ping".to_owned(),
                Ok(Frame::Pong) => "pong".to_owned(),
                Err(e) => format!("{} fatal {}", e.error.status, e.fatal),
            });
        }
    }
    seen
}

#[test]
fn messages_come_whole_whatever_the_chunks() {
    let stream = [OPTIONS, b"\r\n\r\n", OPTIONS].concat();
    let one = format!("message {}", OPTIONS.len());
    assert_eq!(frames(&[&stream]), [one.as_str(), "ping", &one]);
    for cut in 0..stream.len() {
        let got = frames(&[&stream[..cut], &stream[cut..]]);
        assert_eq!(got.iter().filter(|f| *f != "pong").collect::<Vec<_>>(), [&one, "ping", &one], "cut at {cut}");
    }
}

#[test]
fn a_ping_in_two_halves_is_still_a_ping() {
    assert_eq!(frames(&[b"\r\n\r\n"]), ["ping"]);
    assert_eq!(frames(&[b"\r\n"]), ["pong"]);
    assert_eq!(frames(&[b"\r", b"\n\r", b"\n"]), ["pong", "ping"]);
    assert_eq!(frames(&[b"\r\n\r\n\r\n"]), ["ping", "pong"]);
}

#[test]
fn lost_framing_is_fatal_and_said_once() {
    let head = b"OPTIONS sip:a@h SIP/2.0\r\nVia: SIP/2.0/TCP h\r\n";
    let table: [(&[u8], &str); 5] = [
        (b"l: 1\r\nl: 2\r\n\r\n", "400 fatal true"),
        (b"l: -1\r\n\r\n", "400 fatal true"),
        (b"\r\n", "400 fatal true"),
        (b"l: 999999999\r\n\r\n", "513 fatal true"),
        (b"no colon\r\nl: 0\r\n\r\n", "400 fatal false"),
    ];
    for (tail, expected) in table {
        assert_eq!(frames(&[head, tail]), [expected]);
    }
    assert_eq!(frames(&[b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", OPTIONS]), ["400 fatal true"]);
    assert_eq!(frames(&[&[b'x'; 70_000]]), ["513 fatal true"]);
}

#[test]
fn an_idle_framer_holds_no_memory() {
    let mut framer = Framer::new(Limits::default());
    let mut index = Index::new();
    framer.push(OPTIONS);
    assert!(framer.next(&mut index).is_some());
    assert!(framer.next(&mut index).is_none());
    assert_eq!(framer.buffer.capacity(), 0);
}
