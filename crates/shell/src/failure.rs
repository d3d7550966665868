//! What can go wrong with a command, and the exit code that tells a script.

use lyceum_api::Problem;
use std::path::PathBuf;

/// Documentation of the exit codes, shown by `lyceum --help` and the man page.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  refused or failed
  2  the command line is wrong
  3  the server cannot be reached
  4  no such object
  5  conflict: it exists already, or someone else changed it meanwhile
  6  not allowed
  7  not confirmed: answer the question, or pass --yes
  8  some of several objects failed; each failure is on stderr";

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// The server refused.
    Refused(Box<Problem>),
    /// Nothing answers on the socket.
    Unreachable {
        /// Which socket.
        socket: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The command line or the input does not make sense.
    Usage(String),
    /// What was given to read is not written as it has to be.
    Input(String),
    /// A file could not be read or written.
    File {
        /// Which.
        file: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// The answer was no, or nobody could be asked.
    NotConfirmed(String),
    /// Some of several objects failed; they were reported one by one.
    Partly {
        /// How many failed.
        failed: usize,
        /// Of how many.
        all: usize,
    },
    /// It ran, and the outcome is bad.
    Failed(String),
    /// The reader of our output went away, as `head` does.
    OutputClosed,
}

impl Failure {
    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Failure::Refused(problem) => match problem.status {
                400 => 2,
                404 => 4,
                409 => 5,
                401 | 403 | 429 => 6,
                _ => 1,
            },
            Failure::Failed(_) | Failure::File { .. } => 1,
            Failure::Usage(_) | Failure::Input(_) => 2,
            Failure::Unreachable { .. } => 3,
            Failure::NotConfirmed(_) => 7,
            Failure::Partly { .. } => 8,
            Failure::OutputClosed => 0,
        }
    }

    /// What, where and what to do, in lines for a person.
    pub fn explain(&self) -> String {
        match self {
            Failure::Refused(problem) => refused(problem),
            Failure::Unreachable { socket, why } => format!(
                "the server cannot be reached ({why})\n  where: {}\n  fix:   start it ('lyceum serve' or 'systemctl start \
                 lyceum'), or name its socket with --socket or --data",
                socket.display()
            ),
            Failure::Usage(what) => format!("{what}\n  fix:   see --help"),
            Failure::Input(what) => format!("{what}\n  fix:   mend it at that place and try again"),
            Failure::File { file, why } => {
                format!("{why}\n  where: {}\n  fix:   check the path and its permissions", file.display())
            }
            Failure::NotConfirmed(what) => what.clone(),
            Failure::Partly { failed, all } => format!("{failed} of {all} failed; the others are done"),
            Failure::Failed(what) => what.clone(),
            Failure::OutputClosed => String::new(),
        }
    }
}

fn refused(problem: &Problem) -> String {
    let mut text = format!("{}\n  where: {}\n  fix:   {}", problem.what, problem.place, problem.fix);
    for fault in &problem.problems {
        text.push_str(&format!("\n  - {}: {} ({})\n      {}", fault.path, fault.what, fault.code, fault.fix));
    }
    text.push_str(&format!("\n  help:  {} ({})", problem.code, problem.help));
    text
}

#[cfg(test)]
mod tests {
    use super::Failure;
    use lyceum_api::{Problem, Refusal};

    #[test]
    fn the_status_of_a_refusal_decides_the_exit_code() {
        for (refusal, code) in [
            (Refusal::UserNotFound, 4),
            (Refusal::UserExists, 5),
            (Refusal::VersionConflict, 5),
            (Refusal::SessionRequired, 6),
            (Refusal::TopologyInvalid, 1),
            (Refusal::StoreUnavailable, 1),
            (Refusal::RequestMalformed, 2),
        ] {
            assert_eq!(Failure::Refused(Problem::new(refusal, "", "").into()).code(), code, "{refusal:?}");
        }
    }
}
