//! Accounts from elsewhere.

use crate::support::{Script, run};
use serde_json::{Value, json};

fn report(what_if: bool) -> Value {
    json!({ "what_if": what_if, "people": 40, "new": 1, "changed": 2, "disabled": 1, "removed": 0, "same": 36, "refused": 1,
        "stopped": what_if.then_some("5 of 40 accounts would be disabled or removed, 4 are the most at once"), "more": 0,
        "items": [
            { "action": "set", "address": "anna@x.org", "changes": [
                { "path": "title", "before": "Architect", "after": "Director" }, { "path": "mail", "after": "a@x.org" }] },
            { "action": "refused", "address": "uid=ben", "what": "has no address" },
        ] })
}

#[test]
fn a_sync_shows_each_difference_and_counts() {
    let mut script = Script::new(&[("POST /accounts/sync", report(false))]);
    let ran = run(&mut script, "accounts sync", None);
    assert_eq!((ran.code, script.lines()), (0, vec!["POST /accounts/sync".to_owned()]));
    for text in ["title: Architect -> Director; mail: - -> a@x.org", "has no address"] {
        let flat = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(text) || ran.out.contains(text), "{text}: {}", ran.out);
    }
    assert!(
        ran.out.contains("\n40 people: 1 new, 2 changed (1 of them disabled), 0 removed, 36 the same, 1 refused\n")
    );
}

#[test]
fn a_dry_run_says_that_it_would_stop_and_force_is_passed_on() {
    let mut script = Script::new(&[("POST /accounts/sync", report(true))]);
    let ran = run(&mut script, "accounts sync --what-if", None);
    assert_eq!(script.lines(), ["POST /accounts/sync?what_if=true"]);
    assert!(ran.out.contains("would stop: 5 of 40 accounts") && ran.out.contains("--force"), "{}", ran.out);
    let mut script = Script::new(&[("POST /accounts/sync", report(false))]);
    assert_eq!(run(&mut script, "accounts sync --force", None).code, 0);
    assert_eq!(script.lines(), ["POST /accounts/sync?force=true"]);
}

#[test]
fn a_test_that_fails_fails_and_says_what_to_do() {
    let checks = json!([
        { "source": "ldap", "step": "connect", "passed": true, "what": "TLS" },
        { "source": "ldap", "step": "bind", "passed": false, "what": "it does not let us in", "fix": "set the password" },
    ]);
    let ran = run(&mut Script::new(&[("POST /accounts/test", checks)]), "accounts test", None);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("it does not let us in\n  fix:   set the password"), "{}", ran.err);
}

#[test]
fn a_secret_comes_from_standard_input_and_is_not_shown() {
    let mut script = Script::new(&[("PUT /accounts/secrets/ldap", Value::Null)]);
    let ran = run(&mut script, "accounts secret ldap --stdin", Some("hunter2\nmore\n"));
    assert_eq!((ran.code, ran.out.as_str()), (0, "the secret for ldap is set\n"));
    assert_eq!(script.lines(), ["PUT /accounts/secrets/ldap {\"secret\":\"hunter2\"}"]);
    let ran = run(&mut Script::default(), "accounts secret ldap hunter2", None);
    assert_eq!(ran.code, 2, "never on the command line");
    let mut script = Script::new(&[("DELETE /accounts/secrets/oidc", Value::Null)]);
    assert_eq!(run(&mut script, "accounts secret oidc --remove --yes", None).code, 0);
    assert_eq!(script.lines(), ["DELETE /accounts/secrets/oidc"]);
}
