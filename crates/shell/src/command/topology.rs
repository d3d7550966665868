//! `lyceum topology`.

use crate::client::Body;
use crate::failure::Failure;
use crate::output::{self, Columns, Format};
use crate::session::Run;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const VERSIONS: Columns = Columns::all(&["version", "current", "at", "author", "restored_from"]);
const CHANGES: Columns = Columns::all(&["path", "before", "after"]);
const PROBLEMS: Columns = Columns::all(&["path", "code", "what", "fix"]);

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show the document in force, or an old version
    Get {
        /// Version
        #[arg(long = "version", value_name = "N")]
        number: Option<u64>,
    },
    /// Check a document without publishing it
    Validate {
        /// YAML or JSON; '-' is standard input
        file: PathBuf,
    },
    /// Publish a document
    Publish(Publish),
    /// Write the document in force, without secrets, to a file or standard output
    Export {
        /// File; standard output without one, or with '-'
        file: Option<PathBuf>,
        /// An old version
        #[arg(long = "version", value_name = "N")]
        number: Option<u64>,
    },
    /// Publish an exported document on top of whatever is in force
    Import {
        /// YAML or JSON; '-' is standard input
        file: PathBuf,
    },
    /// Where two documents differ
    Diff {
        /// A document to compare with the one in force, or two versions: before, after
        #[arg(num_args = 0..=2, value_name = "FILE|VERSION", conflicts_with = "to")]
        what: Vec<String>,
        /// Version before [default: the one in force]
        #[arg(long, value_name = "N")]
        from: Option<u64>,
        /// Version after [default: the one in force]
        #[arg(long, value_name = "N")]
        to: Option<u64>,
    },
    /// Publish an old version again; users, numbers and devices stay as they are
    Rollback {
        /// Version to return to
        to: u64,
        /// Refuse when another version than this is in force
        #[arg(long, value_name = "N")]
        expected_version: Option<u64>,
    },
    /// List the versions, newest first
    Versions {
        /// At most so many
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
}

#[derive(Debug, Args)]
pub struct Publish {
    /// YAML or JSON; '-' is standard input
    file: PathBuf,
    /// Refuse when another version than this is in force [default: the 'version' in the document, if there is one]
    #[arg(long, value_name = "N")]
    expected_version: Option<u64>,
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        match self {
            Verb::Get { number } => get(run, number),
            Verb::Validate { file } => validate(run, &file),
            Verb::Publish(publish) => publish.run(run),
            Verb::Export { file, number } => export(run, file.filter(|file| file != Path::new("-")), number),
            Verb::Import { file } => {
                let mut document = read(run, &file)?;
                take_version(&mut document);
                put(run, json!({ "document": document }))
            }
            Verb::Diff { what, from, to } => {
                let (file, from, to) = compared(what, from, to)?;
                diff(run, file, from, to)
            }
            Verb::Rollback { to, expected_version } => {
                run.confirm(&format!("Publish topology version {to} again in place of the one in force?"))?;
                let body = json!({ "to": to, "expected_version": expected_version });
                let answer = run.write("POST", "/topology/rollback", Body::Json(body))?;
                run.changed(answer, VERSIONS)
            }
            Verb::Versions { limit } => run.pages("/topology/versions", &[], limit, VERSIONS),
        }
    }
}

impl Publish {
    fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let mut document = read(run, &self.file)?;
        let seen = take_version(&mut document);
        put(run, json!({ "document": document, "expected_version": self.expected_version.or(seen) }))
    }
}

fn put(run: &mut Run<'_>, body: Value) -> Result<(), Failure> {
    let answer = run.write("PUT", "/topology", Body::Json(body))?;
    run.changed(answer, VERSIONS)
}

/// The version that an exported document carries: assigned by the server, never published.
fn take_version(document: &mut Value) -> Option<u64> {
    document.as_object_mut()?.remove("version")?.as_u64().filter(|v| *v > 0)
}

fn read(run: &mut Run<'_>, file: &Path) -> Result<Value, Failure> {
    let text = run.file(file)?;
    // YAML is a superset of JSON.
    serde_yaml_ng::from_str(&text).map_err(|e| Failure::Input(format!("{} does not read as YAML: {e}", file.display())))
}

