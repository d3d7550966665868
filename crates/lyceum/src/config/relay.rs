//! The relay for media of this node (A/V Edge).

use std::net::{IpAddr, SocketAddr};

use lyceum_edge::av::{RELAY_PORTS, RelayAddress};
use lyceum_turn::{PeerRange, Quotas};
use serde::Deserialize;

use super::{Fault, Port};
use crate::dev::turn::{peer, ports};
use crate::server::RelayOptions;

/// STUN and TURN for clients outside.
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
    /// The range of relay ports.
    #[serde(default)]
    pub ports: Option<String>,
    /// Media ranges that relays may talk to besides each other: `10.0.0.0/24`, or `10.0.0.0/24 16384-22383`.
    #[serde(default)]
    pub peers: Vec<String>,
}

impl RelayConfig {
    /// What the relay is built from, or what is wrong.
    pub fn options(&self) -> Result<RelayOptions, Fault> {
        if self.address.ip().is_unspecified() {
            let what = format!("relay.address = \"{}\" says nothing of where relay ports are", self.address);
            return Err(Fault::new(what, "write an address of this machine"));
        }
        let range = match &self.ports {
            None => RELAY_PORTS,
            Some(text) => ports(text).map_err(|fix| Fault::new(format!("relay.ports = \"{text}\""), fix))?,
        };
        let peers: Result<Vec<PeerRange>, Fault> = self.peers.iter().map(|text| peer_range(text)).collect();
        let bind = self.address.ip();
        Ok(RelayOptions {
            plain: vec![self.address],
            tls: self.tls.into_iter().collect(),
            addresses: vec![RelayAddress { bind, advertised: self.public.unwrap_or(bind) }],
            host: self.host.clone().or_else(|| self.public.map(|public| SocketAddr::new(public, 0).ip().to_string())),
            ports: range,
            peers: peers?,
            quotas: Quotas::default(),
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

fn peer_range(text: &str) -> Result<PeerRange, Fault> {
    let (block, range) = text.split_once(' ').map_or((text, None), |(block, range)| (block, Some(range.trim())));
    let wrong = |fix: String| Fault::new(format!("relay.peers holds \"{text}\""), fix);
    let every = peer(block).map_err(wrong)?;
    let range = range.map_or(Ok(every.ports.clone()), ports).map_err(wrong)?;
    Ok(PeerRange { ports: range, ..every })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(text: &str) -> Result<RelayOptions, Fault> {
        toml::from_str::<RelayConfig>(text).unwrap().options()
    }

    #[test]
    fn a_whole_section_is_read() {
        let read = relay(
            "address = \"10.0.0.5:3478\"\ntls = \"10.0.0.5:5349\"\npublic = \"203.0.113.5\"\nports = \"50000-50999\"\n\
             peers = [\"10.1.0.0/24 16384-22383\", \"10.2.0.1\"]",
        )
        .unwrap();
        assert_eq!((read.ports, read.host.as_deref()), (50_000..=50_999, Some("203.0.113.5")));
        assert_eq!(read.addresses[0].advertised, IpAddr::from([203, 0, 113, 5]));
        let ranges: Vec<_> = read.peers.iter().map(|range| range.ports.clone()).collect();
        assert_eq!(ranges, [16_384..=22_383, 1..=65_535]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_cure() {
        for (text, wrong) in [
            ("address = \"0.0.0.0:3478\"", "relay.address"),
            ("address = \"10.0.0.5:3478\"\nports = \"9\"", "relay.ports"),
            ("address = \"10.0.0.5:3478\"\npeers = [\"10.0.0.1/8\"]", "relay.peers"),
            ("address = \"10.0.0.5:3478\"\npeers = [\"10.0.0.0/8 5\"]", "relay.peers"),
        ] {
            let fault = relay(text).unwrap_err();
            assert!(fault.what.starts_with(wrong), "{fault}");
        }
    }
}
