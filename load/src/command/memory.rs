//! `memory`: what the server keeps for an address, a finished transaction, an idle connection.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::measure::prepare;
use crate::generator::{Generator, Kind, Options, Rates};
use crate::idle::Connections;
use crate::peer::{DOMAIN, Peer, Running};
use crate::report::row;
use crate::{machine, procfs, report, sys, users};

/// Bytes per address, transaction, connection; every figure from a server started for it.
#[derive(Debug, Args)]
pub struct Memory {
    /// Our binary.
    #[arg(long, default_value = "target/release/lyceum")]
    lyceum: PathBuf,
    /// Weigh Kamailio too.
    #[arg(long)]
    kamailio: bool,
    /// Fresh registrations.
    #[arg(long, default_value_t = 50_000)]
    addresses: usize,
    /// Operations whose transactions linger.
    #[arg(long, default_value_t = 12_000)]
    operations: usize,
    /// Idle TLS connections.
    #[arg(long, default_value_t = 2000)]
    connections: usize,
    /// What to weigh.
    #[arg(long, value_delimiter = ',', default_value = "register,options,message,calls,tls")]
    what: Vec<String>,
    /// Core of the server.
    #[arg(long, default_value_t = 0)]
    server_core: usize,
    /// Core of the generator.
    #[arg(long, default_value_t = 1)]
    core: usize,
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// One thing weighed.
struct Weight {
    server: &'static str,
    what: &'static str,
    count: usize,
    /// Things kept per operation: transactions of a call, for one.
    each: usize,
    bytes: f64,
    wanted: f64,
}

impl Weight {
    fn per_thing(&self) -> f64 {
        self.bytes / (self.count * self.each) as f64
    }

    fn passed(&self) -> bool {
        self.per_thing() <= self.wanted
    }
}

/// Name, transactions that linger at the server per operation, operations per second. A client transaction lingers 5 s
/// (timer K), so all operations begin and end in less.
const LINGERING: [(Kind, &str, usize, f64); 3] = [
    (Kind::Options, "OPTIONS answered here: server transaction", 1, 5000.0),
    (Kind::Message, "MESSAGE forwarded: server and client transaction", 2, 4000.0),
    (Kind::Call, "call: INVITE and BYE, server and client transactions", 4, 1500.0),
];

/// PSS now, when it has come to rest.
fn rest(running: &Running) -> f64 {
    std::thread::sleep(Duration::from_millis(300));
    procfs::memory(&running.pids()) as f64
}

impl Memory {
    fn start(&self, peer: &Peer, count: usize) -> Result<(Running, Generator), String> {
        let users = users::made_up(count);
        let running = peer.start(&users, self.server_core)?;
        let mut options = Options::new(running.sip, DOMAIN, users);
        options.callees = 100;
        options.pause = Duration::ZERO;
        Ok((running, Generator::new(options)?))
    }

    fn addresses(&self, peer: &Peer) -> Result<Weight, String> {
        const WARM: usize = 200;
        let (running, mut generator) = self.start(peer, self.addresses + WARM)?;
        generator.register_first(WARM, 1000.0)?;
        let before = rest(&running);
        generator.register_first(self.addresses + WARM, 3000.0)?;
        std::thread::sleep(Duration::from_secs(1));
        let bytes = rest(&running) - before;
        let what = "registered address, one binding";
        Ok(Weight { server: running.name, what, count: self.addresses, each: 1, bytes, wanted: 614.0 })
    }

    fn lingering(
        &self,
        peer: &Peer,
        (kind, what, each, rate): (Kind, &'static str, usize, f64),
    ) -> Result<Weight, String> {
        let (running, mut generator) = self.start(peer, 2000)?;
        prepare(&mut generator, kind)?;
        let mut go = |count: f64| {
            generator.run(&Rates::only(kind, rate), Duration::from_secs_f64(count / rate));
            generator.drain(Duration::from_secs(2));
            let stats = generator.take_stats()[kind as usize].clone();
            if stats.failed > 0 {
                Err(format!("{} of {} {} failed", stats.failed, stats.sent, kind.name()))
            } else {
                Ok(stats.ok)
            }
        };
        go(500.0)?;
        let before = rest(&running);
        // A quarter as many calls: each has four times the transactions, and they take longer.
        let share = if kind == Kind::Call { 3.0 } else { 1.0 };
        let count = go(self.operations as f64 / share)? as usize;
        let bytes = procfs::memory(&running.pids()) as f64 - before;
        Ok(Weight { server: running.name, what, count, each, bytes, wanted: 2048.0 })
    }

    fn connections(&self, peer: &Peer) -> Result<Option<Weight>, String> {
        let running = peer.start(&users::made_up(2), self.server_core)?;
        let Some(addr) = running.tls else { return Ok(None) };
        let mut connections = Connections::new(addr, DOMAIN)?;
        connections.open(100)?;
        let before = rest(&running);
        connections.open(self.connections)?;
        std::thread::sleep(Duration::from_secs(1));
        let bytes = rest(&running) - before;
        let what = "idle TLS connection";
        Ok(Some(Weight { server: running.name, what, count: self.connections, each: 1, bytes, wanted: 20_480.0 }))
    }

    fn weigh(&self, peer: &Peer) -> Result<Vec<Weight>, String> {
        let wants = |name: &str| self.what.iter().any(|wanted| wanted == name);
        let mut weights = Vec::new();
        if wants("register") {
            weights.push(self.addresses(peer)?);
        }
        for kind in LINGERING.into_iter().filter(|(kind, ..)| wants(kind.name())) {
            weights.push(self.lingering(peer, kind)?);
        }
        if wants("tls") {
            weights.extend(self.connections(peer)?);
        }
        Ok(weights)
    }

    /// Runs it; true when everything of Lyceum is within its limit.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(&self) -> Result<bool, String> {
        sys::pin_self(self.core).map_err(|error| format!("core {}: {error}", self.core))?;
        let mut weights = Vec::new();
        if self.kamailio {
            weights.extend(self.weigh(&Peer::Kamailio)?);
        }
        weights.extend(self.weigh(&Peer::Lyceum(self.lyceum.clone()))?);
        let mut rows = vec![row(["server", "what", "weighed", "bytes each", "wanted"])];
        for weight in &weights {
            let numbers = [weight.count * weight.each].map(|count| count.to_string());
            let end = [format!("{:.0}", weight.per_thing()), format!("{:.0}", weight.wanted)];
            rows.push([&row([weight.server, weight.what]), &numbers[..], &end[..]].concat());
        }
        let passed = weights.iter().filter(|weight| weight.server == "lyceum").all(Weight::passed);
        let machine = machine::describe();
        let value = json!({
            "machine": machine, "passed": passed,
            "weights": weights.iter().map(|weight| json!({
                "server": weight.server, "what": weight.what, "count": weight.count, "things_each": weight.each,
                "bytes_per_thing": weight.per_thing(), "wanted": weight.wanted,
            })).collect::<Vec<Value>>(),
        });
        report::print(self.json, &value, &format!("{}\n\n{}", machine::sentence(&machine), report::table(&rows)));
        Ok(passed)
    }
}
