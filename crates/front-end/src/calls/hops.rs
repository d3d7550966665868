//! Next hops: an endpoint's flow, a numeric address, or a name that must be looked up first.

use std::net::SocketAddr;
use std::sync::Arc;

use lyceum_monitoring::{BranchRecord, Private};
use lyceum_net::{Destination, Flow};
use lyceum_sip::{Scheme, Transport, Uri};
use lyceum_topology::{HopTransport, NextHop};
use lyceum_users::Binding;

use super::context::Hop;
use super::{Located, Lookup};
use crate::core::Core;
use crate::trace::wire_of;

/// What a URI leads to.
pub(crate) enum Way {
    /// An address.
    Hop(Hop),
    /// A name.
    Name(Lookup),
}

/// A flow with its transport in one: what our dialog tokens carry.
pub(crate) fn flow_bytes(transport: Transport, flow: &Flow) -> Vec<u8> {
    let encoded = flow.encode();
    let mut bytes = Vec::with_capacity(1 + encoded.len());
    bytes.push(code_of(transport));
    bytes.extend_from_slice(&encoded);
    bytes
}

/// Reads [`flow_bytes`] back.
pub(crate) fn flow_of(bytes: &[u8]) -> Option<(Transport, Flow)> {
    let (code, flow) = bytes.split_first()?;
    Some((transport_of(*code)?, Flow::decode(flow)?))
}

fn code_of(transport: Transport) -> u8 {
    match transport {
        Transport::Udp => 0,
        Transport::Tcp => 1,
        Transport::Tls => 2,
        Transport::Ws => 3,
        Transport::Wss => 4,
    }
}

fn transport_of(code: u8) -> Option<Transport> {
    [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss].get(usize::from(code)).copied()
}

impl Core {
    /// The hop to a registered endpoint: down its own flow.
    pub(crate) fn hop_to_binding(&self, binding: &Binding<'_>, traced: bool) -> Option<Hop> {
        let flow = Flow::decode(binding.flow())?;
        let transport = binding.transport();
        let listener = self.listener_of(&flow, transport)?.id;
        let remote = match flow {
            Flow::Datagram { remote, .. } => Some(remote),
            Flow::Stream { .. } => None,
        };
        let record = traced.then(|| {
            Box::new(BranchRecord {
                contact: Private::new(String::from_utf8_lossy(binding.uri()).into_owned()),
                remote,
                transport: Some(wire_of(transport)),
                user_agent: text(binding.user_agent()),
                ringing: None,
                ended: None,
                status: 0,
            })
        });
        Some(Hop {
            to: flow.into(),
            listener,
            transport,
            uri: Some(binding.uri().to_vec()),
            routes: binding.path().to_vec(),
            flow: flow_bytes(transport, &flow),
            record,
            ring: None,
            breadth: None,
            stream: None,
            spare: Vec::new(),
        })
    }

    /// The hop along a flow that a dialog token names.
    pub(crate) fn hop_to_flow(&self, bytes: &[u8]) -> Option<Hop> {
        let (transport, flow) = flow_of(bytes)?;
        let listener = self.listener_of(&flow, transport)?.id;
        Some(Hop {
            to: flow.into(),
            listener,
            transport,
            uri: None,
            routes: Vec::new(),
            flow: bytes.to_vec(),
            record: None,
            ring: None,
            breadth: None,
            stream: None,
            spare: Vec::new(),
        })
    }

    /// What the URI of a Route or Request-URI leads to.
    pub(crate) fn way_to_uri(&self, uri: &[u8]) -> Option<Way> {
        let uri = Uri::parse(uri).ok()?;
        let secure = uri.scheme() == Scheme::Sips;
        if !secure && uri.scheme() != Scheme::Sip {
            return None;
        }
        let transport = match uri.transport_param() {
            Some(Ok(Transport::Tcp)) if secure => Some(Transport::Tls),
            Some(Ok(transport)) => Some(transport),
            Some(Err(_)) => return None,
            None if secure => Some(Transport::Tls),
            None => None,
        };
        let host = String::from_utf8_lossy(uri.param("maddr").unwrap_or(uri.host_text()));
        self.way_to(&host, uri.port(), transport, secure)
    }

    /// What a static route's hop leads to.
    pub(crate) fn way_to_hop(&self, hop: &NextHop) -> Option<Way> {
        let transport = match hop.transport {
            HopTransport::Udp => Transport::Udp,
            HopTransport::Tcp => Transport::Tcp,
            HopTransport::Tls => Transport::Tls,
        };
        self.way_to(&hop.host, hop.port, Some(transport), transport == Transport::Tls)
    }

    fn way_to(&self, host: &str, port: Option<u16>, transport: Option<Transport>, secure: bool) -> Option<Way> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let Ok(ip) = bare.parse() else {
            return Some(Way::Name(Lookup { host: host.to_owned(), port, transport, secure }));
        };
        let transport = transport.unwrap_or(Transport::Udp);
        let addr = SocketAddr::new(ip, port.unwrap_or_else(|| transport.default_port()));
        self.hop_to_address(&Located { transport, addr, name: Arc::from(bare) }).map(Way::Hop)
    }

    /// The hop to an address; `None` when no listener of ours can send there.
    pub(crate) fn hop_to_address(&self, located: &Located) -> Option<Hop> {
        let Located { transport, addr, name } = located;
        let fits = |listener: &&lyceum_net::Listener| {
            listener.transport == *transport && listener.addr.is_ipv4() == addr.is_ipv4()
        };
        let listener = self.listeners.iter().find(fits)?.id;
        Some(Hop {
            to: Destination::Address {
                transport: *transport,
                addr: *addr,
                name: (*transport == Transport::Tls).then(|| Arc::clone(name)),
                from: Some(listener),
            },
            listener,
            transport: *transport,
            uri: None,
            routes: Vec::new(),
            flow: Vec::new(),
            record: None,
            ring: None,
            breadth: None,
            stream: None,
            spare: Vec::new(),
        })
    }

    /// The branch record of a hop that is not an endpoint.
    pub(crate) fn record_of_hop(host: &str, hop: &Hop) -> Box<BranchRecord> {
        let remote = match &hop.to {
            Destination::Address { addr, .. } => Some(*addr),
            Destination::Flow(_) => None,
        };
        Box::new(BranchRecord {
            contact: Private::new(host.to_owned()),
            remote,
            transport: Some(wire_of(hop.transport)),
            user_agent: None,
            ringing: None,
            ended: None,
            status: 0,
        })
    }
}

pub(crate) fn text(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty()).then(|| String::from_utf8_lossy(bytes).into_owned())
}
