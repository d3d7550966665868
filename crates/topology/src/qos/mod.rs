//! Quality of Service: which modality uses which ports and carries which mark.
//!
//! As in Lync, nothing is switched on: every modality has ports of its own, and whoever sees a packet can tell by its
//! ports what it is. Besides, our own sockets mark what they send. Marks are as Lync advised them
//! (figures, table C); the ports depend on whether the roles of a server share one address.
//!
//! | modality | mark | ports, shared address | ports, role with its own address |
//! |---|---|---|---|
//! | audio | 46 (EF) | 16384-22383 | 49152-57499 |
//! | video | 34 (AF41) | 22384-28383 | 57501-65534 |
//! | sharing | 24 (CS3) | 28384-30383 | 40803-49150 |
//! | files | 14 (AF13) | 30384-30999 | 38803-40802 |
//! | signalling | 24 (CS3) | the ports of the listeners | the same |
//! | relay (A/V Edge) | of what it carries, inside only | 50000-59999 | 50000-59999 |

mod dscp;
mod modality;
mod range;

pub use dscp::{Dscp, NoDscp};
pub use modality::{ByModality, Modality};
pub use range::{NoPortRange, PortRange};

use serde::{Deserialize, Serialize};

/// Ports on which signalling, STUN and TURN listen: no media range may hold one of them.
pub const RESERVED_PORTS: [u16; 4] = [3478, 5060, 5061, 5349];
/// The fewest ports of a client's modality (Lync: 20).
pub const CLIENT_PORTS_MIN: usize = 20;
/// The fewest ports of a server's modality: one call needs up to four.
pub const SERVER_PORTS_MIN: usize = 100;

/// What the document says about Quality of Service; what it leaves out has the default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QosSettings {
    /// Whether our own sockets mark what they send; they do unless this says no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<bool>,
    /// Whether the roles of a server share an address or have one each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_addresses: Option<RoleAddresses>,
    /// Marks that differ from the advised ones.
    #[serde(skip_serializing_if = "ByModality::is_empty")]
    pub marks: ByModality<Dscp>,
    /// Server ports that differ from the usual ones.
    #[serde(skip_serializing_if = "ByModality::is_empty")]
    pub server_ports: ByModality<PortRange>,
    /// Client ports that differ from the usual ones.
    #[serde(skip_serializing_if = "ByModality::is_empty")]
    pub client_ports: ByModality<PortRange>,
    /// The ports of the A/V Edge's relay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relay_ports: Option<PortRange>,
}

/// Whether the roles of a server share one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleAddresses {
    /// One address for relay, mixer and trunks: their ranges must not overlap.
    #[default]
    Shared,
    /// Each role has its own, as in Lync.
    Own,
}

/// What is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Qos {
    /// Whether our own sockets mark what they send.
    pub mark: bool,
    /// Whether the roles of a server share an address.
    pub role_addresses: RoleAddresses,
    /// One row for each modality, in the order of [`Modality::ALL`].
    pub rows: Vec<QosRow>,
    /// The ports of the A/V Edge's relay, of every modality together.
    pub relay_ports: PortRange,
}

/// A modality's ports and mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct QosRow {
    /// The modality.
    pub modality: Modality,
    /// Its mark.
    pub dscp: Dscp,
    /// Its ports on a server; signalling has those of its listeners.
    pub server_ports: Option<PortRange>,
    /// Its ports on a client.
    pub client_ports: Option<PortRange>,
}

impl QosSettings {
    /// True when nothing differs from the defaults.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The settings with the defaults filled in.
    pub fn in_force(&self) -> Qos {
        let role_addresses = self.role_addresses.unwrap_or_default();
        let row = |modality: Modality| {
            let (server, client) = usual_ports(role_addresses, modality).unzip();
            QosRow {
                modality,
                dscp: self.marks.of(modality).unwrap_or(modality.advised_mark()),
                server_ports: server.map(|usual| self.server_ports.of(modality).unwrap_or(usual)),
                client_ports: client.map(|usual| self.client_ports.of(modality).unwrap_or(usual)),
            }
        };
        Qos {
            mark: self.mark.unwrap_or(true),
            role_addresses,
            rows: Modality::ALL.into_iter().map(row).collect(),
            relay_ports: self.relay_ports.unwrap_or(RELAY),
        }
    }
}

