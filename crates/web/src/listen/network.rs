//! Listeners on the network.

use super::sources::{FromSource, Sources};
use super::{CONNECTIONS, Drain, connection};
use crate::peer::Peer;
use axum::Router;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::server::ResolvesServerCert;
use tokio_rustls::rustls::{ServerConfig, crypto::aws_lc_rs, version};

/// How long a client may take for the TLS handshake.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait when the process has no file descriptor left.
const OUT_OF_FILES: Duration = Duration::from_millis(200);

/// Whether TLS protects a listener.
#[derive(Clone)]
pub enum Protection {
    /// HTTPS.
    Tls(TlsAcceptor),
    /// Plain HTTP: only for SIP over WebSocket behind a proxy, and for metrics on loopback.
    None,
}

impl Protection {
    /// HTTPS with the certificates of `resolver`, asked anew for each handshake.
    pub fn tls(resolver: Arc<dyn ResolvesServerCert>) -> Protection {
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .expect("the provider speaks TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.send_tls13_tickets = 1;
        Protection::Tls(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Accepts connections until the server drains, then waits for those under way.
pub async fn serve(listener: TcpListener, protection: Protection, router: Router, mut drain: Drain) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let sources = Sources::default();
    let mut open = JoinSet::new();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = drain.begun() => break,
        };
        match accepted {
            Ok((stream, remote)) => {
                let Ok(local) = stream.local_addr() else { continue };
                let Some(source) = sources.place(remote.ip()) else { continue };
                stream.set_nodelay(true).ok();
                let secure = matches!(protection, Protection::Tls(_));
                let peer = Peer::Remote { remote, local, secure };
                open.spawn(one(stream, peer, protection.clone(), router.clone(), drain.clone(), (place, source)));
            }
            Err(error) if is_of_one_client(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections; waiting");
                tokio::time::sleep(OUT_OF_FILES).await;
            }
        }
        while open.try_join_next().is_some() {}
    }
    while open.join_next().await.is_some() {}
    Ok(())
}

async fn one(
    stream: TcpStream,
    peer: Peer,
    protection: Protection,
    router: Router,
    drain: Drain,
    place: (OwnedSemaphorePermit, FromSource),
) {
    match protection {
        Protection::None => connection(stream, peer, router, drain).await,
        Protection::Tls(acceptor) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_PATIENCE, acceptor.accept(stream)).await {
                connection(stream, peer, router, drain).await;
            }
        }
    }
    drop(place);
}

fn is_of_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
