//! `compare`: two servers in one sitting, the same load at the same rate.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::measure::{Measured, measure, median, prepare};
use crate::generator::{Generator, Kind, Options};
use crate::peer::{DOMAIN, Peer, Running};
use crate::procfs::{self, Meter};
use crate::{machine, report, sys, users};

/// What Lyceum is measured beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Beside {
    /// Debian's Kamailio.
    Kamailio,
    /// Nothing: Lyceum alone.
    Nothing,
}

/// Lyceum beside another server.
#[derive(Debug, Args)]
pub struct Compare {
    /// The other server.
    #[arg(long, value_enum, default_value = "kamailio")]
    peer: Beside,
    /// Our binary.
    #[arg(long, default_value = "target/release/lyceum")]
    lyceum: PathBuf,
    /// Without us: the other server alone.
    #[arg(long)]
    without_lyceum: bool,
    /// What to run.
    #[arg(long, value_delimiter = ',', default_value = "register,options,message,calls")]
    kinds: Vec<String>,
    /// Users that both know; so many fresh registrations are weighed.
    #[arg(long, default_value_t = 50_000)]
    users: usize,
    /// Length of one run in seconds.
    #[arg(long, default_value_t = 8.0)]
    secs: f64,
    /// Runs of each kind and server; the middle one counts.
    #[arg(long, default_value_t = 3)]
    reps: usize,
    /// Core of the servers.
    #[arg(long, default_value_t = 0)]
    server_core: usize,
    /// Core of the generator.
    #[arg(long, default_value_t = 1)]
    core: usize,
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// What Lyceum may cost of the other's CPU, and the rate it is measured at.
const KINDS: [(Kind, f64, f64); 4] = [
    (Kind::Register, 1000.0, 0.4),
    (Kind::Options, 2000.0, 1.0 / 3.0),
    (Kind::Message, 1000.0, 1.0 / 3.0),
    (Kind::Call, 300.0, 1.0 / 3.0),
];

struct Side {
    running: Running,
    generator: Generator,
    bytes_per_address: f64,
    idle: f64,
}

/// One row of the result.
struct Line {
    kind: Kind,
    rate: f64,
    wanted: f64,
    /// Seconds of CPU per 1000 operations, in the order of the servers.
    cost: Vec<Option<f64>>,
    runs: Vec<Vec<Measured>>,
}

impl Line {
    /// Ours (the last) over the other's.
    fn ratio(&self) -> Option<f64> {
        match self.cost[..] {
            [Some(other), Some(ours)] => Some(ours / other),
            _ => None,
        }
    }
}

impl Compare {
    fn peers(&self) -> Vec<Peer> {
        let other = (self.peer == Beside::Kamailio).then_some(Peer::Kamailio);
        let ours = (!self.without_lyceum).then(|| Peer::Lyceum(self.lyceum.clone()));
        other.into_iter().chain(ours).collect()
    }

    /// Starts a server and weighs fresh registrations.
    fn side(&self, peer: &Peer, port: u16) -> Result<Side, String> {
        let users = users::made_up(self.users.max(200));
        report::progress(&format!("starting {} with {} users", peer.name(), users.len()));
        let running = peer.start(&users, self.server_core)?;
        let mut options = Options::new(running.sip, DOMAIN, users);
        options.callees = 100;
        options.called_port = port;
        let mut generator = Generator::new(options)?;
        generator.register_first(200, 1000.0)?;
        std::thread::sleep(Duration::from_millis(500));
        let before = procfs::memory(&running.pids());
        generator.register_first(self.users, 3000.0)?;
        std::thread::sleep(Duration::from_secs(1));
        let grown = procfs::memory(&running.pids()).saturating_sub(before);
        let fresh = (self.users - 200.min(self.users)).max(1);
        let bytes_per_address = grown as f64 / fresh as f64;
        report::progress(&format!("  {bytes_per_address:.0} bytes per registered address"));
        let meter = Meter::start(&[running.pid()]);
        std::thread::sleep(Duration::from_secs(2));
        let idle = meter.seconds() / 2.0;
        Ok(Side { running, generator, bytes_per_address, idle })
    }

