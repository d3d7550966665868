//! Files from one person to another.

use crate::people::{page, server};
use crate::support::{Answer, Server, remote, send};
use axum::body::{Body, Bytes, HttpBody};
use axum::http::Request;
use hyper::body::Frame;
use serde_json::json;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

fn upload(signed: &str, to: &str, name: &str, body: Body) -> Request<Body> {
    let path = format!("/api/v1/client/files?to={to}&name={name}");
    let request = Request::builder().method("POST").uri(path).header("authorization", signed);
    request.body(body).expect("a request")
}

async fn offer(server: &Server, signed: &str, to: &str, name: &str) -> Answer {
    send(server.web.router(), remote(), upload(signed, to, name, Body::from("hello"))).await
}

/// A body that never goes on.
struct Stalled;

impl HttpBody for Stalled {
    type Data = Bytes;
    type Error = Infallible;
    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

#[tokio::test]
async fn the_same_file_to_two_people_in_one_moment_is_two_files() {
    let server = server().await;
    let anna = page(&server, "anna").await;
    let first = offer(&server, &anna, "ben@example.org", "a.txt").await.ok();
    let second = offer(&server, &anna, "anna@example.org", "a.txt").await.ok();
    // The last letters of a name are not the time.
    let tail = |file: &serde_json::Value| file["id"].as_str().expect("a name")[16..].to_owned();
    assert_ne!(tail(&first), tail(&second));
    let request = Request::builder().uri(format!("/api/v1/client/files/{}", second["id"].as_str().expect("a name")));
    let request = request.header("authorization", &anna).body(Body::empty()).expect("a request");
    assert_eq!(send(server.web.router(), remote(), request).await.text, "hello");
}

#[tokio::test]
async fn who_is_blocked_and_who_writes_to_somebody_disabled_hear_the_same() {
    let server = server().await;
    let (anna, ben) = (page(&server, "anna").await, page(&server, "ben").await);
    let signed = [("authorization", anna.as_str())];
    let blocked = json!({ "relationship": "blocked" });
    server.https("PUT", "/client/relationships/ben@example.org", Some(blocked), &signed).await.ok();
    let refused = (422, "file-refused".to_owned());
    let to_anna = offer(&server, &ben, "Anna@example.org", "a.txt").await;
    let words = to_anna.body["what"].clone();
    assert_eq!((to_anna.refused(), words.as_str()), (refused.clone(), Some("anna@example.org cannot be sent files")));
    server.local("POST", "/users/ben/disable", None).await.ok();
    assert_eq!(offer(&server, &anna, "ben@example.org", "a.txt").await.refused(), refused);
    assert_eq!(server.https("GET", "/client/files", None, &signed).await.ok()["items"], json!([]));
}

#[tokio::test]
async fn names_are_cleaned_before_their_ending_is_judged() {
    let server = server().await;
    let anna = page(&server, "anna").await;
    for name in ["a%0Ab", "..", ".", "evil.exe::$DATA", "a%2Fb", "%E2%80%8B"] {
        let answer = offer(&server, &anna, "ben@example.org", name).await.refused();
        assert_eq!(answer, (400, "request-malformed".to_owned()), "{name}");
    }
    let kept = offer(&server, &anna, "ben@example.org", "report.pdf%20.%E2%80%8B").await.ok();
    assert_eq!(kept["name"], "report.pdf");
}

#[tokio::test]
async fn a_file_that_is_too_large_is_answered_after_it_was_read() {
    let server = server().await;
    server.local("PATCH", "/policies/file_transfer/global", Some(json!({ "max_file_mib": 1 }))).await.ok();
    let anna = page(&server, "anna").await;
    for length in [true, false] {
        let mut request = upload(&anna, "ben@example.org", "a.txt", Body::from(vec![7; 3 << 20]));
        if length {
            request.headers_mut().insert("content-length", (3 << 20).into());
        }
        let answer = send(server.web.router(), remote(), request).await.refused();
        assert_eq!(answer, (413, "request-too-large".to_owned()), "length told: {length}");
    }
}

#[tokio::test]
async fn uploads_that_stall_keep_nobody_else_waiting() {
    let server = server().await;
    let (anna, ben) = (page(&server, "anna").await, page(&server, "ben").await);
    let mut stalled = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let request = upload(&anna, "ben@example.org", "a.txt", Body::new(Stalled));
        stalled.spawn(send(server.web.router(), remote(), request));
    }
    // Each of them has its place before the next line is reached by its sender.
    let busy = loop {
        tokio::task::yield_now().await;
        let answer = offer(&server, &anna, "ben@example.org", "a.txt").await;
        if !answer.status.is_success() {
            break answer;
        }
    };
    assert_eq!(busy.refused(), (503, "server-busy".to_owned()), "a ninth file of anna's");
    offer(&server, &ben, "anna@example.org", "a.txt").await.ok();
    server.https("GET", "/client/contacts", None, &[("authorization", ben.as_str())]).await.ok();
}
