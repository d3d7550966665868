//! Where a client finds the pool, for anyone: `/.well-known/lyceum`, `/autodiscover`, and where Lync's clients ask,
//! `https://lyncdiscover.DOMAIN/` and `/autodiscover/autodiscoverservice.svc/root`. Addresses alone: what a user may and has is told after sign-in.

use crate::peer::Peer;
use crate::refused::Refused;
use crate::{Web, sip};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use lyceum_api::{PREFIX, Refusal};
use serde::Serialize;

/// Hosts whose first label is one of these are asked by clients that look for their server.
const HABITS: [&str; 2] = ["lyncdiscover.", "lyncdiscoverinternal."];

/// Where everything is.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Pool {
    /// SIP ports, the secure ones first.
    sip: Vec<SipPort>,
    /// SIP over WebSocket.
    wss: String,
    /// The page for people.
    client: String,
    /// The API.
    api: String,
    /// What a client asks after it signed in.
    provisioning: String,
}

/// One SIP port.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct SipPort {
    /// `tls`, `tcp` or `udp`.
    transport: String,
    /// Host and port.
    address: String,
}

/// `GET /.well-known/lyceum`, `GET /autodiscover` and `GET /autodiscover/autodiscoverservice.svc/root`.
pub async fn show(State(web): State<Web>) -> Json<Pool> {
    let options = web.options();
    let listeners = options.people.as_ref().map(|people| people.listeners()).unwrap_or_default();
    Json(pool(&options.base_url, &listeners))
}

/// `GET /`: SIP over WebSocket for who upgrades, the pool for who discovers, the page for everybody else.
pub async fn root(State(web): State<Web>, headers: HeaderMap, request: Request) -> Result<Response, Refused> {
    if headers.contains_key(header::UPGRADE) {
        let (mut parts, _) = request.into_parts();
        let malformed = |what: String| Refused::new(Refusal::RequestMalformed, what, "Upgrade");
        let peer = parts.extensions.get::<Peer>().cloned();
        let peer = peer.ok_or_else(|| malformed("the connection is not known".to_owned()))?;
        let socket = WebSocketUpgrade::from_request_parts(&mut parts, &web).await;
        let socket = socket.map_err(|rejection| malformed(rejection.body_text()))?;
        return sip::upgrade(State(web), Extension(peer), headers, socket).await;
    }
    if discovers(&headers) {
        return Ok(show(State(web)).await.into_response());
    }
    Ok(Redirect::temporary("/client/").into_response())
}

fn discovers(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    HABITS.iter().any(|habit| host.starts_with(habit))
}

fn pool(base_url: &str, listeners: &[String]) -> Pool {
    let base = base_url.trim_end_matches('/');
    let ranked = ["tls", "tcp", "udp"];
    let mut sip: Vec<SipPort> = listeners
        .iter()
        .filter_map(|listener| listener.split_once(' '))
        .filter(|(transport, _)| ranked.contains(transport))
        .map(|(transport, address)| SipPort { transport: transport.to_owned(), address: address.to_owned() })
        .collect();
    sip.sort_by_key(|port| ranked.iter().position(|transport| *transport == port.transport));
    let wss = base.strip_prefix("https").map_or_else(|| base.to_owned(), |rest| format!("wss{rest}"));
    Pool {
        sip,
        wss: format!("{wss}/ws"),
        client: format!("{base}/client/"),
        api: format!("{base}{PREFIX}"),
        provisioning: format!("{base}{PREFIX}/client/provisioning"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secure_ports_come_first_and_only_sip_ports_are_listed() {
        let listeners = ["udp 192.0.2.1:5060", "https 192.0.2.1:8443", "tls sip.example.org:5061", "ws 127.0.0.1:80"];
        let found = pool("https://sip.example.org:8443/", &listeners.map(str::to_owned));
        let port = |transport: &str, address: &str| SipPort { transport: transport.into(), address: address.into() };
        assert_eq!(found.sip, [port("tls", "sip.example.org:5061"), port("udp", "192.0.2.1:5060")]);
        assert_eq!(found.wss, "wss://sip.example.org:8443/ws");
        assert_eq!(found.client, "https://sip.example.org:8443/client/");
    }
}
