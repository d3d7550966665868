//! `lyceum shell`: the commands of the management shell one after another, typed by a person or read from a script.
//!
//! A person has history, completion and a prompt with the server's name ([`person`]); a script runs line by line and ends
//! at the first command that fails, with that command's exit code.

mod complete;
mod person;
mod words;

use crate::command::Cli;
use crate::failure::Failure;
use crate::input;
use crate::options::Common;
use crate::session::{Run, report};
use clap::error::ErrorKind;
use clap::{Args, FromArgMatches};
use std::io::Write;
use std::path::Path;

/// Runs commands one after another: from a prompt, or from a script on standard input
#[derive(Debug, Args)]
pub struct Shell {}

/// Words that end a session.
const EXIT: [&str; 2] = ["exit", "quit"];

/// What a line was.
enum Line {
    /// Nothing, or a comment.
    Empty,
    /// The end.
    Exit,
    /// A command, for better or worse.
    Done(Result<(), Failure>),
}

impl Shell {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        if run.streams.input_is_terminal { person::session(run) } else { script(run) }
    }
}

/// Runs the lines of standard input up to the first failure.
fn script(run: &mut Run<'_>) -> Result<(), Failure> {
    let text = input::text(&mut run.streams.input, Path::new("standard input"))?;
    // The script is all there is on standard input: no command finds its objects or a password there.
    run.streams.input = Box::new(std::io::empty());
    for (number, line) in (1..).zip(text.lines()) {
        match execute(run, line) {
            Line::Empty | Line::Done(Ok(())) => {}
            Line::Exit => return Ok(()),
            Line::Done(Err(failure)) => {
                run.streams.output.flush().ok();
                run.warn(&format!("line {number}: {}", line.trim()));
                return Err(failure);
            }
        }
    }
    Ok(())
}

/// Does what one line says.
fn execute(run: &mut Run<'_>, line: &str) -> Line {
    let words = match words::split(line) {
        Ok(words) if words.is_empty() => return Line::Empty,
        Ok(words) => words,
        Err(what) => return Line::Done(Err(Failure::Usage(what.to_owned()))),
    };
    if EXIT.contains(&words[0].as_str()) && words.len() == 1 {
        return Line::Exit;
    }
    let outcome = command(run, &words);
    run.streams.output.flush().ok();
    Line::Done(outcome)
}

fn command(run: &mut Run<'_>, words: &[String]) -> Result<(), Failure> {
    let matches = match tree().try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return run.say(error.to_string().trim_end());
        }
        Err(error) => {
            let text = error.to_string();
            return Err(Failure::Usage(text.trim_start_matches("error: ").trim_end().to_owned()));
        }
    };
    let mut leaf = &matches;
    while let Some((_, below)) = leaf.subcommand() {
        leaf = below;
    }
    let usage = |error: clap::Error| Failure::Usage(error.to_string());
    let own = Common::from_arg_matches(leaf).map_err(usage)?;
    let chosen = leaf.value_source("output") == Some(clap::parser::ValueSource::CommandLine);
    // What was said to the shell holds for every line that does not say otherwise.
    let common = Common {
        output: if chosen { own.output } else { run.common.output },
        what_if: own.what_if || run.common.what_if,
        yes: own.yes || run.common.yes,
        socket: None,
        data: None,
    };
    let cli = Cli::from_arg_matches(&matches).map_err(usage)?;
    let (api, streams) = (&mut *run.api, &mut *run.streams);
    cli.run(&mut Run { common, api, streams, offline: run.offline, tree: run.tree })
}

/// The commands that a line may name: all of the shell but itself.
fn tree() -> clap::Command {
    use clap::CommandFactory;
    let whole = crate::options::everywhere(Cli::command());
    let mut tree = clap::Command::new("lyceum")
        .about("exit, quit or Ctrl-D ends; help COMMAND explains; Tab completes")
        .no_binary_name(true)
        .disable_version_flag(true)
        .subcommand_required(true);
    for below in whole.get_subcommands().filter(|below| below.get_name() != "shell") {
        tree = tree.subcommand(below.clone());
    }
    tree
}

/// A failure as a person at the prompt sees it; the session goes on.
fn show(run: &mut Run<'_>, failure: &Failure) {
    report(run.streams, failure);
}
