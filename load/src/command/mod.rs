//! The subcommands.

mod compare;
mod drive;
mod instructions;
mod measure;
mod media;
mod memory;
mod mix;
mod overload;
mod presence_storm;
mod storm;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::generator::{Generator, Kind, Options};
use crate::users::{self, User};
use crate::{report, sys};

pub use measure::{Measured, measure};

/// Sends SIP load to a server on this machine and says what it cost the server.
#[derive(Debug, Parser)]
#[command(name = "lyceum-load", version, max_term_width = 120)]
pub struct Load {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// REGISTER, 401, REGISTER with digest, 200.
    Register(drive::Drive),
    /// OPTIONS to the server, 200.
    Options(drive::Drive),
    /// MESSAGE through the proxy to a registered user, 200.
    Message(drive::Drive),
    /// INVITE 100 180 200 ACK BYE 200 through the proxy.
    Calls(drive::Drive),
    /// Registrations and calls together, with the server's memory watched.
    Mix(mix::Mix),
    /// Every user registers at once, as after a power cut.
    Storm(storm::Storm),
    /// Everybody changes presence at once, each watched by fifty: in time, in order, within memory.
    PresenceStorm(presence_storm::PresenceStorm),
    /// Twice what the server can hold: 503 with Retry-After, no fall, recovery by itself.
    Overload(overload::Overload),
    /// Bytes per registered address, per lingering transaction, per idle TLS connection.
    Memory(memory::Memory),
    /// Lyceum beside Kamailio: the same load at the same rate in one sitting.
    Compare(compare::Compare),
    /// Media beside rtpengine: relayed, protected, transcoded.
    Media(media::Media),
    /// Instructions of the hot paths, counted by callgrind, against their ceilings.
    Instructions(instructions::Instructions),
    /// Writes a file of made-up users.
    Users(MakeUsers),
}

/// The server and the users.
#[derive(Debug, Clone, Args)]
pub struct Target {
    /// The server's UDP address; on loopback.
    #[arg(long, default_value = "127.0.0.1:5060")]
    target: SocketAddr,
    /// The SIP domain it serves.
    #[arg(long, default_value = "bench.test")]
    domain: String,
    /// `user;password` lines that the server knows too.
    #[arg(long)]
    users: Option<PathBuf>,
    /// Without --users: so many made-up ones, as `lyceum-load users` writes them.
    #[arg(long, default_value_t = 50_000)]
    count: usize,
    /// The server's process; its children are found. Its CPU and memory are then reported.
    #[arg(long)]
    pid: Vec<u32>,
    /// The first so many users are called.
    #[arg(long, default_value_t = 100)]
    callees: usize,
    /// Port of the called end.
    #[arg(long, default_value_t = 5098)]
    called_port: u16,
    /// Pause between 180 and 200, and between ACK and BYE, in ms.
    #[arg(long, default_value_t = 20)]
    pause: u64,
    /// Core that the generator is pinned to.
    #[arg(long)]
    core: Option<usize>,
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

impl Target {
    fn users(&self) -> Result<Vec<User>, String> {
        match &self.users {
            Some(path) => users::read(path),
            None => Ok(users::made_up(self.count)),
        }
    }

    fn generator(&self) -> Result<Generator, String> {
        if let Some(core) = self.core {
            sys::pin_self(core).map_err(|error| format!("core {core}: {error}"))?;
        }
        let mut options = Options::new(self.target, &self.domain, self.users()?);
        options.callees = self.callees.clamp(1, options.users.len() - 1);
        options.called_port = self.called_port;
        options.pause = Duration::from_millis(self.pause);
        Generator::new(options)
    }
}

/// Writes a file of made-up users.
#[derive(Debug, Args)]
struct MakeUsers {
    /// How many.
    #[arg(long, default_value_t = 50_000)]
    count: usize,
    /// Where to.
    #[arg(long, default_value = "users.csv")]
    out: PathBuf,
}

impl MakeUsers {
    fn run(&self) -> Result<bool, String> {
        let text = users::to_csv(&users::made_up(self.count));
        std::fs::write(&self.out, text).map_err(|error| format!("{}: {error}", self.out.display()))?;
        report::progress(&format!("{} users in {}", self.count, self.out.display()));
        Ok(true)
    }
}

/// Carries out one subcommand; true when everything that it checks holds.
///
/// # Errors
/// One sentence that says what is wrong and what to do.
pub fn run(load: &Load) -> Result<bool, String> {
    sys::raise_file_limit();
    match &load.command {
        Command::Register(drive) => drive.run(Kind::Register),
        Command::Options(drive) => drive.run(Kind::Options),
        Command::Message(drive) => drive.run(Kind::Message),
        Command::Calls(drive) => drive.run(Kind::Call),
        Command::Mix(mix) => mix.run(),
        Command::Storm(storm) => storm.run(),
        Command::PresenceStorm(storm) => storm.run(),
        Command::Overload(overload) => overload.run(),
        Command::Memory(memory) => memory.run(),
        Command::Compare(compare) => compare.run(),
        Command::Media(media) => media.run(),
        Command::Instructions(instructions) => instructions.run(),
        Command::Users(users) => users.run(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_tree_is_sound() {
        Load::command().debug_assert();
    }
}
