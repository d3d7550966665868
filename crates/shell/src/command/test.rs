//! `lyceum test`.

use crate::client::Body;
use crate::failure::Failure;
use crate::output::{Columns, Format};
use crate::session::Run;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

const STEPS: Columns = Columns::all(&["step", "passed", "milliseconds", "detail"]);

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Register a built-in test user
    Registration(Probe),
    /// Call from one built-in test user to the other, with sound both ways
    Call(Probe),
    /// Let one built-in test user watch the other, and see a change arrive
    Presence(Probe),
    /// Send a message from one built-in test user to the other
    Im(Probe),
}

#[derive(Debug, Args)]
pub struct Probe {
    /// udp, tcp or tls [default: the server's first listener]
    #[arg(long)]
    transport: Option<String>,
    /// Domain of the test users [default: the default domain]
    #[arg(long)]
    domain: Option<String>,
    /// How long to talk, in milliseconds
    #[arg(long, value_name = "MS")]
    talk_ms: Option<u64>,
    /// Within how many milliseconds a change of presence or a message has to arrive [default: 2000]
    #[arg(long, value_name = "MS")]
    within_ms: Option<u64>,
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let (name, probe) = match self {
            Verb::Registration(probe) => ("registration", probe),
            Verb::Call(probe) => ("call", probe),
            Verb::Presence(probe) => ("presence", probe),
            Verb::Im(probe) => ("im", probe),
        };
        let what = match name {
            "im" => "a message".to_owned(),
            "presence" => "presence".to_owned(),
            name => format!("a {name}"),
        };
        if run.common.what_if {
            return run.say(&format!("what if: try {what} with the built-in test users"));
        }
        let mut body = json!({ "transport": probe.transport, "domain": probe.domain, "talk_ms": probe.talk_ms,
            "within_ms": probe.within_ms });
        if let Some(fields) = body.as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
        let spinner = run.bar(100);
        spinner.set_message(format!("testing {what}"));
        let result = run.post(&format!("/tests/{name}"), Body::Json(body));
        spinner.finish_and_clear();
        show(run, result?)
    }
}

fn show(run: &mut Run<'_>, mut result: Value) -> Result<(), Failure> {
    let passed = result["passed"] == true;
    let summary = result["summary"].as_str().unwrap_or_default().to_owned();
    match run.common.output {
        Format::Json | Format::Yaml => run.object(result, STEPS)?,
        format => {
            let steps = match result["steps"].take() {
                Value::Array(steps) => steps,
                _ => Vec::new(),
            };
            run.list(steps, STEPS)?;
            if format == Format::Table && passed {
                run.say(&summary)?;
            }
        }
    }
    if passed { Ok(()) } else { Err(Failure::Failed(summary)) }
}
