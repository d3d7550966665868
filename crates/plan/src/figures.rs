//! The published figures: embedded tables with the source of every row, read once.

use std::sync::LazyLock;

use serde::Serialize;

use crate::csv;

/// One number and who says so.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Datum {
    /// How the rules call it.
    pub id: &'static str,
    /// The number.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// What to know besides.
    pub note: &'static str,
    /// Who says so: an id of [`sources`], with the page.
    pub source: &'static str,
}

/// A rule by which a result is counted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rule {
    /// How results call it.
    pub id: &'static str,
    /// The rule in words.
    pub rule: &'static str,
    /// Who says so.
    pub source: &'static str,
}

/// A point on which sources disagree, and what is used here.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    /// How results call it.
    pub id: &'static str,
    /// What it is about.
    pub point: &'static str,
    /// What is used.
    pub chosen: &'static str,
    /// What another source says.
    pub instead_of: &'static str,
    /// Why.
    pub because: &'static str,
    /// Who says what is used.
    pub chosen_source: &'static str,
    /// Who says the other.
    pub other_source: &'static str,
}

/// An audio codec in one scenario; rates are one way, in kbps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Codec {
    /// Its name as published.
    pub name: &'static str,
    /// Where it is used.
    pub scenario: &'static str,
    /// What one packet stream carries, without headers.
    pub payload: Option<f64>,
    /// With IP headers.
    pub with_ip: Option<f64>,
    /// With all headers.
    pub full: Option<f64>,
    /// With all headers and error correction.
    pub full_fec: Option<f64>,
    /// For planning, without error correction: RTCP is in it.
    pub plan: Option<f64>,
    /// For planning, with error correction.
    pub plan_fec: Option<f64>,
    /// What a call uses on average.
    pub typical: Option<f64>,
    /// Share of the time that somebody speaks.
    pub activity: Option<f64>,
    /// In an admission policy, without error correction.
    pub admission: Option<f64>,
    /// In an admission policy, with it.
    pub admission_fec: Option<f64>,
    /// Who says so.
    pub source: &'static str,
}

impl Codec {
    /// The name without what stands in brackets or behind a second word that is no variant: `RTAudio WB`, `G.711`.
    pub fn short(&self) -> &'static str {
        let name = self.name.split(" (").next().unwrap_or(self.name);
        name.strip_suffix(" A/mu").unwrap_or(name)
    }
}

/// How many servers of a pool must be there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quorum {
    /// Servers of the pool.
    pub servers: u64,
    /// For the first start.
    pub first_start: u64,
    /// To stay functional, as published: `any 3`, `4 of the first 7`.
    pub functional: &'static str,
    /// Who says so.
    pub source: &'static str,
}

/// What a server is made of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Machine {
    /// For which roles.
    pub roles: &'static str,
    /// Processors.
    pub cpu: &'static str,
    /// Memory in GB.
    pub memory_gb: f64,
    /// Disks.
    pub disk: &'static str,
    /// Network adapters.
    pub network: &'static str,
    /// Who says so.
    pub source: &'static str,
}

/// A flow that a filter must let through.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Port {
    /// Where it is: `internal`, `edge external` …
    pub zone: &'static str,
    /// Where it comes from, in Lync's words.
    pub source_end: &'static str,
    /// Where it goes, in Lync's words.
    pub destination_end: &'static str,
    /// `TCP`, `UDP` or `TCP/UDP`.
    pub protocol: &'static str,
    /// A port or a range.
    pub port: &'static str,
    /// What speaks there.
    pub application: &'static str,
    /// What for.
    pub note: &'static str,
    /// Who says so.
    pub source: &'static str,
    /// Groups of hosts it comes from, joined by `+`.
    pub from: &'static str,
    /// Groups of hosts it goes to.
    pub to: &'static str,
    /// The feature that needs it; several joined by `&`.
    pub when: &'static str,
    /// Whether a server of this project listens there.
    pub answers: bool,
}

/// A DNS record that a deployment may need.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DnsRow {
    /// How the planner calls it.
    pub id: &'static str,
    /// Who needs it.
    pub role: &'static str,
    /// When it is needed.
    pub required: &'static str,
    /// What to know besides.
    pub note: &'static str,
    /// Who says so.
    pub source: &'static str,
}

