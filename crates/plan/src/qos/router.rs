//! Routers and switches: classification by port where traffic enters, queues by mark where it leaves.

use std::fmt::Write;

use lyceum_topology::qos::{Dscp, Modality};

use super::Class;

/// Share of a link's bandwidth, in percent: audio in the priority queue, a third at most (RFC 4594 §1.5.3 in spirit: a
/// priority queue must not starve the others).
fn share(modality: Modality) -> u32 {
    match modality {
        Modality::Audio => 33,
        Modality::Video => 25,
        Modality::Sharing => 10,
        Modality::Files => 4,
        Modality::Signalling => 3,
    }
}

fn ios_name(dscp: Dscp) -> String {
    dscp.name().to_lowercase()
}

fn upper(class: &Class) -> String {
    format!("LYCEUM-{}", class.name().to_uppercase())
}

/// Cisco IOS and IOS XE.
pub(super) fn cisco(classes: &[Class]) -> String {
    let mut text = String::from(
        "! Classification by port on the interfaces towards servers and clients, queues by mark on the links.\n\
         ! Where the access switch trusts marks already (mls qos trust dscp), only the output policy is needed.\n",
    );
    for class in classes {
        let (name, ports) = (upper(class), class.ports);
        let protocols: &[&str] = if class.tcp { &["udp", "tcp"] } else { &["udp"] };
        for (kind, list) in [("ip", format!("{name}-V4")), ("ipv6", format!("{name}-V6"))] {
            let head = if kind == "ip" { "ip access-list extended" } else { "ipv6 access-list" };
            let _ = writeln!(text, "{head} {list}");
            for protocol in protocols {
                let _ = writeln!(text, " permit {protocol} any range {} {} any", ports.first, ports.last);
                let _ = writeln!(text, " permit {protocol} any any range {} {}", ports.first, ports.last);
            }
            text.push_str("!\n");
        }
        let _ = writeln!(
            text,
            "class-map match-any {name}\n match access-group name {name}-V4\n match access-group name {name}-V6\n!"
        );
    }
    text.push_str("policy-map LYCEUM-MARK\n");
    for class in classes {
        let _ = writeln!(text, " class {}\n  set dscp {}", upper(class), ios_name(class.row.dscp));
    }
    text.push_str("!\n");
    let queues = queues(classes);
    for (dscp, ..) in &queues {
        let name = ios_name(*dscp);
        let _ = writeln!(text, "class-map match-any LYCEUM-Q-{}\n match dscp {name}\n!", name.to_uppercase());
    }
    text.push_str("policy-map LYCEUM-QUEUE\n");
    for (dscp, percent, modalities) in &queues {
        let word = if modalities.contains(&Modality::Audio) { "priority" } else { "bandwidth" };
        let _ = writeln!(text, " class LYCEUM-Q-{}\n  {word} percent {percent}", ios_name(*dscp).to_uppercase());
    }
    text.push_str(
        " class class-default\n  fair-queue\n!\n! interface GigabitEthernet0/1   (towards servers and clients)\n!  service-policy input LYCEUM-MARK\n\
         ! interface GigabitEthernet0/0   (towards the link)\n!  service-policy output LYCEUM-QUEUE\n",
    );
    text
}

/// Marks with their shares, each once: modalities of one mark share a queue.
fn queues(classes: &[Class]) -> Vec<(Dscp, u32, Vec<Modality>)> {
    let mut queues: Vec<(Dscp, u32, Vec<Modality>)> = Vec::new();
    for class in classes {
        let (dscp, modality) = (class.row.dscp, class.row.modality);
        match queues.iter_mut().find(|(known, ..)| *known == dscp) {
            Some((_, percent, modalities)) => {
                *percent += share(modality);
                modalities.push(modality);
            }
            None => queues.push((dscp, share(modality), vec![modality])),
        }
    }
    queues
}

/// Junos, as `set` lines.
pub(super) fn junos(classes: &[Class]) -> String {
    let mut text = String::from(
        "# Classification by port where traffic enters (filter), marks and queues where it leaves. Load with: load set terminal\n",
    );
    let queues = queues(classes);
    for (at, (dscp, percent, _)) in queues.iter().enumerate() {
        let name = format!("lyceum-{}", ios_name(*dscp));
        // Queues 1 to 4: 0 is for the rest, and the highest is the router's own.
        let _ = writeln!(text, "set class-of-service forwarding-classes class {name} queue-num {}", at + 1);
        let _ = writeln!(
            text,
            "set class-of-service rewrite-rules dscp lyceum forwarding-class {name} loss-priority low code-point {:06b}",
            dscp.value()
        );
        let priority = if at == 0 { "strict-high" } else { "medium-low" };
        let _ = writeln!(text, "set class-of-service schedulers {name} transmit-rate percent {percent}");
        let _ = writeln!(text, "set class-of-service schedulers {name} priority {priority}");
        let _ = writeln!(text, "set class-of-service scheduler-maps lyceum forwarding-class {name} scheduler {name}");
    }
    for family in ["inet", "inet6"] {
        let filter = format!("set firewall family {family} filter lyceum-{family}");
        let word = if family == "inet" { "protocol" } else { "next-header" };
        for class in classes {
            let term = format!("{filter} term {}", class.name());
            let _ = writeln!(text, "{term} from {word} udp");
            if class.tcp {
                let _ = writeln!(text, "{term} from {word} tcp");
            }
            let _ = writeln!(text, "{term} from port {}", class.ports);
            let _ = writeln!(text, "{term} then forwarding-class lyceum-{}", ios_name(class.row.dscp));
            let _ = writeln!(text, "{term} then loss-priority low\n{term} then accept");
        }
        let _ = writeln!(text, "{filter} term rest then accept");
    }
    text.push_str(
        "# set interfaces ge-0/0/1 unit 0 family inet filter input lyceum-inet      (towards servers and clients)\n\
         # set interfaces ge-0/0/1 unit 0 family inet6 filter input lyceum-inet6\n\
         # set class-of-service interfaces ge-0/0/0 scheduler-map lyceum            (towards the link)\n\
         # set class-of-service interfaces ge-0/0/0 unit 0 rewrite-rules dscp lyceum\n",
    );
    text
}
