//! Commands that change something: pipelines, what-if, questions, passwords.

use crate::support::{Script, changed, run, run_typing, user};
use serde_json::json;

#[test]
fn objects_flow_from_one_command_into_the_next() {
    let mut script = Script::new(&[
        ("GET /users?", json!({ "items": [user("anna@x.org"), user("ben@x.org")] })),
        ("POST /users/anna@x.org/disable", changed("disable", "anna@x.org", false)),
        ("POST /users/ben@x.org/disable", changed("disable", "ben@x.org", false)),
    ]);
    for format in ["jsonl", "json", "yaml", "csv"] {
        let list = run(&mut script, &format!("user get --output {format}"), None);
        script.calls.clear();
        let ran = run(&mut script, "user disable -", Some(&list.out));
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert_eq!(script.lines(), ["POST /users/anna@x.org/disable", "POST /users/ben@x.org/disable"], "{format}");
        assert_eq!(ran.out.lines().next(), Some("user anna@x.org: disable"), "{format}");
    }
}

#[test]
fn a_pipeline_goes_on_past_a_refusal_and_says_how_many_failed() {
    let mut script = Script::new(&[("POST /users/ben@x.org/enable", changed("enable", "ben@x.org", false))]);
    let ran = run(&mut script, "user enable", Some("nobody@x.org\nben@x.org\n"));
    assert_eq!(ran.code, 8);
    assert!(ran.out.starts_with("user ben@x.org: enable"), "{}", ran.out);
    assert!(
        ran.err.contains("nobody@x.org") && ran.err.ends_with("1 of 2 failed; the others are done\n"),
        "{}",
        ran.err
    );
}

#[test]
fn what_if_is_asked_of_the_server_with_every_write() {
    let mut script = Script::new(&[
        ("POST /users", changed("new", "anna@x.org", true)),
        ("PATCH /users/anna@x.org", changed("set", "anna@x.org", true)),
        ("DELETE /users/anna@x.org", changed("remove", "anna@x.org", true)),
        ("DELETE /domains/x.org", changed("remove", "x.org", true)),
        ("PATCH /policies/registrar/global", changed("set", "registrar global", true)),
        ("POST /policies/registrar/grant", changed("grant", "anna@x.org", true)),
        ("POST /topology/rollback", changed("rollback", "1", true)),
        ("POST /trace/start", json!({ "running": false, "messages": 0, "dropped": 0 })),
        ("POST /backup", json!({ "state": "what-if", "done": 0, "total": 0 })),
        ("DELETE /administrators/anna", changed("remove", "anna", true)),
    ]);
    for line in [
        "user new anna@x.org --no-password",
        "user set anna@x.org --mail a@b.c",
        "user disable anna@x.org",
        "user remove anna@x.org",
        "domain remove x.org",
        "policy set registrar global max-endpoints=3",
        "policy grant registrar anna@x.org --policy Short",
        "topology rollback 1",
        "trace start",
        "backup",
        "admin remove anna",
    ] {
        script.calls.clear();
        let ran = run(&mut script, &format!("{line} --what-if"), Some(""));
        assert!(ran.code == 0, "{line}: {}", ran.err);
        for call in &script.calls {
            assert!(call.path.contains("what_if=true"), "{line}: {}", call.path);
        }
        assert!(!script.calls.is_empty(), "{line}");
    }
    script.calls.clear();
    for line in ["test call", "test registration", "admin one-time-url"] {
        let ran = run(&mut script, &format!("{line} --what-if"), Some(""));
        assert!(ran.out.starts_with("what if: "), "{line}: {}", ran.out);
    }
    assert!(script.calls.is_empty());
}

