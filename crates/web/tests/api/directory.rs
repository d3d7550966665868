//! Users, numbers, devices: live at once, one audit line each, and what-if changes nothing.

use crate::support::Server;
use lyceum_store::{By, HistoryQuery, MessageEntry, MessageId, NewMessage, OwnedText, Participant};
use lyceum_web::listen::Drain;
use lyceum_web::port::Publisher;
use serde_json::{Value, json};
use std::sync::atomic::Ordering::SeqCst;

async fn with_anna() -> Server {
    let server = Server::new();
    let anna = json!({ "address": "anna@example.org", "display_name": "Anna", "password": "secret1",
        "numbers": ["+441632960123"] });
    server.local("POST", "/users", Some(anna)).await.ok();
    server
}

#[tokio::test]
async fn a_new_user_is_live_stored_and_audited() {
    let server = with_anna().await;
    let user = server.local("GET", "/users/anna@example.org", None).await.ok();
    assert_eq!(
        user,
        json!({ "address": "anna@example.org", "display_name": "Anna", "enabled": true, "pool": "pool1",
            "site": "Main", "numbers": ["tel:+441632960123"], "policies": {}, "has_password": true })
    );
    let stored = server.store.directory().expect("the store answers").users;
    assert_eq!(stored.len(), 1);
    let secret = server.store.credential(stored[0].id).expect("the store answers").expect("a password");
    let expected = lyceum_sip::digest::Ha1::of(b"anna", b"example.org", b"secret1");
    assert!(secret.md5 == expected.md5 && secret.sha256 == expected.sha256);
    let audit = server.local("GET", "/audit", None).await;
    assert!(!audit.text.contains("secret1"));
    let line = &audit.ok()["items"][0];
    assert_eq!((&line["who"], &line["object"]), (&json!("local:root"), &json!("anna@example.org")));
}

/// Whether a user is in force, and how many messages they find.
fn found(server: &Server, address: &str) -> (bool, usize) {
    let (name, domain) = address.split_once('@').expect("an address");
    let snapshot = server.ports.current();
    let history = HistoryQuery { user: address.to_owned(), ..HistoryQuery::default() };
    let messages = server.store.history(&history).expect("the store answers").messages.len();
    (snapshot.user(name.as_bytes(), domain.as_bytes()).is_some(), messages)
}

#[tokio::test]
async fn a_former_users_address_is_in_force_when_what_they_left_is_forgotten() {
    let server = with_anna().await;
    let kept = |address: &str| Participant { address: address.into(), kept: true };
    let message = NewMessage {
        id: MessageId([7; 16]),
        conversation: None,
        subject: None,
        sender: kept("anna@example.org"),
        recipients: vec![kept("ben@example.org")],
        wire_id: None,
        content_type: "text/plain".into(),
        body: OwnedText(b"mine".to_vec()),
    };
    server.store.append_messages(&[MessageEntry::Message(Box::new(message))]).expect("written");
    server.local("DELETE", "/users/anna@example.org", None).await.ok();
    assert_eq!(found(&server, "anna@example.org"), (false, 1));
    let store = server.ports.forgets.lock().expect("no test panics inside").take();
    let anna = || Some(json!({ "address": "anna@example.org", "password": "secret2" }));
    let refused = server.local("POST", "/users", anna()).await;
    assert_eq!((refused.status.as_u16(), found(&server, "anna@example.org")), (503, (false, 1)));
    // Others are not held up by it.
    let ben = json!({ "address": "ben@example.org", "password": "secret2" });
    server.local("POST", "/users", Some(ben)).await.ok();
    assert_eq!(found(&server, "anna@example.org"), (false, 1));
    // As soon as it is possible it is done, also after a restart.
    *server.ports.forgets.lock().expect("no test panics inside") = store;
    let (switch, drain) = Drain::new();
    let keeper = tokio::spawn(server.web.clone().keep_forgetting(drain));
    while !found(&server, "anna@example.org").0 {
        tokio::task::yield_now().await;
    }
    switch.begin();
    keeper.await.expect("it ends");
    assert_eq!(found(&server, "anna@example.org"), (true, 0));
    assert_eq!(found(&server, "ben@example.org"), (true, 1), "what others have stays");
    // Once more, with nothing in the way.
    server.local("DELETE", "/users/ben@example.org", None).await.ok();
    server.local("POST", "/users/import", Some(json!("ben;secret1\n"))).await.ok();
    assert_eq!(found(&server, "ben@example.org"), (true, 0));
}

