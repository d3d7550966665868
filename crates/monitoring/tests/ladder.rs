//! The ladder as text and JSON, and what is kept of messages.

use lyceum_monitoring::*;
use lyceum_sip::{Index, Limits, Message};
use proptest::prelude::*;

const OURS: &str = "198.51.100.1:5060";

fn entry(millis: u64, direction: Direction, remote: &str, text: &str) -> TraceEntry {
    let passage = Passage {
        time: Stamp(1_000_000_000_000 + millis),
        direction,
        local: OURS.parse().unwrap(),
        remote: remote.parse().unwrap(),
        transport: Wire::Udp,
    };
    TraceEntry::capture(passage, text.as_bytes())
}

fn message(first: &str, branch: &str, cseq: &str, rest: &str) -> String {
    format!(
        "{first}\r\nVia: SIP/2.0/UDP h;branch={branch}\r\nFrom: <sip:anna@contoso.com>;tag=1\r\n\
         To: <sip:ben@contoso.com>\r\nCall-ID: c1@h\r\nCSeq: {cseq}\r\n{rest}\r\n"
    )
}

fn unanswered() -> Vec<TraceEntry> {
    use Direction::{Received, Sent};
    let (anna, ben) = ("192.0.2.1:5060", "192.0.2.2:5060");
    let invite = |branch: &str| message("INVITE sip:ben@contoso.com SIP/2.0", branch, "1 INVITE", "");
    vec![
        entry(0, Received, anna, &invite("z9hG4bKa")),
        entry(1, Sent, anna, &message("SIP/2.0 100 Trying", "z9hG4bKa", "1 INVITE", "")),
        entry(2, Sent, ben, &invite("z9hG4bKb")),
        entry(502, Sent, ben, &invite("z9hG4bKb")),
        entry(32_000, Sent, anna, &message("SIP/2.0 408 Request Timeout", "z9hG4bKa", "1 INVITE", "")),
        entry(32_020, Received, anna, &message("ACK sip:ben@contoso.com SIP/2.0", "z9hG4bKa", "1 ACK", "")),
    ]
}

#[test]
fn a_ladder_as_text_marks_the_failing_transaction() {
    let expected = "
                      anna                      Lyceum                       ben
               192.0.2.1:5060 UDP                                    192.0.2.2:5060 UDP
01:46:40.000            │─────── INVITE ben ──────▶│                          │
01:46:40.001            │◀────── 100 Trying ───────│                          │
01:46:40.002            │                          │─────── INVITE ben ──────▶│  ✗
01:46:40.502            │                          │─── INVITE ben (again) ──▶│  ✗
01:47:12.000            │◀─ 408 Request Timeout ───│                          │
01:47:12.020            │──────── ACK ben ────────▶│                          │
";
    let text = format!("\n{}", Ladder::build(unanswered()).render(Style { unicode: true, column: 27 }));
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("INVITE ben (again)"), "\n{text}");
    assert_eq!(text.matches('✗').count(), 2, "\n{text}");
    assert!(
        text.contains(
            "\nLYM0201 Nothing came back from ben (192.0.2.2:5060): the INVITE was sent twice within 32 s.\n"
        ),
        "\n{text}"
    );
    assert!(text.contains("\nWhat to do: "), "\n{text}");
}

#[test]
fn a_ladder_in_ascii_holds_ascii_only_and_keeps_its_lanes_straight() {
    let text = Ladder::build(unanswered()).render(Style { unicode: false, column: 30 });
    assert!(text.is_ascii(), "\n{text}");
    for line in text.lines().filter(|line| line.starts_with("01:46")) {
        for lane in 0..3 {
            assert_eq!(line.chars().nth(24 + 30 * lane), Some('|'), "\n{text}");
        }
    }
}

#[test]
fn transactions_are_grouped_and_repeats_counted() {
    let ladder = Ladder::build(unanswered());
    let summary: Vec<(&str, Role, u16, u16, u32, bool)> = ladder
        .transactions
        .iter()
        .map(|one| (&*one.method, one.role, one.provisional, one.status, one.request_repeats, one.acknowledged))
        .collect();
    assert_eq!(summary, [("INVITE", Role::Server, 100, 408, 0, true), ("INVITE", Role::Client, 0, 0, 1, false)]);
    assert_eq!(ladder.failing().map(|one| one.peer), Some(2));
    assert_eq!(ladder.rungs.iter().filter(|rung| rung.again).count(), 1);
}