fn fetch(run: &mut Run<'_>, number: Option<u64>) -> Result<Value, Failure> {
    match number {
        Some(number) => run.get(&format!("/topology/versions/{number}"), &[]),
        None => run.get("/topology", &[]),
    }
}

fn get(run: &mut Run<'_>, number: Option<u64>) -> Result<(), Failure> {
    let topology = fetch(run, number)?;
    if run.common.output != Format::Table {
        return run.object(topology, VERSIONS);
    }
    let line = |name: &str| output::cell(&topology[name]);
    run.say(&format!("# version {} of {} by {}", line("version"), line("at"), line("author")))?;
    let text = output::yaml(&topology["document"]);
    run.say(text.trim_end())
}

fn export(run: &mut Run<'_>, file: Option<PathBuf>, number: Option<u64>) -> Result<(), Failure> {
    let mut topology = fetch(run, number)?;
    let mut document = topology["document"].take();
    document["version"] = topology["version"].take();
    let json = match &file {
        Some(file) => file.extension().is_some_and(|e| e == "json"),
        None => matches!(run.common.output, Format::Json | Format::Jsonl),
    };
    let text = match json {
        true => format!("{document:#}\n"),
        false => output::yaml(&document),
    };
    let Some(file) = file else { return run.say(text.trim_end()) };
    if run.common.what_if {
        return run.say(&format!("what if: write the document to {}", file.display()));
    }
    if file.exists() {
        run.confirm(&format!("Write over {}?", file.display()))?;
    }
    std::fs::write(&file, text).map_err(|why| Failure::File { file, why })
}

fn validate(run: &mut Run<'_>, file: &Path) -> Result<(), Failure> {
    let mut document = read(run, file)?;
    take_version(&mut document);
    let mut verdict = run.post("/topology/validate", Body::Json(document))?;
    let valid = verdict["valid"] == true;
    let Value::Array(problems) = verdict["problems"].take() else {
        return Err(Failure::Failed("the server's answer has no problems".to_owned()));
    };
    let count = problems.len();
    match run.common.output {
        Format::Table if valid => run.say("the document is valid")?,
        _ => run.list(problems, PROBLEMS)?,
    }
    if valid { Ok(()) } else { Err(Failure::Failed(format!("the document has {count} problem(s)"))) }
}

/// What is compared: a file with a version, or two versions.
fn compared(
    what: Vec<String>,
    from: Option<u64>,
    to: Option<u64>,
) -> Result<(Option<PathBuf>, Option<u64>, Option<u64>), Failure> {
    let version = |text: &String| text.parse::<u64>().ok();
    match what.as_slice() {
        [] => Ok((None, from, to)),
        [one] => match version(one).filter(|_| !Path::new(one).exists()) {
            Some(before) if from.is_none() => Ok((None, Some(before), None)),
            _ => Ok((Some(one.into()), from, None)),
        },
        [before, after] => match (version(before), version(after), from) {
            (Some(before), Some(after), None) => Ok((None, Some(before), Some(after))),
            _ => Err(Failure::Usage(format!(
                "'{before}' and '{after}' are not two versions: name one file, or two numbers of 'lyceum topology versions'"
            ))),
        },
        _ => Err(Failure::Usage("name one file or two versions".to_owned())),
    }
}

fn diff(run: &mut Run<'_>, file: Option<PathBuf>, from: Option<u64>, to: Option<u64>) -> Result<(), Failure> {
    let document = match file {
        Some(file) => {
            let mut document = read(run, &file)?;
            take_version(&mut document);
            Some(document)
        }
        None => None,
    };
    let mut body = json!({});
    for (name, value) in [("from", from.map(Value::from)), ("to", to.map(Value::from)), ("document", document)] {
        if let Some(value) = value {
            body[name] = value;
        }
    }
    let mut answer = run.post("/topology/diff", Body::Json(body))?;
    match answer["changes"].take() {
        Value::Array(changes) if changes.is_empty() && run.common.output == Format::Table => run.say("no differences"),
        Value::Array(changes) => run.list(changes, CHANGES),
        _ => Err(Failure::Failed("the server's answer has no changes".to_owned())),
    }
}
