//! Whether a file may be offered, after the virus scanner saw it: without a verdict, policy decides.

use crate::Options;
use crate::refused::Refused;
use crate::scanner::Verdict;
use lyceum_api::Refusal;
use lyceum_store::BlobId;
use lyceum_topology::policy::FileTransferPolicy;
use std::time::Duration;

/// Why a file does not go on.
pub struct Fault {
    /// The scanner found something.
    pub infected: bool,
    /// What the sender hears.
    pub refused: Refused,
}

/// Has the scanner look at a file.
pub fn look(options: &Options, policy: &FileTransferPolicy, blob: BlobId) -> Result<(), Fault> {
    let Some(scanner) = &options.scanner else {
        return match policy.require_scan {
            true => Err(not_scanned("files must be scanned for viruses, and no scanner is set up")),
            false => Ok(()),
        };
    };
    match scanner.look(&options.store.blob_path(blob), Duration::from_secs(u64::from(policy.scan_seconds))) {
        Verdict::Clean => Ok(()),
        Verdict::Infected(name) => {
            tracing::warn!(found = %name.escape_debug(), "the virus scanner stopped a file");
            let what = match name.as_str() {
                "" => "the virus scanner stopped this file".to_owned(),
                name => format!("the virus scanner stopped this file: {}", name.escape_debug()),
            };
            Err(Fault { infected: true, refused: Refused::new(Refusal::FileInfected, what, "body") })
        }
        Verdict::Unknown(why) if policy.allow_unscanned => {
            tracing::error!(%why, "a file passed unscanned: policy allows it");
            Ok(())
        }
        Verdict::Unknown(why) => {
            tracing::error!(%why, "a file was refused: the virus scanner cannot tell");
            Err(not_scanned("the file could not be scanned for viruses"))
        }
    }
}

fn not_scanned(what: &str) -> Fault {
    Fault { infected: false, refused: Refused::new(Refusal::FileNotScanned, what, "virus scanner") }
}
