//! Presence, contacts, and the tests of both.

use crate::support::{Script, run};
use serde_json::{Value, json};

fn changed(kind: &str) -> Value {
    json!({ "what_if": false, "action": "set", "kind": kind, "name": "anna@x.org",
        "changes": [{ "path": "choice", "before": "automatic", "after": "busy" }], "object": {} })
}

#[test]
fn presence_is_shown_set_and_watched() {
    let mut script = Script::new(&[
        ("GET /users/anna@x.org/presence?by=ben@x.org", json!({ "address": "anna@x.org", "activity": "busy" })),
        ("GET /users/anna@x.org/presence", json!({ "address": "anna@x.org", "activity": "available" })),
        ("PATCH /users/anna@x.org/presence", changed("presence")),
        ("GET /users/anna@x.org/watchers", json!([{ "watcher": "ben@x.org", "relationship": "workgroup" }])),
    ]);
    assert!(run(&mut script, "presence get anna@x.org", None).out.contains("available"));
    assert!(run(&mut script, "presence get anna@x.org --seen-by ben@x.org", None).out.contains("busy"));
    let ran = run(&mut script, "presence set anna@x.org --state do-not-disturb --note hush", None);
    assert!(ran.code == 0 && ran.out.contains("choice"), "{}{}", ran.out, ran.err);
    let sent = "PATCH /users/anna@x.org/presence {\"choice\":\"do-not-disturb\",\"note\":\"hush\"}";
    assert_eq!(script.lines().pop().as_deref(), Some(sent));
    assert!(run(&mut script, "presence watchers anna@x.org", None).out.contains("workgroup"));
    assert_eq!(run(&mut script, "presence set anna@x.org", None).code, 2, "nothing to change");
    assert_ne!(run(&mut script, "presence set anna@x.org --state asleep", None).code, 0);
}

#[test]
fn contacts_are_listed_added_removed_and_related() {
    let mut script = Script::new(&[
        ("GET /users/anna@x.org/contacts", json!([{ "address": "ben@x.org", "groups": ["Team"], "favourite": true }])),
        ("PUT /users/anna@x.org/contacts/ben@x.org", changed("contact")),
        ("DELETE /users/anna@x.org/contacts/ben@x.org", changed("contact")),
        ("GET /users/anna@x.org/relationships", json!([{ "who": "@y.org", "relationship": "blocked" }])),
        ("PUT /users/anna@x.org/relationships/@y.org", changed("relationship")),
        ("DELETE /users/anna@x.org/relationships/@y.org", changed("relationship")),
    ]);
    assert!(run(&mut script, "contact get anna@x.org", None).out.contains("Team"));
    let add = "contact add anna@x.org ben@x.org --group Team --favourite --name Benny";
    assert_eq!(run(&mut script, add, None).code, 0);
    let sent = "PUT /users/anna@x.org/contacts/ben@x.org \
                {\"display_name\":\"Benny\",\"favourite\":true,\"groups\":[\"Team\"]}";
    assert_eq!(script.lines().pop().as_deref(), Some(sent));
    assert_eq!(run(&mut script, "contact remove anna@x.org ben@x.org", Some("")).code, 7, "not confirmed");
    assert_eq!(run(&mut script, "contact remove anna@x.org ben@x.org --yes", None).code, 0);
    assert!(run(&mut script, "contact relationship anna@x.org", None).out.contains("blocked"));
    assert_eq!(run(&mut script, "contact relationship anna@x.org @y.org external", None).code, 0);
    assert_eq!(run(&mut script, "contact relationship anna@x.org @y.org default", None).code, 0);
    assert!(script.lines().pop().is_some_and(|line| line.starts_with("DELETE /users/anna@x.org/relationships/")));
}

#[test]
fn groups_are_made_changed_and_removed() {
    let sales = json!({ "address": "sales@x.org", "display_name": "Sales", "people": 2, "members": ["ben@x.org"] });
    let mut script = Script::new(&[
        ("POST /groups", changed("group")),
        ("GET /groups/sales@x.org", sales),
        ("PATCH /groups/sales@x.org", changed("group")),
        ("DELETE /groups/sales@x.org", changed("group")),
    ]);
    let new = "group new sales@x.org --display-name Sales --member ben@x.org --member it@x.org";
    assert_eq!(run(&mut script, new, None).code, 0);
    let sent = "POST /groups {\"address\":\"sales@x.org\",\"display_name\":\"Sales\",\"members\":[\"ben@x.org\",\"it@x.org\"]}";
    assert_eq!(script.lines().pop().as_deref(), Some(sent));
    assert!(run(&mut script, "group get sales@x.org", None).out.contains("Sales"));
    assert_eq!(run(&mut script, "group set sales@x.org", None).code, 2, "nothing to set");
    assert_eq!(run(&mut script, "group set sales@x.org --add carl@x.org --remove ben@x.org", None).code, 0);
    let sent = "PATCH /groups/sales@x.org {\"add\":[\"carl@x.org\"],\"remove\":[\"ben@x.org\"]}";
    assert_eq!(script.lines().pop().as_deref(), Some(sent));
    assert_eq!(run(&mut script, "group remove sales@x.org", Some("")).code, 7, "not confirmed");
    assert_eq!(run(&mut script, "group remove sales@x.org --yes", None).code, 0);
}

#[test]
fn tests_of_presence_and_messages_print_their_steps() {
    let step = |name: &str| json!({ "step": name, "passed": true, "milliseconds": 3, "detail": "200 OK" });
    let passed = json!({ "passed": true, "summary": "All is well.", "steps": [step("subscribe"), step("publish")] });
    let mut script = Script::new(&[("POST /tests/presence", passed.clone()), ("POST /tests/im", passed)]);
    let ran = run(&mut script, "test presence --within-ms 1500", None);
    assert!(ran.code == 0 && ran.out.contains("publish") && ran.out.contains("All is well."), "{}", ran.out);
    assert_eq!(script.lines().pop().as_deref(), Some("POST /tests/presence {\"within_ms\":1500}"));
    assert_eq!(run(&mut script, "test im", None).code, 0);
    let failed = json!({ "passed": false, "summary": "nothing arrived", "steps": [] });
    let mut script = Script::new(&[("POST /tests/im", failed)]);
    assert_ne!(run(&mut script, "test im", None).code, 0);
}
