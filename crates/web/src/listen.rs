//! The listeners: HTTPS, plain HTTP for SIP over WebSocket, and the local socket. All serve HTTP/1.1.

mod local;
mod network;
mod patient;
mod sources;

pub use local::LocalListener;
pub use network::{Protection, serve};

use crate::peer::Peer;
use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use patient::Patient;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tower::ServiceExt;

/// Connections per listener at most; more wait in the kernel's queue.
const CONNECTIONS: usize = 8192;
/// How long a client may take for the head of a request, and so also how long an idle connection stays.
const HEAD_PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of a request's head at most.
const HEAD_MOST: usize = 16 * 1024;
/// How long requests under way may take to end when the server drains.
const DRAIN_PATIENCE: Duration = Duration::from_secs(5);

/// Asks listeners to end: they stop accepting, and requests under way get a few seconds.
#[derive(Clone, Debug)]
pub struct Drain(watch::Receiver<bool>);

/// The other end of a [`Drain`].
#[derive(Debug)]
pub struct DrainSwitch(watch::Sender<bool>);

impl Drain {
    /// A switch, and what listeners wait for.
    pub fn new() -> (DrainSwitch, Drain) {
        let (sender, receiver) = watch::channel(false);
        (DrainSwitch(sender), Drain(receiver))
    }

    /// Waits until draining begins. A dropped switch counts as thrown.
    pub async fn begun(&mut self) {
        self.0.wait_for(|begun| *begun).await.ok();
    }
}

impl DrainSwitch {
    /// Begins to drain.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }
}

/// Serves one connection until it ends or the server drains.
async fn connection<S>(stream: S, peer: Peer, router: Router, mut drain: Drain)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        router.clone().oneshot(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(HEAD_MOST)
        .half_close(false)
        .serve_connection(TokioIo::new(Patient::new(stream)), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = drain.begun() => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(DRAIN_PATIENCE, connection).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = ended {
        // A browser that goes away, a port scan: nobody has to act.
        tracing::trace!(%error, "connection ended early");
    }
}