#[tokio::test]
async fn an_import_puts_everything_in_force_that_is_stored() {
    let server = with_anna().await;
    // Left by a write of which only a part was done.
    let mut anna = server.store.directory().expect("the store answers").users.remove(0);
    anna.enabled = false;
    let by = By { who: "test", at: lyceum_sip::WallTime(1) };
    server.store.user_put(anna, None, by).expect("written");
    server.local("POST", "/users/import", Some(json!("ben;secret1\n"))).await.ok();
    let users: Vec<bool> = server.ports.current().directory().users().map(|user| user.enabled).collect();
    assert_eq!((users.len(), users.iter().filter(|enabled| **enabled).count()), (2, 1));
    assert_eq!(*server.ports.gone.lock().expect("no test panics inside"), ["anna@example.org"]);
}

#[tokio::test]
async fn the_audit_list_says_what_changed() {
    let server = with_anna().await;
    let set = json!({ "password": "secret2" });
    server.local("PATCH", "/users/anna@example.org", Some(set)).await.ok();
    server.local("POST", "/users/import", Some(json!("ben;x\ncleo;y\n"))).await.ok();
    server.local("POST", "/domains", Some(json!({ "name": "second.example" }))).await.ok();
    let audit = server.local("GET", "/audit", None).await;
    assert!(!audit.text.contains("secret2"));
    let items = audit.ok()["items"].take();
    let changes = |n: usize| items[n]["changes"].clone();
    assert_eq!(changes(2), json!([{ "path": "password", "after": "changed" }]), "{items}");
    let count = |path: &str, n: u64| json!({ "path": path, "after": n });
    assert_eq!(changes(1), json!([count("added", 2), count("refused", 0), count("replaced", 0)]), "{items}");
    let version = json!({ "path": "version", "before": 1, "after": 2 });
    assert_eq!(changes(0)[0], version, "{items}");
    assert!(changes(0)[1].to_string().contains("second.example"), "{items}");
}

#[tokio::test]
async fn one_change_is_one_snapshot_and_one_audit_line() {
    let server = with_anna().await;
    let lines = || async { server.local("GET", "/audit", None).await.ok()["items"].as_array().map(Vec::len) };
    let (before, published) = (lines().await, server.ports.published.load(SeqCst));
    let change = json!({ "display_name": "Anna B.", "mail": "anna@example.com", "title": "Engineer",
        "company": "Contoso", "department": "Research" });
    let answer = server.local("PATCH", "/users/anna", Some(change.clone())).await.ok();
    assert_eq!(answer["changes"].as_array().map(Vec::len), Some(5));
    assert_eq!(lines().await, before.map(|n| n + 1));
    assert_eq!(server.ports.published.load(SeqCst), published + 1);

    let again = server.local("PATCH", "/users/anna", Some(change)).await.ok();
    assert_eq!(again["changes"], json!([]), "the same again changes nothing");
    assert_eq!(lines().await, before.map(|n| n + 1));
    let moved = json!({ "department": "", "title": "Lead" });
    let user = server.local("PATCH", "/users/anna", Some(moved)).await.ok()["object"].clone();
    assert_eq!(
        (&user["title"], &user["company"], &user["department"]),
        (&json!("Lead"), &json!("Contoso"), &Value::Null)
    );
    let long = json!({ "title": "x".repeat(257) });
    assert_eq!(server.local("PATCH", "/users/anna", Some(long)).await.refused(), (422, "user-invalid".to_owned()));
}

