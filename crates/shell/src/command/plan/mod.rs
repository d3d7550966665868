//! `lyceum plan`: from a business's needs to a topology. All of it works without a server.

mod interview;
mod survey;
pub(super) mod tables;
mod topology;
mod verify;
pub(super) mod write;

use crate::failure::Failure;
use crate::session::Run;
use clap::{Args, Subcommand};
use lyceum_plan::deployment::{certificates_table, dns_table, firewall_table, hosts_table, nftables, zone_files};
use lyceum_plan::drivers::drivers_table;
use lyceum_plan::qos::{QosTarget, advice_table, export, table, targets_table};
use lyceum_plan::report::answers_table;
use lyceum_plan::{Plan, Results, pack, vpn};
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Begin a plan: an interview, or with --defaults a file that shows every question
    New(interview::New),
    /// The answers of a plan, assumed ones marked; its drivers; its servers with names and addresses
    Show(Shown),
    /// Servers of each role, pools, quorum, storage, PSTN ports
    Capacity(Shown),
    /// What each link carries in each direction, what it lacks, what to admit
    Bandwidth(Shown),
    /// Every DNS record, inside, outside and for VPN clients
    Dns(Dns),
    /// Every certificate with its names
    Certificates(Certificates),
    /// Every flow that filters must let through
    Firewall(Firewall),
    /// Ports and marks of each kind of traffic, and the files that hosts, routers, access points and phones take them in
    Qos(Qos),
    /// What keeps real-time traffic out of a VPN's tunnel, and why
    Vpn(Vpn),
    /// Judge a Wi-Fi survey
    Wifi(survey::Judged),
    /// Judge an inventory of equipment, systems and clients
    Equipment(survey::Judged),
    /// Score the readiness of the rollout, and judge the choice of pilot users
    Readiness(survey::Readiness),
    /// Announcement, schedule, questions and training of the rollout, in the plan's own words
    Communication(Shown),
    /// The whole as a page, a workbook or pictures
    Report(write::Report),
    /// The topology document that a server runs
    ToTopology(topology::To),
    /// A plan of a topology document, or where a plan and a topology differ
    FromTopology(topology::From),
    /// Walk the plan line by line against the world: names, certificates, ports
    Verify(verify::Verify),
}

/// A plan, shown in one or more tables.
#[derive(Debug, Args)]
pub struct Shown {
    /// The plan file; '-' is standard input
    plan: PathBuf,
    /// Only the table whose title begins so
    #[arg(long, value_name = "TITLE")]
    table: Option<String>,
}

#[derive(Debug, Args)]
pub struct Dns {
    #[command(flatten)]
    shown: Shown,
    /// Write zone files for BIND into this folder
    #[arg(long, value_name = "DIR")]
    zones: Option<PathBuf>,
    /// The serial number of the zones
    #[arg(long, value_name = "N", default_value_t = 1)]
    serial: u32,
}

