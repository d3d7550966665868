//! Linux: marks by nftables, queues by tc.

use std::fmt::Write;

use lyceum_topology::qos::Modality;

use super::Class;

/// Marks by port, for a host (its own traffic) and for a router (what passes): `nft --check -f` takes it.
pub(super) fn nftables(classes: &[Class]) -> String {
    let mut text = String::from(
        "# Marks real-time traffic by its ports. On the server itself it is not needed: its sockets mark what they send.\n\
         # On a router keep only the chain 'passing'; on a host only 'own'.\n\
         table inet lyceum_qos\ndelete table inet lyceum_qos\ntable inet lyceum_qos {\n",
    );
    for (name, hook) in [("own", "output"), ("passing", "forward")] {
        let _ = writeln!(text, "  chain {name} {{\n    type filter hook {hook} priority mangle; policy accept;");
        for class in classes {
            let protocols: &[&str] = if class.tcp { &["udp", "tcp"] } else { &["udp"] };
            for protocol in protocols {
                for side in ["sport", "dport"] {
                    for family in ["ip", "ip6"] {
                        let _ = writeln!(
                            text,
                            "    meta nfproto {} {protocol} {side} {} {family} dscp set {} comment \"{}\"",
                            if family == "ip" { "ipv4" } else { "ipv6" },
                            class.ports,
                            class.row.dscp.value(),
                            class.name()
                        );
                    }
                }
            }
        }
        text.push_str("  }\n");
    }
    text.push_str("}\n");
    text
}

/// Share of a link that a modality is sure of, in percent; what others leave is free to all.
fn share(modality: Modality) -> u32 {
    match modality {
        Modality::Audio => 30,
        Modality::Video => 30,
        Modality::Sharing => 10,
        Modality::Signalling => 5,
        Modality::Files => 5,
    }
}

/// Queues by mark, for a router at the slow end of a link.
pub(super) fn tc(classes: &[Class]) -> String {
    let mut text = String::from(
        "#!/bin/sh\n# Queues for real-time traffic where a link is narrow: each kind is sure of its share and may use what others leave.\n\
         # DEV is the interface towards the link, KBIT a little less than what the link carries.\n\
         set -eu\nDEV=${1:?interface} KBIT=${2:?kbit/s}\n\
         tc qdisc replace dev \"$DEV\" root handle 1: htb default 90\n\
         tc class replace dev \"$DEV\" parent 1: classid 1:1 htb rate \"${KBIT}kbit\"\n",
    );
    let mut kinds: Vec<(u8, u32, Vec<&'static str>)> = Vec::new();
    for class in classes {
        let dscp = class.row.dscp.value();
        match kinds.iter_mut().find(|(known, ..)| *known == dscp) {
            Some((_, percent, names)) => {
                *percent += share(class.row.modality);
                names.push(class.name());
            }
            None => kinds.push((dscp, share(class.row.modality), vec![class.name()])),
        }
    }
    for (at, (dscp, percent, names)) in kinds.iter().enumerate() {
        let (id, byte) = (10 * (at + 1), dscp << 2);
        let _ = writeln!(
            text,
            "# {}\n\
             tc class replace dev \"$DEV\" parent 1:1 classid 1:{id} htb rate \"$((KBIT * {percent} / 100))kbit\" ceil \"${{KBIT}}kbit\" prio {at}\n\
             tc filter add dev \"$DEV\" parent 1: protocol ip prio {prio} u32 match ip dsfield {byte:#04x} 0xfc flowid 1:{id}\n\
             tc filter add dev \"$DEV\" parent 1: protocol ipv6 prio {prio6} u32 match ip6 priority {byte:#04x} 0xfc flowid 1:{id}",
            names.join(", "),
            prio = 2 * at + 1,
            prio6 = 2 * at + 2,
        );
    }
    let left = 100 - kinds.iter().map(|(_, percent, _)| percent).sum::<u32>().min(95);
    let _ = writeln!(
        text,
        "# everything else\n\
         tc class replace dev \"$DEV\" parent 1:1 classid 1:90 htb rate \"$((KBIT * {left} / 100))kbit\" ceil \"${{KBIT}}kbit\" prio 7\n\
         tc qdisc replace dev \"$DEV\" parent 1:90 handle 90: fq_codel 2>/dev/null ||\n  \
         echo 'this kernel has no fq_codel: everything else shares one plain queue' >&2"
    );
    text
}
