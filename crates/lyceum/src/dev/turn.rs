//! The relay of `lyceum dev`.

use std::net::SocketAddr;
use std::ops::RangeInclusive;

use anyhow::{Result, anyhow};
use clap::Args;
use lyceum_edge::av::RELAY_PORTS;
use lyceum_topology::Cidr;
use lyceum_turn::{Network, PeerRange, Quotas, Secret};

use crate::server::RelayOptions;

/// What `lyceum dev` takes for its relay.
#[derive(Args, Clone, Debug)]
pub struct TurnArgs {
    /// Address and port of the relay for media (STUN and TURN) over UDP and TCP; none when absent
    #[arg(long)]
    turn: Option<SocketAddr>,
    /// Address and port of the relay over TLS; none when absent
    #[arg(long)]
    turn_tls: Option<SocketAddr>,
    /// Range of relay ports, as in 50000-59999
    #[arg(long, value_parser = ports)]
    turn_ports: Option<RangeInclusive<u16>>,
    /// Network that relays may talk to, besides each other (may be repeated)
    #[arg(long)]
    turn_peer: Vec<String>,
    /// Secret that relay credentials are made with (REST scheme); made by chance when absent
    #[arg(long)]
    turn_secret: Option<String>,
    /// Lift the relay's bounds per user and port: for measurements
    #[arg(long)]
    turn_no_quotas: bool,
}

/// Reads a range of ports.
pub fn ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let range = text.split_once('-').and_then(|(first, last)| Some(first.parse().ok()?..=last.parse().ok()?));
    let range: Option<RangeInclusive<u16>> = range.filter(|range: &RangeInclusive<u16>| !range.is_empty());
    range.filter(|range| *range.start() > 0).ok_or_else(|| "write two ports with a dash, as in 50000-59999".to_owned())
}

/// Reads an address or block, every port of it.
pub fn peer(text: &str) -> Result<PeerRange, String> {
    let cidr = Cidr::parse(text).map_err(|error| error.to_string())?;
    let network = Network::new(cidr.address(), cidr.prefix()).unwrap_or(Network::host(cidr.address()));
    Ok(PeerRange { network, ports: 1..=u16::MAX })
}

impl TurnArgs {
    /// Its ports: UDP and TCP, and TLS.
    pub fn addresses(&self) -> [Option<SocketAddr>; 2] {
        [self.turn, self.turn_tls]
    }

    /// The relay, if one is wanted.
    pub fn options(&self) -> Result<Option<RelayOptions>> {
        if self.turn.is_none() && self.turn_tls.is_none() {
            return Ok(None);
        }
        let peers =
            self.turn_peer.iter().map(|text| peer(text).map_err(|error| anyhow!("--turn-peer: {error}: give another")));
        let quotas = Quotas::default();
        let lifted = Quotas { user_kbps: None, port_kbps: None, allocations_per_user: None, ..quotas };
        Ok(Some(RelayOptions {
            plain: self.turn.into_iter().collect(),
            tls: self.turn_tls.into_iter().collect(),
            addresses: Vec::new(),
            host: None,
            ports: self.turn_ports.clone().unwrap_or(RELAY_PORTS),
            peers: peers.collect::<Result<_>>()?,
            quotas: if self.turn_no_quotas { lifted } else { quotas },
            secret: self.turn_secret.as_ref().map(|text| Secret::new(text.as_bytes())),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_blocks_are_read_or_refused_with_a_hint() {
        assert_eq!(ports("50000-59999"), Ok(50_000..=59_999));
        for wrong in ["", "50000", "2-1", "0-9", "1-65536", "a-b"] {
            assert!(ports(wrong).unwrap_err().contains("50000-59999"), "{wrong}");
        }
        assert_eq!(peer("127.0.0.1").unwrap().network, Network::host([127, 0, 0, 1].into()));
        assert!(peer("10.0.0.1/8").is_err());
    }
}
