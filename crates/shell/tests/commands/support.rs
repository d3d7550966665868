//! A scripted API and streams that a test can read.

use lyceum_api::{Problem, Refusal};
use lyceum_shell::client::{Api, Body, Call};
use lyceum_shell::failure::Failure;
use lyceum_shell::terminal::Streams;
use lyceum_shell::{Context, NoOffline, command, run_with};
use serde_json::{Value, json};
use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};

/// Answers calls from a list of `METHOD path` prefixes, and notes every call.
#[derive(Default)]
pub struct Script {
    pub answers: Vec<(String, Value)>,
    pub calls: Vec<Call>,
}

impl Script {
    pub fn new(answers: &[(&str, Value)]) -> Script {
        Script {
            answers: answers.iter().map(|(call, answer)| ((*call).to_owned(), answer.clone())).collect(),
            calls: Vec::new(),
        }
    }

    /// The calls as `METHOD path body`.
    pub fn lines(&self) -> Vec<String> {
        let body = |body: &Body| match body {
            Body::Empty => String::new(),
            Body::Json(value) => format!(" {value}"),
            Body::Csv(text) => format!(" csv:{text}"),
        };
        self.calls.iter().map(|c| format!("{} {}{}", c.method, c.path, body(&c.body))).collect()
    }
}

impl Api for Script {
    fn call(&mut self, call: Call) -> Result<Value, Failure> {
        let line = format!("{} {}", call.method, call.path);
        self.calls.push(call);
        let found = self.answers.iter().find(|(prefix, _)| line.starts_with(prefix.as_str()));
        match found {
            Some((_, answer)) => Ok(answer.clone()),
            None => {
                Err(Failure::Refused(Problem::new(Refusal::UserNotFound, format!("nothing for {line}"), line).into()))
            }
        }
    }
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no test panics inside").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a run did.
pub struct Ran {
    pub out: String,
    pub err: String,
    pub code: u8,
}

/// Runs a command line; `input` is what is piped in, `None` a person at a terminal who types nothing.
pub fn run(script: &mut Script, line: &str, input: Option<&str>) -> Ran {
    run_typing(script, line, input.unwrap_or_default(), input.is_none())
}

/// Runs a command line with a person who types `typed`.
pub fn run_typing(script: &mut Script, line: &str, typed: &str, terminal: bool) -> Ran {
    let words = std::iter::once("lyceum").chain(line.split_whitespace());
    let tree = command();
    let matches = match tree.clone().try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) => return Ran { out: String::new(), err: error.to_string(), code: 2 },
    };
    let (out, err) = (Shared::default(), Shared::default());
    let mut streams = Streams {
        input: Box::new(Cursor::new(typed.to_owned())),
        output: Box::new(out.clone()),
        errors: Box::new(err.clone()),
        input_is_terminal: terminal,
        errors_is_terminal: false,
        width: Some(100),
        colours: false,
    };
    let context = Context { tree, offline: Box::new(NoOffline) };
    let outcome = run_with(&matches, &context, script, &mut streams);
    let code = outcome.as_ref().err().map_or(0, Failure::code);
    lyceum_shell::exit(outcome, &mut streams);
    let text = |shared: &Shared| String::from_utf8(shared.0.lock().expect("no panic").clone()).expect("text");
    Ran { out: text(&out), err: text(&err), code }
}

/// A user as the API shows one.
pub fn user(address: &str) -> Value {
    json!({ "address": address, "display_name": "", "enabled": true, "pool": "pool1", "site": "Main",
        "numbers": ["tel:+441632960123"], "policies": { "registrar": "Short" } })
}

/// A change of a user as the API answers it.
pub fn changed(action: &str, address: &str, what_if: bool) -> Value {
    json!({ "what_if": what_if, "action": action, "kind": "user", "name": address,
        "changes": [{ "path": "enabled", "before": true, "after": false }], "object": user(address) })
}
