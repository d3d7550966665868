//! Where a node listens.

use std::net::SocketAddr;

use lyceum_front_end::executor::Post;
use lyceum_net::Handle;
use lyceum_sip::Transport;

use super::web_ports::{WebKind, WebPort};

/// Where a node listens, with real ports.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    /// First UDP port.
    pub udp: Option<SocketAddr>,
    /// First TCP port.
    pub tcp: Option<SocketAddr>,
    /// First TLS port.
    pub tls: Option<SocketAddr>,
    /// HTTPS.
    pub https: Option<SocketAddr>,
    /// Plain WebSocket.
    pub ws: Option<SocketAddr>,
    /// Figures for Prometheus.
    pub metrics: Option<SocketAddr>,
    /// The relay over UDP and TCP.
    pub turn: Option<SocketAddr>,
    /// The relay over TLS.
    pub turns: Option<SocketAddr>,
    /// Links of Access Edges.
    pub link: Option<SocketAddr>,
}

impl Addresses {
    /// Those of a node that runs.
    pub(super) fn of(handle: &Handle<Post>, web: &[WebPort]) -> Addresses {
        let ours = || handle.listeners().iter().filter(|listener| !listener.link);
        let first = |transport| ours().find(|listener| listener.transport == transport).map(|l| l.addr);
        let of = |kind| web.iter().find(|port| port.kind == kind).and_then(|port| port.socket.local_addr().ok());
        Addresses {
            udp: first(Transport::Udp),
            tcp: first(Transport::Tcp),
            tls: first(Transport::Tls),
            https: of(WebKind::Https),
            ws: of(WebKind::Ws),
            metrics: of(WebKind::Metrics),
            turn: None,
            turns: None,
            link: handle.listeners().iter().find(|listener| listener.link).map(|listener| listener.addr),
        }
    }
}
