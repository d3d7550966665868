//! `lyceum plan verify`: the plan's lines asked of the world, some at a time.

use super::{read, tables};
use crate::failure::Failure;
use crate::session::Run;
use clap::{Args, ValueEnum};
use lyceum_net::ResolverOptions;
use lyceum_plan::Results;
use lyceum_plan::verify::{Here, Line, Verdict, Zone, count, lines, table};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

mod probe;

use probe::Asker;

#[derive(Debug, Args)]
pub struct Verify {
    /// The plan file; '-' is standard input
    plan: PathBuf,
    /// Where this machine stands: only what must be seen from there is judged
    #[arg(long, value_name = "ZONE", default_value = "internal")]
    from: From,
    /// The name server to ask, as often as needed [default: those of this machine]
    #[arg(long, value_name = "ADDRESS", value_parser = name_server)]
    dns: Vec<SocketAddr>,
    /// Probes at once
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=256))]
    parallel: u16,
    /// The longest that one probe may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    patience: u64,
    /// Show only what is not as planned
    #[arg(long)]
    failed: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum From {
    /// Where clients and servers are
    Internal,
    /// The internet
    External,
    /// The perimeter network
    Edge,
}

impl From {
    fn zone(self) -> Zone {
        match self {
            From::Internal => Zone::Internal,
            From::External => Zone::External,
            From::Edge => Zone::Edge,
        }
    }
}

fn name_server(text: &str) -> Result<SocketAddr, String> {
    let alone = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53));
    alone.or_else(|_| text.parse()).map_err(|_| "write an address, or ADDRESS:PORT".to_owned())
}

impl Verify {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let plan = read(run, &self.plan)?;
        let results = Results::of(&plan);
        let targets = results.deployment.hosts.iter().map(|host| host.address);
        let now_seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let here = Here { zone: self.from.zone(), addresses: own_addresses(targets), now_seconds };
        let asked = lines(&results, &here);
        let checked = self.ask(run, asked, now_seconds)?;
        let totals = count(&checked);
        let shown: Vec<(Line, Verdict)> = match self.failed {
            true => checked.into_iter().filter(|(_, found)| !found.fix.is_empty()).collect(),
            false => checked,
        };
        let mut table = table(&shown);
        let (zone, judged) = (here.zone.word(), totals.passed + totals.failed);
        let words =
            format!("{} as planned, {} not, {} not judged from here", totals.passed, totals.failed, totals.skipped);
        table.notes = vec![words];
        tables::print(run, &[table], Some("Verification"))?;
        match (judged, totals.failed) {
            (0, _) => Err(Failure::Failed(format!("no line of the plan can be judged from {zone}"))),
            (_, 0) => Ok(()),
            (_, failed) => {
                Err(Failure::Failed(format!("{failed} of {judged} lines are not as planned, seen from {zone}")))
            }
        }
    }

    /// Asks every line, `parallel` at once; the verdicts come back in the order of the lines.
    fn ask(&self, run: &mut Run<'_>, lines: Vec<Line>, now_seconds: u64) -> Result<Vec<(Line, Verdict)>, Failure> {
        let patience = Duration::from_secs(self.patience);
        let options = ResolverOptions {
            servers: self.dns.clone(),
            // The world is asked, not what was heard of it before.
            cached_answers: 0,
            question: patience,
            ..ResolverOptions::default()
        };
        let bar = run.bar(lines.len() as u64);
        let waiting = Mutex::new(lines.iter().enumerate());
        let (tell, told) = sync_channel::<Told>(usize::from(self.parallel));
        let mut found: Vec<Option<Verdict>> = vec![None; lines.len()];
        let outcome = std::thread::scope(|scope| {
            for _ in 0..usize::from(self.parallel).min(lines.len()) {
                let (tell, waiting, options) = (tell.clone(), &waiting, options.clone());
                scope.spawn(move || work(waiting, &tell, Asker::new(options, patience), now_seconds));
            }
            drop(tell);
            for message in told {
                let (number, verdict) = message?;
                bar.set_message(lines[number].subject.clone());
                found[number] = Some(verdict);
                bar.inc(1);
            }
            Ok::<(), String>(())
        });
        bar.finish_and_clear();
        outcome.map_err(Failure::Failed)?;
        Ok(lines.into_iter().zip(found).filter_map(|(line, verdict)| Some((line, verdict?))).collect())
    }
}

/// The number of a line and its verdict, or why nothing can be asked at all.
type Told = Result<(usize, Verdict), String>;

/// Asks one line after the other while there are any, and somebody listens.
fn work<'l>(
    waiting: &Mutex<impl Iterator<Item = (usize, &'l Line)>>,
    tell: &SyncSender<Told>,
    asker: Result<Asker, String>,
    now_seconds: u64,
) {
    loop {
        let next = waiting.lock().map(|mut waiting| waiting.next());
        let Ok(Some((number, line))) = next else { return };
        let judged = match (&line.probe, &asker) {
            (Err(_), _) => Ok(line.unasked()),
            (Ok(_), Err(why)) => Err(why.clone()),
            (Ok(probe), Ok(asker)) => Ok(Some(line.judge(&asker.ask(probe), now_seconds))),
        };
        let told = judged.map(|verdict| verdict.map(|verdict| (number, verdict))).transpose();
        if told.is_some_and(|told| tell.send(told).is_err()) {
            return;
        }
    }
}

/// The most places of the plan towards which the way out is looked up.
const MAX_TARGETS: usize = 256;

/// The addresses with which this machine speaks to the servers of the plan. Nothing is sent.
fn own_addresses(targets: impl Iterator<Item = Ipv4Addr>) -> Vec<Ipv4Addr> {
    let mut found = Vec::new();
    for target in targets.take(MAX_TARGETS) {
        let own = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
            socket.connect((target, 9))?;
            socket.local_addr()
        });
        if let Ok(SocketAddr::V4(own)) = own
            && !found.contains(own.ip())
        {
            found.push(*own.ip());
        }
    }
    found
}
