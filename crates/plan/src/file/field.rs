//! The questions of a plan file as data: what may be answered, what is assumed, after which source. The reader, the
//! template and an interview all ask the same table.

use std::sync::LazyLock;

use serde::Serialize;

use crate::csv;

/// What an answer looks like.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Words.
    Text,
    /// A DNS name.
    Domain,
    /// DNS names.
    Domains,
    /// `true` or `false`.
    Flag,
    /// A number of hundredths.
    Percent,
    /// A number with a unit.
    Number,
    /// A whole number with a unit.
    Count,
    /// One of a few words.
    Choice,
    /// An IPv4 network, `10.1.0.0/24`.
    Network,
    /// IPv4 networks.
    Networks,
    /// IPv4 addresses.
    Addresses,
    /// A range of ports, `1024-65535`.
    Ports,
    /// Names with numbers of users.
    Table,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// The table of the file it stands in; `site`, `link` and `persona` may come many times.
    pub section: &'static str,
    /// The key.
    pub key: &'static str,
    /// What an answer looks like.
    pub kind: Kind,
    /// Least and most, of numbers.
    pub range: Option<(f64, f64)>,
    /// The unit, of numbers.
    pub unit: &'static str,
    /// The words, of a choice.
    pub choices: Vec<&'static str>,
    /// Whether a file without it is wrong.
    pub required: bool,
    /// What is assumed without an answer; nothing where something else follows from the rest.
    pub default: &'static str,
    /// Who says so.
    pub source: &'static str,
    /// What to ask.
    pub question: &'static str,
}

impl Field {
    /// What an answer must be, in words.
    pub fn expected(&self) -> String {
        let range = |what: &str, unit: &str| match self.range {
            Some((least, most)) => {
                let number = crate::table::grouped;
                format!("{what} from {} to {} {unit}", number(least), number(most)).trim_end().to_owned()
            }
            None => what.to_owned(),
        };
        match self.kind {
            Kind::Text => "words in quotes".to_owned(),
            Kind::Domain => "a DNS name in quotes, like \"contoso.com\"".to_owned(),
            Kind::Domains => "a list of DNS names, like [\"contoso.com\"]".to_owned(),
            Kind::Flag => "true or false".to_owned(),
            Kind::Percent => range("a number of percent", ""),
            Kind::Number => range("a number", self.unit),
            Kind::Count => range("a whole number", self.unit),
            Kind::Choice => format!("one of \"{}\"", self.choices.join("\", \"")),
            Kind::Network => "an IPv4 network in quotes, like \"10.1.0.0/24\"".to_owned(),
            Kind::Networks => "a list of IPv4 networks, like [\"10.1.0.0/24\"]".to_owned(),
            Kind::Addresses => "a list of IPv4 addresses, like [\"192.0.2.1\"]".to_owned(),
            Kind::Ports => "a range of ports in quotes, like \"1024-65535\"".to_owned(),
            Kind::Table => "users of each persona, like { office = 1200 }".to_owned(),
        }
    }
}

/// All questions, in the order of the file.
pub fn fields() -> &'static [Field] {
    static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
        let records =
            csv::read(include_str!("../../data/fields.csv"), 1000).expect("the embedded table is well formed");
        records.into_iter().skip(1).map(|record| field(Vec::leak(record.cells))).collect()
    });
    &FIELDS
}

/// The question `section.key`.
pub(super) fn find(section: &str, key: &str) -> &'static Field {
    fields().iter().find(|field| field.section == section && field.key == key).expect("every key read is in fields.csv")
}

fn field(cells: &'static [String]) -> Field {
    let [section, key, kind, range, default, source, question] = cells else {
        panic!("fields.csv has seven columns: {cells:?}");
    };
    let kind = match kind.as_str() {
        "text" => Kind::Text,
        "domain" => Kind::Domain,
        "domains" => Kind::Domains,
        "flag" => Kind::Flag,
        "percent" => Kind::Percent,
        "number" => Kind::Number,
        "count" => Kind::Count,
        "choice" => Kind::Choice,
        "network" => Kind::Network,
        "networks" => Kind::Networks,
        "addresses" => Kind::Addresses,
        "ports" => Kind::Ports,
        "table" => Kind::Table,
        other => panic!("fields.csv: no such kind: {other}"),
    };
    let (required, range) = (range.starts_with("required"), range.trim_start_matches("required"));
    let range = range.trim_start_matches("optional").trim();
    let (bounds, unit) = range.split_once(' ').unwrap_or((range, ""));
    let bounds = bounds.split_once("..").map(|(least, most)| {
        (least.parse().expect("a range begins with a number"), most.parse().expect("a range ends with a number"))
    });
    let choices = if kind == Kind::Choice { range.split('|').collect() } else { Vec::new() };
    Field { section, key, kind, range: bounds, unit, choices, required, default, source, question }
}
