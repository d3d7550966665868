//! `presence-storm`: everybody changes state at once, and everybody is watched by many.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use crate::peer::{DOMAIN, Peer};
use crate::presence::Watchers;
use crate::{machine, procfs, report, sys, users};

/// How often the server's memory is looked at.
const SAMPLE: Duration = Duration::from_millis(100);
/// How long subscribing may take.
const PREPARING: Duration = Duration::from_secs(600);

/// Everybody changes state at once, each watched by many: drained in time, in order, and within bounds of memory.
#[derive(Debug, Args)]
pub struct PresenceStorm {
    /// Our binary; it is started for this.
    #[arg(long, default_value = "target/release/lyceum")]
    lyceum: PathBuf,
    /// Persons who change state.
    #[arg(long, default_value_t = 10_000)]
    people: usize,
    /// Watchers of each.
    #[arg(long, default_value_t = 50)]
    watchers: usize,
    /// How often everybody changes.
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    /// Every watcher must know the last state after so many seconds.
    #[arg(long, default_value_t = 30.0)]
    limit: f64,
    /// The server's memory may grow by so many MiB.
    #[arg(long, default_value_t = 256.0)]
    growth: f64,
    /// Core of the server.
    #[arg(long, default_value_t = 0)]
    server_core: usize,
    /// Core of the watchers.
    #[arg(long, default_value_t = 1)]
    core: usize,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

impl PresenceStorm {
    /// Runs it; true when all was told in time, in order, and within memory.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(&self) -> Result<bool, String> {
        sys::pin_self(self.core).map_err(|error| format!("core {}: {error}", self.core))?;
        let running = Peer::Lyceum(self.lyceum.clone()).start(&users::made_up(self.people), self.server_core)?;
        let mut watchers = Watchers::new(running.sip, DOMAIN, self.people, self.watchers)?;
        let (empty, begin) = (procfs::memory(&running.pids()), Instant::now());
        watchers.subscribe(PREPARING)?;
        let subscribing = begin.elapsed().as_secs_f64();
        report::progress(&format!("{} subscriptions after {subscribing:.0} s", self.people * self.watchers));
        // Transactions of subscribing linger for 32 s, and are not the storm's.
        watchers.rest(Duration::from_secs(35));
        let set_up = watchers.take_counts();
        let before = procfs::memory(&running.pids());
        let (over, pids) = (Arc::new(AtomicBool::new(false)), running.pids());
        let sampler = std::thread::spawn({
            let over = Arc::clone(&over);
            move || highest(&pids, &over)
        });
        let (cpu, begin) = (procfs::cpu(&running.pids()), Instant::now());
        let limit = Duration::from_secs_f64(self.limit.max(1.0));
        for round in 1..=self.rounds {
            watchers.publish(round, limit)?;
        }
        let stale = watchers.drain(self.rounds, limit.saturating_sub(begin.elapsed()));
        let (took, cpu) = (begin.elapsed().as_secs_f64(), procfs::cpu(&running.pids()).saturating_sub(cpu));
        over.store(true, Ordering::Relaxed);
        let highest = sampler.join().map_err(|_| "the memory was not watched to the end".to_owned())?;
        let counts = watchers.take_counts();
        let mib = |bytes: u64| bytes as f64 / 1024.0 / 1024.0;
        let growth = mib(highest.saturating_sub(before));
        let passed = stale == 0
            && counts.out_of_order + set_up.out_of_order == 0
            && counts.refused + set_up.refused == 0
            && took <= self.limit
            && growth <= self.growth;
        let value = json!({
            "machine": machine::describe(), "passed": passed, "people": self.people, "watchers_each": self.watchers,
            "rounds": self.rounds, "subscribing_s": subscribing, "took_s": took, "notifies": counts.notifies,
            "notifies_repeated": counts.repeated, "out_of_order": counts.out_of_order, "stale": stale,
            "refused": counts.refused + set_up.refused, "requests_sent_again": counts.sent_again,
            "put_off": { "subscribing": set_up.put_off, "storm": counts.put_off },
            "cpu_s_per_1000_notify": 1000.0 * cpu.as_secs_f64() / counts.notifies.max(1) as f64,
            "memory_mib": { "empty": mib(empty), "before": mib(before), "highest": mib(highest) },
        });
        let text = format!(
            "{} NOTIFYs in {took:.1} s ({} repeated), {stale} watchers on a stale state, {} out of order, {} refused, {} put off with 503\n\
             {:.4} CPU s per 1000 NOTIFYs; memory {:.0} MiB with {} subscriptions, {growth:.1} MiB more at the highest",
            counts.notifies,
            counts.repeated,
            counts.out_of_order,
            counts.refused + set_up.refused,
            counts.put_off,
            1000.0 * cpu.as_secs_f64() / counts.notifies.max(1) as f64,
            mib(before),
            self.people * self.watchers,
        );
        report::print(self.json, &value, &text);
        Ok(passed)
    }
}

/// The most memory that the processes took until it is over.
fn highest(pids: &[u32], over: &AtomicBool) -> u64 {
    let mut most = 0;
    while !over.load(Ordering::Relaxed) {
        most = most.max(procfs::memory(pids));
        std::thread::sleep(SAMPLE);
    }
    most
}
