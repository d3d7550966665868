//! All messages of RFC 4475 and RFC 5118 against `conformance/verdicts.csv`, as datagrams and
//! through the stream framer in several chunkings.

use std::path::PathBuf;

use lyceum_sip::validate::{Role, may_answer_to};
use lyceum_sip::{Frame, Framer, Index, Limits, Message, Method, Name, ParseError, parse, refusal};

const OPTIONS: &[&str] = &["100rel", "timer", "path", "outbound", "gruu", "replaces"];
const METHODS: &[Method] =
    &[Method::Invite, Method::Ack, Method::Bye, Method::Cancel, Method::Options, Method::Register];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")
}

fn bytes_of(file: &str) -> Vec<u8> {
    std::fs::read(folder().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

struct Row {
    file: String,
    verdict: String,
    status: u16,
    role: String,
    stream: String,
}

fn rows() -> Vec<Row> {
    let text = String::from_utf8(bytes_of("verdicts.csv")).expect("text");
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(';').collect();
        assert_eq!(cells.len(), 6, "{line}");
        Row {
            file: cells[0].into(),
            verdict: cells[2].into(),
            status: cells[3].parse().expect("a status"),
            role: cells[4].into(),
            stream: cells[5].into(),
        }
    };
    text.lines().skip(1).map(row).collect()
}

/// What Lyceum does with a message, in the words of the table.
fn judge(outcome: Result<(), ParseError>, message: Message<'_>, role: &str) -> (String, u16) {
    let word = |verdict: &str, status| (verdict.to_owned(), status);
    if let Err(e) = outcome.and_then(|()| message.validate()) {
        if !message.is_request() {
            return word("dropped", 0);
        }
        assert!(e.answerable, "{e}");
        return word("invalid", e.status);
    }
    if !message.is_request() {
        let next = message.vias().nth(1).and_then(|via| via.expect("validated").host.ip());
        return word(if next.is_none_or(may_answer_to) { "valid" } else { "dropped" }, 0);
    }
    let roles = match role {
        "proxy" => vec![Role::Proxy { options: OPTIONS }],
        "registrar" => vec![Role::Registrar { options: OPTIONS }],
        "user-agent" => vec![Role::UserAgent { methods: METHODS, options: OPTIONS, bodies: &["application/sdp"] }],
        _ => {
            vec![Role::Proxy { options: OPTIONS }, Role::UserAgent { methods: METHODS, options: OPTIONS, bodies: &[] }]
        }
    };
    let mut verdicts = roles.iter().map(|role| refusal(&message, role).map(|r| r.status));
    let first = verdicts.next().flatten();
    match first {
        Some(status) => {
            assert!(verdicts.all(|v| v == first), "roles disagree");
            word("refused", status)
        }
        // Authentication has the last word: credentials of an unknown scheme are none.
        None if foreign_credentials(&message) => word("refused", 401),
        None => word("valid", 0),
    }
}

fn foreign_credentials(message: &Message<'_>) -> bool {
    message.value(Name::Authorization).is_some_and(|v| !v.to_ascii_lowercase().starts_with(b"digest "))
}

#[test]
fn the_table_names_every_message_once() {
    let mut named: Vec<String> = rows().into_iter().map(|r| r.file).collect();
    let mut found = Vec::new();
    for rfc in ["rfc4475", "rfc5118"] {
        for entry in std::fs::read_dir(folder().join(rfc)).expect("folder") {
            found.push(format!("{rfc}/{}", entry.expect("entry").file_name().to_string_lossy()));
        }
    }
    named.sort();
    found.sort();
    assert_eq!((named.len(), &named), (49 + 12, &found));
}

#[test]
fn datagrams_get_the_verdict_of_the_rfc() {
    let mut wrong = Vec::new();
    for row in rows() {
        let bytes = bytes_of(&row.file);
        let mut index = Index::new();
        let outcome = parse(&bytes, &mut index, &Limits::default()).map(|_| ());
        let got = judge(outcome, Message::new(&bytes, &index), &row.role);
        if got != (row.verdict.clone(), row.status) {
            wrong.push(format!("{}: {got:?}, expected {} {}; {outcome:?}", row.file, row.verdict, row.status));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The verdicts on what a framer yields from the chunks, and whether it gave up.
fn framed(chunks: &[&[u8]], role: &str) -> (Vec<(String, u16)>, bool) {
    let mut framer = Framer::new(Limits::default());
    let mut index = Index::new();
    let mut verdicts = Vec::new();
    for chunk in chunks {
        framer.push(chunk);
        while let Some(frame) = framer.next(&mut index) {
            let (outcome, bytes) = match frame {
                Ok(Frame::Message(bytes)) => (Ok(()), bytes),
                Ok(Frame::Ping | Frame::Pong) => continue,
                // Nothing to answer: the connection closes without a word.
                Err(e) if e.fatal && !e.error.answerable => continue,
                Err(e) => (Err(e.error), e.bytes),
            };
            verdicts.push(judge(outcome, Message::new(bytes, &index), role));
        }
    }
    (verdicts, framer.is_dead())
}

#[test]
fn streams_get_the_verdict_of_the_rfc_in_any_chunking() {
    for row in rows() {
        let bytes = bytes_of(&row.file);
        let verdict = (row.verdict.clone(), row.status);
        let expected = match row.stream.as_str() {
            "same" => (vec![verdict], false),
            // RFC 4475 §3.1.1.8: on a stream the excess is the next message.
            // The second one's own Content-Length is too short; its rest is no SIP.
            "second" => (vec![verdict.clone(), verdict], true),
            "waits" => (vec![], false),
            "closes" => (vec![("invalid".to_owned(), 400)], true),
            other => panic!("{other}"),
        };
        let middle = bytes.len() / 2;
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        for chunks in [vec![&bytes[..]], vec![&bytes[..middle], &bytes[middle..]], bytes.chunks(7).collect(), single] {
            assert_eq!(framed(&chunks, &row.role), expected, "{} in {} chunks", row.file, chunks.len());
        }
    }
}

#[test]
fn a_head_without_its_empty_line_is_read_in_a_datagram() {
    let bytes = bytes_of("rfc4475/lwsdisp.dat");
    let cut = &bytes[..bytes.len() - 2];
    let mut index = Index::new();
    assert_eq!(parse(cut, &mut index, &Limits::default()), Ok(cut.len()));
    assert_eq!(Message::new(cut, &index).validate(), Ok(()));
}

fn with<T>(file: &str, check: impl FnOnce(Message<'_>) -> T) -> T {
    let bytes = bytes_of(file);
    let mut index = Index::new();
    parse(&bytes, &mut index, &Limits::default()).expect("parses");
    check(Message::new(&bytes, &index))
}

#[test]
fn wsinv_is_read_through_its_folds() {
    with("rfc4475/wsinv.dat", |m| {
        assert_eq!((m.method(), m.cseq().number, m.max_forwards()), (Method::Invite, 9, Some(Ok(68))));
        assert_eq!((m.from_tag(), m.to_tag()), (Some(&b"98asjd8"[..]), Some(&b"1918181833n"[..])));
        let branches: Vec<&[u8]> = m.vias().map(|v| v.expect("valid").branch).collect();
        assert_eq!(branches, [&b"390skdjuw"[..], b"z9hG4bK9ikj8", b"z9hG4bK30239"]);
        let contact = m.contacts().next().expect("one").expect("valid");
        assert_eq!(contact.q(), 330);
        assert_eq!(m.from().expect("valid").display_text().as_ref(), b"J Rosenberg \\\"");
        assert_eq!(m.value_named(b"newfangledheader"), Some(&b"newfangled value\r\n continued newfangled value"[..]));
    });
}

#[test]
fn unusual_characters_are_kept() {
    with("rfc4475/intmeth.dat", |m| {
        assert_eq!(m.method(), Method::Other);
        assert_eq!(m.method_token(), b"!interesting-Method0123456789_*+`.%indeed'~");
        assert_eq!(m.from_tag(), Some(&b"_token~1'+`*%!-."[..]));
        assert_eq!(m.max_forwards(), Some(Ok(255)));
    });
    with("rfc4475/esc02.dat", |m| {
        assert_eq!(m.method(), Method::Other);
        assert_eq!(m.contacts().count(), 2);
        assert_eq!(m.from().expect("valid").display_text().as_ref(), b"%Z%45");
    });
    with("rfc4475/escnull.dat", |m| {
        let uris: Vec<_> =
            m.contacts().map(|c| c.expect("valid").address().expect("one").parsed_uri().expect("a URI")).collect();
        assert!(!uris[0].equivalent(&uris[1]));
    });
    with("rfc4475/esc01.dat", |m| {
        let contact = m.contacts().next().expect("one").expect("valid");
        assert!(contact.address().expect("one").parsed_uri().expect("a URI").is_loose_route());
    });
}

#[test]
fn excess_bytes_of_a_datagram_are_discarded() {
    let bytes = bytes_of("rfc4475/dblreq.dat");
    let mut index = Index::new();
    let used = parse(&bytes, &mut index, &Limits::default()).expect("parses");
    let m = Message::new(&bytes, &index);
    assert_eq!((m.body(), m.wire().len()), (&b""[..], used));
    assert!(bytes[used..].starts_with(b"\r\n\r\nINVITE") || bytes[used..].starts_with(b"\r\nINVITE"), "{used}");
}

#[test]
fn lists_and_parameters_land_where_the_rfc_says() {
    with("rfc4475/longreq.dat", |m| assert_eq!(m.vias().filter(Result::is_ok).count(), 34));
    with("rfc4475/transports.dat", |m| {
        assert_eq!(m.vias().filter(Result::is_ok).count(), 5);
        assert_eq!(m.vias().nth(1).expect("two").expect("valid").known_transport(), None);
    });
    with("rfc4475/badbranch.dat", |m| assert!(!m.top_via().expect("valid").has_rfc3261_branch()));
    with("rfc4475/cparam01.dat", |m| {
        let c = m.contacts().next().expect("one").expect("valid");
        assert!(c.address().expect("one").params.has("unknownparam"));
    });
    with("rfc4475/cparam02.dat", |m| {
        let c = m.contacts().next().expect("one").expect("valid");
        let address = c.address().expect("one");
        assert!(!address.params.has("unknownparam"));
        assert_eq!(address.parsed_uri().expect("a URI").param("unknownparam"), Some(&b""[..]));
    });
    with("rfc4475/semiuri.dat", |m| {
        let uri = lyceum_sip::Uri::parse(m.request_uri()).expect("a URI");
        assert_eq!(uri.user_unescaped().as_deref(), Some(&b"user;par=u@example.net"[..]));
        assert_eq!(m.values(Name::Accept).count(), 6);
    });
    with("rfc4475/regescrt.dat", |m| {
        let c = m.contacts().next().expect("one").expect("valid");
        let uri = c.address().expect("one").parsed_uri().expect("a URI");
        assert_eq!(uri.headers(), Some(&b"Route=%3Csip:sip.example.com%3E"[..]));
    });
}

#[test]
fn ipv6_addresses_are_compared_by_value() {
    with("rfc5118/port-ambiguous.dat", |m| {
        let uri = lyceum_sip::Uri::parse(m.request_uri()).expect("a URI");
        assert_eq!((uri.host().ip(), uri.port()), ("2001:db8::10:5070".parse().ok(), None));
    });
    for file in ["rfc5118/via-received-param-with-delim.dat", "rfc5118/via-received-param-no-delim.dat"] {
        with(file, |m| assert_eq!(m.top_via().expect("valid").received_ip(), "2001:db8::9:255".parse().ok()));
    }
    let host = |file| with(file, |m| lyceum_sip::Uri::parse(m.request_uri()).expect("a URI").host().ip());
    assert_eq!(host("rfc5118/ipv6-bug-abnf-3-colons.dat"), host("rfc5118/ipv6-correct-abnf-2-colons.dat"));
}