/// A certificate that a role needs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CertificateRow {
    /// How the planner calls it.
    pub id: &'static str,
    /// The role.
    pub role: &'static str,
    /// What it is for there.
    pub certificate: &'static str,
    /// Who may issue it.
    pub issuer: &'static str,
    /// What to know besides.
    pub note: &'static str,
    /// Who says so.
    pub source: &'static str,
    /// The port at which it is shown, if it is.
    pub port: Option<u16>,
}

/// What one stream takes on a link, in kbps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stream {
    /// How the calculator calls it.
    pub id: &'static str,
    /// On average.
    pub typical: f64,
    /// What a link is sized for.
    pub planned: f64,
    /// At most.
    pub maximum: f64,
    /// Who says so.
    pub source: &'static str,
}

/// The audio rates of the three ways to provision.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mode {
    /// `peer`, `meeting`, `pstn-bypass` …
    pub scenario: &'static str,
    /// kbps for quantity, balance and quality.
    pub kbps: [f64; 3],
    /// The codec behind each.
    pub codec: [&'static str; 3],
    /// Who says so.
    pub source: &'static str,
}

/// A source that figures name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Source {
    /// How figures call it; what stands behind a colon there is the page.
    pub id: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Where it is.
    pub place: &'static str,
}

type Row = &'static [String];

/// The most rows an embedded table has.
const MAX_ROWS: usize = 1000;

/// The rows of an embedded table, without its line of names.
pub(crate) fn rows(text: &'static str) -> impl Iterator<Item = Row> {
    let records = csv::read(text, MAX_ROWS).expect("embedded tables are well formed");
    records.into_iter().skip(1).map(|record| &*Vec::leak(record.cells))
}

pub(crate) fn number(cell: &str) -> Option<f64> {
    cell.parse().ok()
}

/// A table that is read once: its type, its file, and a row made into one.
macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident: $type:ident = $file:literal, $read:expr;)*) => { $(
        $(#[$doc])*
        pub fn $name() -> &'static [$type] {
            static TABLE: LazyLock<Vec<$type>> = LazyLock::new(|| {
                let read: fn(Row) -> $type = $read;
                rows(include_str!(concat!("../data/", $file))).map(read).collect()
            });
            &TABLE
        }
    )* };
}

tables! {
    /// Limits of the roles and constants of the user model.
    limits: Datum = "limits.csv", |row| Datum {
        id: &row[0], value: number(&row[1]).expect("a limit is a number"), unit: &row[2], note: &row[3], source: &row[4],
    };
    /// Who says so: what the ids stand for.
    sources: Source = "sources.csv", |row| Source { id: &row[0], what: &row[1], place: &row[2] };
    /// The rules of all results.
    rules: Rule = "rules.csv", |row| Rule { id: &row[0], rule: &row[1], source: &row[2] };
    /// Where sources disagree.
    choices: Choice = "choices.csv", |row| Choice {
        id: &row[0], point: &row[1], chosen: &row[2], instead_of: &row[3], because: &row[4], chosen_source: &row[5],
        other_source: &row[6],
    };
    /// Audio codecs.
    codecs: Codec = "codecs.csv", |row| Codec {
        name: &row[0], scenario: &row[1], payload: number(&row[2]), with_ip: number(&row[3]), full: number(&row[4]),
        full_fec: number(&row[5]), plan: number(&row[6]), plan_fec: number(&row[7]), typical: number(&row[8]),
        activity: number(&row[9]), admission: number(&row[10]), admission_fec: number(&row[11]), source: &row[12],
    };
    /// Quorum of Front End pools.
    quorums: Quorum = "quorum.csv", |row| Quorum {
        servers: row[0].parse().expect("servers are counted"),
        first_start: row[1].parse().expect("servers are counted"),
        functional: &row[2], source: &row[3],
    };
    /// Hardware of the roles.
    machines: Machine = "hardware.csv", |row| Machine {
        roles: &row[0], cpu: &row[1], memory_gb: number(&row[2]).expect("memory is a number"), disk: &row[3],
        network: &row[4], source: &row[5],
    };
    /// Ports and protocols.
    ports: Port = "ports.csv", |row| Port {
        zone: &row[0], source_end: &row[1], destination_end: &row[2], protocol: &row[3], port: &row[4],
        application: &row[5], note: &row[6], source: &row[7], from: &row[8], to: &row[9], when: &row[10],
        answers: row[11] == "yes",
    };
    /// DNS records.
    dns_rows: DnsRow = "dns.csv", |row| DnsRow {
        id: &row[0], role: &row[6], required: &row[7], note: &row[8], source: &row[9],
    };
    /// Certificates.
    certificate_rows: CertificateRow = "certs.csv", |row| CertificateRow {
        id: &row[0], role: &row[1], certificate: &row[2], issuer: &row[5], note: &row[7], source: &row[8],
        port: row[9].parse().ok(),
    };
    /// Streams that are no audio.
    streams: Stream = "streams.csv", |row| Stream {
        id: &row[0],
        typical: number(&row[1]).expect("a rate"),
        planned: number(&row[2]).expect("a rate"),
        maximum: number(&row[3]).expect("a rate"),
        source: &row[5],
    };
    /// Audio by way of provisioning.
    modes: Mode = "modes.csv", |row| Mode {
        scenario: &row[0],
        kbps: [1, 2, 3].map(|column| number(&row[column]).expect("a rate")),
        codec: [&row[4], &row[5], &row[6]],
        source: &row[7],
    };
}

