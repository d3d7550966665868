//! The whole plan as one report: a page that prints, and a workbook with a sheet for every table.

mod html;
mod workbook;

use std::collections::BTreeSet;

use lyceum_topology::qos::Qos;

use crate::capacity::choices_table;
use crate::deployment::{certificates_table, dns_table, firewall_table, hosts_table};
use crate::drivers::drivers_table;
use crate::figures::{Choice, sources};
use crate::file::{Origin, Plan};
use crate::pack::pack;
use crate::picture::{Picture, pictures};
use crate::qos::{QosTarget, advice_table, export, table, targets_table};
use crate::readiness::{Pilot, Readiness};
use crate::results::Results;
use crate::survey::{Inventory, WifiSurvey};
use crate::table::{Cell, Table, grouped, row};

/// What people bring along, and what the caller knows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extras<'e> {
    /// The day, as the reader writes it; a report without one is the same for the same plan.
    pub made: Option<&'e str>,
    /// A judged Wi-Fi survey.
    pub wifi: Option<&'e WifiSurvey>,
    /// A judged inventory.
    pub inventory: Option<&'e Inventory>,
    /// The readiness of the rollout.
    pub readiness: Option<&'e Readiness>,
    /// The choice of pilot users.
    pub pilot: Option<&'e Pilot>,
}

/// A part of the report.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its heading.
    pub title: &'static str,
    /// What a reader should know first.
    pub about: String,
    /// What it shows.
    pub pictures: Vec<Picture>,
    /// What it lists.
    pub tables: Vec<Table>,
    /// Files that it has to give, in full.
    pub files: Vec<File>,
}

/// The text of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// All of it.
    pub text: String,
}

/// A report.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Whose plan it is.
    pub organisation: String,
    /// When it was made, if somebody said so.
    pub made: Option<String>,
    /// Its parts, in order.
    pub parts: Vec<Part>,
}

/// The report of everything that follows from a plan.
pub fn report(results: &Results<'_>, extras: &Extras<'_>) -> Report {
    let mut pictures = pictures(results);
    let mut take = |prefix: &str| -> Vec<Picture> {
        let (taken, left) = pictures.drain(..).partition(|picture| picture.id.starts_with(prefix));
        pictures = left;
        taken
    };
    let (topology, sites, edges, links) = (take("topology"), take("site-"), take("edge-"), take("links"));
    let mut parts = vec![
        part("Summary", summary_words(results), topology, summary(results)),
        part("Answers", answers_words(results), Vec::new(), vec![answers_table(results.plan)]),
        part("Sites", String::new(), sites, vec![hosts_table(&results.deployment)]),
        part("Capacity", String::new(), Vec::new(), results.capacity.tables()),
        part("Bandwidth", String::new(), links, results.bandwidth.tables()),
        part("Edge and firewall", String::new(), edges, vec![firewall_table(&results.filter)]),
        part("DNS", String::new(), Vec::new(), vec![dns_table(&results.records)]),
        part("Certificates", String::new(), Vec::new(), vec![certificates_table(&results.certificates)]),
    ];
    parts.push(qos_part(&results.qos));
    if let Some(split) = &results.vpn {
        parts.push(part("VPN", String::new(), Vec::new(), split.tables()));
    }
    parts.extend(brought(extras));
    parts.push(part(
        "Communication and training",
        "A skeleton in the words of this plan: what stands in [ ] is to be filled in.".to_owned(),
        Vec::new(),
        pack(results.plan, extras.pilot).tables(),
    ));
    parts.push(part(
        "Sources and choices",
        "Every number above follows from a rule; each rule, limit and table names who says so.".to_owned(),
        Vec::new(),
        vec![choices(results, extras), sources_table()],
    ));
    for part in &mut parts {
        // Choices between sources stand once, at the end.
        let last = part.title == "Sources and choices";
        part.tables.retain(|table| !table.rows.is_empty() && (last || table.title != CHOICES_TITLE));
    }
    Report { organisation: results.plan.organisation.name.value.clone(), made: extras.made.map(str::to_owned), parts }
}

/// How [`choices_table`] calls itself.
const CHOICES_TITLE: &str = "Where sources disagree";

fn part(title: &'static str, about: String, pictures: Vec<Picture>, tables: Vec<Table>) -> Part {
    Part { title, about, pictures, tables, files: Vec::new() }
}

