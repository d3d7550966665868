//! `lyceum call`.

use super::period::Period;
use crate::client::encoded;
use crate::failure::Failure;
use crate::output::{Columns, Format};
use crate::session::Run;
use clap::Subcommand;
use serde_json::Value;

const COLUMNS: Columns = Columns::first(
    8,
    &[
        "id",
        "started",
        "caller",
        "callee",
        "answered_by",
        "seconds",
        "status",
        "outcome",
        "call_id",
        "session_id",
        "answered",
        "ended",
    ],
);
const STEPS: Columns = Columns::all(&["step", "result"]);

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show one call with its routing decision, or list calls, newest first
    Get {
        /// Identity of the record, or the SIP Call-ID
        id: Option<String>,
        /// Calls from or to this user
        #[arg(long)]
        user: Option<String>,
        /// SIP Call-ID
        #[arg(long)]
        call_id: Option<String>,
        #[command(flatten)]
        period: Period,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
    },
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let Verb::Get { id, user, call_id, period, limit } = self;
        if let Some(id) = id {
            return one(run, &id);
        }
        let [from, to] = period.query()?;
        let query = [("user", user.clone()), ("call_id", call_id), from, to];
        run.pages_of(user.as_deref(), "/calls", &query, Some(limit), COLUMNS)
    }
}

fn one(run: &mut Run<'_>, id: &str) -> Result<(), Failure> {
    let mut call = run.get(&format!("/calls/{}", encoded(id)), &[])?;
    if run.common.output != Format::Table {
        return run.object(call, COLUMNS);
    }
    let decision = call.as_object_mut().and_then(|c| c.remove("decision"));
    run.object(call, COLUMNS)?;
    match decision {
        Some(Value::Array(steps)) if !steps.is_empty() => {
            run.say("\nHow it was routed:")?;
            run.list(steps, STEPS)
        }
        _ => Ok(()),
    }
}
