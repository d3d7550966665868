//! Whole messages of a trace.

use crate::support::{Script, run};
use serde_json::json;

#[test]
fn whole_messages_are_printed_below_the_ladder_and_by_a_search() {
    let message = "INVITE sip:ben@x.org SIP/2.0\r\nSubject: a\u{1b}[31mb\r\n\r\n";
    let arrow = json!({ "at": "10:00", "from": 0, "to": 1, "summary": "INVITE", "transaction": 1, "message": message });
    let ladder = json!({ "call_id": "1", "parties": ["anna", "server"], "arrows": [arrow], "verdict": "It failed." });
    let found = json!({ "items": [{ "at": "10:00", "from": "192.0.2.7:5060", "to": "server", "message": message }] });
    let mut script =
        Script::new(&[("GET /trace/calls/1?full=true", ladder), ("GET /trace/messages?full=true", found.clone())]);
    let shown = "INVITE sip:ben@x.org SIP/2.0\nSubject: a\u{fffd}[31mb\n\n";
    let ran = run(&mut script, "trace show 1 --full", None);
    assert!(ran.out.ends_with(&format!("--- 10:00 anna -> server\n{shown}")), "{}{}", ran.out, ran.err);
    let ran = run(&mut script, "trace search --full", None);
    assert_eq!(ran.out, format!("--- 10:00 192.0.2.7:5060 -> server\n{shown}"), "{}", ran.err);
    let ran = run(&mut script, "trace search --full -o json", None);
    assert!(ran.out.contains("\\r\\nSubject"), "{}", ran.out);
}
