//! The client over a real Unix socket: requests on the wire, refusals, and a server that goes away.

use lyceum_shell::client::{Api, Body, Call, Socket};
use lyceum_shell::failure::Failure;
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::thread::JoinHandle;

/// Answers one connection with these, in order, then closes it; gives back what it read.
fn serve(name: &str, answers: Vec<String>) -> (PathBuf, JoinHandle<Vec<String>>) {
    let path = std::env::temp_dir().join(format!("lyceum-shell-{name}-{}.sock", std::process::id()));
    std::fs::remove_file(&path).ok();
    let listener = UnixListener::bind(&path).expect("a socket");
    let file = path.clone();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        let mut writer = stream;
        let requests = answers.iter().map(|answer| {
            let request = request(&mut reader);
            writer.write_all(answer.as_bytes()).expect("the client reads");
            request
        });
        let requests = requests.collect();
        std::fs::remove_file(file).ok();
        requests
    });
    (path, thread)
}

/// One request: its first line and its body.
fn request(reader: &mut BufReader<std::os::unix::net::UnixStream>) -> String {
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).expect("a request");
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a header");
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    format!("{} {}", first.trim(), String::from_utf8(body).expect("text")).trim().to_owned()
}

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn call(method: &'static str, path: &str, body: Body) -> Call {
    Call { method, path: path.to_owned(), body }
}

#[test]
fn one_connection_carries_all_calls_and_refusals_are_read() {
    let problem = json!({ "code": "user-exists", "status": 409, "what": "there is one", "where": "/users/a", "fix": "f", "help": "h" });
    let answers = vec![
        answer("200 OK", r#"{"items":[]}"#),
        answer("409 Conflict", &problem.to_string()),
        answer("502 Bad Gateway", "oops"),
        "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
    ];
    let (path, server) = serve("calls", answers);
    let mut api = Socket::new(&path).expect("a client");
    assert_eq!(api.call(call("GET", "/users?limit=1", Body::Empty)).expect("a page"), json!({ "items": [] }));
    let refused = api.call(call("POST", "/users", Body::Json(json!({ "address": "a" })))).expect_err("a refusal");
    assert_eq!((refused.code(), refused.explain().lines().next()), (5, Some("there is one")));
    let odd = api.call(call("GET", "/status", Body::Empty)).expect_err("a failure");
    assert_eq!(odd.explain(), "the server answered 502 without saying why");
    assert_eq!(api.call(call("DELETE", "/session", Body::Empty)).expect("done"), json!(null));
    assert_eq!(
        server.join().expect("no panic"),
        [
            "GET /api/v1/users?limit=1 HTTP/1.1",
            r#"POST /api/v1/users HTTP/1.1 {"address":"a"}"#,
            "GET /api/v1/status HTTP/1.1",
            "DELETE /api/v1/session HTTP/1.1"
        ]
    );
}

#[test]
fn a_server_that_goes_away_is_unreachable() {
    let (path, server) = serve("gone", vec![answer("200 OK", "{}")]);
    let mut api = Socket::new(&path).expect("a client");
    api.call(call("GET", "/status", Body::Empty)).expect("an answer");
    server.join().expect("no panic");
    let failure = api.call(call("GET", "/status", Body::Empty)).expect_err("nobody is there");
    assert!(matches!(failure, Failure::Unreachable { .. }), "{failure:?}");
}
