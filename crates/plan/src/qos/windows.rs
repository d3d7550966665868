//! Windows: policies of Group Policy, by script and by registry file.
//!
//! Sources: Lync's QoS pages (figures, table C); parameters of New-NetQosPolicy from Microsoft's reference. The names of
//! the registry values are those that the Group Policy editor writes.

use std::fmt::Write;

use lyceum_topology::qos::{Dscp, PortRange, Qos};

/// A policy: its name, the ports it matches, and on which side.
struct Policy {
    name: String,
    ports: PortRange,
    side: Side,
    dscp: Dscp,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Our own port: a client that keeps to the ranges it was given.
    Source,
    /// The other end's port: a browser, which cannot choose its own.
    Destination,
}

const BROWSERS: [&str; 5] = [
    "A browser takes any port for its own end and does not let a page choose: policies by source port do not meet it.",
    "They meet it by the server's ports, because a page opens one peer connection for each modality (the policies whose name",
    "ends in 'to server'). Two browsers that reach each other directly cannot be told apart by port; send their media through",
    "the relay, or let the browser mark by itself (Chrome and Edge do for audio and video when the page asks and Windows allows it).",
    "The browsers' policy WebRtcUdpPortRange holds all modalities in one range: it helps a firewall, not Quality of Service.",
];

fn policies(qos: &Qos) -> Vec<Policy> {
    let mut policies = Vec::new();
    for row in &qos.rows {
        let title = title(row.modality.as_str());
        if let Some(ports) = row.client_ports {
            policies.push(Policy { name: format!("Lyceum {title}"), ports, side: Side::Source, dscp: row.dscp });
        }
        let ports = row.server_ports.unwrap_or(super::SIGNALLING);
        let name = format!("Lyceum {title} to server");
        policies.push(Policy { name, ports, side: Side::Destination, dscp: row.dscp });
    }
    policies
}

fn title(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A script for PowerShell that makes the policies, in a Group Policy object or on one computer.
pub(super) fn policy(qos: &Qos) -> String {
    let mut text = String::from(
        "# Marks of real-time traffic on Windows clients (Windows 8 and Server 2012 or later).\n\
         # Into a Group Policy object:  .\\lyceum-qos.ps1 -PolicyStore 'contoso.com\\Lyceum QoS'\n\
         # On this computer alone:      .\\lyceum-qos.ps1\n",
    );
    for line in BROWSERS {
        let _ = writeln!(text, "# {line}");
    }
    text.push_str("param([string]$PolicyStore = 'ActiveStore')\n$ErrorActionPreference = 'Stop'\n");
    text.push_str(
        "Get-NetQosPolicy -PolicyStore $PolicyStore -ErrorAction SilentlyContinue |\n    \
         Where-Object Name -like 'Lyceum *' | Remove-NetQosPolicy -Confirm:$false\n",
    );
    for one in policies(qos) {
        let side = if one.side == Side::Source { "Src" } else { "Dst" };
        let _ = writeln!(
            text,
            "New-NetQosPolicy -PolicyStore $PolicyStore -Name '{}' -NetworkProfile All -IPProtocolMatchCondition Both `\n    \
             -IP{side}PortStartMatchCondition {} -IP{side}PortEndMatchCondition {} -DSCPAction {}",
            one.name,
            one.ports.first,
            one.ports.last,
            one.dscp.value()
        );
    }
    text
}

/// The same policies as a registry file.
pub(super) fn registry(qos: &Qos) -> String {
    let mut text = String::from("Windows Registry Editor Version 5.00\r\n\r\n");
    for line in BROWSERS {
        let _ = write!(text, "; {line}\r\n");
    }
    for one in policies(qos) {
        let ports = format!("{}:{}", one.ports.first, one.ports.last);
        let any = || "*".to_owned();
        let (local, remote) = if one.side == Side::Source { (ports, any()) } else { (any(), ports) };
        let _ = write!(text, "\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows\\QoS\\{}]\r\n", one.name);
        let values = [
            ("Version", "1.0".to_owned()),
            ("Application Name", any()),
            ("Protocol", any()),
            ("Local Port", local),
            ("Local IP", any()),
            ("Local IP Prefix Length", any()),
            ("Remote Port", remote),
            ("Remote IP", any()),
            ("Remote IP Prefix Length", any()),
            ("DSCP Value", one.dscp.value().to_string()),
            ("Throttle Rate", "-1".to_owned()),
        ];
        for (name, value) in values {
            let _ = write!(text, "\"{name}\"=\"{value}\"\r\n");
        }
    }
    text.push_str(
        "\r\n; Without it marks are dropped on computers outside a domain and on those with several adapters; restart afterwards.\r\n\
         [HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\QoS]\r\n\"Do not use NLA\"=\"1\"\r\n",
    );
    text
}
