//! Next hops: an endpoint's flow, a numeric address, or a name that must be looked up first.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use lyceum_monitoring::{BranchRecord, Private};
use lyceum_net::{Destination, Flow};
use lyceum_sip::proxy::RoutePlan;
use lyceum_sip::{Host, Scheme, Transport, Uri};
use lyceum_topology::{HopTransport, NextHop, TrustedBy};
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

/// Marks an address where a flow would stand.
const ADDRESS: u8 = 16;

/// The address of a next hop that is no endpoint of ours, in the place of a flow in our dialog tokens.
pub(crate) fn address_bytes(transport: Transport, addr: SocketAddr) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(19);
    bytes.push(ADDRESS + code_of(transport));
    bytes.extend_from_slice(&addr.port().to_be_bytes());
    match addr.ip() {
        IpAddr::V4(ip) => bytes.extend_from_slice(&ip.octets()),
        IpAddr::V6(ip) => bytes.extend_from_slice(&ip.octets()),
    }
    bytes
}

/// Reads [`address_bytes`] back.
fn address_of(bytes: &[u8]) -> Option<(Transport, SocketAddr)> {
    let (code, rest) = bytes.split_first()?;
    let (port, ip) = rest.split_first_chunk::<2>()?;
    let ip = match *ip {
        [a, b, c, d] => IpAddr::from([a, b, c, d]),
        _ => IpAddr::from(<[u8; 16]>::try_from(ip).ok()?),
    };
    Some((transport_of(code.checked_sub(ADDRESS)?)?, SocketAddr::new(ip, u16::from_be_bytes(*port))))
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
            uri: Some(binding.uri().to_vec()),
            routes: binding.path().to_vec(),
            flow: flow_bytes(transport, &flow),
            record,
            ..Hop::new(flow.into(), listener, transport)
        })
    }

    /// The hop along a flow that a dialog token names.
    pub(crate) fn hop_to_flow(&self, bytes: &[u8]) -> Option<Hop> {
        let (transport, flow) = flow_of(bytes)?;
        let listener = self.listener_of(&flow, transport)?.id;
        Some(Hop { flow: bytes.to_vec(), ..Hop::new(flow.into(), listener, transport) })
    }

    /// Where a request goes that a dialog token let in: down the flow of its other end, whatever Route and Request-URI
    /// say. An end that is no endpoint of ours is reached by the routes left, which the token proves to be the dialog's
    /// own; else by its Contact, if that leads where the administrator already sends calls, or where this one went;
    /// else where this one went.
    pub(crate) fn way_in_dialog(&self, end: &[u8], plan: &RoutePlan<'_>) -> Option<Way> {
        if let Some(hop) = self.hop_to_flow(end) {
            return Some(Way::Hop(hop));
        }
        if !plan.routes.is_empty() {
            return self.way_to_uri(plan.next_hop(plan.request_uri));
        }
        let first = address_of(end);
        if self.is_known_hop(plan.request_uri, first.map(|(_, addr)| addr.ip())) {
            return self.way_to_uri(plan.request_uri);
        }
        // Without its name a certificate proves nothing.
        let (transport, addr) = first.filter(|(transport, _)| *transport != Transport::Tls)?;
        let name = Arc::from(addr.ip().to_string());
        self.hop_to_address(&Located { transport, addr, name }).map(Way::Hop)
    }

    /// Is this the host of a static route, a trusted host, or where the call's first request went?
    fn is_known_hop(&self, uri: &[u8], first: Option<IpAddr>) -> bool {
        let Ok(uri) = Uri::parse(uri) else { return false };
        let host = uri.param("maddr").unwrap_or(uri.host_text());
        let ip = Host::parse(host).ok().and_then(|host| host.ip());
        if ip.is_some() && ip == first {
            return true;
        }
        let document = self.snapshot.document();
        let mut hops = document.static_routes.iter().flat_map(|route| &route.next_hops);
        if hops.any(|hop| hop.host.as_bytes().eq_ignore_ascii_case(host)) {
            return true;
        }
        document.trusted_hosts.iter().any(|trusted| match &trusted.by {
            TrustedBy::Mtls { name } => name.as_str().as_bytes().eq_ignore_ascii_case(host),
            TrustedBy::Address { cidr, .. } => ip.is_some_and(|ip| cidr.contains(ip)),
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
        Some(Hop::new(
            Destination::Address {
                transport: *transport,
                addr: *addr,
                name: (*transport == Transport::Tls).then(|| Arc::clone(name)),
                from: Some(listener),
            },
            listener,
            *transport,
        ))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_flows_are_told_apart_in_a_token() {
        for addr in ["192.0.2.1:5060", "[2001:db8::1]:65535"] {
            let addr: SocketAddr = addr.parse().unwrap();
            for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
                let bytes = address_bytes(transport, addr);
                assert!(bytes.len() <= lyceum_sip::token::MAX_FLOW);
                assert_eq!(address_of(&bytes), Some((transport, addr)));
                assert_eq!(flow_of(&bytes), None);
            }
            let flow =
                flow_bytes(Transport::Udp, &Flow::Datagram { listener: lyceum_net::ListenerId(0), remote: addr });
            assert_eq!(address_of(&flow), None);
        }
        assert_eq!(address_of(b""), None);
    }
}
