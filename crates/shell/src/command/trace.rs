//! `lyceum trace`.

use super::period::Period;
use crate::client::{Body, encoded, with_query};
use crate::failure::Failure;
use crate::output::{Columns, Format, cell};
use crate::session::Run;
use clap::Subcommand;
use serde_json::{Value, json};

const STATUS: Columns = Columns::all(&["running", "user", "since", "until", "messages", "dropped"]);
const MESSAGES: Columns = Columns::all(&["at", "from", "to", "transport", "summary", "call_id"]);
const WHOLE: Columns = Columns::all(&["at", "from", "to", "transport", "summary", "call_id", "message"]);
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
        /// The whole messages, secrets blanked
        #[arg(long)]
        full: bool,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 200)]
        limit: usize,
    },
    /// The SIP ladder of a call, by transaction, the failing one marked and explained
    Show {
        /// Call-ID, or identity of the call's record
        call: String,
        /// The whole messages after the ladder, secrets blanked
        #[arg(long)]
        full: bool,
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
            Verb::Search { text, user, call_id, period, full, limit } => {
                let [from, to] = period.query()?;
                let query = [("text", text), ("user", user), ("call_id", call_id), ("full", wanted(full)), from, to];
                if !full || run.common.output != Format::Table {
                    return run.pages("/trace/messages", &query, Some(limit), if full { WHOLE } else { MESSAGES });
                }
                let page = [("limit", Some(limit.to_string()))];
                let found = run.get(&with_query("/trace/messages", &query), &page)?;
                let parties = |message: &Value| [cell(&message["from"]), cell(&message["to"])];
                whole(run, &found["items"], parties)
            }
            Verb::Show { call, full } => show(run, &call, full),
        }
    }
}

/// The query's word for whole messages.
fn wanted(full: bool) -> Option<String> {
    full.then(|| "true".to_owned())
}

/// Prints messages one below the other, each under a line that says when and between whom.
fn whole(run: &mut Run<'_>, messages: &Value, parties: impl Fn(&Value) -> [String; 2]) -> Result<(), Failure> {
    let messages = messages.as_array().map(Vec::as_slice).unwrap_or_default();
    if messages.is_empty() {
        return run.say("(nothing found)");
    }
    for message in messages {
        let [from, to] = parties(message);
        run.say(&format!("--- {} {from} -> {to}", cell(&message["at"])))?;
        for line in message["message"].as_str().unwrap_or_default().lines() {
            // What a stranger sent must not command the terminal.
            let shown: String =
                line.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect();
            run.say(&shown)?;
        }
    }
    Ok(())
}

fn show(run: &mut Run<'_>, call: &str, full: bool) -> Result<(), Failure> {
    let mut ladder = run.get(&format!("/trace/calls/{}", encoded(call)), &[("full", wanted(full))])?;
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
        _ => arrows(run, ladder["arrows"].clone())?,
    }
    // The drawing ends with the verdict; a server that draws nothing still has the words.
    for line in ["verdict", "hint"] {
        let text = ladder[line].as_str().unwrap_or_default().to_owned();
        if !text.is_empty() && !ladder["drawing"].as_str().is_some_and(|d| d.contains(&text)) {
            run.say(&text)?;
        }
    }
    if !full {
        return Ok(());
    }
    run.say("")?;
    let party = |index: &Value| {
        let index = index.as_u64().and_then(|index| usize::try_from(index).ok()).unwrap_or(usize::MAX);
        cell(ladder["parties"].get(index).unwrap_or(&Value::Null))
    };
    whole(run, &ladder["arrows"], |arrow| [party(&arrow["from"]), party(&arrow["to"])])
}

fn arrows(run: &mut Run<'_>, arrows: Value) -> Result<(), Failure> {
    match arrows {
        Value::Array(arrows) => run.list(arrows, ARROWS),
        _ => Err(Failure::Failed("the server's answer has no arrows".to_owned())),
    }
}
