//! `mix`: registrations and calls together, with the server's memory watched.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use super::Target;
use crate::generator::{Kind, Rates};
use crate::procfs::{Sample, Sampler};
use crate::report::row;
use crate::{machine, report, sys};

/// Registrations and calls together.
#[derive(Debug, Args)]
pub struct Mix {
    #[command(flatten)]
    target: Target,
    /// REGISTER operations (challenge and answer) per second.
    #[arg(long, default_value_t = 8000.0)]
    register_rate: f64,
    /// Calls per second.
    #[arg(long, default_value_t = 800.0)]
    call_rate: f64,
    /// MESSAGEs per second.
    #[arg(long, default_value_t = 0.0)]
    message_rate: f64,
    /// OPTIONS per second.
    #[arg(long, default_value_t = 0.0)]
    options_rate: f64,
    /// For so long.
    #[arg(long, default_value_t = 60.0)]
    secs: f64,
    /// Rate at which all users are registered before it begins.
    #[arg(long, default_value_t = 5000.0)]
    fill_rate: f64,
}

/// Memory may differ by so much.
const STEADY: f64 = 0.05;

/// The memory at two thirds of the time, and the greatest difference from it after that.
fn steadiness(samples: &[Sample], secs: f64) -> Option<(u64, f64)> {
    let base = samples.iter().find(|sample| sample.at >= secs * 2.0 / 3.0 - 0.5)?.memory;
    let late = samples.iter().filter(|sample| sample.at >= secs - 20.0_f64.min(secs / 3.0));
    let difference = |sample: &Sample| (sample.memory as f64 / base as f64 - 1.0).abs();
    Some((base, late.map(difference).fold(0.0, f64::max)))
}

impl Mix {
    /// Runs it; true when nothing failed and memory was steady.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(&self) -> Result<bool, String> {
        let mut generator = self.target.generator()?;
        let users = generator.options().users.len();
        report::progress(&format!("registering {users} users"));
        generator.register_first(users, self.fill_rate)?;
        generator.take_stats();
        let rates = Rates([self.register_rate, self.options_rate, self.message_rate, self.call_rate]);
        report::progress(&format!("{rates:?} for {} s", self.secs));
        let sampler = Sampler::start(&self.target.pid);
        let (begin, own) = (Instant::now(), sys::thread_cpu());
        generator.run(&rates, Duration::from_secs_f64(self.secs.min(24.0 * 3600.0)));
        let share = (sys::thread_cpu() - own).as_secs_f64() / begin.elapsed().as_secs_f64();
        let samples = sampler.finish();
        generator.drain(Duration::from_secs(10));
        let stats = generator.take_stats();
        let steady = steadiness(&samples, self.secs).filter(|_| !self.target.pid.is_empty());
        let calm = steady.is_none_or(|(_, difference)| difference <= STEADY);
        let failed: u64 = stats.iter().map(|stats| stats.failed).sum();
        let cpu = samples.last().map_or(0.0, |last| last.cpu / last.at.max(0.001));
        let mut rows = vec![row(["kind", "sent", "ok", "failed", "sent again", "p50 ms", "p99 ms"])];
        for (kind, stats) in Kind::ALL.iter().zip(&stats).filter(|(_, stats)| stats.sent > 0) {
            let ms = |share| format!("{:.2}", stats.times.percentile(share) as f64 / 1000.0);
            let counts = [stats.sent, stats.ok, stats.failed, stats.retransmissions].map(|count| count.to_string());
            rows.push([&[kind.name().to_owned()], &counts[..], &[ms(0.5), ms(0.99)]].concat());
        }
        let mut text = report::table(&rows);
        if let Some((base, difference)) = steady {
            text += &format!(
                "server: {:.2} of a core; {:.1} MiB at 40 of 60, then within {:.2} %\n",
                cpu,
                base as f64 / 1048576.0,
                difference * 100.0
            );
        }
        text += &format!("generator: {share:.2} of a core\n");
        let value = json!({
            "machine": machine::describe(), "users": users, "secs": self.secs,
            "kinds": Kind::ALL.iter().zip(&stats).map(|(kind, stats)| (kind.name().to_owned(), stats.to_json()))
                .collect::<serde_json::Map<_, _>>(),
            "server_share": cpu, "generator_share": share,
            "memory_base": steady.map(|(base, _)| base), "memory_difference": steady.map(|(_, difference)| difference),
            "samples": samples.iter().map(|s| json!([s.at, s.cpu, s.memory])).collect::<Vec<Value>>(),
            "passed": failed == 0 && calm,
        });
        report::print(self.target.json, &value, &text);
        Ok(failed == 0 && calm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_at_the_end_is_seen() {
        let samples = |grow: u64| -> Vec<Sample> {
            (0..60u64).map(|s| Sample { at: s as f64, cpu: 0.0, memory: 1000 + s.saturating_sub(40) * grow }).collect()
        };
        let (base, difference) = steadiness(&samples(0), 60.0).expect("samples");
        assert_eq!((base, difference), (1000, 0.0));
        assert!(steadiness(&samples(4), 60.0).expect("samples").1 > STEADY);
        assert_eq!(steadiness(&[], 60.0), None);
    }
}
