//! Lists that people bring along: surveys, inventories, answers about readiness, pilot users.

use super::{faults, read, tables};
use crate::command::period::now;
use crate::failure::Failure;
use crate::session::Run;
use clap::Args;
use lyceum_api::server::Status;
use lyceum_plan::bandwidth::{Bandwidth, bandwidth};
use lyceum_plan::readiness::{self, Pilot};
use lyceum_plan::report::Extras;
use lyceum_plan::survey::{Inventory, WifiSurvey, judge_inventory, judge_wifi};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A list, judged.
#[derive(Debug, Args)]
pub struct Judged {
    /// CSV with a heading line; '-' is standard input
    file: PathBuf,
    /// Only the table whose title begins so
    #[arg(long, value_name = "TITLE")]
    table: Option<String>,
}

/// Lists that go into readiness and the report.
#[derive(Debug, Args)]
pub struct Brought {
    /// A Wi-Fi survey: floor, point, rssi_dbm, snr_db or noise_dbm …
    #[arg(long, value_name = "CSV")]
    wifi: Option<PathBuf>,
    /// An inventory: category, product, and vendor, version, count, unit_cost, site
    #[arg(long, value_name = "CSV")]
    inventory: Option<PathBuf>,
    /// Answers about readiness: id, answer (yes, partly, no), note
    #[arg(long, value_name = "CSV")]
    answers: Option<PathBuf>,
    /// Pilot users: user, department, role, skill
    #[arg(long, value_name = "CSV")]
    pilot: Option<PathBuf>,
    /// Score readiness also from what the running server sees: who is signed in, how long its certificates last
    #[arg(long)]
    running: bool,
}

#[derive(Debug, Args)]
pub struct Readiness {
    /// A plan file, whose links are judged too
    #[arg(long, value_name = "PLAN")]
    plan: Option<PathBuf>,
    #[command(flatten)]
    brought: Brought,
    /// Only the table whose title begins so; "Readiness: answers" as CSV is a list to be filled in
    #[arg(long, value_name = "TITLE")]
    table: Option<String>,
}

/// What was brought along, judged.
pub struct Findings {
    wifi: Option<WifiSurvey>,
    inventory: Option<Inventory>,
    readiness: Option<readiness::Readiness>,
    pilot: Option<Pilot>,
}

/// Reads a list, if one is named, and judges it.
fn judged<T, E: std::fmt::Display>(
    run: &mut Run<'_>,
    file: Option<&Path>,
    judge: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, Failure> {
    let Some(file) = file else { return Ok(None) };
    let text = run.file(file)?;
    judge(&text).map(Some).map_err(|found| faults(file, &found))
}

/// What a running server knows of the rollout.
fn live(run: &mut Run<'_>) -> Result<Vec<(&'static str, f64)>, Failure> {
    const DAY_MS: f64 = 86_400_000.0;
    let status: Status = serde_json::from_value(run.get("/status", &[])?)
        .map_err(|why| Failure::Failed(format!("the server's answer is not a status: {why}")))?;
    let mut found = Vec::new();
    if status.users > 0 {
        found.push(("signed-in-share", status.registered as f64 / status.users as f64 * 100.0));
    }
    let now_ms = now() as f64;
    let ends = status.certificates.iter().map(|certificate| certificate.expires.0 as f64);
    if let Some(first) = ends.reduce(f64::min) {
        found.push(("certificate-days", ((first - now_ms) / DAY_MS).floor()));
    }
    Ok(found)
}

impl Brought {
    /// Judges everything; readiness where there is anything to score it from.
    pub fn judge(&self, run: &mut Run<'_>, bandwidth: Option<&Bandwidth>) -> Result<Findings, Failure> {
        let wifi = judged(run, self.wifi.as_deref(), judge_wifi)?;
        let inventory = judged(run, self.inventory.as_deref(), judge_inventory)?;
        let pilot = judged(run, self.pilot.as_deref(), readiness::judge_pilot)?;
        let answers = judged(run, self.answers.as_deref(), readiness::read_answers)?;
        let scored = answers.is_some() || wifi.is_some() || inventory.is_some() || pilot.is_some() || self.running;
        let mut facts = readiness::facts(bandwidth, wifi.as_ref(), inventory.as_ref());
        if self.running {
            facts.extend(live(run)?);
        }
        let readiness = scored.then(|| readiness::readiness(&answers.unwrap_or_default(), &facts));
        Ok(Findings { wifi, inventory, readiness, pilot })
    }
}

impl Findings {
    /// The same for a report.
    pub fn extras<'e>(&'e self, made: Option<&'e str>) -> Extras<'e> {
        Extras {
            made,
            wifi: self.wifi.as_ref(),
            inventory: self.inventory.as_ref(),
            readiness: self.readiness.as_ref(),
            pilot: self.pilot.as_ref(),
        }
    }
}

impl Judged {
    pub fn wifi(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let found = judged(run, Some(&self.file), judge_wifi)?;
        let tables = found.map(|found| found.tables()).unwrap_or_default();
        tables::print(run, &tables, self.table.as_deref())
    }

    pub fn equipment(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let found = judged(run, Some(&self.file), judge_inventory)?;
        let tables = found.map(|found| found.tables()).unwrap_or_default();
        tables::print(run, &tables, self.table.as_deref())
    }
}

impl Readiness {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let links = match &self.plan {
            Some(file) => Some(bandwidth(&read(run, file)?)),
            None => None,
        };
        let found = self.brought.judge(run, links.as_ref())?;
        let facts = readiness::facts(links.as_ref(), None, None);
        let scored = found.readiness.unwrap_or_else(|| readiness::readiness(&BTreeMap::new(), &facts));
        let mut tables = scored.tables();
        tables.extend(found.pilot.as_ref().map(Pilot::table));
        tables::print(run, &tables, self.table.as_deref())
    }
}