#[tokio::test]
async fn what_if_changes_nothing() {
    let server = with_anna().await;
    let number = "/numbers/+441632960124?what_if=true";
    let calls: [(&str, &str, Option<Value>); 13] = [
        ("POST", "/users?what_if=true", Some(json!({ "address": "ben@example.org", "password": "secret2" }))),
        ("PATCH", "/users/anna?what_if=true", Some(json!({ "display_name": "X", "password": "secret3" }))),
        ("POST", "/users/anna/disable?what_if=true", None),
        ("DELETE", "/users/anna?what_if=true", None),
        ("POST", "/users/import?what_if=true", Some(json!("cleo;secret4\n"))),
        ("PUT", number, Some(json!({ "number": "+441632960124", "reserved": true }))),
        ("PUT", "/devices/000b82123456?what_if=true", Some(json!({ "mac": "000b82123456", "user": "anna" }))),
        ("POST", "/domains?what_if=true", Some(json!({ "name": "example.com" }))),
        ("PATCH", "/policies/registrar/global?what_if=true", Some(json!({ "max_endpoints": 3 }))),
        ("PATCH", "/policies/registrar/tag:Short?what_if=true", Some(json!({ "max_expires": 600 }))),
        ("POST", "/administrators?what_if=true", Some(json!({ "name": "eve", "password": "correct horse battery" }))),
        ("POST", "/trace/start?what_if=true", Some(json!({}))),
        ("POST", "/backup?what_if=true", Some(json!({}))),
    ];
    let state = || async {
        let mut state = Vec::new();
        for path in [
            "/users",
            "/numbers",
            "/devices",
            "/domains",
            "/policies",
            "/administrators",
            "/trace",
            "/audit",
            "/topology",
            "/backup",
        ] {
            state.push(server.local("GET", path, None).await.ok());
        }
        state
    };
    let (before, published) = (state().await, server.ports.published.load(SeqCst));
    for (method, path, body) in calls {
        let answer = server.local(method, path, body).await.ok();
        if answer.get("what_if").is_some() {
            assert_eq!(answer["what_if"], true, "{path}");
            assert_ne!(answer["changes"], json!([]), "{path} says what would change");
        }
    }
    assert_eq!(state().await, before);
    assert_eq!(server.ports.published.load(SeqCst), published);
    assert!(server.ports.gone.lock().expect("no panic").is_empty());
}

#[tokio::test]
async fn records_that_do_not_fit_are_refused_with_their_code() {
    let server = with_anna().await;
    for (body, status, code) in [
        (json!({ "address": "anna@example.org" }), 409, "user-exists"),
        (json!({ "address": "ANNA@EXAMPLE.ORG" }), 409, "user-exists"),
        (json!({ "address": "ben@elsewhere.example" }), 422, "domain-unknown"),
        (json!({ "address": "b n@example.org" }), 422, "address-invalid"),
        (json!({ "address": "ben@example.org", "numbers": ["12"] }), 422, "number-invalid"),
        (json!({ "address": "ben@example.org", "numbers": ["+44 1632 960123"] }), 409, "number-taken"),
        (json!({ "address": "ben@example.org", "pool": "nowhere" }), 422, "user-invalid"),
        (json!({ "address": "ben@example.org", "policies": { "lockout": "X" } }), 404, "policy-kind-unknown"),
        (json!({ "address": "ben@example.org", "passwort": "x" }), 400, "request-malformed"),
        (json!([]), 400, "request-malformed"),
    ] {
        let refused = server.local("POST", "/users", Some(body.clone())).await.refused();
        assert_eq!(refused, (status, code.to_owned()), "{body}");
    }
    assert_eq!(server.local("GET", "/users/ben", None).await.refused(), (404, "user-not-found".to_owned()));
}

#[tokio::test]
async fn disabling_and_removing_end_registrations() {
    let server = with_anna().await;
    server.local("POST", "/users/anna/disable", None).await.ok();
    server.local("POST", "/users/anna/disable", None).await.ok();
    server.local("POST", "/users/anna/enable", None).await.ok();
    server.local("DELETE", "/users/anna", None).await.ok();
    assert_eq!(*server.ports.gone.lock().expect("no panic"), ["anna@example.org"; 2]);
    assert_eq!(server.local("GET", "/users", None).await.ok()["items"], json!([]));
}

