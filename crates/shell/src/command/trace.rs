//! `lyceum trace`.

use super::period::Period;
use crate::client::{Body, encoded};
use crate::failure::Failure;
use crate::output::{Columns, Format};
use crate::session::Run;
use clap::Subcommand;
use serde_json::{Value, json};

const STATUS: Columns = Columns::all(&["running", "user", "since", "until", "messages", "dropped"]);
const MESSAGES: Columns = Columns::all(&["at", "from", "to", "transport", "summary", "call_id"]);
const ARROWS: Columns = Columns::all(&["at", "from", "to", "transaction", "summary", "failed", "repeated"]);

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Start to capture SIP messages
    Start {
        /// Only calls and registrations of this user
        #[arg(long)]
        user: Option<String>,
        /// Stop by itself after so many minutes
        #[arg(long, value_name = "N", default_value_t = 30)]
        minutes: u32,
    },
    /// Stop capturing; what was captured stays
    Stop,
    /// Whether a trace runs
    Status,
    /// Search captured messages
    Search {
        /// Only messages that contain this text
        text: Option<String>,
        /// Only this user
        #[arg(long)]
        user: Option<String>,
        /// Only this Call-ID
        #[arg(long)]
        call_id: Option<String>,
        #[command(flatten)]
        period: Period,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 200)]
        limit: usize,
    },
    /// The SIP ladder of a call, by transaction, the failing one marked and explained
    Show {
        /// Call-ID, or identity of the call's record
        call: String,
    },
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        match self {
            Verb::Start { user, minutes } => {
                let mut body = json!({ "minutes": minutes });
                if let Some(user) = user {
                    body["user"] = json!(user);
                }
                let status = run.write("POST", "/trace/start", Body::Json(body))?;
                run.object(status, STATUS)
            }
            Verb::Stop => {
                let status = run.write("POST", "/trace/stop", Body::Empty)?;
                run.object(status, STATUS)
            }
            Verb::Status => {
                let status = run.get("/trace", &[])?;
                run.object(status, STATUS)
            }
            Verb::Search { text, user, call_id, period, limit } => {
                let [from, to] = period.query()?;
                let query = [("text", text), ("user", user), ("call_id", call_id), from, to];
                run.pages("/trace/messages", &query, Some(limit), MESSAGES)
            }
            Verb::Show { call } => show(run, &call),
        }
    }
}

fn show(run: &mut Run<'_>, call: &str) -> Result<(), Failure> {
    let mut ladder = run.get(&format!("/trace/calls/{}", encoded(call)), &[])?;
    match run.common.output {
        Format::Json | Format::Yaml => return run.object(ladder, ARROWS),
        Format::Table => {}
        _ => return arrows(run, ladder["arrows"].take()),
    }
    match ladder["drawing"].as_str() {
        Some(drawing) if !drawing.is_empty() => {
            let drawing = drawing.trim_end().to_owned();
            run.say(&drawing)?;
        }
        _ => arrows(run, ladder["arrows"].take())?,
    }
    // The drawing ends with the verdict; a server that draws nothing still has the words.
    for line in ["verdict", "hint"] {
        let text = ladder[line].as_str().unwrap_or_default().to_owned();
        if !text.is_empty() && !ladder["drawing"].as_str().is_some_and(|d| d.contains(&text)) {
            run.say(&text)?;
        }
    }
    Ok(())
}

fn arrows(run: &mut Run<'_>, arrows: Value) -> Result<(), Failure> {
    match arrows {
        Value::Array(arrows) => run.list(arrows, ARROWS),
        _ => Err(Failure::Failed("the server's answer has no arrows".to_owned())),
    }
}
