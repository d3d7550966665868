//! The document: publish, conflict, diff, rollback, domains and policies.

use crate::support::Server;
use serde_json::{Value, json};

async fn document(server: &Server) -> Value {
    server.local("GET", "/topology", None).await.ok()["document"].clone()
}

#[tokio::test]
async fn a_document_is_published_on_top_of_the_version_its_author_saw() {
    let server = Server::new();
    let mut draft = document(&server).await;
    draft["organisation"] = json!("Example Ltd");
    let publish = |version: u64, document: Value| json!({ "expected_version": version, "document": document });
    let done = server.local("PUT", "/topology", Some(publish(1, draft.clone()))).await.ok();
    assert_eq!(done["version"], 2);
    assert_eq!(done["changes"][0]["path"], "organisation");
    let late = server.local("PUT", "/topology", Some(publish(1, draft.clone()))).await;
    assert_eq!(late.refused(), (409, "version-conflict".to_owned()));
    let same = server.local("PUT", "/topology", Some(publish(2, draft))).await.ok();
    assert_eq!((&same["changes"], &same["version"]), (&json!([]), &json!(null)), "no change, no version");

    let versions = server.local("GET", "/topology/versions?limit=1", None).await.ok();
    assert_eq!((&versions["items"][0]["version"], &versions["next"]), (&json!(2), &json!("2")));
    let older = server.local("GET", "/topology/versions?limit=1&after=2", None).await.ok();
    assert_eq!((&older["items"][0]["version"], &older["next"]), (&json!(1), &json!(null)));
}

#[tokio::test]
async fn a_document_with_problems_is_not_published() {
    let server = Server::new();
    let mut draft = document(&server).await;
    draft["domains"] = json!([]);
    let verdict = server.local("POST", "/topology/validate", Some(draft.clone())).await.ok();
    assert_eq!(verdict["valid"], false);
    assert!(verdict["problems"].as_array().is_some_and(|p| !p.is_empty()));
    let refused = server.local("PUT", "/topology", Some(json!({ "document": draft }))).await;
    assert_eq!(refused.refused(), (422, "topology-invalid".to_owned()));
    let misspelt = server.local("PUT", "/topology", Some(json!({ "document": { "domain": [] } }))).await;
    assert_eq!(misspelt.refused(), (422, "topology-invalid".to_owned()));
    assert_eq!(server.local("GET", "/topology", None).await.ok()["version"], 1);
}

#[tokio::test]
async fn rollback_brings_the_document_back_and_leaves_users_alone() {
    let server = Server::new();
    server.local("PATCH", "/policies/registrar/global", Some(json!({ "max_endpoints": 3 }))).await.ok();
    server.local("POST", "/users", Some(json!({ "address": "anna@example.org" }))).await.ok();
    let diff = server.local("POST", "/topology/diff", Some(json!({ "from": 1, "to": 2 }))).await.ok();
    assert_eq!(diff["changes"][0]["after"], 3, "{diff}");
    let what_if = server.local("POST", "/topology/rollback?what_if=true", Some(json!({ "to": 1 }))).await.ok();
    assert_eq!(what_if["version"], json!(null));
    let done = server.local("POST", "/topology/rollback", Some(json!({ "to": 1, "expected_version": 2 }))).await.ok();
    assert_eq!(done["version"], 3);
    server.local("GET", "/users/anna", None).await.ok();
    let policy = server.local("GET", "/policies/registrar/global", None).await.ok();
    assert_eq!(policy["settings"], json!({}));
    let none = server.local("POST", "/topology/rollback", Some(json!({ "to": 99 }))).await;
    assert_eq!(none.refused(), (404, "version-not-found".to_owned()));
}

#[tokio::test]
async fn domains_come_and_go_unless_users_hold_them() {
    let server = Server::new();
    server.local("POST", "/domains", Some(json!({ "name": "Example.COM", "default": true }))).await.ok();
    let domains = server.local("GET", "/domains", None).await.ok();
    assert_eq!(
        domains,
        json!([{ "name": "example.org", "default": false, "users": 0 },
            { "name": "example.com", "default": true, "users": 0 }])
    );
    let twice = server.local("POST", "/domains", Some(json!({ "name": "example.com" }))).await;
    assert_eq!(twice.refused(), (409, "domain-exists".to_owned()));
    server.local("POST", "/users", Some(json!({ "address": "anna" }))).await.ok();
    let held = server.local("DELETE", "/domains/example.com", None).await;
    assert_eq!(held.refused(), (409, "domain-in-use".to_owned()));
    server.local("DELETE", "/domains/example.org", None).await.ok();
    let unknown = server.local("DELETE", "/domains/example.net", None).await;
    assert_eq!(unknown.refused(), (404, "domain-not-found".to_owned()));
}

#[tokio::test]
async fn policies_are_set_granted_and_seen_in_force() {
    let server = Server::new();
    server.local("POST", "/users", Some(json!({ "address": "anna@example.org" }))).await.ok();
    server.local("PATCH", "/policies/registrar/tag:Short", Some(json!({ "max_endpoints": 2 }))).await.ok();
    let grant = json!({ "user": "anna", "policy": "Short" });
    let done = server.local("POST", "/policies/registrar/grant", Some(grant)).await.ok();
    assert_eq!(done["object"]["policies"], json!({ "registrar": "Short" }));
    let effective = server.local("GET", "/users/anna/effective-policy", None).await.ok();
    let value = effective["values"].as_array().expect("values").iter().find(|v| v["setting"] == "max_endpoints");
    let value = value.expect("every setting is listed");
    assert_eq!((&value["value"], &value["from"]), (&json!(2), &json!("tag:Short")));

    let held = server.local("DELETE", "/policies/registrar/tag:Short", None).await;
    assert_eq!(held.refused(), (409, "policy-in-use".to_owned()));
    server.local("POST", "/policies/registrar/grant", Some(json!({ "user": "anna" }))).await.ok();
    server.local("DELETE", "/policies/registrar/tag:Short", None).await.ok();
    let of_kind = server.local("GET", "/policies/registrar", None).await.ok();
    assert_eq!(of_kind.as_array().map(Vec::len), Some(1), "global is always there");
}

#[tokio::test]
async fn wrong_policies_are_refused() {
    let server = Server::new();
    for (path, body, status, code) in [
        ("/policies/nonsense/global", json!({}), 404, "policy-kind-unknown"),
        ("/policies/registrar/everywhere", json!({}), 422, "scope-invalid"),
        ("/policies/registrar/site:", json!({}), 422, "scope-invalid"),
        ("/policies/registrar/global", json!({ "max_endpoint": 3 }), 422, "topology-invalid"),
        ("/policies/registrar/global", json!({ "max_endpoints": 100_000 }), 422, "topology-invalid"),
        ("/policies/registrar/site:Nowhere", json!({ "max_endpoints": 3 }), 422, "topology-invalid"),
    ] {
        let refused = server.local("PATCH", path, Some(body)).await.refused();
        assert_eq!(refused, (status, code.to_owned()), "{path}");
    }
    let lockout = server.local("POST", "/policies/lockout/grant", Some(json!({ "user": "anna", "policy": "X" }))).await;
    assert_eq!(lockout.refused(), (404, "policy-kind-unknown".to_owned()));
}
