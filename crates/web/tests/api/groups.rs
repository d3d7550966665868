//! Distribution groups: kept, shown with their people, and never a loop.

use crate::support::Server;
use serde_json::{Value, json};

async fn with_people() -> Server {
    let server = Server::new();
    for name in ["anna", "ben", "clara"] {
        let user = json!({ "address": format!("{name}@example.org"), "display_name": name });
        server.local("POST", "/users", Some(user)).await.ok();
    }
    server
}

#[tokio::test]
async fn a_group_is_live_stored_and_audited() {
    let server = with_people().await;
    let sales = json!({ "address": "sales@example.org", "display_name": "Sales", "members": ["ben", "anna", "ben@example.org"] });
    let asked = server.local("POST", "/groups?what_if=true", Some(sales.clone())).await.ok();
    assert_eq!(
        (&asked["what_if"], server.local("GET", "/groups", None).await.ok()["items"].clone()),
        (&json!(true), json!([]))
    );
    server.local("POST", "/groups", Some(sales.clone())).await.ok();
    let shown = json!({ "address": "sales@example.org", "display_name": "Sales",
        "members": ["anna@example.org", "ben@example.org"], "people": 2 });
    assert_eq!(server.local("GET", "/groups/sales", None).await.ok(), shown);
    assert_eq!(server.local("POST", "/groups", Some(sales)).await.refused(), (409, "group-exists".to_owned()));

    let all = json!({ "address": "all@example.org", "members": ["sales", "clara"] });
    assert_eq!(server.local("POST", "/groups", Some(all)).await.ok()["object"]["people"], 3);
    let change = json!({ "add": ["clara"], "remove": ["anna"], "display_name": "" });
    let changed = server.local("PATCH", "/groups/sales", Some(change)).await.ok()["object"].clone();
    assert_eq!(
        (&changed["members"], &changed["display_name"]),
        (&json!(["ben@example.org", "clara@example.org"]), &json!(""))
    );
    assert_eq!(server.local("GET", "/groups/all", None).await.ok()["people"], 2);

    let stored = server.store.directory().expect("the store answers");
    assert_eq!(stored.groups.len(), 2);
    let again = stored.into_directory().expect("it loads");
    assert_eq!(again.groups().count(), 2);
    server.local("DELETE", "/groups/sales", None).await.ok();
    assert_eq!(server.local("GET", "/groups/sales", None).await.refused(), (404, "group-not-found".to_owned()));
    assert_eq!(
        server.local("GET", "/groups/all", None).await.ok()["people"],
        1,
        "who was in it alone is gone from the other"
    );
    let audit = server.local("GET", "/audit", None).await.ok();
    let about = |line: &&Value| line["object"] == "sales@example.org";
    assert_eq!(audit["items"].as_array().expect("lines").iter().filter(about).count(), 3, "new, set, remove: {audit}");
}

#[tokio::test]
async fn a_loop_a_stranger_and_an_address_of_a_user_are_refused() {
    let server = with_people().await;
    for (name, members) in [("inner", json!(["anna"])), ("outer", json!(["inner"]))] {
        server.local("POST", "/groups", Some(json!({ "address": name, "members": members }))).await.ok();
    }
    let patch = |add: &str| json!({ "add": [add] });
    let calls: [(&str, &str, Value, &str); 5] = [
        ("PATCH", "/groups/inner", patch("outer"), "group-invalid"),
        ("PATCH", "/groups/inner", patch("inner"), "group-invalid"),
        ("PATCH", "/groups/inner", patch("nobody"), "group-invalid"),
        ("POST", "/groups", json!({ "address": "anna@example.org" }), "group-invalid"),
        ("POST", "/groups", json!({ "address": "x@elsewhere.example" }), "domain-unknown"),
    ];
    for (method, path, body, code) in calls {
        let refused = server.local(method, path, Some(body)).await.refused();
        assert_eq!(refused, (422, code.to_owned()), "{method} {path}");
    }
    let taken = server.local("POST", "/users", Some(json!({ "address": "inner@example.org" }))).await;
    assert_eq!(taken.refused(), (409, "user-exists".to_owned()), "an address is a user's or a group's");
}
