//! Every route of the table, asked by everyone who might.

use crate::support::{Server, remote, send};
use axum::body::Body;
use axum::http::Request;
use lyceum_api::route::{Access, ROUTES, Route};
use lyceum_web::peer::Peer;
use serde_json::json;

fn request(route: &Route, headers: &[(&str, &str)]) -> Request<Body> {
    // Parameters that name nothing, so that no route changes anything.
    let path = route.path.replace("{version}", "999").replace("{kind}", "none").replace(['{', '}'], "");
    let mut request = Request::builder().method(route.method).uri(format!("/api/v1{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).expect("a request")
}

/// Whether the answer comes from the guard and not from a handler.
fn guarded(code: &str) -> bool {
    ["session-required", "csrf-token-missing", "origin-refused", "local-only"].contains(&code)
}

/// What a stranger hears at the door of a route.
fn door(route: &Route) -> String {
    if route.access == Access::User { "client-session-over" } else { "session-required" }.to_owned()
}

#[tokio::test]
async fn a_stranger_reaches_sign_in_and_health_only() {
    let server = Server::new();
    for route in ROUTES {
        let answer = send(server.web.router(), remote(), request(route, &[])).await;
        let code = answer.body["code"].as_str().unwrap_or_default().to_owned();
        match route.access {
            Access::Open => assert!(!guarded(&code), "{} {}: {}", route.method, route.path, answer.text),
            _ => assert_eq!(answer.refused(), (401, door(route)), "{} {}", route.method, route.path),
        }
    }
    let open: Vec<&str> = ROUTES.iter().filter(|r| r.access == Access::Open).map(|r| r.path).collect();
    let expected =
        ["/health", "/session", "/session/first", "/client/sign-in", "/client/session", "/client/session/refresh"];
    assert_eq!(open, expected);
}

#[tokio::test]
async fn every_route_of_the_table_is_served_to_an_administrator_and_pages_of_others_get_nothing() {
    let server = Server::new();
    let body = json!({ "name": "anna", "password": "correct horse battery" });
    server.local("POST", "/administrators", Some(body.clone())).await.ok();
    for route in ROUTES {
        // Signing out is one of the routes, so each gets a session of its own.
        let session = server.https("POST", "/session", Some(body.clone()), &[]).await.ok();
        let bearer = format!("Bearer {}", session["token"].as_str().expect("a token"));
        let own = [("authorization", bearer.as_str()), ("host", "sip.example.org")];
        let place = format!("{} {}", route.method, route.path);

        for bad in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
            let answer = send(server.web.router(), remote(), request(route, &[own[0], own[1], bad])).await;
            assert_eq!(answer.refused(), (403, "origin-refused".to_owned()), "{place} {bad:?}");
        }
        let good = [own[0], own[1], ("origin", "https://sip.example.org")];
        let answer = send(server.web.router(), remote(), request(route, &good)).await;
        let code = answer.body["code"].as_str().unwrap_or_default().to_owned();
        match route.access {
            Access::Local => assert_eq!(code, "local-only", "{place}"),
            // An administrator's session is no user's.
            Access::User => assert_eq!(code, "client-session-over", "{place}"),
            _ => assert!(!guarded(&code), "{place}: {}", answer.text),
        }
        assert!(code != "route-not-found" && code != "method-not-allowed", "{place}: {}", answer.text);
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{place}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{place}");
    }
}

#[tokio::test]
async fn the_local_socket_serves_root_and_refuses_other_users() {
    let server = Server::new();
    for route in ROUTES.iter().filter(|r| r.access != Access::Open) {
        let other = Peer::Local { user: "mallory".into(), trusted: false };
        let answer = send(server.web.local_router(), other, request(route, &[])).await;
        assert_eq!(answer.refused(), (401, door(route)), "{} {}", route.method, route.path);
        if route.access == Access::User {
            continue;
        }
        let root = Peer::Local { user: "root".into(), trusted: true };
        let answer = send(server.web.local_router(), root, request(route, &[])).await;
        assert!(!guarded(answer.body["code"].as_str().unwrap_or_default()), "{}: {}", route.path, answer.text);
    }
    let session = server.local("GET", "/session", None).await.ok();
    assert_eq!(session["name"], "local:root");
}

#[tokio::test]
async fn a_request_that_no_listener_vouches_for_is_nobodys() {
    let server = Server::new();
    use tower::ServiceExt;
    for route in ROUTES.iter().filter(|r| r.access != Access::Open) {
        let answer = server.web.router().oneshot(request(route, &[])).await.expect("the router answers");
        assert_eq!(answer.status(), 401, "{} {}", route.method, route.path);
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_say_so() {
    let server = Server::new();
    assert_eq!(server.local("GET", "/nothing", None).await.refused(), (404, "route-not-found".to_owned()));
    let wrong = server.local("DELETE", "/users", None).await;
    assert_eq!(wrong.refused(), (405, "method-not-allowed".to_owned()));
}
