//! An online backup into one file. The master key is not in it: it never is in the data folder.

use crate::container::{Broken, DATABASES, MANIFEST, Writer};
use crate::error::{At, StoreError};
use crate::sqlite::{Store, open_read_only};
use lyceum_sip::time::WallTime;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

/// Database pages copied between two reports of progress.
const PAGES_PER_STEP: i32 = 1_024;

/// How far a backup or restore is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupProgress<'a> {
    /// The part at work.
    pub what: &'a str,
    /// Bytes done of this part.
    pub done: u64,
    /// Bytes of this part.
    pub total: u64,
}

/// What is in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupSummary {
    /// When it was made, in milliseconds since the Unix epoch.
    pub made: u64,
    /// Name of the node that made it.
    pub node: String,
    /// Version of the server that made it.
    pub server: String,
    /// Version of the topology in it.
    pub topology: u64,
    /// Its databases and their sizes in bytes.
    pub databases: Vec<(String, u64)>,
    /// How many blobs.
    pub blobs: u64,
    /// Bytes in all of them.
    pub blob_bytes: u64,
}

/// Why a backup is not made or not restored.
#[derive(Debug)]
pub enum BackupError {
    /// The target is there already.
    Exists(PathBuf),
    /// The folder to restore into is not empty.
    NotEmpty(PathBuf),
    /// The file is no backup of this product.
    NotABackup(PathBuf),
    /// The file ends too early or a check value does not match.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Disk or file.
    Store(StoreError),
}

crate::error::family!(BackupError);

impl std::fmt::Display for BackupError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BackupError::Exists(path) => {
                write!(f, "{} is there already: give another name, or remove it", path.display())
            }
            BackupError::NotEmpty(dir) => write!(
                f,
                "the folder {} is not empty: restore into a new folder, then point the server at it",
                dir.display()
            ),
            BackupError::NotABackup(path) => write!(f, "{} is not a Lyceum backup: check the name", path.display()),
            BackupError::Damaged { path, what } => write!(
                f,
                "the backup {} is damaged ({what}): nothing was restored; take another backup",
                path.display()
            ),
            BackupError::Store(error) => error.fmt(f),
        }
    }
}

impl BackupError {
    pub(crate) fn broken(broken: Broken, path: &Path) -> BackupError {
        let damaged = |what: String| BackupError::Damaged { path: path.to_owned(), what };
        match broken {
            Broken::NotABackup => BackupError::NotABackup(path.to_owned()),
            Broken::CutShort => damaged("it ends too early".to_owned()),
            Broken::Check(name) => damaged(format!("the check value of {name} does not match")),
            Broken::Name(name) => damaged(format!("it holds a file of the unexpected name {name:?}")),
            Broken::Io(error) => StoreError::io(&error, path).into(),
        }
    }
}

