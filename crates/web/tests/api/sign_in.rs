//! Sign-in, the one-time link, sessions and their ends.

use crate::support::{Answer, Server, remote, send};
use axum::body::Body;
use axum::http::Request;
use lyceum_sip::WallTime;
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

const PASSWORD: &str = "correct horse battery";

fn token(url: &str) -> &str {
    url.rsplit('/').next().expect("a path")
}

async fn form(server: &Server, token: &str, name: &str, password: &str, again: &str) -> Answer {
    let encode = |text: &str| text.replace(' ', "+");
    let body = format!("name={name}&password={}&again={}", encode(password), encode(again));
    let request = Request::post(format!("/first/{token}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(body))
        .expect("a request");
    send(server.web.router(), remote(), request).await
}

async fn sign_in(server: &Server, password: &str, cookie: bool) -> Answer {
    let body = json!({ "name": "anna", "password": password, "cookie": cookie });
    server.https("POST", "/session", Some(body), &[]).await
}

async fn with_anna() -> Server {
    let server = Server::new();
    server.local("POST", "/administrators", Some(json!({ "name": "anna", "password": PASSWORD }))).await.ok();
    server
}

#[tokio::test]
async fn the_one_time_link_makes_one_administrator_once() {
    let server = Server::new();
    let url = server.web.first_administrator_url().expect("a link").expect("nobody can sign in yet");
    assert!(url.starts_with("https://sip.example.org/first/"), "{url}");

    let page = send(
        server.web.router(),
        remote(),
        Request::get(format!("/first/{}", token(&url))).body(Body::empty()).expect("a request"),
    )
    .await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("<form method=\"post\"") && !page.text.contains("<script"));
    assert_eq!(page.headers["x-frame-options"], "DENY");

    let foreign = Request::post(format!("/first/{}", token(&url)))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("host", "sip.example.org")
        .header("origin", "https://evil.example")
        .body(Body::from(format!("name=eve&password={PASSWORD}&again={PASSWORD}").replace(' ', "+")))
        .expect("a request");
    assert_eq!(send(server.web.router(), remote(), foreign).await.status, 403);
    assert_eq!(form(&server, token(&url), "anna", "short", "short").await.status, 422);
    assert_eq!(form(&server, token(&url), "anna", PASSWORD, "different one").await.status, 422);
    let made = form(&server, token(&url), "anna", PASSWORD, PASSWORD).await;
    assert!(made.status == 200 && made.text.contains("Welcome, anna"), "{}", made.text);
    assert_eq!(form(&server, token(&url), "ben", PASSWORD, PASSWORD).await.status, 403, "a link works once");

    sign_in(&server, PASSWORD, false).await.ok();
    assert_eq!(server.web.first_administrator_url().expect("the store answers"), None);
    let names = server.local("GET", "/administrators", None).await.ok();
    assert_eq!(names.as_array().expect("a list").len(), 1, "{names}");
}

#[tokio::test]
async fn a_one_time_link_lives_half_an_hour() {
    static NOW: AtomicU64 = AtomicU64::new(1_000_000);
    let server = Server::with_clock(|| WallTime(NOW.load(SeqCst)));
    let link = server.local("POST", "/administrators/one-time-url", None).await.ok();
    NOW.fetch_add(30 * 60_000, SeqCst);
    let body = json!({ "token": token(link["url"].as_str().expect("a url")), "name": "anna", "password": PASSWORD });
    let late = server.https("POST", "/session/first", Some(body), &[]).await;
    assert_eq!(late.refused(), (403, "one-time-link-spent".to_owned()));
}

#[tokio::test]
async fn a_bearer_token_works_until_sign_out() {
    let server = with_anna().await;
    let session = sign_in(&server, PASSWORD, false).await.ok();
    let bearer = format!("Bearer {}", session["token"].as_str().expect("a token"));
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(server.https("GET", "/session", None, &headers).await.ok()["name"], "anna");
    assert_eq!(server.https("DELETE", "/session", None, &headers).await.status, 204);
    let after = server.https("GET", "/session", None, &headers).await;
    assert_eq!(after.refused(), (401, "session-required".to_owned()));
}

#[tokio::test]
async fn a_cookie_is_worth_nothing_without_its_csrf_token() {
    let server = with_anna().await;
    let answer = sign_in(&server, PASSWORD, true).await;
    let cookie = answer.headers["set-cookie"].to_str().expect("text").to_owned();
    for attribute in ["__Host-lyceum=", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(attribute), "{attribute} in {cookie}");
    }
    let session = answer.ok();
    assert_eq!(session["token"], json!(null), "the page's scripts never see the session");
    let (cookie, csrf) = (cookie.split(';').next().expect("a pair"), session["csrf"].as_str().expect("a token"));
    let call = |headers: Vec<(&'static str, String)>| {
        let server = &server;
        async move {
            let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
            server.https("GET", "/users", None, &headers).await
        }
    };
    let alone = call(vec![("cookie", cookie.to_owned())]).await;
    assert_eq!(alone.refused(), (403, "csrf-token-missing".to_owned()));
    let wrong = call(vec![("cookie", cookie.to_owned()), ("x-csrf-token", "00".repeat(32))]).await;
    assert_eq!(wrong.refused(), (403, "csrf-token-missing".to_owned()));
    call(vec![("cookie", cookie.to_owned()), ("x-csrf-token", csrf.to_owned())]).await.ok();
}

