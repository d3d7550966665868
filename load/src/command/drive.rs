//! `register`, `options`, `message`, `calls`: one kind at a fixed rate.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::Target;
use super::measure::{measure, prepare};
use crate::generator::Kind;
use crate::{machine, report};

/// One kind of operation at a fixed rate.
#[derive(Debug, Args)]
pub struct Drive {
    #[command(flatten)]
    target: Target,
    /// Operations per second.
    #[arg(long, default_value_t = 1000.0)]
    rate: f64,
    /// For so long.
    #[arg(long, default_value_t = 8.0)]
    secs: f64,
}

impl Drive {
    /// Runs it; true when it holds.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(&self, kind: Kind) -> Result<bool, String> {
        let mut generator = self.target.generator()?;
        prepare(&mut generator, kind)?;
        let time = Duration::from_secs_f64(self.secs.min(3600.0));
        let measured = measure(&mut generator, kind, self.rate, time, &self.target.pid);
        let value = json!({ "machine": machine::describe(), "run": measured.to_json() });
        report::print(self.target.json, &value, &format!("statuses: {:?}", measured.stats.statuses));
        Ok(measured.holds())
    }
}