impl Store {
    /// Copies everything into one new file while the server works on. The file appears under its
    /// name only when it is whole and durable.
    pub fn backup(
        &self,
        to: &Path,
        now: WallTime,
        progress: &mut dyn FnMut(BackupProgress<'_>),
    ) -> Result<BackupSummary, BackupError> {
        if to.exists() {
            return Err(BackupError::Exists(to.to_owned()));
        }
        let part = with_suffix(to, ".part");
        let copy = with_suffix(to, ".part-db");
        let result = self.write_backup(&part, &copy, now, progress);
        let _ = fs::remove_file(&copy);
        match result {
            Ok(summary) => {
                let placed = fs::rename(&part, to).and_then(|()| {
                    to.parent().filter(|p| !p.as_os_str().is_empty()).map_or(Ok(()), crate::fs::sync_dir)
                });
                placed.map_err(|e| StoreError::io(&e, to))?;
                Ok(summary)
            }
            Err(error) => {
                let _ = fs::remove_file(&part);
                Err(error)
            }
        }
    }

    fn write_backup(
        &self,
        part: &Path,
        copy: &Path,
        now: WallTime,
        progress: &mut dyn FnMut(BackupProgress<'_>),
    ) -> Result<BackupSummary, BackupError> {
        let io = |e: io::Error| StoreError::io(&e, part);
        let mut options = fs::OpenOptions::new();
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.write(true).create(true).truncate(true).open(part).map_err(io)?;
        let mut out = Writer::new(BufWriter::with_capacity(256 << 10, file)).map_err(io)?;
        let mut summary = BackupSummary {
            made: now.0,
            node: self.inner().owner.clone(),
            server: env!("CARGO_PKG_VERSION").to_owned(),
            topology: self.topology_versions(1).ok().and_then(|v| v.first().map(|p| p.version)).unwrap_or(0),
            databases: Vec::new(),
            blobs: 0,
            blob_bytes: 0,
        };
        for name in DATABASES {
            let _ = fs::remove_file(copy);
            copy_database(&self.dir().join(name), copy, &mut |done, total| {
                progress(BackupProgress { what: name, done, total });
            })?;
            let mut from = File::open(copy).map_err(|e| StoreError::io(&e, copy))?;
            let size = from.metadata().map_err(|e| StoreError::io(&e, copy))?.len();
            out.entry(name, size, &mut from, &mut |_| {}).map_err(io)?;
            summary.databases.push((name.to_owned(), size));
        }
        self.write_blobs(&mut out, part, &mut summary, progress)?;
        let manifest = serde_json::to_vec_pretty(&summary).map_err(StoreError::unreadable)?;
        out.entry(MANIFEST, manifest.len() as u64, &mut &manifest[..], &mut |_| {}).map_err(io)?;
        let file = out.finish().and_then(|out| out.into_inner().map_err(io::IntoInnerError::into_error)).map_err(io)?;
        file.sync_all().map_err(io)?;
        Ok(summary)
    }

    fn write_blobs(
        &self,
        out: &mut Writer<BufWriter<File>>,
        part: &Path,
        summary: &mut BackupSummary,
        progress: &mut dyn FnMut(BackupProgress<'_>),
    ) -> Result<(), BackupError> {
        let ids = self.blobs().map_err(|e| match e {
            crate::BlobError::Store(error) => BackupError::Store(error),
            other => BackupError::Store(StoreError::unreadable(other)),
        })?;
        let total = ids.len() as u64;
        for (done, id) in (1..).zip(ids) {
            // One removed since the list was made is none of this moment's.
            let Ok(mut from) = self.blob_open(id) else { continue };
            let size = from.metadata().map_err(|e| StoreError::io(&e, part))?.len();
            let name = Path::new("blobs").join(id.relative());
            out.entry(&name.to_string_lossy(), size, &mut from, &mut |_| {}).map_err(|e| StoreError::io(&e, part))?;
            summary.blobs += 1;
            summary.blob_bytes += size;
            progress(BackupProgress { what: "blobs", done, total });
        }
        Ok(())
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// SQLite's online backup. An open read transaction holds one moment of the source, so that a
/// writer beside us makes the copy neither start over nor mix two states.
fn copy_database(from: &Path, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError> {
    let source = open_read_only(from)?;
    let mut copy = || -> rusqlite::Result<()> {
        source.execute_batch("BEGIN")?;
        source.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        let page: u64 = source.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let mut target = Connection::open(to)?;
        let backup = Backup::new(&source, &mut target)?;
        loop {
            let step = backup.step(PAGES_PER_STEP)?;
            let at = backup.progress();
            let pages = |n: i32| u64::try_from(n).unwrap_or(0) * page;
            progress(pages(at.pagecount - at.remaining), pages(at.pagecount));
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => std::thread::sleep(std::time::Duration::from_millis(5)),
            }
        }
        drop(backup);
        target.close().map_err(|(_, error)| error)
    };
    copy().map_err(|e| StoreError::from(e).at(from))
}
