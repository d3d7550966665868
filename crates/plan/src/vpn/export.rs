//! The split as what Windows, a gateway with nftables and BIND take.

use std::fmt::Write;

use super::SplitTunnel;
use crate::deployment::{Scope, ZoneFile, nftables_set};
use crate::network::Network;

/// Commands for a Windows client: filters, routes, and the resolver to ask (an address of the resolver with pin-point
/// zones, `resolver`). They can be run again.
pub fn powershell(split: &SplitTunnel, resolver: &str) -> String {
    let mut text = String::from(
        "# Real-time traffic around the VPN. Run as an administrator; a second run changes nothing.\n$ErrorActionPreference = 'Stop'\n",
    );
    // A String takes everything that is written to it.
    for (number, block) in split.blocks.iter().enumerate() {
        let (name, from, to) = (quoted(block.name), list(&block.from), list(&block.to));
        let _ = writeln!(text, "\n# {}", block.purpose);
        let _ = writeln!(
            text,
            "Get-NetFirewallRule -DisplayName {name} -ErrorAction SilentlyContinue | Remove-NetFirewallRule"
        );
        for protocol in ["TCP", "UDP"] {
            let ports = block.ports.map(|ports| format!(" -RemotePort '{ports}'")).unwrap_or_default();
            let _ = writeln!(
                text,
                "New-NetFirewallRule -Name 'lyceum-vpn-{number}-{protocol}' -DisplayName {name} -Direction Outbound -Action Block -Profile {} -Protocol {protocol} -LocalAddress {from} -RemoteAddress {to}{ports} | Out-Null",
                block.profile
            );
        }
    }
    let connection = quoted(&split.connection);
    let _ = writeln!(
        text,
        "\n# Only the corporate networks go through the tunnel\nSet-VpnConnection -Name {connection} -SplitTunneling $true"
    );
    for network in &split.through {
        let _ = writeln!(
            text,
            "if ((Get-VpnConnection -Name {connection}).Routes.DestinationPrefix -notcontains '{network}') {{ Add-VpnConnectionRoute -ConnectionName {connection} -DestinationPrefix '{network}' }}"
        );
    }
    let _ = writeln!(text, "\n# Addresses that stay outside; nothing to do as long as no route above holds them");
    for network in &split.around {
        let _ = writeln!(text, "#   {network}");
    }
    let _ = writeln!(text, "\n# Names of these domains are asked at the resolver with the pin-point zones");
    let _ = writeln!(
        text,
        "Get-DnsClientNrptRule | Where-Object Comment -eq 'lyceum-vpn' | Remove-DnsClientNrptRule -Force"
    );
    for domain in &split.domains {
        let _ = writeln!(
            text,
            "Add-DnsClientNrptRule -Namespace {} -NameServers {} -Comment 'lyceum-vpn'",
            quoted(&format!(".{domain}")),
            quoted(resolver)
        );
    }
    text
}

/// A word that PowerShell takes as it stands.
fn quoted(text: &str) -> String {
    let safe: String = text.chars().filter(|letter| !letter.is_control()).collect();
    // PowerShell takes typographic quotes for quotes too.
    let doubled: String = safe
        .chars()
        .flat_map(|letter| {
            std::iter::repeat_n(letter, if "'\u{2018}\u{2019}\u{201a}\u{201b}".contains(letter) { 2 } else { 1 })
        })
        .collect();
    format!("'{doubled}'")
}

fn list(networks: &[Network]) -> String {
    let items: Vec<String> = networks.iter().map(|network| format!("'{network}'")).collect();
    if items.is_empty() { "@()".to_owned() } else { items.join(",") }
}

/// Rules for the gateway that ends the tunnels: `nft --check -f` takes them.
pub fn vpn_nftables(split: &SplitTunnel) -> String {
    let mut text = String::from(
        "# Keeps real-time traffic out of the tunnel, on the gateway that ends it.\ntable inet lyceum_vpn {\n",
    );
    for (number, block) in split.blocks.iter().enumerate() {
        text.push_str(&nftables_set(&format!("from_{number}"), &block.from));
        text.push_str(&nftables_set(&format!("to_{number}"), &block.to));
    }
    text.push_str("  chain forward {\n    type filter hook forward priority filter - 5; policy accept;\n");
    for (number, block) in split.blocks.iter().enumerate() {
        let ports = block.ports.map(|ports| format!(" th dport {ports}")).unwrap_or_default();
        let _ = writeln!(
            text,
            "    ip saddr @from_{number} ip daddr @to_{number} meta l4proto {{ tcp, udp }}{ports} counter reject comment \"{}\"",
            block.purpose
        );
    }
    text.push_str("  }\n}\n");
    text
}

/// The part of `named.conf` that serves the pin-point zones from `folder`.
pub fn named_conf(zones: &[ZoneFile], folder: &str) -> String {
    let mut text = String::from("// Pin-point zones: one name each, every other name is asked elsewhere.\n");
    for zone in zones.iter().filter(|zone| zone.scope == Scope::PinPoint) {
        let _ = writeln!(
            text,
            "zone \"{}\" {{ type primary; file \"{folder}/{}\"; check-names warn; }};",
            zone.origin, zone.file
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_cannot_leave_its_quotes() {
        assert_eq!(quoted("a'; rm \n\u{2019}b"), "'a''; rm \u{2019}\u{2019}b'");
    }
}
