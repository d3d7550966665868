//! What is allowed and yet unwise.

use lyceum_topology::qos::{Modality, PortRange, Qos};

/// Linux hands these out to sockets that ask for none (`ip_local_port_range`).
const SYSTEM_PORTS: PortRange = PortRange { first: 32_768, last: 60_999 };

/// Sentences about a table that passed the checks; empty when there is nothing to say.
pub fn advice(qos: &Qos) -> Vec<String> {
    let mut said = Vec::new();
    if !qos.mark {
        said.push(
            "The server marks nothing: routers must mark its traffic by port. Remove qos.mark: false to let it."
                .to_owned(),
        );
    }
    for row in &qos.rows {
        let advised = row.modality.advised_mark();
        if row.dscp != advised {
            said.push(format!(
                "{} is marked {}; {advised} is what was advised and what equipment expects.",
                row.modality, row.dscp
            ));
        }
        if let (Some(server), Some(client)) = (row.server_ports, row.client_ports)
            && !server.holds(client)
        {
            said.push(format!(
                "The clients' ports for {}, {client}, are not inside the server's, {server}: a router needs a rule for each.",
                row.modality
            ));
        }
    }
    for (at, row) in qos.rows.iter().enumerate() {
        for other in &qos.rows[..at] {
            let (Some(client), Some(server)) = (row.client_ports, other.server_ports) else { continue };
            if client.overlaps(server) {
                said.push(format!(
                    "The clients' ports for {}, {client}, meet the server's for {}, {server}: rules by port take one for the other.",
                    row.modality, other.modality
                ));
            }
        }
    }
    let (audio, signalling) = (qos.row(Modality::Audio).dscp, qos.row(Modality::Signalling).dscp);
    if audio == signalling {
        said.push("Signalling has the mark of audio: it would stand in the priority queue, which is small.".to_owned());
    }
    let ranges = qos.rows.iter().filter_map(|row| Some((row.modality.as_str(), row.server_ports?)));
    let taken: Vec<&str> = ranges
        .chain([("the relay", qos.relay_ports)])
        .filter(|(_, ports)| ports.overlaps(SYSTEM_PORTS))
        .map(|(name, _)| name)
        .collect();
    if !taken.is_empty() {
        said.push(format!(
            "The ports of {} lie where Linux gives ports to any program ({SYSTEM_PORTS}): on the servers keep them free with \
             net.ipv4.ip_local_port_range or ip_local_reserved_ports.",
            taken.join(", ")
        ));
    }
    said
}