#[test]
fn json_holds_lanes_messages_and_the_explanation() {
    let json: serde_json::Value = serde_json::from_str(&Ladder::build(unanswered()).to_json()).unwrap();
    assert_eq!(json["lanes"][0]["name"], "anna");
    assert_eq!(json["rungs"][0]["entry"]["first_line"], "INVITE sip:ben@contoso.com SIP/2.0");
    assert_eq!(json["transactions"][0]["role"], "server");
    assert_eq!((&json["explanation"]["code"], &json["explanation"]["verdict"]), (&"LYM0201".into(), &"failed".into()));
}

#[test]
fn private_text_does_not_print_itself_and_secrets_are_not_kept() {
    let text = message(
        "MESSAGE sip:+493012345@contoso.com SIP/2.0",
        "z9hG4bKa",
        "1 MESSAGE",
        "Authorization: Digest username=\"anna\", response=\"deadbeef\"\r\nContent-Type: text/plain\r\n",
    ) + "see you at eight";
    let kept = entry(0, Direction::Received, "192.0.2.1:5060", &text);
    assert!(!format!("{kept:?}").contains("4930"), "{kept:?}");
    let stored = serde_json::to_string(&kept).unwrap();
    assert!(!stored.contains("deadbeef") && !stored.contains("eight"), "{stored}");
    assert_eq!(serde_json::from_str::<TraceEntry>(&stored).unwrap(), kept);
}

#[test]
fn broken_messages_are_shown_as_they_came() {
    let ladder = Ladder::build(vec![
        entry(0, Direction::Received, "192.0.2.1:5060", "nonsense"),
        entry(1, Direction::Received, "192.0.2.1:5060", ""),
        entry(2, Direction::Received, "192.0.2.1:5060", "SIP/2.0 99999 x\r\nCSeq: x y z\r\nVia\r\n\r\n"),
    ]);
    assert_eq!(ladder.rungs.len(), 3);
    assert!(ladder.render(Style::default()).contains("nonsense"));
}