/// The limit called `id`.
pub fn limit(id: &str) -> &'static Datum {
    limits().iter().find(|datum| datum.id == id).expect("every limit that is asked for is in limits.csv")
}

/// The rule called `id`.
pub fn rule(id: &str) -> &'static Rule {
    rules().iter().find(|rule| rule.id == id).expect("every rule that is applied is in rules.csv")
}

/// The choice called `id`.
pub fn choice(id: &str) -> &'static Choice {
    choices().iter().find(|choice| choice.id == id).expect("every choice that is made is in choices.csv")
}

/// The stream called `id`.
pub fn stream(id: &str) -> &'static Stream {
    streams().iter().find(|stream| stream.id == id).expect("every stream that is asked for is in streams.csv")
}

/// A number of a result: its value, the rule it follows from and how it was worked out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// The number.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// The rule: an id of [`rules`].
    pub rule: &'static str,
    /// Who says so.
    pub source: &'static str,
    /// The rule with the numbers in it.
    pub working: String,
}

impl Figure {
    pub(crate) fn by(id: &'static str, value: f64, unit: &'static str, working: String) -> Figure {
        let rule = rule(id);
        // Binary dust is not part of a result.
        let value = (value * 1e6).round() / 1e6;
        Figure { value, unit, rule: rule.id, source: rule.source, working }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_names_a_known_source() {
        let known: Vec<Row> = rows(include_str!("../data/sources.csv")).collect();
        let named = |source: &str| {
            let id = source.split([':', ' ', ';', ',', '(']).next().unwrap_or("");
            known.iter().any(|row| row[0] == id)
                || id.starts_with("set-cs")
                || id.starts_with("new-cs")
                || id == "learn.microsoft.com"
        };
        let sources: Vec<&str> = limits()
            .iter()
            .map(|row| row.source)
            .chain(rules().iter().map(|row| row.source))
            .chain(choices().iter().flat_map(|row| [row.chosen_source, row.other_source]))
            .chain(codecs().iter().map(|row| row.source))
            .chain(quorums().iter().map(|row| row.source))
            .chain(machines().iter().map(|row| row.source))
            .chain(ports().iter().map(|row| row.source))
            .chain(dns_rows().iter().map(|row| row.source))
            .chain(certificate_rows().iter().map(|row| row.source))
            .chain(streams().iter().map(|row| row.source))
            .chain(modes().iter().map(|row| row.source))
            .chain(crate::fields().iter().map(|row| row.source))
            .chain(crate::pack::messages().iter().map(|row| row.source))
            .chain(crate::survey::qualified().iter().map(|row| row.source))
            .chain(crate::readiness::questions().iter().map(|row| row.source))
            .collect();
        let unknown: Vec<&&str> = sources.iter().filter(|source| !named(source)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn ids_are_unique() {
        fn check<'a>(ids: impl Iterator<Item = &'a str>) {
            let mut ids: Vec<&str> = ids.collect();
            let all = ids.len();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), all);
        }
        check(limits().iter().map(|row| row.id));
        check(rules().iter().map(|row| row.id));
        check(choices().iter().map(|row| row.id));
        check(streams().iter().map(|row| row.id));
    }
}