#[tokio::test]
async fn unknown_names_and_wrong_passwords_get_the_same_answer_and_are_throttled() {
    let server = with_anna().await;
    let wrong = sign_in(&server, "wrong password", false).await;
    let body = json!({ "name": "nobody", "password": "wrong password" });
    let unknown = server.https("POST", "/session", Some(body), &[]).await;
    assert_eq!(wrong.text, unknown.text);
    assert_eq!(wrong.refused(), (401, "sign-in-refused".to_owned()));
    for _ in 0..4 {
        sign_in(&server, "wrong password", false).await.refused();
    }
    let throttled = sign_in(&server, PASSWORD, false).await;
    assert!(throttled.headers.contains_key("retry-after"));
    assert_eq!(throttled.refused(), (429, "sign-in-throttled".to_owned()), "even with the right password");
}

#[tokio::test]
async fn a_new_password_ends_the_sessions() {
    let server = with_anna().await;
    let session = sign_in(&server, PASSWORD, false).await.ok();
    let bearer = format!("Bearer {}", session["token"].as_str().expect("a token"));
    server.local("PATCH", "/administrators/anna", Some(json!({ "password": "another good password" }))).await.ok();
    let after = server.https("GET", "/session", None, &[("authorization", &bearer)]).await;
    assert_eq!(after.refused(), (401, "session-required".to_owned()));
    let last = server.local("DELETE", "/administrators/anna", None).await;
    assert_eq!(last.refused(), (409, "last-administrator".to_owned()));
}

#[tokio::test]
async fn guesses_at_the_same_time_are_counted_like_guesses_one_after_the_other() {
    let server = std::sync::Arc::new(with_anna().await);
    let mut guesses = tokio::task::JoinSet::new();
    for n in 0..60 {
        let server = server.clone();
        guesses.spawn(async move { sign_in(&server, &format!("wrong password {n}"), false).await.refused().0 });
    }
    let answers = guesses.join_all().await;
    let of = |status| answers.iter().filter(|answer| **answer == status).count();
    assert_eq!((of(401), of(429)), (5, 55), "{answers:?}");
}

#[tokio::test]
async fn without_a_link_nobody_learns_who_administers() {
    let server = with_anna().await;
    let first = |token: &str, name: &str| {
        let body = json!({ "token": token, "name": name, "password": "another good password" });
        server.https("POST", "/session/first", Some(body), &[])
    };
    let wrong = "00".repeat(32);
    let (known, unknown) = (first(&wrong, "anna").await, first(&wrong, "nobody").await);
    assert_eq!((known.status, &known.text), (unknown.status, &unknown.text));
    assert_eq!(known.refused(), (403, "one-time-link-spent".to_owned()));
    let link = server.local("POST", "/administrators/one-time-url", None).await.ok();
    let good = token(link["url"].as_str().expect("a url")).to_owned();
    assert_eq!(first(&good, "anna").await.refused(), (409, "administrator-exists".to_owned()));
    first(&good, "ben").await.ok();
}
