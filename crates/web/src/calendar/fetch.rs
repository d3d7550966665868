//! One GET of a calendar: bounded in time, size and redirections, to checked addresses only.

use super::place::Place;
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use lyceum_users::presence::calendar::MAX_FEED_BYTES;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

/// What a whole fetch may take, redirections included.
const PATIENCE: Duration = Duration::from_secs(20);
/// Redirections followed.
const REDIRECTIONS: usize = 5;
/// Addresses of one host that are tried.
const ADDRESSES: usize = 4;

/// What makes a fetch unnecessary when nothing changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// The ETag of the last answer.
    pub etag: Option<String>,
    /// Its Last-Modified.
    pub modified: Option<String>,
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub enum Fetched {
    /// A body.
    New(Vec<u8>, Validators),
    /// Nothing changed.
    Same,
}

/// Fetches a calendar.
///
/// # Errors
/// Why not, as a sentence for the person whose calendar it is.
pub async fn fetch(
    place: Place,
    named: &[String],
    known: &Validators,
    tls: Option<&Arc<ClientConfig>>,
) -> Result<Fetched, String> {
    let all = tokio::time::timeout(PATIENCE, follow(place, named, known, tls)).await;
    all.unwrap_or_else(|_| Err(format!("the calendar's server took longer than {} s", PATIENCE.as_secs())))
}

async fn follow(
    mut place: Place,
    named: &[String],
    known: &Validators,
    tls: Option<&Arc<ClientConfig>>,
) -> Result<Fetched, String> {
    for _ in 0..=REDIRECTIONS {
        let answer = ask(&place, known, tls).await?;
        let status = answer.status();
        if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            let location =
                value(answer.headers(), header::LOCATION).ok_or("the calendar has moved, nobody says where")?;
            let next = place.follow(&location, named)?;
            if place.secure && !next.secure {
                return Err("the calendar's server leads from https to http".to_owned());
            }
            place = next;
            continue;
        }
        return match status {
            StatusCode::NOT_MODIFIED if *known != Validators::default() => Ok(Fetched::Same),
            StatusCode::OK => body(answer).await,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(format!(
                "the calendar's server wants a password ({status}): share the calendar by a secret address"
            )),
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                Err(format!("there is no calendar at this address ({}): share it anew", status.as_u16()))
            }
            _ => Err(format!("the calendar's server answers {}", status.as_u16())),
        };
    }
    Err(format!("the calendar's server leads on more than {REDIRECTIONS} times"))
}

async fn body(answer: Response<Incoming>) -> Result<Fetched, String> {
    let validators = Validators {
        etag: value(answer.headers(), header::ETAG),
        modified: value(answer.headers(), header::LAST_MODIFIED),
    };
    let too_large = || format!("the calendar is over {} MiB: share a shorter period", MAX_FEED_BYTES >> 20);
    match Limited::new(answer.into_body(), MAX_FEED_BYTES).collect().await {
        Ok(whole) => Ok(Fetched::New(whole.to_bytes().to_vec(), validators)),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Err(_) => Err("the calendar's server broke off".to_owned()),
    }
}

/// A header as text; one of unusual length is none.
fn value(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    (text.len() <= super::place::ADDRESS_MOST).then(|| text.to_owned())
}

async fn ask(place: &Place, known: &Validators, tls: Option<&Arc<ClientConfig>>) -> Result<Response<Incoming>, String> {
    let stream = connect(place).await?;
    if !place.secure {
        return send(stream, place, known).await;
    }
    let tls = tls.ok_or("this server trusts no certificate authority: its administrator installs ca-certificates")?;
    let name = ServerName::try_from(place.host.clone()).map_err(|_| "the address has no name of a host".to_owned())?;
    let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await;
    send(stream.map_err(|error| format!("the calendar's server cannot be trusted: {error}"))?, place, known).await
}

/// Connects to an address that was checked: a name cannot mean one for the check and another for the connection.
async fn connect(place: &Place) -> Result<TcpStream, String> {
    let away = |why: String| format!("the calendar's server {} cannot be reached: {why}", place.host);
    let found: Vec<SocketAddr> = tokio::net::lookup_host((place.host.as_str(), place.port))
        .await
        .map_err(|error| away(error.to_string()))?
        .take(ADDRESSES)
        .collect();
    let reachable: Vec<SocketAddr> = found.into_iter().filter(|address| place.may_reach(address.ip())).collect();
    let mut why = "it is inside the server's own network, and no policy names it (presence: calendar_hosts)".to_owned();
    for address in reachable {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => why = error.to_string(),
        }
    }
    Err(away(why))
}

async fn send<S>(stream: S, place: &Place, known: &Validators) -> Result<Response<Incoming>, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broke = |_| "the calendar's server does not speak HTTP".to_owned();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broke)?;
    // Ends with the connection, which ends with the answer's body.
    tokio::spawn(connection);
    let mut request = Request::get(&place.path)
        .header(header::HOST, place.authority())
        .header(header::USER_AGENT, concat!("Lyceum/", env!("CARGO_PKG_VERSION")))
        .header(header::ACCEPT, "text/calendar, */*;q=0.1")
        .header(header::CONNECTION, "close");
    if let Some(etag) = &known.etag {
        request = request.header(header::IF_NONE_MATCH, etag);
    }
    if let Some(modified) = &known.modified {
        request = request.header(header::IF_MODIFIED_SINCE, modified);
    }
    let request = request.body(Body::empty()).map_err(|_| "the address holds what no request can".to_owned())?;
    sender.send_request(request).await.map_err(broke)
}
