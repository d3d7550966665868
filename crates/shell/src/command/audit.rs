//! `lyceum audit`.

use super::period::Period;
use crate::failure::Failure;
use crate::output::Columns;
use crate::session::Run;
use clap::Subcommand;

const COLUMNS: Columns = Columns::first(5, &["at", "who", "action", "object", "changes", "id"]);

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List changes, newest first
    Get {
        /// Only this administrator
        #[arg(long)]
        who: Option<String>,
        /// Only this object
        #[arg(long)]
        object: Option<String>,
        #[command(flatten)]
        period: Period,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
    },
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let Verb::Get { who, object, period, limit } = self;
        let [from, to] = period.query()?;
        run.pages("/audit", &[("who", who), ("object", object), from, to], Some(limit), COLUMNS)
    }
}
