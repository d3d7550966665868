//! Questions to the issuer's web server: HTTP/1.1 over TLS, small answers, no redirects.

use crate::trust::{self, TrustFault};
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How long a whole question may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest answer.
const MOST_BYTES: usize = 1 << 20;

/// Asks the web servers of one issuer.
#[derive(Clone)]
pub struct Http(Arc<rustls::ClientConfig>);

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Http")
    }
}

/// A form as browsers send it.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// What is sent with a question.
pub(crate) struct Form<'a> {
    pub body: String,
    /// What the body is.
    pub kind: &'static str,
    /// The value of Authorization, if one is sent.
    pub authorization: Option<&'a str>,
}

/// Where a URL leads.
struct Target<'u> {
    secure: bool,
    host: &'u str,
    port: u16,
    authority: &'u str,
    path: &'u str,
}

impl Http {
    /// Trusts these authorities. Blocks while files are read.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn new(authorities: Option<&str>) -> Result<Http, TrustFault> {
        trust::client(authorities).map(Http)
    }

    /// Fetches a document, or posts a form; the status and the answer, or why there is none.
    pub(crate) async fn ask(&self, url: &str, form: Option<Form<'_>>) -> Result<(u16, Vec<u8>), String> {
        let target = Target::of(url).ok_or_else(|| format!("{url} is not an address we ask"))?;
        let asked = tokio::time::timeout(PATIENCE, self.answer(&target, form));
        asked.await.unwrap_or_else(|_| Err("no answer in time".to_owned())).map_err(|why| format!("{url}: {why}"))
    }

    /// Posts JSON; the status, or why there is none.
    ///
    /// # Errors
    /// Why nobody answered.
    pub async fn post_json(&self, url: &str, body: String) -> Result<u16, String> {
        let form = Form { body, authorization: None, kind: JSON };
        self.ask(url, Some(form)).await.map(|(status, _)| status)
    }

    async fn answer(&self, target: &Target<'_>, form: Option<Form<'_>>) -> Result<(u16, Vec<u8>), String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let stream = TcpStream::connect((target.host, target.port)).await.map_err(|e| text(&e))?;
        let request = request(target, form).map_err(|e| text(&e))?;
        if !target.secure {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(target.host.to_owned()).map_err(|e| text(&e))?;
        let stream = TlsConnector::from(Arc::clone(&self.0)).connect(name, stream).await.map_err(|e| text(&e))?;
        exchange(stream, request).await
    }
}

impl<'u> Target<'u> {
    fn of(url: &'u str) -> Option<Target<'u>> {
        let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, rest) => (false, rest?),
        };
        let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (authority, if secure { 443 } else { 80 }),
        };
        let host = host.trim_matches(['[', ']']);
        (!host.is_empty()).then_some(Target { secure, host, port, authority, path })
    }
}

fn request(target: &Target<'_>, form: Option<Form<'_>>) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let mut request = Request::builder().uri(target.path).header("host", target.authority);
    request = request.header("accept", "application/json").header("user-agent", "Lyceum");
    let Some(form) = form else { return request.body(Full::default()) };
    if let Some(authorization) = form.authorization {
        request = request.header("authorization", authorization);
    }
    request.method("POST").header("content-type", form.kind).body(Full::new(Bytes::from(form.body)))
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<(u16, Vec<u8>), String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let begun = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = begun.map_err(|error| error.to_string())?;
    // Ends with the sender, when the answer is read or given up.
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), MOST_BYTES).collect().await.map_err(|error| error.to_string())?;
    Ok((status, body.to_bytes().to_vec()))
}