/// Ports and marks, and every file that the network takes them in.
fn qos_part(qos: &Qos) -> Part {
    let about = "Every kind of traffic has ports and a mark of its own, so that a full link keeps speech before files. \
                 The files below set hosts, routers, access points and phones; 'lyceum plan qos --dir' writes them.";
    let file = |target: QosTarget| File { name: target.file_name(), about: target.words(), text: export(qos, target) };
    Part {
        files: QosTarget::ALL.map(file).into(),
        ..part("Quality of Service", about.to_owned(), Vec::new(), vec![table(qos), advice_table(qos), targets_table()])
    }
}

/// Parts made of what people brought along.
fn brought(extras: &Extras<'_>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut add = |title, tables: Vec<Table>| parts.push(part(title, String::new(), Vec::new(), tables));
    if let Some(wifi) = extras.wifi {
        add("Wi-Fi", wifi.tables());
    }
    if let Some(inventory) = extras.inventory {
        add("Equipment and clients", inventory.tables());
    }
    let mut tables = extras.readiness.map(Readiness::tables).unwrap_or_default();
    tables.extend(extras.pilot.map(Pilot::table));
    if !tables.is_empty() {
        add("Rollout readiness", tables);
    }
    parts
}

fn summary_words(results: &Results<'_>) -> String {
    let (given, assumed) = counted(results);
    format!(
        "{} servers at {} sites. {given} answers are given, {assumed} are assumed: those are marked, and are Lync's \
         defaults with their sources.",
        results.capacity.servers(),
        results.plan.sites.len(),
    )
}

fn counted(results: &Results<'_>) -> (usize, usize) {
    let given = results.plan.answers.iter().filter(|answer| answer.origin.is_given()).count();
    (given, results.plan.answers.len() - given)
}

fn answers_words(results: &Results<'_>) -> String {
    match counted(results).1 {
        0 => "Every answer is given.".to_owned(),
        assumed => format!("Look at the {assumed} assumed answers first: each is a guess about your organisation."),
    }
}

/// Servers by role, and everything that somebody should look at.
fn summary(results: &Results<'_>) -> Vec<Table> {
    let mut servers = Table::new("Servers by role", &["role", "servers"]);
    servers.rows.extend(results.capacity.totals.iter().map(|(role, count)| row![role.name(), *count]));
    servers.rows.push(row!["all", results.capacity.servers()]);
    let mut open = Table::new("To look at", &["where", "what"]);
    for site in &results.capacity.sites {
        open.rows.extend(site.warnings.iter().map(|warning| row![&site.name, warning]));
    }
    for link in &results.bandwidth.links {
        if link.verdict != crate::bandwidth::Verdict::Fits {
            let needed = grouped((link.needed_mbps.value * 10.0).ceil() / 10.0);
            let what = format!("{}; it needs {needed} Mbps", link.verdict.words());
            open.rows.push(row![format!("{} to {}", link.from, link.to), what]);
        }
    }
    open.rows.extend(results.bandwidth.warnings.iter().map(|warning| row!["links", warning]));
    open.rows.extend(results.deployment.problems.iter().map(|problem| row!["names and addresses", problem]));
    if let Some(split) = &results.vpn {
        open.rows.extend(split.problems.iter().map(|problem| row!["VPN", problem]));
    }
    vec![drivers_table(results.plan), servers, open]
}

/// Every question of a plan with its answer; assumed ones say after whom.
pub fn answers_table(plan: &Plan) -> Table {
    let mut table = Table::new("Answers", &["field", "answer", "from", "line", "source"]);
    for answer in &plan.answers {
        table.rows.push(match answer.origin {
            Origin::Given(line) => row![&answer.field, &answer.value, "the file", line, ""],
            Origin::Assumed(source) => row![&answer.field, &answer.value, ASSUMED, "", source],
        });
    }
    table
}

/// The mark of an answer that nobody gave.
const ASSUMED: &str = "assumed";

/// Every choice that any calculator made, once.
fn choices(results: &Results<'_>, extras: &Extras<'_>) -> Table {
    let vpn = results.vpn.iter().flat_map(|split| &split.choices);
    let readiness = extras.readiness.into_iter().flat_map(|readiness| &readiness.choices);
    let all = results.capacity.choices.iter().chain(&results.bandwidth.choices).chain(&results.filter.choices);
    let mut seen = BTreeSet::new();
    let all: Vec<&'static Choice> =
        all.chain(vpn).chain(readiness).copied().filter(|choice| seen.insert(choice.id)).collect();
    choices_table(&all)
}

fn sources_table() -> Table {
    let mut table = Table::new("Sources", &["source", "what", "where"]);
    table.rows.extend(sources().iter().map(|source| row![source.id, source.what, source.place]));
    table
}

/// Whether a cell marks an assumed answer.
fn is_assumed(cell: &Cell) -> bool {
    matches!(cell, Cell::Text(text) if text == ASSUMED)
}