#[test]
fn a_filter_takes_what_fits_in_all_that_is_given() {
    let invite =
        message("INVITE sip:+4930123@contoso.com;user=phone SIP/2.0", "z9hG4bKa", "1 INVITE", "Content-Length: 0\r\n");
    let ringing = message("SIP/2.0 180 Ringing", "z9hG4bKa", "1 INVITE", "Content-Length: 0\r\n");
    let ack = message("ACK sip:x@contoso.com SIP/2.0", "z9hG4bKa", "1 ACK", "Content-Length: 0\r\n");
    for (filter, expected) in [
        ("{}", [true, true, true]),
        (r#"{"user": "ANNA@contoso.com"}"#, [true, true, true]),
        (r#"{"user": "sip:ben"}"#, [true, true, true]),
        (r#"{"user": "ann"}"#, [false, false, false]),
        (r#"{"user": "tel:+4930123"}"#, [true, false, false]),
        (r#"{"call_id": "c1@h"}"#, [true, true, true]),
        (r#"{"call_id": "c2@h"}"#, [false, false, false]),
        (r#"{"source": "192.0.2.0/24"}"#, [true, true, true]),
        (r#"{"source": "192.0.3.0/24"}"#, [false, false, false]),
        (r#"{"method": "invite"}"#, [true, true, true]),
        (r#"{"method": "ACK"}"#, [false, false, true]),
        (r#"{"method": "BYE"}"#, [false, false, false]),
        (r#"{"user": "anna", "method": "REGISTER"}"#, [false, false, false]),
    ] {
        let filter: TraceFilter = serde_json::from_str(filter).unwrap();
        for (text, expected) in [&invite, &ringing, &ack].into_iter().zip(expected) {
            let mut index = Index::new();
            lyceum_sip::parse(text.as_bytes(), &mut index, &Limits::default()).unwrap();
            let live = filter.takes("192.0.2.1".parse().unwrap(), &Message::new(text.as_bytes(), &index));
            let kept = filter.matches(&entry(0, Direction::Received, "192.0.2.1:5060", text));
            assert_eq!((live, kept), (expected, expected), "{filter:?} {text}");
        }
    }
}

#[test]
fn a_ring_keeps_the_newest_within_its_bounds() {
    let text = |n: u32| message("OPTIONS sip:a@b SIP/2.0", &format!("z9hG4bK{n:04}"), "1 OPTIONS", "");
    let size = text(0).len();
    for (bounds, kept) in [
        (RingBounds { entries: 3, bytes: 1 << 20 }, 3),
        (RingBounds { entries: 100, bytes: 2 * size }, 2),
        (RingBounds { entries: 0, bytes: 1 << 20 }, 0),
        (RingBounds { entries: 100, bytes: 1 }, 0),
    ] {
        let mut ring = TraceRing::new(bounds);
        for n in 0..10 {
            ring.push(entry(u64::from(n), Direction::Received, "192.0.2.1:5060", &text(n)));
        }
        assert_eq!((ring.len(), ring.dropped()), (kept, 10 - kept as u64));
        assert_eq!(ring.is_empty(), kept == 0);
        let newest = ring.search(&TraceFilter::default(), Stamp(0)).last().map(|entry| entry.time);
        assert_eq!(newest, (kept > 0).then_some(Stamp(1_000_000_000_009)));
        assert_eq!(ring.call("c1@h").len(), kept);
        assert_eq!(ring.search(&TraceFilter::default(), Stamp(1_000_000_000_009)).count(), kept.min(1));
    }
}

/// Lines that look like SIP often enough to reach every rule.
fn any_message() -> impl Strategy<Value = String> {
    let first = prop::sample::select(vec![
        "INVITE sip:ben@contoso.com SIP/2.0",
        "ACK sip:ben@contoso.com SIP/2.0",
        "BYE sip:b SIP/2.0",
        "CANCEL sip:b SIP/2.0",
        "REGISTER sip:c SIP/2.0",
        "SIP/2.0 180 Ringing",
        "SIP/2.0 200 OK",
        "SIP/2.0 401 No",
        "SIP/2.0 487",
        "SIP/2.0 503 x",
        "",
        "x",
    ]);
    let line = prop_oneof![
        prop::sample::select(vec![
            "Via: SIP/2.0/UDP h;branch=z9hG4bK1",
            "Via: SIP/2.0/UDP h;branch=z9hG4bK2",
            "CSeq: 1 INVITE",
            "CSeq: 2 BYE",
            "CSeq: 1 CANCEL",
            "From: <sip:a@b>;tag=1",
            "To: <sip:b@c>",
            "To: <sip:b@c>;tag=2",
            "Authorization: Digest username=\"a\", response=\"1\"",
            "WWW-Authenticate: Digest realm=\"r\", stale=true",
            "Content-Type: application/sdp",
            "c=IN IP4 10.0.0.1",
            "",
            "Lyceum-Diagnostics: LYS0014",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    (first, prop::collection::vec(line, 0..9))
        .prop_map(|(first, lines)| format!("{first}\r\n{}\r\n", lines.join("\r\n")))
}

proptest! {
    #[test]
    fn nothing_makes_a_ladder_panic(messages in prop::collection::vec((any_message(), any::<bool>(), 0_u64..9, 1_u8..5), 0..12)) {
        let entries: Vec<TraceEntry> = messages.iter().map(|(text, received, time, host)| {
            let direction = if *received { Direction::Received } else { Direction::Sent };
            entry(*time, direction, &format!("192.0.2.{host}:5060"), text)
        }).collect();
        let count = entries.len();
        let ladder = Ladder::build(entries);
        prop_assert_eq!(ladder.rungs.len(), count);
        prop_assert_eq!(ladder.transactions.iter().map(|one| one.rungs.len()).sum::<usize>(), count);
        prop_assert!(!ladder.explain().code.is_empty() && ladder.explain().sentence.ends_with('.'));
        ladder.render(Style { unicode: true, column: 0 });
        ladder.to_json();
    }
}
