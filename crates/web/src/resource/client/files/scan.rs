//! The virus scanner's hook: a command of the node's own configuration that looks at one file.
//!
//! It gets the path as its last argument and tells by its exit code: 0 clean, 1 infected, anything else could not tell.
//! It is set where the server is set up, not by policy: whoever may change policies over the network must not be able to
//! run a command here.

use crate::Options;
use crate::refused::{Refused, unavailable};
use lyceum_api::Refusal;
use lyceum_store::BlobId;
use lyceum_topology::policy::FileTransferPolicy;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How often a running scanner is asked whether it is done.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Why a file does not go on.
pub struct Fault {
    /// The scanner found something.
    pub infected: bool,
    /// What the sender hears.
    pub refused: Refused,
}

/// Has the scanner look at a file; without a scanner policy decides.
pub fn look(options: &Options, policy: &FileTransferPolicy, blob: BlobId) -> Result<(), Fault> {
    let cannot_tell = |what: &str| {
        tracing::error!("{what}");
        if !policy.require_scan {
            return Ok(());
        }
        Err(Fault { infected: false, refused: Refused::new(Refusal::ServerBusy, what, "virus scanner") })
    };
    let Some(command) = &options.scanner else {
        return if policy.require_scan {
            cannot_tell("files must be scanned, and no scanner is set up")
        } else {
            Ok(())
        };
    };
    let path = options.store.blob_path(blob);
    let patience = Duration::from_secs(u64::from(policy.scan_seconds));
    let quiet =
        Command::new(command).arg(&path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = quiet.map_err(|error| Fault { infected: false, refused: unavailable(&error) })?;
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                return match status.code() {
                    Some(0) => Ok(()),
                    Some(1) => {
                        let what = "the virus scanner stopped this file";
                        Err(Fault { infected: true, refused: Refused::new(Refusal::FileRefused, what, "body") })
                    }
                    _ => cannot_tell("the virus scanner failed"),
                };
            }
            Ok(None) if begun.elapsed() < patience => std::thread::sleep(LOOK_EVERY),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return cannot_tell("the virus scanner took too long");
            }
            Err(error) => return Err(Fault { infected: false, refused: unavailable(&error) }),
        }
    }
}
