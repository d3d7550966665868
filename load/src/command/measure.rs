//! One run at one rate, and what it cost.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::generator::{Generator, Kind, Rates};
use crate::procfs::{Meter, memory, tree};
use crate::stats::Stats;
use crate::{report, sys};

/// How long operations may take to end after the last was begun.
pub const DRAIN: Duration = Duration::from_secs(8);

/// What one run of one kind showed.
#[derive(Clone, Debug)]
pub struct Measured {
    /// What was done.
    pub kind: Kind,
    /// Operations per second asked for.
    pub rate: f64,
    /// How they went.
    pub stats: Stats,
    /// Seconds of the server's CPU; `None` when its process is not known.
    pub cpu: Option<f64>,
    /// Seconds from first to last.
    pub wall: f64,
    /// Share of a core that the generator used.
    pub generator: f64,
    /// The server's PSS at the end, in bytes.
    pub memory: u64,
}

impl Measured {
    /// Seconds of the server's CPU per 1000 operations that ended well.
    #[must_use]
    pub fn per_thousand(&self) -> Option<f64> {
        self.cpu.filter(|_| self.stats.ok > 0).map(|cpu| 1000.0 * cpu / self.stats.ok as f64)
    }

    /// True when failures and retransmissions are at most one in a thousand.
    #[must_use]
    pub fn holds(&self) -> bool {
        (self.stats.failed + self.stats.retransmissions) * 1000 <= self.stats.sent
    }

    /// For scripts.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "kind": self.kind.name(), "rate": self.rate, "wall_s": self.wall, "server_cpu_s": self.cpu,
            "cpu_s_per_1000": self.per_thousand(), "generator_share": self.generator,
            "memory_bytes": self.memory, "holds": self.holds(), "stats": self.stats.to_json(),
        })
    }

    /// For people.
    #[must_use]
    pub fn sentence(&self) -> String {
        let cpu = self.per_thousand().map_or(String::new(), |cpu| format!(", server {cpu:.4} s per 1000"));
        format!(
            "{} at {}/s: {} of {} ok, {} sent again{cpu}, generator {:.0} % of a core, 99 % within {:.1} ms",
            self.kind.name(),
            self.rate,
            self.stats.ok,
            self.stats.sent,
            self.stats.retransmissions,
            self.generator * 100.0,
            self.stats.times.percentile(0.99) as f64 / 1000.0
        )
    }
}

/// Runs one kind at one rate for a time.
pub fn measure(generator: &mut Generator, kind: Kind, rate: f64, time: Duration, pids: &[u32]) -> Measured {
    generator.take_stats();
    let (begin, own) = (Instant::now(), sys::thread_cpu());
    let meter = Meter::start(pids);
    generator.run(&Rates::only(kind, rate), time);
    generator.drain(DRAIN);
    let cpu = (!pids.is_empty()).then(|| meter.seconds());
    let wall = begin.elapsed().as_secs_f64();
    let measured = Measured {
        kind,
        rate,
        stats: generator.take_stats()[kind as usize].clone(),
        cpu,
        wall,
        generator: (sys::thread_cpu() - own).as_secs_f64() / wall,
        memory: memory(&tree(pids)),
    };
    report::progress(&format!("  {}", measured.sentence()));
    measured
}

/// What has to be there before a kind can run: the called users are registered.
///
/// # Errors
/// When one of them cannot register.
pub fn prepare(generator: &mut Generator, kind: Kind) -> Result<(), String> {
    if matches!(kind, Kind::Message | Kind::Call) {
        let callees = generator.options().callees;
        generator.register_first(callees, 500.0)?;
    }
    Ok(())
}

/// The middle one.
#[must_use]
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
