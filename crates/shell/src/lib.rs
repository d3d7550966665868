//! The management shell: `lyceum user new`, `lyceum topology publish`, … as a client of the
//! administration API over the server's local socket.
//!
//! Verbs and nouns read as a person says them. Every command writes `--output table|json|jsonl|csv|yaml`,
//! takes objects from standard input, has `--what-if`, asks before it destroys, and tells by its exit code
//! ([`failure::EXIT_CODES`]). The shell holds no rules of its own: it shows what the API says.
//!
//! The binary adds its own commands to [`command()`], hands everything else to [`run`]:
//!
//! ```
//! use lyceum_shell::{Context, NoOffline, command, run};
//!
//! let tree = command();
//! let matches = tree.clone().try_get_matches_from(["lyceum", "completions", "bash"]).unwrap();
//! let exit = run(&matches, Context { tree, offline: Box::new(NoOffline) });
//! # let _ = exit;
//! ```

pub mod client;
pub mod command;
pub mod failure;
mod input;
mod interactive;
mod options;
pub mod output;
mod password;
mod session;
pub mod terminal;

use clap::{ArgMatches, CommandFactory, FromArgMatches};
use client::{Api, Socket};
use failure::Failure;
use options::Common;
use session::Run;
use std::path::Path;
use std::process::ExitCode;
use terminal::Streams;

/// Work that needs no running server and that only the binary can do.
pub trait Offline {
    /// Puts the backup `file` in the place of the data in `data`; `None` is the default data folder.
    /// With `what_if`, only checks. Returns a sentence that says what was, or would be, done.
    fn restore(&self, file: &Path, data: Option<&Path>, what_if: bool) -> Result<String, String>;

    /// Enrols this machine as an Access Edge and keeps its papers in `data`. Returns a sentence that says what was done.
    fn enrol(&self, token: &str, data: &Path) -> Result<String, String>;
}

/// For tools that link the shell alone.
pub struct NoOffline;

impl Offline for NoOffline {
    fn restore(&self, _: &Path, _: Option<&Path>, _: bool) -> Result<String, String> {
        Err("this program cannot restore; use the server's own 'lyceum restore'".to_owned())
    }

    fn enrol(&self, _: &str, _: &Path) -> Result<String, String> {
        Err("this program is no Edge; use the server's own 'lyceum edge enrol'".to_owned())
    }
}

/// What the binary gives to [`run`].
pub struct Context {
    /// The whole command tree with the binary's own commands: completions and man pages show it.
    pub tree: clap::Command,
    /// What works without a server.
    pub offline: Box<dyn Offline>,
}

/// The command tree `lyceum …` with every command of the shell.
pub fn command() -> clap::Command {
    options::everywhere(command::Cli::command())
}

/// Whether `name` is a command of the shell, for a binary that has more.
pub fn knows(name: &str) -> bool {
    command::Cli::command().get_subcommands().any(|c| c.get_name() == name)
}

/// Runs the command that `matches` of [`command()`] (or of a larger tree) name.
pub fn run(matches: &ArgMatches, context: Context) -> ExitCode {
    let mut streams = Streams::process();
    let mut leaf = matches;
    while let Some((_, below)) = leaf.subcommand() {
        leaf = below;
    }
    let socket = Common::from_arg_matches(leaf).unwrap_or_default().socket();
    let outcome = Socket::new(&socket).and_then(|mut api| run_with(matches, &context, &mut api, &mut streams));
    exit(outcome, &mut streams)
}

/// Runs a command against any [`Api`] and any streams.
pub fn run_with(
    matches: &ArgMatches,
    context: &Context,
    api: &mut dyn Api,
    streams: &mut Streams,
) -> Result<(), Failure> {
    let cli = command::Cli::from_arg_matches(matches).map_err(|e| Failure::Usage(e.to_string()))?;
    let mut leaf = matches;
    while let Some((_, below)) = leaf.subcommand() {
        leaf = below;
    }
    let common = Common::from_arg_matches(leaf).map_err(|e| Failure::Usage(e.to_string()))?;
    let mut run = Run { common, api, streams, offline: &*context.offline, tree: &context.tree };
    cli.run(&mut run)?;
    run.streams.output.flush().map_err(|_| Failure::OutputClosed)
}

/// Shows what went wrong and turns it into the exit code.
pub fn exit(outcome: Result<(), Failure>, streams: &mut Streams) -> ExitCode {
    // What was printed before a failure is shown before it.
    streams.output.flush().ok();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            session::report(streams, &failure);
            ExitCode::from(failure.code())
        }
    }
}