impl Qos {
    /// The row of a modality.
    pub fn row(&self, modality: Modality) -> QosRow {
        *self.rows.iter().find(|row| row.modality == modality).expect("in_force() makes a row for each modality")
    }

    /// The mark that a socket of ours is to set; none when marking is off.
    pub fn mark_of(&self, modality: Modality) -> Option<Dscp> {
        self.mark.then(|| self.row(modality).dscp)
    }
}

const RELAY: PortRange = PortRange { first: 50_000, last: 59_999 };

/// Ports on servers and on clients; a client's lie inside a server's, so that one rule of a router fits both.
fn usual_ports(addresses: RoleAddresses, modality: Modality) -> Option<(PortRange, PortRange)> {
    let (server, client) = match (addresses, modality) {
        (_, Modality::Signalling) => return None,
        (RoleAddresses::Shared, Modality::Audio) => ((16_384, 22_383), (20_000, 20_019)),
        (RoleAddresses::Shared, Modality::Video) => ((22_384, 28_383), (25_000, 25_019)),
        (RoleAddresses::Shared, Modality::Sharing) => ((28_384, 30_383), (29_000, 29_019)),
        (RoleAddresses::Shared, Modality::Files) => ((30_384, 30_999), (30_500, 30_519)),
        (RoleAddresses::Own, Modality::Audio) => ((49_152, 57_499), (50_020, 50_039)),
        (RoleAddresses::Own, Modality::Video) => ((57_501, 65_534), (58_000, 58_019)),
        (RoleAddresses::Own, Modality::Sharing) => ((40_803, 49_150), (42_000, 42_019)),
        (RoleAddresses::Own, Modality::Files) => ((38_803, 40_802), (39_000, 39_019)),
    };
    let range = |(first, last): (u16, u16)| PortRange { first, last };
    Some((range(server), range(client)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_advised_marks_and_ports() {
        let qos = QosSettings::default().in_force();
        let said: Vec<String> = qos
            .rows
            .iter()
            .map(|row| {
                let ports = |range: Option<PortRange>| range.map_or("-".to_owned(), |range| range.to_string());
                format!("{} {} {}", row.modality, row.dscp, ports(row.server_ports))
            })
            .collect();
        assert_eq!(
            said,
            [
                "audio 46 (EF) 16384-22383",
                "video 34 (AF41) 22384-28383",
                "sharing 24 (CS3) 28384-30383",
                "files 14 (AF13) 30384-30999",
                "signalling 24 (CS3) -",
            ]
        );
        assert_eq!(qos.relay_ports.to_string(), "50000-59999");
    }

    #[test]
    fn a_role_with_its_own_address_has_the_ports_of_lync() {
        let settings = QosSettings { role_addresses: Some(RoleAddresses::Own), ..QosSettings::default() };
        let qos = settings.in_force();
        let first = |modality| qos.row(modality).server_ports.map(|range| (range.first, range.len()));
        assert_eq!(first(Modality::Audio), Some((49_152, 8_348)));
        assert_eq!(first(Modality::Video), Some((57_501, 8_034)));
        assert_eq!(first(Modality::Sharing), Some((40_803, 8_348)));
    }

    #[test]
    fn the_ports_of_clients_lie_inside_those_of_servers() {
        for role_addresses in [RoleAddresses::Shared, RoleAddresses::Own] {
            let settings = QosSettings { role_addresses: Some(role_addresses), ..QosSettings::default() };
            for row in settings.in_force().rows {
                assert_eq!(row.server_ports.is_some(), row.client_ports.is_some());
                if let (Some(server), Some(client)) = (row.server_ports, row.client_ports) {
                    assert!(server.holds(client) && client.len() >= CLIENT_PORTS_MIN, "{row:?}");
                }
            }
        }
    }

    #[test]
    fn what_the_document_says_wins_and_marks_can_be_off() {
        let text = r#"{"mark":false,"marks":{"audio":40},"server_ports":{"audio":"20000-20999"}}"#;
        let settings: QosSettings = serde_json::from_str(text).expect("settings");
        let qos = settings.in_force();
        assert_eq!((qos.row(Modality::Audio).dscp.value(), qos.mark_of(Modality::Audio)), (40, None));
        assert_eq!(qos.row(Modality::Audio).server_ports, Some(PortRange { first: 20_000, last: 20_999 }));
        assert_eq!(serde_json::to_string(&settings).expect("text"), text);
    }
}
