//! The server itself, and its listeners on real sockets.

use crate::support::{Server, remote, send};
use axum::body::Body;
use axum::http::Request;
use lyceum_web::listen::{Drain, LocalListener, Protection, serve};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn status_health_metrics_and_description_answer() {
    let server = Server::new();
    assert_eq!(server.https("GET", "/health", None, &[]).await.ok(), json!({ "status": "ok" }));
    let status = server.local("GET", "/status", None).await.ok();
    assert_eq!((&status["topology_version"], &status["listeners"][0]), (&json!(1), &json!("udp 127.0.0.1:5060")));
    assert_eq!(status["figures"]["sip_requests{method=INVITE}"], 7.0);
    let metrics = server.local("GET", "/metrics", None).await;
    assert!(metrics.text.contains("lyceum_sip_requests_total{method=\"INVITE\"} 7"), "{}", metrics.text);
    assert!(metrics.text.ends_with("# EOF\n"));
    assert_eq!(server.local("GET", "/openapi.json", None).await.ok()["openapi"], "3.1.0");
    let reload = server.local("POST", "/certificates/reload", None).await;
    assert_eq!(reload.refused(), (422, "certificate-invalid".to_owned()));
    let failed = server.local("POST", "/tests/call", Some(json!({}))).await.ok();
    assert_eq!(failed["passed"], false);
}

#[tokio::test]
async fn bodies_have_a_bound_and_a_media_type() {
    let server = Server::new();
    let request = |media: &str, length: &str| {
        let request = Request::post("/api/v1/session").header("content-type", media).header("content-length", length);
        request.body(Body::from("{}")).expect("a request")
    };
    let large = send(server.web.router(), remote(), request("application/json", "999999999")).await;
    assert_eq!(large.refused(), (413, "request-too-large".to_owned()));
    let form = send(server.web.router(), remote(), request("application/x-www-form-urlencoded", "2")).await;
    assert_eq!(form.refused(), (415, "media-type-unknown".to_owned()), "a page of another site can send forms");
}

#[tokio::test]
async fn a_backup_is_written_while_the_server_works() {
    let server = Server::new();
    let file = server.dir.path().join("one.backup");
    let relative = server.local("POST", "/backup", Some(json!({ "file": "one.backup" }))).await;
    assert_eq!(relative.refused(), (400, "request-malformed".to_owned()));
    let nowhere = server.dir.path().join("nowhere/one.backup");
    let refused = server.local("POST", "/backup", Some(json!({ "file": nowhere }))).await;
    assert_eq!(refused.refused(), (500, "backup-failed".to_owned()));
    assert!(!server.dir.path().join("nowhere").exists(), "no folder is made by a slip of the pen");
    let begun = server.local("POST", "/backup", Some(json!({ "file": file }))).await.ok();
    assert_eq!(begun["state"], "running");
    let mut status = begun;
    while status["state"] == "running" {
        tokio::task::yield_now().await;
        status = server.local("GET", "/backup", None).await.ok();
    }
    assert_eq!(status["state"], "done", "{status}");
    assert!(file.exists());
    let again = server.local("POST", "/backup", Some(json!({ "file": file }))).await;
    assert_eq!(again.refused(), (500, "backup-failed".to_owned()));
}

#[tokio::test]
async fn the_local_socket_is_private_and_serves_its_owner() {
    let server = Server::new();
    let path = server.dir.path().join("lyceum.sock");
    std::fs::write(&path, "left by a dead server").expect("a file");
    let listener = LocalListener::bind(&path).expect("a stale file is replaced");
    assert_eq!(std::fs::metadata(&path).expect("the socket").permissions().mode() & 0o777, 0o600);
    let (switch, drain) = Drain::new();
    let serving = tokio::spawn(listener.serve(server.web.local_router(), drain));
    assert!(LocalListener::bind(&path).is_err(), "a socket that answers is not taken");
    let mut stream = tokio::net::UnixStream::connect(&path).await.expect("the socket answers");
    let request = "GET /api/v1/session HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("an answer");
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("\"name\":\"local:"), "{text}");
    switch.begin();
    serving.await.expect("no panic").expect("ends well");
    assert!(!path.exists());
}

#[tokio::test]
async fn draining_ends_a_listener_with_an_idle_connection() {
    let server = Server::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let (switch, drain) = Drain::new();
    let serving = tokio::spawn(serve(listener, Protection::None, server.web.router(), drain));
    let mut idle = tokio::net::TcpStream::connect(address).await.expect("connected");
    idle.write_all(b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    let mut buffer = [0; 12];
    idle.read_exact(&mut buffer).await.expect("an answer");
    assert_eq!(&buffer, b"HTTP/1.1 200");
    switch.begin();
    serving.await.expect("no panic").expect("ends well");
}
