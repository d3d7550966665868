//! `lyceum shell` with a script on its standard input.

use serde_json::json;

use crate::support::{Script, changed, run, user};

fn script() -> Script {
    Script::new(&[
        ("GET /status", json!({ "status": "ok", "node": "node1" })),
        ("GET /users/anna@example.org", user("anna@example.org")),
        ("GET /users/ben@example.org", user("ben@example.org")),
        ("DELETE /users/anna", changed("removed", "anna@example.org", false)),
    ])
}

#[test]
fn a_script_runs_line_by_line() {
    let mut api = script();
    let ran = run(
        &mut api,
        "shell",
        Some("# two users\n\nuser get anna@example.org\n  user get 'ben@example.org' -o json\n"),
    );
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(
        ran.out.contains("anna@example.org") && ran.out.contains("\"address\": \"ben@example.org\""),
        "{}",
        ran.out
    );
    assert_eq!(api.lines(), ["GET /users/anna@example.org", "GET /users/ben@example.org"]);
}

#[test]
fn a_script_stops_at_the_first_failure_with_its_exit_code() {
    for (line, code) in
        [("user get nobody@example.org", 4), ("user fly", 2), ("user 'get", 2), ("serve", 2), ("shell", 2)]
    {
        let mut api = script();
        let ran = run(&mut api, "shell", Some(&format!("status\n{line}\nuser get ben@example.org\n")));
        assert_eq!(ran.code, code, "{line}: {}", ran.err);
        assert!(ran.err.starts_with(&format!("line 2: {line}\n")), "{}", ran.err);
        assert!(!api.lines().iter().any(|call| call.contains("ben")), "{line}: nothing runs after it");
    }
}

#[test]
fn exit_ends_a_script_and_help_explains() {
    let mut api = script();
    let ran = run(&mut api, "shell", Some("help user get\nhelp\nexit\nuser get ben@example.org\n"));
    assert_eq!((ran.code, api.lines().len()), (0, 0), "{}", ran.err);
    assert!(ran.out.contains("Usage: user get") && ran.out.contains("effective-policy"), "{}", ran.out);
}

#[test]
fn what_is_said_to_the_shell_holds_for_every_line() {
    let mut api = script();
    let ran =
        run(&mut api, "shell --what-if -o json", Some("user get anna@example.org\nuser remove anna@example.org\n"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with('{'), "{}", ran.out);
    assert!(api.lines().last().is_some_and(|call| call.contains("what_if=true")), "{:?}", api.lines());
}

#[test]
fn a_script_is_not_asked_and_is_no_input_of_its_commands() {
    let mut api = script();
    let ran = run(&mut api, "shell", Some("user remove anna@example.org\nstatus\n"));
    assert_eq!(ran.code, 7, "{}", ran.err);
    assert!(api.lines().iter().all(|call| !call.starts_with("DELETE")), "{:?}", api.lines());
    let ran = run(&mut api, "shell --yes", Some("user remove anna@example.org\nstatus\n"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let mut api = script();
    run(&mut api, "shell --yes", Some("user remove -\nanna@example.org\n"));
    assert!(api.lines().iter().all(|call| !call.starts_with("DELETE")), "{:?}", api.lines());
}
