//! `lyceum archive`.

use super::period::{Period, moment_now};
use crate::client::Body;
use crate::failure::Failure;
use crate::session::Run;
use clap::{Subcommand, ValueEnum};
use lyceum_api::archive::{ArchiveDone, ArchivePage, Archived};
use lyceum_api::eml::eml;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum As {
    /// A mail per message, in a folder
    Eml,
    /// One JSON list, in a file
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write archived messages to files, and note that they were exported
    Export {
        /// The folder (EML) or file (JSON) to make; it must not be there yet
        #[arg(value_name = "TO")]
        place: PathBuf,
        /// Only with this person
        #[arg(long)]
        user: Option<String>,
        #[command(flatten)]
        period: Period,
        /// How it is written
        #[arg(long = "as", value_name = "FORMAT", value_enum, default_value_t = As::Eml)]
        written_as: As,
    },
    /// Remove archived messages
    Purge {
        /// What happened before this: 2026-01-31T08:05:00Z, 2026-01-31, or how long ago: 14d
        #[arg(long, value_name = "TIME")]
        before: String,
        /// Only what was exported
        #[arg(long)]
        exported_only: bool,
    },
}

impl Verb {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        match self {
            Verb::Export { place, user, period, written_as } => export(run, &place, user, period, written_as),
            Verb::Purge { before, exported_only } => purge(run, &before, exported_only),
        }
    }
}

/// Where an export goes.
enum Target {
    Folder(PathBuf),
    List { file: PathBuf, out: BufWriter<File>, begun: bool },
}

impl Target {
    fn make(to: &Path, written_as: As) -> Result<Self, Failure> {
        let io = |why| Failure::File { file: to.to_owned(), why };
        match written_as {
            As::Eml => std::fs::create_dir(to).map(|()| Self::Folder(to.to_owned())).map_err(io),
            As::Json => {
                let out = BufWriter::new(File::create_new(to).map_err(io)?);
                Ok(Self::List { file: to.to_owned(), out, begun: false })
            }
        }
    }

    fn add(&mut self, row: &Archived) -> Result<(), Failure> {
        match self {
            Self::Folder(folder) => {
                // The number keeps the order of the archive in every listing of the folder.
                let file = folder.join(format!("{:012}.eml", row.seq));
                std::fs::write(&file, eml(row)).map_err(|why| Failure::File { file, why })
            }
            Self::List { file, out, begun } => {
                let text = serde_json::to_string(row).map_err(|why| Failure::Failed(why.to_string()))?;
                let between = if std::mem::replace(begun, true) { ",\n" } else { "[\n" };
                write!(out, "{between}{text}").map_err(|why| Failure::File { file: file.clone(), why })
            }
        }
    }

    /// Everything is on the disk when this returns: only then may a purge take it from the archive.
    fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Folder(folder) => {
                let io = |file: &Path, why| Failure::File { file: file.to_owned(), why };
                for entry in std::fs::read_dir(&folder).map_err(|why| io(&folder, why))? {
                    let file = entry.map_err(|why| io(&folder, why))?.path();
                    File::open(&file).and_then(|open| open.sync_all()).map_err(|why| io(&file, why))?;
                }
                File::open(&folder).and_then(|open| open.sync_all()).map_err(|why| io(&folder, why))
            }
            Self::List { file, mut out, begun } => {
                let end: &[u8] = if begun { b"\n]\n" } else { b"[]\n" };
                let written = out.write_all(end).and_then(|()| out.flush()).and_then(|()| out.get_ref().sync_all());
                written.map_err(|why| Failure::File { file, why })
            }
        }
    }
}

fn export(run: &mut Run<'_>, to: &Path, user: Option<String>, period: Period, written_as: As) -> Result<(), Failure> {
    let [from, until] = period.query()?;
    let query = |after: Option<String>| [("user", user.clone()), from.clone(), until.clone(), ("after", after)];
    let mut page: ArchivePage = read(run.get("/archive", &query(None))?)?;
    let all = page.left;
    if run.common.what_if {
        return run.say(&format!("what if: export {all} archived messages to {}", to.display()));
    }
    let mut target = Target::make(to, written_as)?;
    let bar = run.bar(all);
    let (mut last, mut count) = (0, 0);
    loop {
        for row in &page.items {
            target.add(row)?;
            (last, count) = (row.seq, count + 1);
            bar.inc(1);
        }
        let Some(next) = page.next.take() else { break };
        page = read(run.get("/archive", &query(Some(next)))?)?;
    }
    target.finish()?;
    bar.finish_and_clear();
    let mut body = json!({ "upto": last });
    for (name, value) in [("user", user.clone()), from.clone(), until.clone()] {
        if let Some(value) = value {
            body[name] = json!(value);
        }
    }
    if count > 0 {
        run.write("POST", "/archive/exported", Body::Json(body))?;
    }
    run.say(&format!("{count} archived messages written to {}", to.display()))
}

fn purge(run: &mut Run<'_>, before: &str, exported_only: bool) -> Result<(), Failure> {
    let before = moment_now(before)?;
    let which = if exported_only { "exported messages" } else { "messages, exported or not," };
    run.confirm(&format!("Remove all {which} from before {before} from the archive?"))?;
    let body = json!({ "before": before, "exported_only": exported_only });
    let mut rows = 0;
    let mut bar = None;
    loop {
        let done: ArchiveDone = read(run.write("POST", "/archive/purge", Body::Json(body.clone()))?)?;
        rows += done.rows;
        if run.common.what_if {
            return run.say(&format!("what if: remove {} archived messages from before {before}", done.left));
        }
        let bar = bar.get_or_insert_with(|| run.bar(done.rows + done.left));
        bar.inc(done.rows);
        if done.left == 0 || done.rows == 0 {
            bar.finish_and_clear();
            return run.say(&format!("{rows} archived messages removed"));
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(answer: Value) -> Result<T, Failure> {
    serde_json::from_value(answer).map_err(|e| Failure::Failed(format!("the server's answer does not read: {e}")))
}
