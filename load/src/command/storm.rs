//! `storm`: every user registers at once.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use super::Target;
use crate::generator::{Kind, Rates};
use crate::{machine, report};

/// Every user registers at once.
#[derive(Debug, Args)]
pub struct Storm {
    #[command(flatten)]
    target: Target,
    /// All users within so many seconds.
    #[arg(long, default_value_t = 5.0)]
    within: f64,
    /// Every user must be registered after so many seconds.
    #[arg(long, default_value_t = 30.0)]
    limit: f64,
}

impl Storm {
    /// Runs it; true when everybody is registered in time.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(&self) -> Result<bool, String> {
        let mut generator = self.target.generator()?;
        let users = generator.options().users.len();
        let begin = Instant::now();
        let rate = users as f64 / self.within.max(0.1);
        generator.run(&Rates::only(Kind::Register, rate), Duration::from_secs_f64(self.within.max(0.1)));
        generator.drain(Duration::from_secs_f64(self.limit).saturating_sub(begin.elapsed()));
        let (took, stats) = (begin.elapsed().as_secs_f64(), generator.stats(Kind::Register));
        let value = json!({ "machine": machine::describe(), "users": users, "took_s": took, "stats": stats.to_json() });
        let text = format!(
            "{} of {users} users registered in {took:.1} s, {} requests sent again, answers by status {:?}",
            stats.ok, stats.retransmissions, stats.statuses
        );
        report::print(self.target.json, &value, &text);
        Ok(stats.failed == 0)
    }
}
