//! The A/V Edge of a node: its ports, and what clients are told of it.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Result, anyhow};
use lyceum_edge::av::{self, Carrier, Listener, PortClass, RelayAddress, Running};
use lyceum_net::Tls;
use lyceum_topology::qos::{PortRange, Qos};
use lyceum_turn::{Authority, Network, PeerRange, Quotas, Secret};
use lyceum_web::relay::RelayAccess;

/// What the A/V Edge of a node is built from.
#[derive(Clone, Debug)]
pub struct RelayOptions {
    /// Ports for UDP and TCP alike.
    pub plain: Vec<SocketAddr>,
    /// Ports for TLS.
    pub tls: Vec<SocketAddr>,
    /// Where relay ports are opened; at the addresses of the ports above when there are none.
    pub addresses: Vec<RelayAddress>,
    /// The name or address that clients are told; that of each port when absent.
    pub host: Option<String>,
    /// The range of relay ports; that of the topology when absent.
    pub ports: Option<PortRange>,
    /// Whom relays may talk to besides each other.
    pub peers: Vec<RelayPeers>,
    /// How much they carry.
    pub quotas: Quotas,
    /// Whether clients may ask for TCP relay ports (RFC 6062).
    pub tcp_relays: bool,
    /// What credentials are made with; made from the master key when absent.
    pub secret: Option<Secret>,
}

/// Peers of relays.
#[derive(Clone, Debug)]
pub enum RelayPeers {
    /// Hosts with media, at the ports that the topology gives to media.
    Media(Network),
    /// These ports.
    Ports(PeerRange),
}

impl RelayPeers {
    /// The ranges that this opens.
    pub fn ranges(&self, qos: &Qos) -> Vec<PeerRange> {
        match self {
            RelayPeers::Ports(range) => vec![range.clone()],
            RelayPeers::Media(network) => {
                let media = qos.rows.iter().filter_map(|row| row.server_ports);
                media.map(|ports| PeerRange { network: *network, ports: ports.first..=ports.last }).collect()
            }
        }
    }
}

/// A running A/V Edge, and what clients are told.
pub struct Relay {
    /// The edge.
    pub running: Running,
    /// What clients are told.
    pub access: RelayAccess,
}

impl Relay {
    /// Its first port of a kind.
    pub fn address(&self, carrier: Carrier) -> Option<SocketAddr> {
        self.running.handle().listeners().iter().find(|listener| listener.carrier == carrier).map(|found| found.addr)
    }
}

/// The marks of media by the ports that it has inside.
fn classes(qos: &Qos) -> Vec<PortClass> {
    let marked = qos.rows.iter().filter_map(|row| Some((row.server_ports?, qos.mark_of(row.modality)?)));
    marked.map(|(ports, dscp)| PortClass { ports: ports.first..=ports.last, class: dscp.traffic_class() }).collect()
}

impl RelayOptions {
    /// Opens the ports and serves them.
    pub fn start(&self, realm: &str, qos: &Qos, derived: &[u8], tls: Option<&Tls>) -> Result<Relay> {
        let authority = match &self.secret {
            Some(secret) => Authority::shared(secret.clone()),
            None => Authority::new(Secret::new(derived)),
        };
        let mut options = av::Options::new(realm, authority.clone());
        for addr in &self.plain {
            let earlier = options.listeners.len();
            options.listeners.push(Listener { carrier: Carrier::Udp, addr: *addr, port_of: None });
            options.listeners.push(Listener { carrier: Carrier::Tcp, addr: *addr, port_of: Some(earlier) });
        }
        let tls_ports = self.tls.iter().map(|addr| Listener { carrier: Carrier::Tls, addr: *addr, port_of: None });
        options.listeners.extend(tls_ports);
        options.relays = self.relay_addresses()?;
        let ports = self.ports.unwrap_or(qos.relay_ports);
        options.ports = ports.first..=ports.last;
        options.peers = self.peers.iter().flat_map(|peers| peers.ranges(qos)).collect();
        options.classes = classes(qos);
        options.quotas = self.quotas;
        options.tcp_relays = self.tcp_relays;
        options.tls = tls.cloned();
        let running = options.build().and_then(av::Edge::start).map_err(|error| anyhow!("{error}"))?;
        let uris = running.handle().listeners().iter().map(|listener| self.uri(listener)).collect();
        Ok(Relay { running, access: RelayAccess { authority, uris } })
    }

    fn relay_addresses(&self) -> Result<Vec<RelayAddress>> {
        if !self.addresses.is_empty() {
            return Ok(self.addresses.clone());
        }
        let mut found: Vec<RelayAddress> = Vec::new();
        for address in self.plain.iter().chain(&self.tls).map(SocketAddr::ip) {
            if address.is_unspecified() {
                return Err(anyhow!(
                    "the relay listens on {address}, which says nothing of where its relay ports are: name an address"
                ));
            }
            if found.iter().all(|other| other.bind.is_ipv4() != address.is_ipv4()) {
                found.push(RelayAddress { bind: address, advertised: address });
            }
        }
        Ok(found)
    }

    /// A port as RFC 7065 writes it.
    fn uri(&self, listener: &Listener) -> String {
        let host = self.host.clone().unwrap_or_else(|| match listener.addr.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        });
        let port = listener.addr.port();
        match listener.carrier {
            Carrier::Udp => format!("turn:{host}:{port}?transport=udp"),
            Carrier::Tcp => format!("turn:{host}:{port}?transport=tcp"),
            Carrier::Tls => format!("turns:{host}:{port}?transport=tcp"),
        }
    }
}