#[test]
fn destruction_asks_a_person_and_refuses_without_one() {
    let answers = [
        ("DELETE /users/anna@x.org", changed("remove", "anna@x.org", false)),
        ("DELETE /domains/x.org", changed("remove", "x.org", false)),
        ("DELETE /policies/registrar/tag:A", changed("remove", "registrar tag:A", false)),
        ("DELETE /administrators/anna", changed("remove", "anna", false)),
        ("DELETE /numbers/%2B441632960123", changed("remove", "+441632960123", false)),
        ("DELETE /devices/000b82123456", changed("remove", "000b82123456", false)),
        ("POST /topology/rollback", changed("rollback", "1", false)),
    ];
    for line in [
        "user remove anna@x.org",
        "domain remove x.org",
        "policy remove registrar tag:A",
        "admin remove anna",
        "number remove +441632960123",
        "device remove 000b82123456",
        "topology rollback 1",
    ] {
        let mut script = Script::new(&answers);
        let alone = run(&mut script, line, Some(""));
        assert_eq!((alone.code, script.calls.len()), (7, 0), "{line}");
        assert!(alone.err.contains("--yes"), "{}", alone.err);
        let no = run_typing(&mut script, line, "n\n", true);
        assert_eq!((no.code, script.calls.len()), (7, 0), "{line}");
        let yes = run_typing(&mut script, line, "y\n", true);
        assert_eq!((yes.code, script.calls.len()), (0, 1), "{line}: {}", yes.err);
        assert!(yes.err.ends_with("? [y/N] "), "{}", yes.err);
        let sure = run(&mut script, &format!("{line} --yes"), Some(""));
        assert_eq!((sure.code, script.calls.len()), (0, 2), "{line}: {}", sure.err);
    }
    let restore = run(&mut Script::default(), "restore /tmp/x.backup --data /tmp/none", Some(""));
    assert_eq!(restore.code, 7);
}

