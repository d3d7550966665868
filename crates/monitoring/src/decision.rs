//! The steps by which a request found its way: the trace of a routing decision.

use crate::private::Private;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// One step of a routing decision, in the order taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum DecisionStep {
    /// The request came in.
    Received {
        /// The Request-URI as it came.
        request_uri: Private,
        /// From where.
        source: SocketAddr,
    },
    /// The caller proved who he is.
    Authenticated {
        /// The user's address.
        user: String,
        /// The digest algorithm, or `connection` when an earlier proof on the same flow counts.
        by: String,
    },
    /// The peer is a trusted host.
    Trusted {
        /// The host's name in the topology.
        host: String,
    },
    /// The request belongs to a dialog that we routed.
    InDialog,
    /// The target was brought into its usual form.
    Normalised {
        /// What was dialled.
        from: Private,
        /// What it means.
        to: Private,
        /// The rule that did it, if a named one did.
        rule: Option<String>,
    },
    /// A policy had a say.
    Policy {
        /// The kind of policy.
        kind: String,
        /// The field.
        field: String,
        /// Its value for this user.
        value: String,
        /// Where the value comes from, as `from site Berlin`.
        origin: String,
        /// Whether the call may go on.
        allowed: bool,
    },
    /// The target's domain is, or is not, one of ours.
    Domain {
        /// The domain.
        name: String,
        /// Whether it is ours.
        ours: bool,
    },
    /// The target is a user.
    User {
        /// The user's address.
        address: String,
        /// Whether the user may be reached.
        enabled: bool,
    },
    /// A telephone number was looked up.
    Number {
        /// The number.
        number: Private,
        /// Whose it is, if anybody's.
        user: Option<String>,
    },
    /// No user, number or route fits.
    Unknown,
    /// Where the user is signed in.
    Targets {
        /// One entry per endpoint, in the order to try.
        endpoints: Vec<Target>,
    },
    /// A static route fits.
    StaticRoute {
        /// The route's name in the topology.
        name: String,
    },
    /// The target is of another organisation that we federate with.
    Federation {
        /// Its domain.
        domain: String,
    },
    /// A next hop was chosen.
    NextHop {
        /// Its name, as the topology or the Route field gives it.
        host: String,
        /// Its address, when known.
        address: Option<SocketAddr>,
        /// The transport.
        transport: Wire,
    },
    /// The request was refused.
    Refused {
        /// The SIP status.
        status: u16,
        /// The diagnostics code.
        code: String,
        /// Why, one sentence.
        why: String,
    },
}

/// One endpoint a call is forked to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The contact.
    pub contact: Private,
    /// Its preference in thousandths (RFC 3261 §20.10 `q`).
    pub q: u16,
    /// What the endpoint calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The transport it is reached over.
    pub transport: Wire,
}

/// What carried a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wire {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// WebSocket.
    Ws,
    /// WebSocket over TLS.
    Wss,
}

impl Wire {
    /// As people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }
}

impl From<lyceum_sip::Transport> for Wire {
    fn from(transport: lyceum_sip::Transport) -> Self {
        match transport {
            lyceum_sip::Transport::Udp => Self::Udp,
            lyceum_sip::Transport::Tcp => Self::Tcp,
            lyceum_sip::Transport::Tls => Self::Tls,
            lyceum_sip::Transport::Ws => Self::Ws,
            lyceum_sip::Transport::Wss => Self::Wss,
        }
    }
}

impl DecisionStep {
    /// The step in words, for `lyceum call get`. It shows numbers and addresses.
    pub fn sentence(&self) -> String {
        match self {
            Self::Received { request_uri, source } => {
                format!("A request for {} came from {source}.", request_uri.reveal())
            }
            Self::Authenticated { user, by } => format!("The caller is {user}, proven by {by}."),
            Self::Trusted { host } => format!("The caller is the trusted host {host}."),
            Self::InDialog => "The request belongs to a dialog that went through here.".to_owned(),
            Self::Normalised { from, to, rule } => {
                let by = rule.as_ref().map(|rule| format!(" by rule {rule}")).unwrap_or_default();
                format!("{} means {}{by}.", from.reveal(), to.reveal())
            }
            Self::Policy { kind, field, value, origin, allowed } => {
                let verdict = if *allowed { "allows it" } else { "forbids it" };
                format!("Policy {kind}.{field} = {value} ({origin}) {verdict}.")
            }
            Self::Domain { name, ours: true } => format!("{name} is one of our domains."),
            Self::Domain { name, ours: false } => format!("{name} is not one of our domains."),
            Self::User { address, enabled: true } => format!("The target is the user {address}."),
            Self::User { address, enabled: false } => format!("The target is the user {address}, who is disabled."),
            Self::Number { number, user: Some(user) } => format!("{} is the number of {user}.", number.reveal()),
            Self::Number { number, user: None } => format!("{} is nobody's number here.", number.reveal()),
            Self::Unknown => "No user, number or route fits.".to_owned(),
            Self::Targets { endpoints } if endpoints.is_empty() => "The user is not signed in anywhere.".to_owned(),
            Self::Targets { endpoints } => {
                let list: Vec<&str> = endpoints.iter().map(|target| target.contact.reveal()).collect();
                format!("The user is signed in at {}: {}.", count(list.len(), "endpoint"), list.join(", "))
            }
            Self::StaticRoute { name } => format!("The static route {name} fits."),
            Self::Federation { domain } => format!("{domain} is reached by federation, through an Access Edge."),
            Self::NextHop { host, address, transport } => {
                let at = address.map(|address| format!(" ({address})")).unwrap_or_default();
                format!("The next hop is {host}{at} over {}.", transport.as_str())
            }
            Self::Refused { status, code, why } => format!("Refused with {status} ({code}): {why}"),
        }
    }
}

pub(crate) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
