//! The administration API over the server's local socket: HTTP/1.1, one connection, kept open.

use crate::failure::Failure;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use lyceum_api::{PREFIX, Problem};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest that one answer may take: a synthetic call, or an import of 100,000 users on a slow disk.
const PATIENCE: Duration = Duration::from_secs(120);
/// The largest answer that is read.
const LARGEST: usize = 256 << 20;

/// A call of the API.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// Path under the API's prefix, with its query.
    pub path: String,
    /// What is sent.
    pub body: Body,
}

/// What a call sends.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Nothing.
    Empty,
    /// A JSON value.
    Json(Value),
    /// CSV text.
    Csv(String),
}

/// Answers calls: the server, or a test.
pub trait Api {
    /// Makes one call; an answer without a body is `Null`, one that is not JSON a string.
    fn call(&mut self, call: Call) -> Result<Value, Failure>;
}

/// The server behind a local socket.
pub struct Socket {
    path: PathBuf,
    runtime: tokio::runtime::Runtime,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Socket {
    /// A client of the server at `path`; connects with the first call.
    pub fn new(path: &Path) -> Result<Socket, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Failure::Failed(format!("no runtime: {e}")))?;
        Ok(Socket { path: path.to_owned(), runtime, connection: None })
    }

    fn unreachable(&self, why: impl std::fmt::Display) -> Failure {
        Failure::Unreachable { socket: self.path.clone(), why: why.to_string() }
    }
}

impl Api for Socket {
    fn call(&mut self, call: Call) -> Result<Value, Failure> {
        let mut sender = match self.connection.take() {
            Some(open) if !open.is_closed() => open,
            _ => self.runtime.block_on(connect(&self.path)).map_err(|why| self.unreachable(why))?,
        };
        let exchange = async {
            tokio::time::timeout(PATIENCE, exchange(&mut sender, call))
                .await
                .unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())))
        };
        let (status, bytes) = self.runtime.block_on(exchange).map_err(|why| self.unreachable(why))?;
        self.connection = Some(sender);
        answer(status, &bytes)
    }
}

async fn connect(path: &Path) -> Result<SendRequest<Full<Bytes>>, String> {
    let stream = tokio::net::UnixStream::connect(path).await.map_err(|e| e.to_string())?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
    // Owned by the runtime of the client and dropped with it.
    tokio::spawn(async move { connection.await.ok() });
    Ok(sender)
}

async fn exchange(sender: &mut SendRequest<Full<Bytes>>, call: Call) -> Result<(u16, Bytes), String> {
    let (media, bytes) = match call.body {
        Body::Empty => (None, Vec::new()),
        Body::Json(value) => (Some("application/json"), value.to_string().into_bytes()),
        Body::Csv(text) => (Some("text/csv"), text.into_bytes()),
    };
    let mut request =
        hyper::Request::builder().method(call.method).uri(format!("{PREFIX}{}", call.path)).header("host", "localhost");
    if let Some(media) = media {
        request = request.header("content-type", media);
    }
    let request = request.body(Full::new(Bytes::from(bytes))).map_err(|e| e.to_string())?;
    sender.ready().await.map_err(|e| e.to_string())?;
    let response = sender.send_request(request).await.map_err(|e| e.to_string())?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), LARGEST).collect().await.map_err(|e| e.to_string())?;
    Ok((status, body.to_bytes()))
}

fn answer(status: u16, bytes: &[u8]) -> Result<Value, Failure> {
    if !(200..300).contains(&status) {
        let problem: Result<Box<Problem>, _> = serde_json::from_slice(bytes);
        return Err(problem.map_or_else(
            |_| Failure::Failed(format!("the server answered {status} without saying why")),
            Failure::Refused,
        ));
    }
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    Ok(serde_json::from_slice(bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned())))
}

/// Text as one segment of a path or one value of a query.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'@' | b':' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A path with the parameters that have a value.
pub fn with_query(path: &str, parameters: &[(&str, Option<String>)]) -> String {
    let mut out = path.to_owned();
    let mut mark = if path.contains('?') { '&' } else { '?' };
    for (name, value) in parameters {
        if let Some(value) = value {
            out.push_str(&format!("{mark}{name}={}", encoded(value)));
            mark = '&';
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{encoded, with_query};

    #[test]
    fn names_cannot_leave_their_place_in_the_path() {
        assert_eq!(encoded("a/../b?c&d%e@x y"), "a%2F..%2Fb%3Fc%26d%25e@x%20y");
        assert_eq!(with_query("/users", &[("filter", Some("a b".into())), ("domain", None)]), "/users?filter=a%20b");
        assert_eq!(with_query("/users?x=1", &[("y", Some("2".into()))]), "/users?x=1&y=2");
    }
}
