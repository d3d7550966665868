//! Which trusted host a peer is.

use crate::trusted::{HopTransport, PeerFacts, TrustedBy, TrustedHost};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Trusted hosts by certificate name, and by block of addresses, longest prefix first.
#[derive(Debug, Default)]
pub(crate) struct TrustTable {
    names: BTreeMap<Box<str>, usize>,
    blocks: Vec<Blocks>,
}

/// All blocks of one family and length.
#[derive(Debug)]
struct Blocks {
    ipv4: bool,
    prefix: u8,
    hosts: BTreeMap<u128, Vec<Block>>,
}

#[derive(Debug)]
struct Block {
    transports: Vec<HopTransport>,
    host: usize,
}

fn bits(address: IpAddr) -> (bool, u32, u128) {
    match address.to_canonical() {
        IpAddr::V4(v4) => (true, 32, u128::from(u32::from(v4))),
        IpAddr::V6(v6) => (false, 128, u128::from(v6)),
    }
}

fn network(address: u128, width: u32, prefix: u8) -> u128 {
    address.checked_shr(width.saturating_sub(u32::from(prefix))).unwrap_or(0)
}

impl TrustTable {
    pub(crate) fn new(hosts: &[TrustedHost]) -> Self {
        let mut table = Self::default();
        for (at, host) in hosts.iter().enumerate() {
            match &host.by {
                TrustedBy::Mtls { name } => {
                    table.names.entry(name.as_str().into()).or_insert(at);
                }
                TrustedBy::Address { cidr, transports } => {
                    let (ipv4, width, address) = bits(cidr.address());
                    let block = Block { transports: transports.clone(), host: at };
                    table
                        .blocks_of(ipv4, cidr.prefix())
                        .hosts
                        .entry(network(address, width, cidr.prefix()))
                        .or_default()
                        .push(block);
                }
            }
        }
        table.blocks.sort_by_key(|blocks| std::cmp::Reverse(blocks.prefix));
        table
    }

    fn blocks_of(&mut self, ipv4: bool, prefix: u8) -> &mut Blocks {
        let found = self.blocks.iter().position(|blocks| blocks.ipv4 == ipv4 && blocks.prefix == prefix);
        let at = found.unwrap_or_else(|| {
            self.blocks.push(Blocks { ipv4, prefix, hosts: BTreeMap::new() });
            self.blocks.len() - 1
        });
        &mut self.blocks[at]
    }

    /// The position of the trusted host this peer is. A certificate says more than an address.
    pub(crate) fn find(&self, peer: &PeerFacts<'_>) -> Option<usize> {
        let by_name = || peer.names.iter().find_map(|name| self.name(name));
        by_name().or_else(|| self.address(peer))
    }

    fn name(&self, name: &str) -> Option<usize> {
        let mut folded = [0; 253];
        let name = name.strip_suffix('.').unwrap_or(name);
        let folded = folded.get_mut(..name.len())?;
        folded.copy_from_slice(name.as_bytes());
        folded.make_ascii_lowercase();
        self.names.get(std::str::from_utf8(folded).ok()?).copied()
    }

    fn address(&self, peer: &PeerFacts<'_>) -> Option<usize> {
        let transport = peer.transport?;
        // The source of a datagram can be forged; only an inside listener keeps strangers away from it.
        if self.blocks.is_empty() || transport == HopTransport::Udp && !peer.inside {
            return None;
        }
        let (ipv4, width, address) = bits(peer.address);
        self.blocks.iter().filter(|blocks| blocks.ipv4 == ipv4).find_map(|blocks| {
            let candidates = blocks.hosts.get(&network(address, width, blocks.prefix))?;
            candidates.iter().find(|block| block.transports.contains(&transport)).map(|block| block.host)
        })
    }
}
