//! Between a plan and the topology that runs.

use super::{faults, read, tables};
use crate::failure::Failure;
use crate::output::Format;
use crate::session::Run;
use clap::Args;
use lyceum_plan::Results;
use lyceum_plan::document::{compare, differences_table, from_topology, to_topology};
use lyceum_topology::{Document, Problem};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct To {
    /// The plan file; '-' is standard input
    plan: PathBuf,
    /// Keep what a plan cannot say as it is in this document
    #[arg(long, value_name = "FILE")]
    base: Option<PathBuf>,
    /// Keep what a plan cannot say as it is in the running server
    #[arg(long, conflicts_with = "base")]
    running: bool,
}

#[derive(Debug, Args)]
pub struct From {
    /// A document, YAML or JSON; '-' is standard input [default: the one of the running server]
    file: Option<PathBuf>,
    /// Keep what a topology cannot say as it is in this plan
    #[arg(long, value_name = "PLAN")]
    plan: Option<PathBuf>,
    /// Show where the plan and the topology differ instead; fails when they do
    #[arg(long, requires = "plan")]
    compare: bool,
    /// Users of a site, as often as needed [default: those of the running server, or of the plan]
    #[arg(long, value_name = "SITE=N", value_parser = site_users)]
    users: Vec<(String, u64)>,
}

fn site_users(text: &str) -> Result<(String, u64), String> {
    let (site, count) = text.rsplit_once('=').ok_or("write SITE=N, like London=1200")?;
    let count = count.trim().parse().map_err(|_| format!("'{count}' is no number of users"))?;
    Ok((site.trim().to_owned(), count))
}

/// Problems of a document, each on a line with what to do.
fn wrong(what: &str, problems: &[Problem]) -> Failure {
    let lines: Vec<String> = problems.iter().map(|problem| format!("{what}: {problem}")).collect();
    Failure::Input(lines.join("\n"))
}

fn document(run: &mut Run<'_>, file: &Path) -> Result<Document, Failure> {
    let text = run.file(file)?;
    // YAML is a superset of JSON.
    Document::from_yaml(&text).map_err(|problems| wrong(&file.display().to_string(), &problems))
}

/// The document in force with its version, so that publishing it again notices when somebody was faster.
fn running(run: &mut Run<'_>) -> Result<Document, Failure> {
    let mut topology = run.get("/topology", &[])?;
    let version = topology["version"].as_u64();
    let document = Document::from_value(topology["document"].take());
    let mut document = document.map_err(|problems| wrong("the running server", &problems))?;
    document.version = version.unwrap_or(document.version);
    Ok(document)
}

impl To {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let plan = read(run, &self.plan)?;
        let base = match &self.base {
            Some(file) => document(run, file)?,
            None if self.running => running(run)?,
            None => Document::default(),
        };
        let results = Results::of(&plan);
        let made = to_topology(&plan, &results.deployment, &base);
        let made = made.map_err(|problems| wrong(&self.plan.display().to_string(), &problems))?;
        for problem in &results.deployment.problems {
            run.warn(&format!("note: {problem}"));
        }
        match run.common.output {
            Format::Json | Format::Jsonl => tables::write(run, &format!("{}\n", made.to_json())),
            _ => tables::write(run, &made.to_yaml()),
        }
    }
}

/// The most pages of users that are counted, of 5,000 each.
const MAX_PAGES: usize = 400;

/// The users of a site, counted by the running server.
fn count(run: &mut Run<'_>, site: &str) -> Result<u64, Failure> {
    let (mut users, mut after) = (0, None::<String>);
    for _ in 0..MAX_PAGES {
        let query = [("site", Some(site.to_owned())), ("limit", Some("5000".to_owned())), ("after", after.take())];
        let page = run.get("/users", &query)?;
        users += page["items"].as_array().map_or(0, |items| items.len() as u64);
        after = page["next"].as_str().map(str::to_owned);
        if after.is_none() {
            return Ok(users);
        }
    }
    Err(Failure::Failed(format!("{site} has more users than are counted: say --users '{site}=N'")))
}

impl From {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let mut users: BTreeMap<String, u64> = self.users.into_iter().collect();
        let document = match &self.file {
            Some(file) => document(run, file)?,
            None => {
                let document = running(run)?;
                for site in document.sites.iter().map(|site| &site.name) {
                    if !users.contains_key(site) {
                        users.insert(site.clone(), count(run, site)?);
                    }
                }
                document
            }
        };
        if let (true, Some(file)) = (self.compare, &self.plan) {
            let plan = read(run, file)?;
            let found = compare(&plan, &Results::of(&plan).deployment, &document);
            tables::print(run, &[differences_table(&found)], None)?;
            let parted = format!("plan and topology differ in {} points", found.len());
            return if found.is_empty() { Ok(()) } else { Err(Failure::Failed(parted)) };
        }
        let before = match &self.plan {
            Some(file) => Some(run.file(file)?),
            None => None,
        };
        let named = self.plan.as_deref().or(self.file.as_deref()).unwrap_or(Path::new("the running server"));
        let imported = from_topology(&document, &users, before.as_deref()).map_err(|found| faults(named, &found))?;
        for remark in &imported.remarks {
            run.warn(&format!("note: {remark}"));
        }
        tables::write(run, &imported.text)
    }
}
