//! SIP over WebSocket (RFC 7118): each message of the socket is one SIP message, handed to `lyceum-net`.

use crate::Web;
use crate::peer::Peer;
use crate::refused::Refused;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use lyceum_api::Refusal;
use lyceum_net::{ForeignFlow, ForeignInput, ForeignOutput};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

/// Subprotocol of RFC 7118.
const SUBPROTOCOL: &str = "sip";
/// How often a silent socket is pinged.
const PING_EVERY: Duration = Duration::from_secs(30);
/// Pings without any sign of life before the socket is closed.
const MISSED_MOST: u32 = 2;
/// How long a peer may take to take one message.
const WRITE_PATIENCE: Duration = Duration::from_secs(20);
/// Read buffer of one socket; tungstenite's own default of 128 KiB would be most of an idle connection.
const BUFFER: usize = 2 * 1024;

/// Opens flows for sockets.
pub trait SipSockets: Send + Sync + 'static {
    /// A flow for a socket between these ends; `None` when there is no room.
    fn open(&self, local: SocketAddr, remote: SocketAddr, secure: bool) -> Option<ForeignFlow>;
}

/// [`SipSockets`] of the workers: WSS flows come from one announced listener, WS flows from another.
pub struct WorkerSockets<P> {
    /// The workers.
    pub workers: lyceum_net::Handle<P>,
    /// Listener of the HTTPS port.
    pub wss: Option<Arc<lyceum_net::Listener>>,
    /// Listener of the plain HTTP port.
    pub ws: Option<Arc<lyceum_net::Listener>>,
}

impl<P: Send + 'static> SipSockets for WorkerSockets<P> {
    fn open(&self, local: SocketAddr, remote: SocketAddr, secure: bool) -> Option<ForeignFlow> {
        let listener = if secure { self.wss.as_ref() } else { self.ws.as_ref() }?;
        self.workers.open_foreign(listener, local, remote, None).ok()
    }
}

/// How SIP over WebSocket is served.
#[derive(Clone)]
pub struct SipOptions {
    /// Opens the flows.
    pub sockets: Arc<dyn SipSockets>,
    /// Origins besides our own whose pages may open a socket.
    pub origins: Vec<String>,
    /// Longest SIP message.
    pub message_bytes: usize,
}

/// `GET /ws` and `GET /`.
pub async fn upgrade(
    State(web): State<Web>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    socket: WebSocketUpgrade,
) -> Result<Response, Refused> {
    let Some(options) = web.options().sip.clone() else {
        return Err(Refused::new(Refusal::NotSupportedHere, "SIP over WebSocket is not served here", "/ws"));
    };
    let Peer::Remote { remote, local, secure } = peer else {
        return Err(Refused::new(Refusal::NotSupportedHere, "SIP is not spoken on the local socket", "/ws"));
    };
    check_origin(&headers, secure, &web.options().base_url, &options.origins)?;
    if !offers_sip(&headers) {
        let what = "the client does not offer the subprotocol 'sip'";
        return Err(Refused::new(Refusal::RequestMalformed, what, "Sec-WebSocket-Protocol")
            .fix("send Sec-WebSocket-Protocol: sip (RFC 7118 section 4.1)"));
    }
    let Some(flow) = options.sockets.open(local, remote, secure) else {
        return Err(Refused::new(Refusal::ServerBusy, "there is no room for another socket", "/ws"));
    };
    let most = options.message_bytes;
    Ok(socket
        .protocols([SUBPROTOCOL])
        .max_message_size(most)
        .max_frame_size(most)
        .read_buffer_size(BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(most * 4 + BUFFER)
        .on_upgrade(move |socket| carry(socket, flow)))
}

fn offers_sip(headers: &HeaderMap) -> bool {
    let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|v| v.to_str().ok());
    offered.flat_map(|v| v.split(',')).any(|p| p.trim().eq_ignore_ascii_case(SUBPROTOCOL))
}

/// A page of another site opens no socket here (RFC 6455 §10.2). Programs that are no browsers send no Origin; SIP
/// authenticates their every request, as it does a page's.
///
/// Behind a proxy of the organisation's own the page came by HTTPS though the socket did not: there the host alone counts.
fn check_origin(headers: &HeaderMap, secure: bool, base_url: &str, allowed: &[String]) -> Result<(), Refused> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return Ok(()) };
    let origin = origin.to_str().unwrap_or("?");
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is = |scheme: &str| !host.is_empty() && origin.eq_ignore_ascii_case(&format!("{scheme}://{host}"));
    let own = is("https") || (!secure && is("http")) || origin.eq_ignore_ascii_case(base_url.trim_end_matches('/'));
    if origins.next().is_none() && (own || allowed.iter().any(|one| one.eq_ignore_ascii_case(origin))) {
        return Ok(());
    }
    let what = format!("pages of {origin} may not open a SIP socket");
    Err(Refused::new(Refusal::OriginRefused, what, "Origin")
        .fix("add the origin to 'origins' of the node's HTTPS port"))
}

/// Why a socket ends.
enum End {
    /// The peer closed or vanished.
    Peer,
    /// The server ended the flow.
    Server,
    /// The peer sent what is no SIP message.
    Broken,
}

async fn carry(mut socket: WebSocket, flow: ForeignFlow) {
    let ForeignFlow { input, mut output } = flow;
    let frame = match relay(&mut socket, &input, &mut output).await {
        End::Peer => None,
        End::Server => Some((close_code::NORMAL, "the server closes the flow")),
        End::Broken => Some((close_code::POLICY, "one SIP message per WebSocket message")),
    };
    if let Some((code, reason)) = frame {
        let frame = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        // The peer may be gone already; the flow ends either way.
        timeout(WRITE_PATIENCE, socket.send(frame)).await.ok();
    }
    input.close();
}

async fn relay(socket: &mut WebSocket, input: &ForeignInput, output: &mut ForeignOutput) -> End {
    let mut clock = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut missed = 0;
    loop {
        tokio::select! {
            received = socket.recv() => {
                missed = 0;
                let bytes = match received {
                    Some(Ok(Message::Text(text))) => Bytes::from(text),
                    Some(Ok(Message::Binary(bytes))) => bytes,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return End::Peer,
                };
                if bytes.is_empty() {
                    return End::Broken;
                }
                if input.push(bytes.into()).await.is_err() {
                    return End::Server;
                }
            }
            sent = output.next() => {
                let Some(bytes) = sent else { return End::Server };
                // RFC 7118 §4.2: text frames for UTF-8, else binary.
                let message = match String::from_utf8(bytes) {
                    Ok(text) => Message::Text(text.into()),
                    Err(error) => Message::Binary(error.into_bytes().into()),
                };
                if !matches!(timeout(WRITE_PATIENCE, socket.send(message)).await, Ok(Ok(()))) {
                    return End::Peer;
                }
            }
            _ = clock.tick() => {
                missed += 1;
                let ping = timeout(WRITE_PATIENCE, socket.send(Message::Ping(Bytes::new())));
                if missed > MISSED_MOST || !matches!(ping.await, Ok(Ok(()))) {
                    return End::Peer;
                }
            }
        }
    }
}
