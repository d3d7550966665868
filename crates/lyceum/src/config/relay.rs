//! The relay for media of this node (A/V Edge).

use std::net::{IpAddr, SocketAddr};

use lyceum_edge::av::RelayAddress;
use lyceum_topology::qos::PortRange;
use lyceum_turn::{PeerRange, Quotas};
use serde::Deserialize;

use super::{Fault, Port};
use crate::dev::turn::network;
use crate::server::{RelayOptions, RelayPeers};

/// STUN and TURN for clients outside. The range of relay ports stands in the topology (`qos.relay_ports`), where filters and
/// routers are told of it too.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayConfig {
    /// Address and port for UDP and TCP; relay ports are opened at the same address.
    pub address: SocketAddr,
    /// Address and port for TLS.
    #[serde(default)]
    pub tls: Option<SocketAddr>,
    /// What peers see instead of the address, behind a NAT that maps ports one to one.
    #[serde(default)]
    pub public: Option<IpAddr>,
    /// The name that clients are told.
    #[serde(default)]
    pub host: Option<String>,
    /// Networks with media that relays may talk to besides each other: `10.0.0.0/24` for the media ports of the topology, or
    /// `10.0.0.0/24 16384-22383` for those.
    #[serde(default)]
    pub peers: Vec<String>,
    /// Whether clients may ask for TCP relay ports too (RFC 6062).
    #[serde(default)]
    pub tcp_relays: bool,
}

impl RelayConfig {
    /// What the relay is built from, or what is wrong.
    pub fn options(&self) -> Result<RelayOptions, Fault> {
        if self.address.ip().is_unspecified() {
            let what = format!("relay.address = \"{}\" says nothing of where relay ports are", self.address);
            return Err(Fault::new(what, "write an address of this machine"));
        }
        let peers: Result<Vec<RelayPeers>, Fault> = self.peers.iter().map(|text| peers(text)).collect();
        let bind = self.address.ip();
        Ok(RelayOptions {
            plain: vec![self.address],
            tls: self.tls.into_iter().collect(),
            addresses: vec![RelayAddress { bind, advertised: self.public.unwrap_or(bind) }],
            host: self.host.clone().or_else(|| self.public.map(|public| SocketAddr::new(public, 0).ip().to_string())),
            ports: None,
            peers: peers?,
            quotas: Quotas::default(),
            tcp_relays: self.tcp_relays,
            secret: None,
        })
    }

    /// The ports it opens for clients.
    pub fn opens(&self) -> impl Iterator<Item = Port> {
        let port = |what: &str, addr, datagram| Port { what: what.into(), addr, datagram };
        let plain = [port("relay", self.address, true), port("relay", self.address, false)];
        plain.into_iter().chain(self.tls.map(|addr| port("relay over TLS", addr, false)))
    }
}

fn peers(text: &str) -> Result<RelayPeers, Fault> {
    let (block, range) = text.split_once(' ').map_or((text, None), |(block, range)| (block, Some(range.trim())));
    let wrong = |fix: String| Fault::new(format!("relay.peers holds \"{text}\""), fix);
    let network = network(block).map_err(wrong)?;
    let Some(range) = range else { return Ok(RelayPeers::Media(network)) };
    let range: PortRange = range.parse().map_err(|error| wrong(format!("{error}")))?;
    Ok(RelayPeers::Ports(PeerRange { network, ports: range.first..=range.last }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lyceum_topology::qos::QosSettings;

    fn relay(text: &str) -> Result<RelayOptions, Fault> {
        toml::from_str::<RelayConfig>(text).unwrap().options()
    }

    #[test]
    fn a_whole_section_is_read() {
        let read = relay(
            "address = \"10.0.0.5:3478\"\ntls = \"10.0.0.5:5349\"\npublic = \"203.0.113.5\"\n\
             peers = [\"10.1.0.0/24 16384-22383\", \"10.2.0.1\"]",
        )
        .unwrap();
        assert_eq!(read.host.as_deref(), Some("203.0.113.5"));
        assert_eq!(read.addresses[0].advertised, IpAddr::from([203, 0, 113, 5]));
        assert!(!read.tcp_relays && relay("address = \"10.0.0.5:3478\"\ntcp_relays = true").unwrap().tcp_relays);
        let qos = QosSettings::default().in_force();
        let ranges = |at: usize| read.peers[at].ranges(&qos).into_iter().map(|range| range.ports).collect::<Vec<_>>();
        assert_eq!(ranges(0), [16_384..=22_383]);
        assert_eq!(ranges(1), [16_384..=22_383, 22_384..=28_383, 28_384..=30_383, 30_384..=30_999]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_cure() {
        for (text, wrong) in [
            ("address = \"0.0.0.0:3478\"", "relay.address"),
            ("address = \"10.0.0.5:3478\"\npeers = [\"10.0.0.1/8\"]", "relay.peers"),
            ("address = \"10.0.0.5:3478\"\npeers = [\"10.0.0.0/8 5-4\"]", "relay.peers"),
            ("address = \"10.0.0.5:3478\"\npeers = [\"10.0.0.0/8 0\"]", "relay.peers"),
        ] {
            let fault = relay(text).unwrap_err();
            assert!(fault.what.starts_with(wrong), "{fault}");
        }
    }
}
