//! Messages and the archive.

use crate::support::{Script, run};
use serde_json::{Value, json};

fn archived(seq: u64, text: &str) -> Value {
    json!({ "seq": seq, "at": "2026-01-31T08:05:09.120Z", "id": format!("{seq:032}"), "conversation": "c",
        "kind": "message", "from": "anna@x.org", "to": ["ben@x.org"], "content_type": "text/plain", "text": text })
}

/// An archive of two pages.
fn script() -> Script {
    Script::new(&[
        ("GET /archive?user=anna@x.org&after=1", json!({ "items": [archived(2, "two")], "left": 1 })),
        ("GET /archive?user=anna@x.org", json!({ "items": [archived(1, "one")], "next": "1", "left": 2 })),
        ("GET /archive", json!({ "items": [], "left": 0 })),
        ("POST /archive/exported", json!({ "rows": 2, "left": 0 })),
    ])
}

#[test]
fn an_export_writes_every_page_and_then_says_so_to_the_server() {
    let dir = std::env::temp_dir().join(format!("lyceum-shell-archive-{}", std::process::id()));
    std::fs::create_dir(&dir).expect("a temporary folder");
    let place = |name: &str| dir.join(name);
    let mut mails = script();
    let ran = run(&mut mails, &format!("archive export {} --user anna@x.org", place("mails").display()), None);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let text = std::fs::read_to_string(place("mails").join("000000000002.eml")).expect("a mail per message");
    assert!(text.starts_with("Date: Sat, 31 Jan 2026 08:05:09 +0000\r\nFrom: <anna@x.org>\r\n"), "{text}");
    assert_eq!(std::fs::read_dir(place("mails")).expect("the folder").count(), 2);
    let marked = mails.lines().pop().expect("calls were made");
    assert_eq!(marked, "POST /archive/exported {\"upto\":2,\"user\":\"anna@x.org\"}");
    let line = format!("archive export {} --as json --user anna@x.org", place("list.json").display());
    assert_eq!(run(&mut script(), &line, None).code, 0);
    let list: Value = serde_json::from_slice(&std::fs::read(place("list.json")).expect("the file")).expect("JSON");
    assert_eq!(
        (list[0]["text"].as_str(), list[1]["seq"].as_u64(), list.as_array().map(Vec::len)),
        (Some("one"), Some(2), Some(2))
    );
    let again = run(&mut script(), &line, None);
    assert!(again.code != 0 && again.err.contains("list.json"), "nothing is written over: {}", again.err);
    let mut empty = script();
    assert_eq!(run(&mut empty, &format!("archive export {} --as json", place("none").display()), None).code, 0);
    assert_eq!(std::fs::read_to_string(place("none")).expect("the file"), "[]\n");
    assert_eq!(empty.calls.len(), 1, "nothing was exported, so nothing is noted");
    let mut asked = script();
    let ran = run(&mut asked, &format!("archive export {} --user anna@x.org --what-if", place("no").display()), None);
    assert!(ran.out.contains("export 2 archived messages") && !place("no").exists(), "{}", ran.out);
    std::fs::remove_dir_all(&dir).expect("it is there");
}

#[test]
fn a_purge_asks_first_and_goes_on_until_nothing_is_left() {
    let mut script = Script::new(&[("POST /archive/purge", json!({ "rows": 7, "left": 0 }))]);
    assert_eq!(run(&mut script, "archive purge --before 2026-01-01", Some("")).code, 7);
    assert!(script.calls.is_empty(), "not confirmed");
    let ran = run(&mut script, "archive purge --before 2026-01-01 --exported-only --yes", None);
    assert_eq!((ran.code, ran.out.as_str()), (0, "7 archived messages removed\n"));
    let body = "{\"before\":\"2026-01-01T00:00:00.000Z\",\"exported_only\":true}";
    assert_eq!(script.lines(), [format!("POST /archive/purge {body}")]);
    let mut stuck = Script::new(&[("POST /archive/purge", json!({ "rows": 0, "left": 3 }))]);
    assert_eq!(run(&mut stuck, "archive purge --before 14d --yes", None).code, 0);
    assert_eq!(stuck.calls.len(), 1, "a server that removes nothing is not asked for ever");
    let asked = run(&mut stuck, "archive purge --before 2026-01-01 --what-if", None);
    assert!(asked.out.contains("what if: remove 3"), "{}", asked.out);
    assert_eq!(run(&mut stuck, "archive purge --before soon --yes", None).code, 2);
}

#[test]
fn a_history_is_asked_for_by_person_and_text() {
    let row = json!({ "id": "1", "at": "2026-01-31T08:05:09.120Z", "conversation": "c", "from": "anna@x.org",
        "to": [{ "address": "ben@x.org" }], "content_type": "text/plain", "text": "Hello", "unread": true });
    let mut script = Script::new(&[("GET /users/", json!({ "items": [row] }))]);
    let ran = run(&mut script, "message history ben --peer anna@x.org --text Hel --limit 5", None);
    assert!(ran.code == 0 && ran.out.contains("Hello"), "{} {}", ran.out, ran.err);
    assert_eq!(script.lines(), ["GET /users/ben/messages?peer=anna@x.org&text=Hel&limit=5"]);
    let ran = run(&mut script, "message history ben --output jsonl", None);
    let line: Value = serde_json::from_str(&ran.out).expect("one line of JSON");
    assert_eq!(line["to"][0]["address"], "ben@x.org");
}
