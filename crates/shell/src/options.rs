//! The options that every command has.

use crate::output::Format;
use clap::{Args, Command};
use lyceum_api::{DEFAULT_SOCKET, SOCKET_NAME};
use std::path::PathBuf;

/// Options of every command.
#[derive(Clone, Debug, Default, Args)]
pub struct Common {
    /// How to write the result
    #[arg(long, short, value_enum, value_name = "FORMAT", default_value = "table", help_heading = "Common options")]
    pub output: Format,
    /// Say what would change, and change nothing
    #[arg(long, help_heading = "Common options")]
    pub what_if: bool,
    /// Do not ask before destroying something
    #[arg(long, short, help_heading = "Common options")]
    pub yes: bool,
    /// The server's local socket [default: $LYCEUM_SOCKET, or the one in --data, or /run/lyceum/lyceum.sock]
    #[arg(long, value_name = "FILE", help_heading = "Common options")]
    pub socket: Option<PathBuf>,
    /// The server's data folder
    #[arg(long, value_name = "DIR", help_heading = "Common options")]
    pub data: Option<PathBuf>,
}

impl Common {
    /// The socket to use.
    pub fn socket(&self) -> PathBuf {
        let named = self.socket.clone().or_else(|| self.data.as_ref().map(|dir| dir.join(SOCKET_NAME)));
        named
            .or_else(|| std::env::var_os("LYCEUM_SOCKET").map(PathBuf::from))
            .unwrap_or_else(|| PathBuf::from(DEFAULT_SOCKET))
    }
}

/// Adds the common options to every command that does something.
pub fn everywhere(command: Command) -> Command {
    if !command.has_subcommands() {
        // The derive would put this struct's own doc comment in the place of the command's help.
        let about = command.get_about().cloned();
        let command = Common::augment_args(command);
        return match about {
            Some(about) => command.about(about.clone()).long_about(about),
            None => command,
        };
    }
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    names.iter().fold(command, |command, name| command.mut_subcommand(name, everywhere))
}
