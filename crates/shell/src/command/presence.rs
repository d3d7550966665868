//! `lyceum presence`.

use super::period::moment_ahead;
use crate::client::{Body, encoded};
use crate::failure::Failure;
use crate::output::Columns;
use crate::session::Run;
use clap::{Subcommand, ValueEnum};
use serde_json::{Map, Value};

const COLUMNS: Columns = Columns::first(
    5,
    &["address", "availability", "activity", "note", "last_active", "out_of_office", "choice", "until"],
);
const CALENDAR: Columns =
    Columns::all(&["source", "host", "state", "what", "busy", "not_understood", "last_read", "next_read"]);
const WATCHERS: Columns = Columns::all(&["watcher", "relationship", "list", "expires_in"]);

/// What a user is seen as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum State {
    /// What devices, calls and the calendar say
    Automatic,
    /// Available
    Available,
    /// Busy
    Busy,
    /// Do not disturb
    DoNotDisturb,
    /// Be right back
    BeRightBack,
    /// Away
    Away,
    /// Off work
    OffWork,
    /// Appear offline
    AppearOffline,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show a user's presence and what the user chose
    Get {
        /// The user
        user: String,
        /// Show what this person sees of the user instead
        #[arg(long, visible_alias = "by", value_name = "ADDRESS")]
        seen_by: Option<String>,
    },
    /// Show how reading a user's calendar goes
    Calendar {
        /// The user
        user: String,
    },
    /// Change what a user says of themselves
    Set {
        /// The user
        user: String,
        /// What the user is seen as
        #[arg(long, value_enum)]
        state: Option<State>,
        /// When the state ends: 2026-01-31T08:05:00Z, 2026-01-31, or how long it holds: 90m
        #[arg(long, value_name = "TIME", requires = "state")]
        until: Option<String>,
        /// The note; '' takes it away
        #[arg(long)]
        note: Option<String>,
        /// The out-of-office note; '' takes it away
        #[arg(long, value_name = "NOTE")]
        out_of_office: Option<String>,
    },
    /// List who watches a user
    Watchers {
        /// The user
        user: String,
    },
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        match self {
            Verb::Get { user, seen_by } => {
                let found = run.get(&path(&user, "presence"), &[("by", seen_by)])?;
                run.object(found, COLUMNS)
            }
            Verb::Calendar { user } => {
                let found = run.get(&path(&user, "calendar"), &[])?;
                run.object(found, CALENDAR)
            }
            Verb::Set { user, state, until, note, out_of_office } => {
                let state = state.and_then(|state| state.to_possible_value()).map(|value| value.get_name().to_owned());
                let until = until.map(|text| moment_ahead(&text)).transpose()?;
                let mut body = Map::new();
                let wanted = [("choice", state), ("until", until), ("note", note), ("out_of_office", out_of_office)];
                for (name, value) in wanted {
                    body.extend(value.map(|value| (name.to_owned(), Value::from(value))));
                }
                if body.is_empty() {
                    return Err(Failure::Usage("say what to change: --state, --note or --out-of-office".to_owned()));
                }
                let answer = run.write("PATCH", &path(&user, "presence"), Body::Json(Value::Object(body)))?;
                run.changed(answer, COLUMNS)
            }
            Verb::Watchers { user } => super::listed(run, &path(&user, "watchers"), WATCHERS),
        }
    }
}

fn path(user: &str, what: &str) -> String {
    format!("/users/{}/{what}", encoded(user))
}