    fn line(&self, sides: &mut [Side], (kind, rate, wanted): (Kind, f64, f64)) -> Result<Line, String> {
        let mut runs: Vec<Vec<Measured>> = sides.iter().map(|_| Vec::new()).collect();
        for side in sides.iter_mut() {
            prepare(&mut side.generator, kind)?;
        }
        // Turn by turn, so that a noisy minute of the machine hits both.
        for repetition in 0..=self.reps {
            for (side, runs) in sides.iter_mut().zip(&mut runs) {
                let secs = if repetition == 0 { 2.0 } else { self.secs };
                let pids = [side.running.pid()];
                report::progress(side.running.name);
                let measured = measure(&mut side.generator, kind, rate, Duration::from_secs_f64(secs), &pids);
                if repetition > 0 {
                    runs.push(measured);
                }
            }
        }
        let cost = runs.iter().map(|runs| median(runs.iter().filter_map(Measured::per_thousand).collect())).collect();
        Ok(Line { kind, rate, wanted, cost, runs })
    }

    /// Runs it; true when every ratio is as wanted.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(&self) -> Result<bool, String> {
        sys::pin_self(self.core).map_err(|error| format!("core {}: {error}", self.core))?;
        let mut sides = Vec::new();
        for (peer, port) in self.peers().iter().zip(5098..) {
            sides.push(self.side(peer, port)?);
        }
        let mut lines = Vec::new();
        for kind in KINDS.into_iter().filter(|(kind, ..)| self.kinds.iter().any(|name| name == kind.name())) {
            lines.push(self.line(&mut sides, kind)?);
        }
        let passed = lines.iter().all(|line| line.ratio().is_none_or(|ratio| ratio <= line.wanted))
            && lines.iter().flat_map(|line| &line.runs).flatten().all(|run| run.stats.failed == 0)
            && bytes_ratio(&sides).is_none_or(|ratio| ratio <= 1.0);
        self.tell(&sides, &lines, passed);
        Ok(passed)
    }

    fn tell(&self, sides: &[Side], lines: &[Line], passed: bool) {
        let names = sides.iter().map(|side| format!("{} {}", side.running.name, side.running.version));
        let head = ["operation".to_owned(), "per s".to_owned()].into_iter().chain(names);
        let mut rows: Vec<Vec<String>> = vec![head.chain(["ratio".to_owned(), "wanted".to_owned()]).collect()];
        let number = |value: Option<f64>, digits| value.map_or("-".to_owned(), |value| format!("{value:.digits$}"));
        for line in lines {
            let cost = line.cost.iter().map(|cost| number(*cost, 4));
            let start = [format!("{}, CPU s per 1000", line.kind.name()), line.rate.to_string()];
            let end = [number(line.ratio(), 2), number(Some(line.wanted), 2)];
            rows.push(start.into_iter().chain(cost).chain(end).collect());
        }
        let bytes = sides.iter().map(|side| format!("{:.0}", side.bytes_per_address));
        let start = ["memory, bytes per address".to_owned(), String::new()];
        rows.push(start.into_iter().chain(bytes).chain([number(bytes_ratio(sides), 2), "1.00".to_owned()]).collect());
        let idle = sides.iter().map(|side| format!("{:.4}", side.idle));
        let start = ["idle, CPU s per s".to_owned(), String::new()];
        rows.push(start.into_iter().chain(idle).chain(["-".to_owned(), "-".to_owned()]).collect());
        let machine = machine::describe();
        let value = json!({
            "machine": machine, "passed": passed,
            "servers": sides.iter().map(|side| json!({
                "name": side.running.name, "version": side.running.version,
                "bytes_per_address": side.bytes_per_address, "idle_cpu_per_s": side.idle,
            })).collect::<Vec<Value>>(),
            "operations": lines.iter().map(|line| json!({
                "kind": line.kind.name(), "rate": line.rate, "cpu_s_per_1000": line.cost, "ratio": line.ratio(),
                "wanted": line.wanted,
                "runs": line.runs.iter().map(|runs| runs.iter().map(Measured::to_json).collect::<Vec<_>>())
                    .collect::<Vec<_>>(),
            })).collect::<Vec<Value>>(),
        });
        report::print(self.json, &value, &format!("{}\n\n{}", machine::sentence(&machine), report::table(&rows)));
    }
}

fn bytes_ratio(sides: &[Side]) -> Option<f64> {
    match sides {
        [other, ours] => Some(ours.bytes_per_address / other.bytes_per_address),
        _ => None,
    }
}