#[derive(Debug, Args)]
pub struct Certificates {
    #[command(flatten)]
    shown: Shown,
    /// Write configurations of 'openssl req' into this folder
    #[arg(long, value_name = "DIR")]
    requests: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Firewall {
    #[command(flatten)]
    shown: Shown,
    /// Write rules of nftables to this file; '-' is standard output
    #[arg(long, value_name = "FILE")]
    nftables: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Qos {
    #[command(flatten)]
    shown: Shown,
    /// Write a file for each target into this folder
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Vpn {
    #[command(flatten)]
    shown: Shown,
    /// Write rules of nftables for the VPN gateway to this file; '-' is standard output
    #[arg(long, value_name = "FILE")]
    nftables: Option<PathBuf>,
    /// Write a script for Windows clients to this file; '-' is standard output
    #[arg(long, value_name = "FILE", requires = "resolver")]
    powershell: Option<PathBuf>,
    /// The address of the resolver that VPN clients ask
    #[arg(long, value_name = "ADDRESS")]
    resolver: Option<std::net::Ipv4Addr>,
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        match self {
            Verb::New(command) => command.run(run),
            Verb::Show(shown) => shown.with(run, |results| {
                vec![answers_table(results.plan), drivers_table(results.plan), hosts_table(&results.deployment)]
            }),
            Verb::Capacity(shown) => shown.with(run, |results| results.capacity.tables()),
            Verb::Bandwidth(shown) => shown.with(run, |results| results.bandwidth.tables()),
            Verb::Dns(command) => command.run(run),
            Verb::Certificates(command) => command.run(run),
            Verb::Firewall(command) => command.run(run),
            Verb::Qos(command) => command.run(run),
            Verb::Vpn(command) => command.run(run),
            Verb::Wifi(command) => command.wifi(run),
            Verb::Equipment(command) => command.equipment(run),
            Verb::Readiness(command) => command.run(run),
            Verb::Communication(shown) => shown.with(run, |results| pack::pack(results.plan, None).tables()),
            Verb::Report(command) => command.run(run),
            Verb::ToTopology(command) => command.run(run),
            Verb::FromTopology(command) => command.run(run),
            Verb::Verify(command) => command.run(run),
        }
    }
}

/// Reads a plan file. Each fault is a line that names file, line, field, what was found and what was expected.
fn read(run: &mut Run<'_>, file: &Path) -> Result<Plan, Failure> {
    let text = run.file(file)?;
    Plan::read(&text).map_err(|problems| faults(file, &problems))
}

/// Faults of a file, one a line, each with the file's name in front.
fn faults(file: &Path, problems: &dyn std::fmt::Display) -> Failure {
    let name = if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() };
    let lines: Vec<String> = problems.to_string().lines().map(|line| format!("{name}: {line}")).collect();
    Failure::Input(lines.join("\n"))
}

impl Shown {
    fn with(
        &self,
        run: &mut Run<'_>,
        tables: impl FnOnce(&Results<'_>) -> Vec<lyceum_plan::Table>,
    ) -> Result<(), Failure> {
        let plan = read(run, &self.plan)?;
        let tables = tables(&Results::of(&plan));
        tables::print(run, &tables, self.table.as_deref())
    }
}

impl Dns {
    fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let Some(folder) = &self.zones else {
            return self.shown.with(run, |results| vec![dns_table(&results.records)]);
        };
        let plan = read(run, &self.shown.plan)?;
        let results = Results::of(&plan);
        let zones = zone_files(&results.deployment, &results.records, self.serial);
        let files: Vec<(String, String)> = zones.into_iter().map(|zone| (zone.file, zone.text)).collect();
        write::folder(run, folder, &files)
    }
}

impl Certificates {
    fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let Some(folder) = &self.requests else {
            return self.shown.with(run, |results| vec![certificates_table(&results.certificates)]);
        };
        let plan = read(run, &self.shown.plan)?;
        let found = Results::of(&plan).certificates;
        let text = |found: &lyceum_plan::deployment::Certificate| found.request(&plan.organisation.name);
        let files: Vec<(String, String)> = found.iter().map(|found| (found.file() + ".cnf", text(found))).collect();
        write::folder(run, folder, &files)
    }
}

impl Firewall {
    fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let Some(file) = &self.nftables else {
            return self.shown.with(run, |results| vec![firewall_table(&results.filter)]);
        };
        let plan = read(run, &self.shown.plan)?;
        write::file(run, file, nftables(&Results::of(&plan).filter).as_bytes())
    }
}

impl Qos {
    fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let Some(folder) = &self.dir else {
            let tables = |results: &Results<'_>| vec![table(&results.qos), advice_table(&results.qos), targets_table()];
            return self.shown.with(run, tables);
        };
        let plan = read(run, &self.shown.plan)?;
        let qos = Results::of(&plan).qos;
        let file = |target: QosTarget| (target.file_name().to_owned(), export(&qos, target));
        write::folder(run, folder, &QosTarget::ALL.map(file))
    }
}

impl Vpn {
    fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let plan = read(run, &self.shown.plan)?;
        let results = Results::of(&plan);
        let Some(split) = &results.vpn else {
            return Err(Failure::Failed("the plan has no VPN (vpn.enabled is false)".to_owned()));
        };
        if let Some(file) = &self.nftables {
            write::file(run, file, vpn::vpn_nftables(split).as_bytes())?;
        }
        if let (Some(file), Some(resolver)) = (&self.powershell, self.resolver) {
            write::file(run, file, vpn::powershell(split, &resolver.to_string()).as_bytes())?;
        }
        if self.nftables.is_some() || self.powershell.is_some() {
            return Ok(());
        }
        tables::print(run, &split.tables(), self.shown.table.as_deref())
    }
}
