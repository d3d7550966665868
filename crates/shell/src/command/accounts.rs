//! `lyceum accounts`.

use crate::client::{Body, with_query};
use crate::failure::Failure;
use crate::output::{Columns, Format};
use crate::session::Run;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::path::PathBuf;

const SOURCES: Columns =
    Columns::first(7, &["source", "server", "state", "accounts", "last", "secret", "what", "next"]);
const CHECKS: Columns = Columns::all(&["source", "step", "passed", "what", "fix"]);
const ITEMS: Columns = Columns::all(&["action", "address", "changes", "what"]);

/// Where accounts come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// The directory server
    Ldap,
    /// The issuer
    Oidc,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show where accounts come from, and how that fares
    Status,
    /// Ask the servers that accounts come from, step by step
    Test,
    /// Compare the people of the directory server with the users here, and change these
    Sync {
        /// However many accounts would be disabled or removed
        #[arg(long)]
        force: bool,
    },
    /// Set the secret that is shown to the directory server or the issuer
    Secret {
        /// To whom it is shown
        #[arg(value_enum)]
        source: Source,
        #[command(flatten)]
        from: SecretSource,
    },
}

/// Where a secret comes from: never from the command line, where every user of the machine could read it.
#[derive(Clone, Debug, Default, Args)]
#[group(multiple = false)]
pub struct SecretSource {
    /// Read it from the first line of standard input
    #[arg(long)]
    stdin: bool,
    /// Read it from the first line of a file
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Forget it
    #[arg(long)]
    remove: bool,
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        match self {
            Verb::Status => super::listed(run, "/accounts", SOURCES),
            Verb::Test => test(run),
            Verb::Sync { force } => sync(run, force),
            Verb::Secret { source, from } => secret(run, source, &from),
        }
    }
}

fn test(run: &mut Run<'_>) -> Result<(), Failure> {
    let Value::Array(checks) = run.post("/accounts/test", Body::Empty)? else {
        return Err(Failure::Failed("the server's answer is not a list".to_owned()));
    };
    let failed = checks.iter().find(|check| check["passed"] == false).cloned();
    run.list(checks, CHECKS)?;
    match failed {
        None => Ok(()),
        Some(check) => {
            let text = |name: &str| check[name].as_str().unwrap_or_default().to_owned();
            Err(Failure::Failed(format!("{}\n  fix:   {}", text("what"), text("fix"))))
        }
    }
}

fn sync(run: &mut Run<'_>, force: bool) -> Result<(), Failure> {
    let path = with_query("/accounts/sync", &[("force", force.then(|| "true".to_owned()))]);
    let mut report = run.write("POST", &path, Body::Empty)?;
    if !matches!(run.common.output, Format::Table | Format::Csv | Format::Jsonl) {
        return run.object(report, Columns::all(&["people", "new", "changed", "removed", "same", "refused"]));
    }
    if let Value::Array(items) = report["items"].take() {
        let shown = items.into_iter().map(in_words).collect();
        run.list(shown, ITEMS)?;
    }
    if run.common.output == Format::Table {
        run.say(&sentence(&report))?;
    }
    Ok(())
}

/// Changes as a person reads them: `mail: a@x -> b@x`.
fn in_words(mut item: Value) -> Value {
    let Value::Array(changes) = item["changes"].take() else { return item };
    let value = |value: &Value| if value.is_null() { "-".to_owned() } else { crate::output::cell(value) };
    let words = changes.iter().map(|change| {
        let path = change["path"].as_str().unwrap_or_default();
        format!("{path}: {} -> {}", value(&change["before"]), value(&change["after"]))
    });
    item["changes"] = json!(words.collect::<Vec<_>>().join("; "));
    item
}

fn sentence(report: &Value) -> String {
    let mode = if report["what_if"] == true { "what if: " } else { "" };
    let count = |name: &str| report[name].as_u64().unwrap_or(0);
    let mut text = format!(
        "{mode}{} people: {} new, {} changed ({} of them disabled), {} removed, {} the same, {} refused",
        count("people"),
        count("new"),
        count("changed"),
        count("disabled"),
        count("removed"),
        count("same"),
        count("refused")
    );
    if count("more") > 0 {
        text.push_str(&format!("; {} more are not shown", count("more")));
    }
    if let Some(why) = report["stopped"].as_str() {
        text.push_str(&format!("\nwould stop: {why}; --force does it all the same"));
    }
    text
}

fn secret(run: &mut Run<'_>, source: Source, from: &SecretSource) -> Result<(), Failure> {
    let name = source.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let path = format!("/accounts/secrets/{name}");
    if from.remove {
        run.confirm(&format!("Forget the secret for {name}?"))?;
        run.write("DELETE", &path, Body::Empty)?;
        return run.say(&format!("the secret for {name} is forgotten"));
    }
    let read = crate::password::PasswordSource {
        password_stdin: from.stdin,
        password_file: from.file.clone(),
        ..crate::password::PasswordSource::default()
    };
    let text = read.read(run, &name)?.text;
    run.write("PUT", &path, Body::Json(json!({ "secret": text })))?;
    run.say(&if run.common.what_if {
        format!("what if: set the secret for {name}")
    } else {
        format!("the secret for {name} is set")
    })
}
