//! `overload`: twice what the server can hold.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use super::Target;
use super::measure::measure;
use crate::generator::{Generator, Kind, Rates};
use crate::{machine, procfs, report};

/// Twice what the server can hold.
#[derive(Debug, Args)]
pub struct Overload {
    #[command(flatten)]
    target: Target,
    /// Registrations per second that it can hold; found by doubling when absent.
    #[arg(long)]
    capacity: Option<f64>,
    /// Where the search begins.
    #[arg(long, default_value_t = 4000.0)]
    from: f64,
    /// Drive it to so many times its capacity.
    #[arg(long, default_value_t = 2.0)]
    times: f64,
    /// For so long.
    #[arg(long, default_value_t = 20.0)]
    secs: f64,
    /// After so many seconds with little load everything must be well again.
    #[arg(long, default_value_t = 10.0)]
    recover: f64,
}

/// The search ends here: no generator on one core sends more.
const CEILING: f64 = 128_000.0;

impl Overload {
    /// The highest rate of registrations that holds, to an eighth.
    fn capacity(&self, generator: &mut Generator) -> f64 {
        let mut holds =
            |rate| measure(generator, Kind::Register, rate, Duration::from_secs(4), &self.target.pid).holds();
        let (mut low, mut high) = (0.0, self.from);
        while high < CEILING && holds(high) {
            (low, high) = (high, high * 2.0);
        }
        while high - low > high / 8.0 {
            let middle = (low + high) / 2.0;
            if holds(middle) {
                low = middle;
            } else {
                high = middle;
            }
        }
        low.max(self.from / 4.0)
    }

    /// Seconds until registrations, pings and calls all go well for one second.
    fn recovery(&self, generator: &mut Generator) -> Option<f64> {
        let begin = Instant::now();
        while begin.elapsed().as_secs_f64() < self.recover {
            generator.take_stats();
            let at = begin.elapsed().as_secs_f64();
            generator.run(&Rates([50.0, 20.0, 0.0, 20.0]), Duration::from_secs(1));
            generator.drain(Duration::from_secs(2));
            let clean = Kind::ALL.iter().all(|kind| generator.stats(*kind).failed == 0);
            if clean && generator.stats(Kind::Call).ok > 0 {
                return Some(at);
            }
        }
        None
    }

    /// Runs it; true when the server refuses in order, stays up and recovers.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(&self) -> Result<bool, String> {
        let mut generator = self.target.generator()?;
        let callees = generator.options().callees;
        generator.register_first(callees, 500.0)?;
        let capacity = self.capacity.unwrap_or_else(|| self.capacity(&mut generator));
        let rate = capacity * self.times;
        report::progress(&format!("holds {capacity:.0} registrations/s; now {rate:.0}/s for {} s", self.secs));
        generator.take_stats();
        let rates = Rates::only(Kind::Register, rate * 0.9).with(Kind::Call, rate * 0.1);
        generator.run(&rates, Duration::from_secs_f64(self.secs));
        let mut stats = generator.take_stats();
        // What is still under way is given up: its repetitions would be load.
        generator.drain(Duration::ZERO);
        let recovery = self.recovery(&mut generator);
        let alive = self.target.pid.iter().all(|pid| procfs::alive(*pid));
        let refused: u64 = stats.iter().map(|stats| stats.count_of(503)).sum();
        let bare: u64 = stats.iter().map(|stats| stats.bare_503).sum();
        let passed = alive && recovery.is_some() && bare == 0 && refused > 0;
        let registered = std::mem::take(&mut stats[Kind::Register as usize]);
        let text = format!(
            "at {rate:.0}/s (capacity {capacity:.0}/s): {} registered ({:.0}/s), {refused} answered 503, {bare} of them \
             without Retry-After, {} sent again; server {}; {}",
            registered.ok,
            registered.ok as f64 / self.secs,
            registered.retransmissions,
            if alive { "up" } else { "down" },
            recovery.map_or("did not recover".to_owned(), |secs| format!("well again {secs:.1} s after"))
        );
        let value = json!({
            "machine": machine::describe(), "capacity": capacity, "rate": rate, "refused": refused, "bare_503": bare,
            "alive": alive, "recovered_after_s": recovery, "register": registered.to_json(),
            "calls": stats[Kind::Call as usize].to_json(), "passed": passed,
        });
        report::print(self.target.json, &value, &text);
        Ok(passed)
    }
}
