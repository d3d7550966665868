//! What a client is told of itself: who it is, what it may, where its servers are (Lync: in-band provisioning).

use crate::directory::UserRecord;
use crate::effective::EffectivePolicy;
use crate::qos::{Dscp, Modality, PortRange, Qos, QosRow};
use crate::snapshot::Snapshot;
use serde::Serialize;
use serde_json::{Map, Value};

/// The provisioning document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Provisioning {
    /// Who the client is.
    pub who: Who,
    /// Its policies: kind, then field.
    pub policies: Map<String, Value>,
    /// Its servers.
    pub servers: Servers,
    /// Ports and marks of what it sends itself.
    pub qos: ClientQos,
}

/// Ports and marks of a client's own traffic, by modality.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClientQos {
    /// Whether it is to mark at all.
    pub mark: bool,
    /// Name of the modality, mark, ports.
    pub modalities: Vec<ClientModality>,
}

/// What a client sends of one modality.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClientModality {
    /// Which.
    pub modality: Modality,
    /// Its mark.
    pub dscp: Dscp,
    /// Local ports to use, if they are prescribed.
    pub ports: Option<PortRange>,
}

impl ClientQos {
    fn of(qos: &Qos) -> ClientQos {
        let row = |row: &QosRow| ClientModality { modality: row.modality, dscp: row.dscp, ports: row.client_ports };
        ClientQos { mark: qos.mark, modalities: qos.rows.iter().map(row).collect() }
    }
}

/// Who a client is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Who {
    /// The address.
    pub address: String,
    /// The name.
    pub display_name: String,
    /// The mail address.
    pub mail: Option<String>,
    /// The numbers, as E.164 or with an extension.
    pub numbers: Vec<String>,
}

/// Where the servers of a client are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Servers {
    /// The SIP domain of the user.
    pub domain: String,
    /// The user's pool.
    pub pool: String,
    /// Its name in DNS.
    pub fqdn: Option<String>,
    /// `host:port` of every listener, with its transport in front: `tls sip.example.org:5061`.
    pub listeners: Vec<String>,
}

/// Kinds that clients act on; the others are the server's business.
const FOR_CLIENTS: [&str; 6] = ["registrar", "calls", "presence", "message", "im_filter", "file_transfer"];

impl Provisioning {
    /// The document of a user.
    pub fn of(snapshot: &Snapshot, user: &UserRecord, listeners: Vec<String>) -> Provisioning {
        let effective = EffectivePolicy::of(snapshot.document(), user);
        let mut policies: Map<String, Value> = Map::new();
        for one in effective.values {
            let kind = one.kind.as_str();
            if FOR_CLIENTS.contains(&kind) {
                let fields = policies.entry(kind).or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(fields) = fields {
                    fields.insert(one.field.to_owned(), one.value);
                }
            }
        }
        let pool = snapshot.document().pools().find(|(_, pool)| pool.name.as_str() == user.pool());
        Provisioning {
            who: Who {
                address: user.address.to_string(),
                display_name: user.display_name.as_deref().unwrap_or(user.address.user()).to_owned(),
                mail: user.mail.as_deref().map(str::to_owned),
                numbers: user.numbers.iter().map(|number| number.plain()).collect(),
            },
            policies,
            servers: Servers {
                domain: user.address.domain().to_owned(),
                pool: user.pool().to_owned(),
                fqdn: pool.map(|(_, pool)| pool.fqdn.to_string()),
                listeners,
            },
            qos: ClientQos::of(&snapshot.document().qos.in_force()),
        }
    }
}