#[test]
fn passwords_come_from_stdin_file_or_chance_and_never_from_the_command_line() {
    let mut script = Script::new(&[("POST /users", changed("new", "anna@x.org", false))]);
    run(&mut script, "user new anna@x.org --password-stdin", Some("secret one\n"));
    assert_eq!(script.lines(), [r#"POST /users {"address":"anna@x.org","password":"secret one"}"#]);

    let file = std::env::temp_dir().join(format!("lyceum-shell-password-{}", std::process::id()));
    std::fs::write(&file, "from a file\nrest").expect("a file");
    script.calls.clear();
    run(&mut script, &format!("user new anna@x.org --password-file {}", file.display()), Some(""));
    std::fs::remove_file(&file).expect("it is there");
    assert!(script.lines()[0].contains(r#""password":"from a file""#));

    let ran = run(&mut script, "user new anna@x.org --generate --output json", Some(""));
    let shown: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(shown["password"].as_str().map(str::len), Some(23));
    assert_eq!(run(&mut script, "user new anna@x.org --password secret", Some("")).code, 2);
    let both = run(&mut script, "user new - --password-stdin", Some("anna@x.org\n"));
    assert_eq!(both.code, 2, "{}", both.err);
}

#[test]
fn new_users_may_be_whole_objects() {
    let mut script = Script::new(&[("POST /users", changed("new", "anna@x.org", false))]);
    let csv = "address,display_name,numbers,enabled,has_password\nanna@x.org,Anna,+44 +45,no,true\n";
    let ran = run(&mut script, "user new -", Some(csv));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(
        script.lines(),
        [r#"POST /users {"address":"anna@x.org","display_name":"Anna","enabled":false,"numbers":["+44","+45"]}"#]
    );
    let misspelt = run(&mut script, "user new -", Some(r#"{"address":"a@x.org","dispaly_name":"A"}"#));
    assert_eq!(misspelt.code, 2, "{}", misspelt.err);
}

#[test]
fn a_document_goes_out_and_comes_back() {
    let topology = json!({ "version": 4, "author": "anna", "at": "2026-01-31T08:05:09.120Z", "document": { "organisation": "X" } });
    let mut script = Script::new(&[
        ("GET /topology", topology),
        (
            "PUT /topology",
            json!({ "what_if": false, "action": "publish", "kind": "topology", "name": "document",
            "changes": [], "version": 5, "object": { "version": 5 } }),
        ),
        (
            "POST /topology/validate",
            json!({ "valid": false, "problems":
            [{ "path": "domains", "code": "LYT0005", "what": "There is none.", "fix": "Add one." }] }),
        ),
    ]);
    let export = run(&mut script, "topology export", None);
    assert_eq!(export.out, "organisation: X\nversion: 4\n");
    script.calls.clear();
    run(&mut script, "topology publish -", Some(&export.out));
    run(&mut script, "topology import -", Some(&export.out));
    assert_eq!(
        script.lines(),
        [
            r#"PUT /topology {"document":{"organisation":"X"},"expected_version":4}"#,
            r#"PUT /topology {"document":{"organisation":"X"}}"#
        ]
    );
    let verdict = run(&mut script, "topology validate -", Some(&export.out));
    assert_eq!(verdict.code, 1);
    assert!(verdict.out.contains("LYT0005") && verdict.err.contains("1 problem"), "{}{}", verdict.out, verdict.err);
}

#[test]
fn only_a_clear_word_lets_somebody_in_or_out() {
    for (word, sent) in [("\"maybe\"", None), ("\"0\"", None), ("\"No\"", Some(false)), ("true", Some(true))] {
        let mut script = Script::new(&[("PATCH /users/anna@x.org", changed("set", "anna@x.org", false))]);
        let object = format!("{{\"address\":\"anna@x.org\",\"enabled\":{word}}}");
        let ran = run(&mut script, "user set -", Some(&object));
        let expected: Vec<String> =
            sent.map(|sent| format!("PATCH /users/anna@x.org {{\"enabled\":{sent}}}")).into_iter().collect();
        assert_eq!((script.lines(), ran.code), (expected, if sent.is_some() { 0 } else { 2 }), "{word}: {}", ran.err);
        assert!(sent.is_some() || ran.err.contains("write true, false, yes or no"), "{}", ran.err);
    }
}

#[test]
fn what_is_no_object_makes_no_user() {
    let mut script = Script::new(&[("POST /users", changed("new", "anna@x.org", false))]);
    for (line, input, said) in [
        ("user new -", "garbage\n", "'garbage' on standard input is no address"),
        ("user new", "", "standard input is empty"),
        ("user remove", "", "standard input is empty"),
        ("user disable -", "{ \"address\": ", "mend it at that place"),
    ] {
        let ran = run(&mut script, line, Some(input));
        assert!(ran.code == 2 && ran.err.contains(said), "{line}: {} {}", ran.code, ran.err);
    }
    assert!(script.lines().iter().all(|call| !call.starts_with("POST")), "{:?}", script.lines());
    // Nothing to do at the end of a pipeline is no fault.
    assert_eq!(run(&mut script, "user disable -", Some("")).code, 0);
    let ran = run(&mut script, "user new -", Some("address: anna@x.org\ndisplay_name: Anna\n"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(script.lines().last().unwrap(), r#"POST /users {"address":"anna@x.org","display_name":"Anna"}"#);
}

#[test]
fn a_failure_among_several_names_its_object() {
    let ran = run(&mut Script::default(), "user set -", Some("anna@x.org\nben@x.org\n"));
    assert_eq!(ran.code, 8);
    for name in ["anna@x.org", "ben@x.org"] {
        assert!(ran.err.contains(&format!("error: {name}: nothing to set")), "{}", ran.err);
    }
}

#[test]
fn two_versions_are_compared_and_a_dash_is_standard_output() {
    let topology = json!({ "version": 4, "author": "anna", "at": "", "document": { "organisation": "X" } });
    let mut script = Script::new(&[("GET /topology", topology), ("POST /topology/diff", json!({ "changes": [] }))]);
    assert_eq!(run(&mut script, "topology export -", None).out, "organisation: X\nversion: 4\n");
    for (line, body) in [
        ("topology diff 1 2", r#"{"from":1,"to":2}"#),
        ("topology diff 3", r#"{"from":3}"#),
        ("topology diff --from 1 --to 2", r#"{"from":1,"to":2}"#),
    ] {
        let ran = run(&mut script, line, None);
        assert_eq!(ran.code, 0, "{line}: {}", ran.err);
        assert_eq!(script.lines().last().unwrap(), &format!("POST /topology/diff {body}"), "{line}");
    }
    assert_eq!(run(&mut script, "topology diff a.yaml b.yaml", None).code, 2);
}

#[test]
fn what_belongs_to_nobody_is_no_success() {
    let nothing = json!({ "items": [] });
    let mut script = Script::new(&[
        ("GET /registrations?", nothing.clone()),
        ("GET /calls?", nothing),
        ("GET /users/anna@x.org", user("anna@x.org")),
    ]);
    for (line, code) in [
        ("registration get nobody@x.org", 4),
        ("registration get anna@x.org", 0),
        ("registration get", 0),
        ("call get --user nobody@x.org", 4),
        ("call get --user anna@x.org", 0),
    ] {
        assert_eq!(run(&mut script, line, None).code, code, "{line}");
    }
}
