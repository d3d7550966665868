//! A plan against the world: which questions follow from it, and what an answer means.
//!
//! [`lines`] makes a [`Line`] of every record, certificate and port of a plan, as it is to be seen from one place. Whoever can
//! ask the world (the shell does) asks each line's [`Probe`] and hands the [`Finding`] to [`Line::judge`], which says
//! whether it is as planned, what was found, and how to mend it.

mod flows;
mod judge;
mod names;
mod report;

pub use report::{Count, count, table};

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use serde::Serialize;

use crate::results::Results;

/// On which side of the filters the asker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Zone {
    /// Where clients and servers are.
    Internal,
    /// The internet.
    External,
    /// The perimeter network.
    Edge,
}

impl Zone {
    /// How a person calls it.
    pub fn word(self) -> &'static str {
        match self {
            Zone::Internal => "internal",
            Zone::External => "external",
            Zone::Edge => "edge",
        }
    }
}

/// Where the world is looked at from, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Here {
    /// The zone.
    pub zone: Zone,
    /// The asker's own addresses.
    pub addresses: Vec<Ipv4Addr>,
    /// Seconds since the Unix epoch.
    pub now_seconds: u64,
}

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A name and its addresses or services.
    Dns,
    /// A certificate that a server shows.
    Certificate,
    /// A port that must answer.
    Port,
    /// Ports that must not answer.
    Shut,
}

impl Kind {
    /// How a person calls it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Dns => "DNS",
            Kind::Certificate => "certificate",
            Kind::Port => "port",
            Kind::Shut => "shut",
        }
    }
}

/// One thing that the plan says about the world.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What it is about.
    pub kind: Kind,
    /// The name, server or address.
    pub subject: String,
    /// What the plan says.
    pub planned: String,
    /// The question to the world; a reason where it cannot be asked from here.
    pub probe: Result<Probe, String>,
    must: Must,
}

/// What the answer has to be.
#[derive(Debug, Clone, PartialEq)]
enum Must {
    /// Exactly these addresses; the zone to mend.
    Addresses(BTreeSet<IpAddr>, &'static str),
    /// Exactly these services; the zone to mend.
    Services(BTreeSet<Service>, &'static str),
    /// These names, in time. `answers` where the port must answer; `request` is the file that asks for it.
    Names { names: Vec<String>, answers: bool, request: String },
    /// Somebody listens.
    Answer { from: String },
    /// Nothing on the way keeps it from the host; whether somebody listens there is another's affair.
    Path { from: String },
    /// Nothing answers.
    Shut { from: &'static str },
    /// Nobody can say from here.
    Nothing,
}

/// What an SRV record says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Service {
    /// The port.
    pub port: u16,
    /// The host, lower case, without a dot at its end.
    pub target: String,
}

/// A question to the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// The addresses (A and AAAA) of a name.
    Addresses(String),
    /// The services (SRV) of a name.
    Services(String),
    /// The certificate that is shown at an address and port to somebody who asks for a name.
    Certificate {
        /// Where.
        address: Ipv4Addr,
        /// At which port.
        port: u16,
        /// The name asked for.
        name: String,
    },
    /// Whether a TCP port answers.
    Tcp(Ipv4Addr, u16),
    /// Whether a UDP port answers.
    Udp(Ipv4Addr, u16),
    /// Which of these TCP ports let somebody in.
    Shut(Ipv4Addr, Vec<u16>),
}

/// What the world answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Addresses of a name; none when there is no such record.
    Addresses(Vec<IpAddr>),
    /// Services of a name; none when there is no such record.
    Services(Vec<Service>),
    /// The name server did not say; why.
    Unresolved(String),
    /// What a port did.
    Reply(Reply),
    /// The certificate that was shown.
    Certificate(Shown),
    /// The port answers, but shows no certificate; why.
    NoCertificate(String),
    /// Those of the ports that let somebody in.
    Open(Vec<u16>),
}

/// What a port did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// It answered.
    Answered,
    /// The host said that nobody listens.
    Refused,
    /// Nothing came back in time.
    Silent,
    /// The network said that there is no way.
    Unreachable,
}

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its DNS names, lower case.
    pub names: Vec<String>,
    /// Valid from, in seconds since the Unix epoch.
    pub from_seconds: u64,
    /// Valid until.
    pub until_seconds: u64,
    /// Who signed it.
    pub issuer: String,
}

/// Whether a line is as planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As planned.
    Pass,
    /// Not as planned.
    Fail,
    /// Cannot be said from here.
    Skipped,
}

/// A line with what was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Whether it is as planned.
    pub outcome: Outcome,
    /// What was found, or why nothing was asked.
    pub found: String,
    /// What to do; empty where nothing is to be done.
    pub fix: String,
}

/// Every record, certificate and port of a plan, as it is to be seen from `here`.
pub fn lines(results: &Results<'_>, here: &Here) -> Vec<Line> {
    let mut lines = names::records(results, here.zone);
    lines.extend(names::certificates(results, here.zone));
    lines.extend(flows::ports(results, here));
    lines.extend(flows::shut(results, here));
    lines
}

/// A line that cannot be judged from here.
fn skipped(kind: Kind, subject: String, planned: String, why: String) -> Line {
    Line { kind, subject, planned, probe: Err(why), must: Must::Nothing }
}
