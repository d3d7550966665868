//! The relay of `lyceum dev`.

use std::net::SocketAddr;

use anyhow::{Result, anyhow};
use clap::Args;
use lyceum_topology::Cidr;
use lyceum_topology::qos::PortRange;
use lyceum_turn::{Network, PeerRange, Quotas, Secret};

use crate::server::{RelayOptions, RelayPeers};

/// What `lyceum dev` takes for its relay.
#[derive(Args, Clone, Debug)]
pub struct TurnArgs {
    /// Address and port of the relay for media (STUN and TURN) over UDP and TCP; none when absent
    #[arg(long)]
    turn: Option<SocketAddr>,
    /// Address and port of the relay over TLS; none when absent
    #[arg(long)]
    turn_tls: Option<SocketAddr>,
    /// Range of relay ports, as in 50000-59999; that of the topology when absent
    #[arg(long)]
    turn_ports: Option<PortRange>,
    /// Network that relays may talk to, besides each other (may be repeated)
    #[arg(long)]
    turn_peer: Vec<String>,
    /// Secret that relay credentials are made with (REST scheme); made by chance when absent
    #[arg(long)]
    turn_secret: Option<String>,
    /// Lift the relay's bounds per user and port: for measurements
    #[arg(long)]
    turn_no_quotas: bool,
    /// Let clients ask for TCP relay ports too (RFC 6062)
    #[arg(long)]
    turn_tcp: bool,
}

/// Reads an address or block.
pub fn network(text: &str) -> Result<Network, String> {
    let cidr = Cidr::parse(text).map_err(|error| error.to_string())?;
    Ok(Network::new(cidr.address(), cidr.prefix()).unwrap_or(Network::host(cidr.address())))
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
        let open = |text: &String| {
            let network = network(text).map_err(|error| anyhow!("--turn-peer: {error}: give another"))?;
            Ok(RelayPeers::Ports(PeerRange { network, ports: 1..=u16::MAX }))
        };
        let quotas = Quotas::default();
        let lifted = Quotas { user_kbps: None, port_kbps: None, allocations_per_user: None, ..quotas };
        Ok(Some(RelayOptions {
            plain: self.turn.into_iter().collect(),
            tls: self.turn_tls.into_iter().collect(),
            addresses: Vec::new(),
            host: None,
            ports: self.turn_ports,
            peers: self.turn_peer.iter().map(open).collect::<Result<_>>()?,
            quotas: if self.turn_no_quotas { lifted } else { quotas },
            tcp_relays: self.turn_tcp,
            secret: self.turn_secret.as_ref().map(|text| Secret::new(text.as_bytes())),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_or_refused() {
        assert_eq!(network("127.0.0.1"), Ok(Network::host([127, 0, 0, 1].into())));
        assert!(network("10.0.0.1/8").is_err());
    }
}
