//! The ports of the web role: HTTPS, SIP over WebSocket behind a proxy, figures for Prometheus.

use std::sync::Arc;

use anyhow::{Context, Result};
use lyceum_front_end::executor::Post;
use lyceum_net::{Handle, Listener};
use lyceum_sip::Transport;

use super::ServerOptions;

/// A port of the web role that is bound and not yet served.
pub struct WebPort {
    /// What SIP over WebSocket arrives on; none where SIP is not spoken.
    pub listener: Option<Arc<Listener>>,
    /// The bound socket.
    pub socket: tokio::net::TcpListener,
    /// What it serves.
    pub kind: WebKind,
}

/// What a port of the web role serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebKind {
    /// Everything, over TLS.
    Https,
    /// SIP over WebSocket behind a proxy.
    Ws,
    /// Figures for Prometheus.
    Metrics,
}

impl WebKind {
    /// As the status writes it.
    fn name(self) -> &'static str {
        match self {
            WebKind::Https => "https",
            WebKind::Ws => "ws",
            WebKind::Metrics => "metrics",
        }
    }

    /// The transport of SIP that it carries.
    pub fn sip(self) -> Option<Transport> {
        match self {
            WebKind::Https => Some(Transport::Wss),
            WebKind::Ws => Some(Transport::Ws),
            WebKind::Metrics => None,
        }
    }
}

impl WebPort {
    /// As the status writes it, with its address.
    pub fn shown(&self) -> String {
        let what = self.kind.name();
        self.socket.local_addr().map_or_else(|_| what.to_owned(), |addr| format!("{what} {addr}"))
    }
}

/// Binds every port of the web role.
pub async fn bind(options: &ServerOptions, handle: &Handle<Post>) -> Result<Vec<WebPort>> {
    let mut ports = Vec::new();
    let wanted = [(options.https, WebKind::Https), (options.ws, WebKind::Ws), (options.metrics, WebKind::Metrics)];
    for (addr, kind) in wanted {
        let Some(addr) = addr else { continue };
        let what = kind.name();
        let socket = tokio::net::TcpListener::bind(addr).await.with_context(|| {
            format!("the {what} port {addr} cannot be opened; `ss -ltnp sport = :{}` shows who holds it", addr.port())
        })?;
        let bound = socket.local_addr()?;
        let listener =
            kind.sip().map(|transport| handle.foreign_listener(transport, bound, None, options.https_inside));
        ports.push(WebPort { listener, socket, kind });
    }
    Ok(ports)
}
