//! What the network needs so that it can tell the kinds of traffic apart: settings for hosts, routers, switches, access
//! points and phones, from the ports and marks of the topology.
//!
//! A packet belongs to a modality when one of its ports lies in the server's range of that modality. The usual ranges of
//! clients lie inside those of servers, so one rule fits both directions.

mod advice;
mod linux;
mod phones;
mod router;
mod windows;
mod wireless;

pub use advice::advice;

use lyceum_topology::qos::{Modality, PortRange, Qos, QosRow, QosSettings, RoleAddresses};

use crate::table::{Cell, Table};

/// Ports on which signalling can be told from other traffic; SIP over WebSocket shares 443 with pages.
const SIGNALLING: PortRange = PortRange { first: 5060, last: 5061 };

/// Something that takes settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QosTarget {
    /// Group Policy by a PowerShell script (New-NetQosPolicy).
    WindowsPolicy,
    /// A registry file with the same policies.
    WindowsRegistry,
    /// Marks on a Linux host or router.
    Nftables,
    /// Queues on a Linux router.
    Tc,
    /// Classification, marks and queues on Cisco IOS.
    CiscoIos,
    /// The same on Junos.
    Junos,
    /// Access points: WMM and 802.1p.
    Wmm,
    /// Desk phones and softphones.
    Phones,
}

impl QosTarget {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::WindowsPolicy,
        Self::WindowsRegistry,
        Self::Nftables,
        Self::Tc,
        Self::CiscoIos,
        Self::Junos,
        Self::Wmm,
        Self::Phones,
    ];

    /// The name on a command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WindowsPolicy => "windows-policy",
            Self::WindowsRegistry => "windows-registry",
            Self::Nftables => "nftables",
            Self::Tc => "tc",
            Self::CiscoIos => "cisco-ios",
            Self::Junos => "junos",
            Self::Wmm => "wmm",
            Self::Phones => "phones",
        }
    }

    /// The usual name of the file.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::WindowsPolicy => "lyceum-qos.ps1",
            Self::WindowsRegistry => "lyceum-qos.reg",
            Self::Nftables => "lyceum-qos.nft",
            Self::Tc => "lyceum-qos-tc.sh",
            Self::CiscoIos => "lyceum-qos-ios.txt",
            Self::Junos => "lyceum-qos-junos.txt",
            Self::Wmm => "lyceum-qos-wmm.txt",
            Self::Phones => "lyceum-qos-phones.txt",
        }
    }

    /// What it is, in one line.
    pub fn words(self) -> &'static str {
        match self {
            Self::WindowsPolicy => "a PowerShell script for a Group Policy object or one computer",
            Self::WindowsRegistry => "the same policies as a registry file",
            Self::Nftables => "marks by port on a Linux host or router",
            Self::Tc => "queues by mark on a Linux router",
            Self::CiscoIos => "classification, marks and queues",
            Self::Junos => "the same as set lines",
            Self::Wmm => "what access points must map",
            Self::Phones => "the settings of desk phones and softphones",
        }
    }

    /// Reads the name on a command line.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.as_str() == name)
    }
}

/// The settings of a target as text.
pub fn export(qos: &Qos, target: QosTarget) -> String {
    let classes = classes(qos);
    match target {
        QosTarget::WindowsPolicy => windows::policy(qos),
        QosTarget::WindowsRegistry => windows::registry(qos),
        QosTarget::Nftables => linux::nftables(&classes),
        QosTarget::Tc => linux::tc(&classes),
        QosTarget::CiscoIos => router::cisco(&classes),
        QosTarget::Junos => router::junos(&classes),
        QosTarget::Wmm => wireless::wmm(&classes),
        QosTarget::Phones => phones::phones(qos),
    }
}

/// The ports and marks of a planned deployment, whose relay and media have hosts of their own, so Lync's ranges.
pub fn planned_qos() -> Qos {
    QosSettings { role_addresses: Some(RoleAddresses::Own), ..QosSettings::default() }.in_force()
}

/// What each target is for, and the file that its settings are written to.
pub fn targets_table() -> Table {
    let mut table = Table::new("Settings for the network", &["target", "file", "what it is"]);
    table.rows.extend(
        QosTarget::ALL.map(|target| vec![target.as_str().into(), target.file_name().into(), target.words().into()]),
    );
    table
}

/// What is allowed and yet unwise, as a table.
pub fn advice_table(qos: &Qos) -> Table {
    let mut table = Table::new("Advice on ports and marks", &["advice"]);
    table.rows.extend(advice(qos).into_iter().map(|one| vec![one.into()]));
    table
}

/// What a router tells apart: a modality with the ports by which it is known.
struct Class {
    row: QosRow,
    ports: PortRange,
    /// UDP only, or TCP too.
    tcp: bool,
}

impl Class {
    fn name(&self) -> &'static str {
        self.row.modality.as_str()
    }
}

fn classes(qos: &Qos) -> Vec<Class> {
    let class = |row: &QosRow| Class {
        row: *row,
        ports: row.server_ports.unwrap_or(SIGNALLING),
        tcp: matches!(row.modality, Modality::Sharing | Modality::Files | Modality::Signalling),
    };
    qos.rows.iter().map(class).collect()
}

/// Ports and marks as a table.
pub fn table(qos: &Qos) -> Table {
    let columns = ["modality", "DSCP", "behaviour", "server ports", "client ports", "802.1p", "WMM"];
    let ports = |range: Option<PortRange>| range.map_or(Cell::Empty, |range| range.to_string().into());
    let rows = qos.rows.iter().map(|row| {
        let (priority, access) = wireless::category(row.dscp);
        let server = match row.modality {
            Modality::Signalling => SIGNALLING.to_string().into(),
            _ => ports(row.server_ports),
        };
        vec![
            row.modality.as_str().into(),
            u64::from(row.dscp.value()).into(),
            row.dscp.name().into(),
            server,
            ports(row.client_ports),
            u64::from(priority).into(),
            access.into(),
        ]
    });
    let mut rows: Vec<Vec<Cell>> = rows.collect();
    let relay: [Cell; 7] = [
        "relay (A/V Edge)".into(),
        Cell::Empty,
        "of what it carries, inside only".into(),
        qos.relay_ports.to_string().into(),
        Cell::Empty,
        Cell::Empty,
        Cell::Empty,
    ];
    rows.push(relay.into());
    let marking = if qos.mark { "The server's own sockets carry these marks." } else { "The server marks nothing." };
    Table {
        title: "Quality of Service".to_owned(),
        columns: columns.map(str::to_owned).into(),
        rows,
        notes: vec![
            marking.to_owned(),
            "Only the internal network is marked; the Internet does not keep marks.".to_owned(),
        ],
    }
}
