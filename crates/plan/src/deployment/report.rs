//! The tables of names, certificates and filters.

use super::Deployment;
use super::certificate::Certificate;
use super::dns::{Record, Scope, Value};
use super::firewall::Filter;
use crate::table::{Table, row};

/// Every server with its addresses.
pub fn hosts_table(deployment: &Deployment) -> Table {
    let mut table =
        Table::new("Servers and addresses", &["site", "role", "name", "address", "public addresses", "pool"]);
    for pool in &deployment.pools {
        for &host in &pool.hosts {
            let host = &deployment.hosts[host];
            let public = host.public.map(|public| public.map(|address| address.to_string()).join(", "));
            table.rows.push(row![
                &deployment.places[host.site].name,
                host.role.name(),
                &host.fqdn,
                host.address.to_string(),
                public,
                &pool.fqdn,
            ]);
        }
        if let Some(vip) = pool.vip {
            let site = &deployment.places[pool.site].name;
            let public = pool.public_vip.map(|public| public.map(|address| address.to_string()).join(", "));
            table.rows.push(row![site, "Load balancer", &pool.fqdn, vip.to_string(), public, &pool.fqdn]);
        }
    }
    let assumed: Vec<&str> =
        deployment.places.iter().filter(|place| place.assumed).map(|place| place.name.as_str()).take(20).collect();
    if !assumed.is_empty() {
        table.notes.push(format!("networks are assumed, wholly or in part, at: {}", assumed.join(", ")));
    }
    table.notes.extend(deployment.problems.iter().cloned());
    table
}

/// Every record.
pub fn dns_table(records: &[Record]) -> Table {
    let mut table = Table::new("DNS", &["for", "type", "name", "target", "port", "purpose", "needed", "source"]);
    for record in records {
        let scope = match record.scope {
            Scope::Internal => "inside",
            Scope::External => "outside",
            Scope::PinPoint => "VPN clients",
        };
        let (kind, target, port) = match &record.value {
            Value::A(address) => ("A", address.to_string(), None),
            Value::Srv { port, target } => ("SRV", target.clone(), Some(f64::from(*port))),
        };
        table.rows.push(row![scope, kind, &record.name, target, port, record.purpose, record.required, record.source]);
    }
    table
}

/// Every certificate.
pub fn certificates_table(certificates: &[Certificate]) -> Table {
    let columns = [
        "role",
        "certificate",
        "assigned to",
        "subject",
        "alternative names",
        "issuer",
        "key (bits)",
        "EKU",
        "note",
        "source",
    ];
    let mut table = Table::new("Certificates", &columns);
    for found in certificates {
        table.rows.push(row![
            found.role,
            found.usage,
            &found.assigned_to,
            &found.subject,
            found.names.join(", "),
            found.issuer,
            f64::from(found.key_bits),
            "server",
            found.note,
            found.source,
        ]);
    }
    table
}

/// Every flow; addresses stand in the export and in [`Filter::groups`].
pub fn firewall_table(filter: &Filter) -> Table {
    let columns =
        ["zone", "from", "to", "protocol", "port", "application", "purpose", "hosts from", "hosts to", "source"];
    let mut table = Table::new("Firewall", &columns);
    let count = |group: &str| filter.networks(group).map(|networks| networks.len());
    for flow in &filter.flows {
        table.rows.push(row![
            flow.zone,
            flow.source_end,
            flow.destination_end,
            flow.protocol(),
            flow.ports.to_string(),
            flow.application,
            flow.purpose,
            count(flow.from),
            count(flow.to),
            flow.source,
        ]);
    }
    table.notes.extend(filter.remarks.iter().cloned());
    table
}
