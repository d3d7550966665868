//! A filter as rules of nftables: one set of addresses for each group, everything that is not named is dropped.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::firewall::{Filter, Flow};
use crate::network::Network;

/// The longest comment of a rule.
const MAX_COMMENT: usize = 100;

/// The rules of a host that forwards between the networks: `nft --check -f` takes them.
pub fn nftables(filter: &Filter) -> String {
    let mut text = String::from(
        "# What the filters between the networks let through. Addresses outside are those behind any NAT's translation.\n\
         table inet lyceum_plan {\n",
    );
    let used: BTreeSet<&str> =
        filter.flows.iter().flat_map(|flow| [flow.from, flow.to]).filter(|group| *group != "any").collect();
    for group in used {
        text.push_str(&set(&set_name(group), &filter.networks(group).unwrap_or_default()));
    }
    text.push_str(
        "  chain forward {\n    type filter hook forward priority filter; policy drop;\n    ct state established,related accept\n    ct state invalid drop\n",
    );
    let mut written = BTreeSet::new();
    for flow in &filter.flows {
        let rule = matches(flow);
        if written.insert(rule.clone()) {
            // A String takes everything that is written to it.
            let _ = writeln!(text, "    {rule} accept comment \"{}\"", comment(flow));
        }
    }
    text.push_str("  }\n}\n");
    text
}

/// A set of addresses.
pub(crate) fn set(name: &str, networks: &[Network]) -> String {
    let elements: Vec<String> = networks.iter().map(ToString::to_string).collect();
    // nft takes no empty list; an empty set matches nothing, as it should.
    if elements.is_empty() {
        return format!("  set {name} {{\n    type ipv4_addr\n    flags interval\n  }}\n");
    }
    format!(
        "  set {name} {{\n    type ipv4_addr\n    flags interval\n    auto-merge\n    elements = {{ {} }}\n  }}\n",
        elements.join(", ")
    )
}

fn set_name(group: &str) -> String {
    group.replace(['-', '+'], "_")
}

fn matches(flow: &Flow) -> String {
    let mut parts = Vec::new();
    if flow.from != "any" {
        parts.push(format!("ip saddr @{}", set_name(flow.from)));
    }
    if flow.to != "any" {
        parts.push(format!("ip daddr @{}", set_name(flow.to)));
    }
    parts.push(match flow.protocol() {
        "TCP" => format!("tcp dport {}", flow.ports),
        "UDP" => format!("udp dport {}", flow.ports),
        _ => format!("meta l4proto {{ tcp, udp }} th dport {}", flow.ports),
    });
    parts.join(" ")
}

fn comment(flow: &Flow) -> String {
    let text = format!("{}: {}", flow.application, flow.purpose);
    text.chars().filter(|letter| letter.is_ascii() && *letter != '"' && *letter != '\\').take(MAX_COMMENT).collect()
}
