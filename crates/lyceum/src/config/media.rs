//! Media of this node: where bridged calls have their ports, and who is told of flows.

use std::net::{IpAddr, UdpSocket};
use std::path::PathBuf;

use lyceum_mediation::media::MediaAddress;
use serde::Deserialize;

use super::Fault;
use crate::server::{MediaNode, Webhook};

/// Media that goes through this node: calls between browsers and phones, SRTP and plain RTP. Its ports stand in the
/// topology (`qos.server_ports`), where filters and routers are told of them too.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaConfig {
    /// Addresses of this machine, one of each family at most.
    #[serde(default)]
    pub addresses: Vec<IpAddr>,
    /// What peers see instead of the first address, behind a NAT that maps ports one to one.
    #[serde(default)]
    pub public: Option<IpAddr>,
    /// File of flow records, one JSON object a line.
    #[serde(default)]
    pub flow_records: Option<PathBuf>,
    /// Where flow records are posted to, too.
    #[serde(default)]
    pub flow_webhook: Option<String>,
}

impl MediaConfig {
    /// What media is built from, or what is wrong. Without an address that of the listeners is taken, else that by which
    /// this machine reaches others.
    pub fn node(&self, listeners: &[IpAddr]) -> Result<MediaNode, Fault> {
        if let Some(address) = self.addresses.iter().find(|address| address.is_unspecified()) {
            let what = format!("media.addresses holds \"{address}\", which says nothing of where media comes to");
            return Err(Fault::new(what, "write an address of this machine"));
        }
        if self.addresses.len() > 2 || self.addresses.iter().filter(|address| address.is_ipv4()).count() > 1 {
            return Err(Fault::new(
                "media.addresses holds several of one family",
                "write one IPv4 and one IPv6 address at most",
            ));
        }
        let webhook = self.flow_webhook.as_deref().map(Webhook::parse).transpose().map_err(|why| {
            Fault::new(
                format!("media.flow_webhook: {why}"),
                "write https:// and the name, as in https://sdn.example.org/flows",
            )
        })?;
        let chosen = if self.addresses.is_empty() { found(listeners) } else { self.addresses.clone() };
        let mut addresses: Vec<MediaAddress> = chosen.into_iter().map(MediaAddress::plain).collect();
        if let (Some(public), Some(first)) = (self.public, addresses.first_mut()) {
            first.advertised = public;
        }
        Ok(MediaNode { addresses, flow_records: self.flow_records.clone(), webhook })
    }
}

/// The addresses that the listeners name; where they name none, the one by which this machine reaches others.
fn found(listeners: &[IpAddr]) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = Vec::new();
    for address in listeners.iter().filter(|address| !address.is_unspecified()) {
        if found.iter().all(|other| other.is_ipv4() != address.is_ipv4()) {
            found.push(*address);
        }
    }
    if found.is_empty() {
        // Nothing is sent: the system only says which address it would use.
        let own = |from: &str, to: &str| {
            let socket = UdpSocket::bind(from).ok()?;
            socket.connect(to).ok()?;
            socket.local_addr().ok().map(|local| local.ip()).filter(|ip| !ip.is_unspecified())
        };
        found.extend(own("0.0.0.0:0", "192.0.2.1:9"));
        found.extend(own("[::]:0", "[2001:db8::1]:9"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(text: &str) -> Result<MediaNode, Fault> {
        toml::from_str::<MediaConfig>(text).unwrap().node(&["10.0.0.7".parse().unwrap(), "10.0.0.8".parse().unwrap()])
    }

    #[test]
    fn addresses_are_named_or_found() {
        let first = |text: &str| media(text).unwrap().addresses[0];
        assert_eq!(first("").bind, IpAddr::from([10, 0, 0, 7]));
        let both = first("addresses = [\"10.0.0.5\", \"2001:db8::5\"]\npublic = \"203.0.113.5\"");
        assert_eq!((both.bind, both.advertised), ([10, 0, 0, 5].into(), [203, 0, 113, 5].into()));
        assert_eq!(media("").unwrap().addresses.len(), 1, "one of each family");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_cure() {
        for (text, wrong) in [
            ("addresses = [\"0.0.0.0\"]", "media.addresses"),
            ("addresses = [\"10.0.0.5\", \"10.0.0.6\"]", "media.addresses"),
            ("flow_webhook = \"ftp://x\"", "media.flow_webhook"),
        ] {
            let fault = media(text).unwrap_err();
            assert!(fault.what.starts_with(wrong), "{fault}");
        }
    }
}