#[tokio::test]
async fn lists_are_filtered_and_come_in_pages() {
    let server = Server::new();
    let csv: String = (0..25).map(|n| format!("user{n:02};secret\n")).collect();
    let done = server.local("POST", "/users/import", Some(json!(csv))).await.ok();
    assert_eq!(done, json!({ "what_if": false, "created": 25, "changed": 0, "same": 0 }));
    let (mut seen, mut path) = (Vec::new(), "/users?limit=10".to_owned());
    loop {
        let page = server.local("GET", &path, None).await.ok();
        seen.extend(page["items"].as_array().expect("items").iter().map(|u| u["address"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/users?limit=10&after={next}");
    }
    assert_eq!(seen.len(), 25);
    assert!(seen.windows(2).all(|pair| pair[0].as_str() < pair[1].as_str()));
    let found = server.local("GET", "/users?filter=user1*", None).await.ok();
    assert_eq!(found["items"].as_array().map(Vec::len), Some(10));
    server.local("POST", "/users/user03/disable", None).await.ok();
    let found = server.local("GET", "/users?enabled=false", None).await.ok();
    assert_eq!(found["items"][0]["address"], "user03@example.org");
}

#[tokio::test]
async fn an_import_is_all_or_nothing_and_may_be_repeated() {
    let server = Server::new();
    let bad = "anna;one\nben@elsewhere.example;two\nanna;three\n";
    let refused = server.local("POST", "/users/import", Some(json!(bad))).await;
    let places: Vec<&str> =
        refused.body["problems"].as_array().expect("faults").iter().filter_map(|p| p["path"].as_str()).collect();
    assert_eq!(places, ["line 3"], "{}", refused.text);
    assert_eq!(refused.refused(), (422, "import-refused".to_owned()));
    assert_eq!(server.local("GET", "/users", None).await.ok()["items"], json!([]));

    let good = "address;password;display_name;number\nanna;a;b,c;Anna;+441632960123\n";
    let wrong = server.local("POST", "/users/import", Some(json!(good))).await;
    assert!(!wrong.status.is_success(), "a separator inside a cell moves the others: {}", wrong.text);
    let good = "address;password;display_name;number\nanna;a,b,c;Anna;+441632960123\nben;x;;\n";
    assert_eq!(server.local("POST", "/users/import", Some(json!(good))).await.ok()["created"], 2);
    assert_eq!(server.local("POST", "/users/import", Some(json!(good))).await.ok()["same"], 2);
    let changed = good.replace(";x;", ";y;");
    let report = server.local("POST", "/users/import", Some(json!(changed))).await.ok();
    assert_eq!(report, json!({ "what_if": false, "created": 0, "changed": 1, "same": 1 }));
    for (word, status) in [("maybe", 422), ("0", 422), ("no", 200), ("TRUE", 200)] {
        let csv = format!("address;enabled\nanna;{word}\n");
        assert_eq!(server.local("POST", "/users/import", Some(json!(csv))).await.status, status, "{word}");
    }
    let work = "address;title;company;department\nanna;Engineer;Contoso;Research\n";
    assert_eq!(server.local("POST", "/users/import", Some(json!(work))).await.ok()["changed"], 1);
    let anna = server.local("GET", "/users/anna", None).await.ok();
    assert_eq!([&anna["title"], &anna["company"], &anna["department"]], ["Engineer", "Contoso", "Research"]);
}

#[tokio::test]
async fn passwords_of_user_password_lines_may_hold_separators() {
    let server = Server::new();
    server.local("POST", "/users/import", Some(json!("anna;a;b,c\n"))).await.ok();
    let id = server.store.directory().expect("the store answers").users[0].id;
    let secret = server.store.credential(id).expect("the store answers").expect("a password");
    assert!(secret.md5 == lyceum_sip::digest::Ha1::of(b"anna", b"example.org", b"a;b,c").md5);
}

#[tokio::test]
async fn numbers_and_devices_are_kept() {
    let server = with_anna().await;
    let body = json!({ "number": "+441632960124", "reserved": true, "note": "reception" });
    server.local("PUT", "/numbers/+441632960124", Some(body)).await.ok();
    let all = server.local("GET", "/numbers", None).await.ok();
    assert_eq!(all["items"].as_array().map(Vec::len), Some(2), "a user's number is listed without a record");
    let of_anna = server.local("GET", "/numbers?user=anna", None).await.ok();
    assert_eq!(of_anna["items"][0]["user"], "anna@example.org");
    server.local("DELETE", "/numbers/+441632960124", None).await.ok();
    let gone = server.local("GET", "/numbers/+441632960124", None).await;
    assert_eq!(gone.refused(), (404, "number-not-found".to_owned()));

    let body = json!({ "mac": "00-0B-82-12-34-56", "user": "anna", "model": "T46" });
    server.local("PUT", "/devices/000b82123456", Some(body)).await.ok();
    let device = server.local("GET", "/devices/00:0b:82:12:34:56", None).await.ok();
    assert_eq!(device, json!({ "mac": "00:0b:82:12:34:56", "user": "anna@example.org", "model": "T46" }));
    server.local("DELETE", "/devices/000b82123456", None).await.ok();
    assert_eq!(server.store.directory().expect("the store answers").devices.len(), 0);
}

#[tokio::test]
async fn a_password_change_is_told_to_the_running_server() {
    let server = with_anna().await;
    server.local("PATCH", "/users/anna", Some(json!({ "password": "another" }))).await.ok();
    assert_eq!(server.ports.new_credentials.lock().expect("no panic").len(), 2);
}
