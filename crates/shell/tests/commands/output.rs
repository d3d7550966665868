//! What people and programs see.

use crate::support::{Script, run, user};
use serde_json::{Value, json};

fn users() -> Script {
    Script::new(&[("GET /users?", json!({ "items": [user("anna@x.org"), user("ben@x.org")] }))])
}

#[test]
fn a_list_is_a_table() {
    let ran = run(&mut users(), "user get", None);
    assert_eq!(
        ran.out,
        " ADDRESS     DISPLAY NAME  ENABLED  NUMBERS            POLICIES\n\
         ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━\n\
         \u{20}anna@x.org                yes      tel:+441632960123  registrar=Short\n\
         \u{20}ben@x.org                 yes      tel:+441632960123  registrar=Short\n"
    );
    assert_eq!(ran.code, 0);
}

#[test]
fn every_format_of_every_list_is_well_formed() {
    let page = |row: Value| json!({ "items": [row] });
    let mut script = Script::new(&[
        ("GET /users?", page(user("anna@x.org"))),
        ("GET /numbers?", page(json!({ "number": "tel:+44", "reserved": false }))),
        ("GET /devices?", page(json!({ "mac": "00:0b:82:12:34:56" }))),
        ("GET /domains", json!([{ "name": "x.org", "default": true, "users": 2 }])),
        ("GET /policies", json!([{ "kind": "registrar", "scope": "global", "settings": {} }])),
        (
            "GET /topology/versions",
            page(json!({ "version": 1, "author": "a", "at": "2026-01-31T08:05:09.120Z", "current": true })),
        ),
        ("GET /registrations", page(json!({ "address": "anna@x.org", "contact": "sip:a@192.0.2.7", "q": 1.0 }))),
        ("GET /calls?", page(json!({ "id": "1", "caller": "a", "callee": "b", "outcome": "busy" }))),
        ("GET /trace/messages", page(json!({ "summary": "INVITE", "from": "a", "to": "server" }))),
        (
            "GET /audit",
            page(json!({ "id": 1, "who": "local:root", "action": "user.put", "object": "a", "changes": [] })),
        ),
        ("GET /administrators", json!([{ "name": "anna", "created": "2026-01-31T08:05:09.120Z" }])),
    ]);
    for line in [
        "user get",
        "number get",
        "device get",
        "domain get",
        "policy get",
        "topology versions",
        "registration get",
        "call get",
        "trace search",
        "audit get",
        "admin get",
    ] {
        let out = |script: &mut Script, format: &str| {
            let ran = run(script, &format!("{line} --output {format}"), None);
            assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{line} {format}");
            ran.out
        };
        let json: Value = serde_json::from_str(&out(&mut script, "json")).expect(line);
        let yaml: Value = serde_yaml_ng::from_str(&out(&mut script, "yaml")).expect(line);
        let jsonl: Value = serde_json::from_str(&out(&mut script, "jsonl")).expect(line);
        assert_eq!((&json, &json[0]), (&yaml, &jsonl), "{line}");
        assert_eq!(out(&mut script, "csv").lines().count(), 2, "{line}: a heading and a row");
        assert_eq!(out(&mut script, "table").lines().count(), 3, "{line}: a heading, a rule and a row");
    }
}

#[test]
fn pages_are_fetched_until_the_last() {
    let mut script = Script::new(&[
        ("GET /users?limit=5000&after=anna@x.org", json!({ "items": [user("ben@x.org")] })),
        ("GET /users?", json!({ "items": [user("anna@x.org")], "next": "anna@x.org" })),
    ]);
    let ran = run(&mut script, "user get --output jsonl", None);
    assert_eq!(ran.out.lines().count(), 2);
    let ran = run(&mut script, "user get --output jsonl --limit 1", None);
    assert_eq!(ran.out.lines().count(), 1);
}

#[test]
fn errors_say_what_where_and_what_to_do_and_the_exit_code_tells() {
    let ran = run(&mut Script::default(), "user get nobody@x.org", None);
    assert_eq!(
        ran.err,
        "error: nothing for GET /users/nobody@x.org\n  where: GET /users/nobody@x.org\n  \
         fix:   list who exists with 'lyceum user get'\n  help:  user-not-found (docs/errors/user-not-found.md)\n"
    );
    assert_eq!((ran.out.as_str(), ran.code), ("", 4));
    assert_eq!(run(&mut Script::default(), "user frobnicate", None).code, 2);
    assert_eq!(run(&mut Script::default(), "call get --from yesterday", None).code, 2);
}

#[test]
fn a_server_that_is_not_there_is_exit_code_3() {
    let tree = lyceum_shell::command();
    let matches = tree.clone().try_get_matches_from(["lyceum", "status", "--socket", "/nonexistent/lyceum.sock"]);
    let context = lyceum_shell::Context { tree, offline: Box::new(lyceum_shell::NoOffline) };
    let exit = lyceum_shell::run(&matches.expect("a command"), context);
    assert_eq!(format!("{exit:?}"), format!("{:?}", std::process::ExitCode::from(3)));
}

#[test]
fn a_failed_test_call_is_a_failed_command() {
    let steps = json!([{ "step": "answer", "passed": false, "milliseconds": 3, "detail": "486" }]);
    let mut script =
        Script::new(&[("POST /tests/call", json!({ "passed": false, "summary": "ben was busy", "steps": steps }))]);
    let ran = run(&mut script, "test call --transport tls", None);
    assert_eq!((ran.code, ran.err.as_str()), (1, "error: ben was busy\n"));
    assert_eq!(script.lines(), [r#"POST /tests/call {"transport":"tls"}"#]);
}

#[test]
fn a_ladder_is_drawn_and_explained() {
    let ladder = json!({ "call_id": "c", "parties": ["a", "b"], "arrows": [], "code": "x",
        "drawing": "a ──▶ b\n", "verdict": "Ben was busy.", "hint": "" });
    let mut script = Script::new(&[("GET /trace/calls/c", ladder)]);
    assert_eq!(run(&mut script, "trace show c", None).out, "a ──▶ b\nBen was busy.\n");
}
