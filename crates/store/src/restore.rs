//! A backup back into a folder.

use crate::backup::{BackupError, BackupProgress, BackupSummary};
use crate::container::{DATABASES, LATER_DATABASES, MANIFEST, Sink, read};
use crate::error::{Fault, StoreError};
use crate::fs::sync_dir;
use crate::key::{hex, random};
use crate::sqlite::open_read_only;
use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Restores a backup into a new or empty folder. Everything is checked on the way; the folder
/// appears only when all of it is whole and durable.
pub fn restore(
    from: &Path,
    dir: &Path,
    progress: &mut dyn FnMut(BackupProgress<'_>),
) -> Result<BackupSummary, BackupError> {
    let io = |e: io::Error, path: &Path| BackupError::from(StoreError::io(&e, path));
    match fs::read_dir(dir) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(BackupError::NotEmpty(dir.to_owned()));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(io(error, dir)),
    }
    let file = File::open(from).map_err(|e| io(e, from))?;
    let parent = dir.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(|e| io(e, parent))?;
    let name = dir.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let scratch = parent.join(format!(".{name}.restoring-{}", hex(&random::<4>())));
    fs::DirBuilder::new().mode(0o700).create(&scratch).map_err(|e| io(e, &scratch))?;
    let result = unpack(file, from, &scratch, progress).and_then(|summary| {
        fs::rename(&scratch, dir).and_then(|()| sync_dir(parent)).map_err(|e| io(e, dir))?;
        Ok(summary)
    });
    if result.is_err() {
        let _ = fs::remove_dir_all(&scratch);
    }
    result
}

fn unpack(
    file: File,
    from: &Path,
    scratch: &Path,
    progress: &mut dyn FnMut(BackupProgress<'_>),
) -> Result<BackupSummary, BackupError> {
    let mut sink = Files { dir: scratch, open: None, name: String::new(), done: 0, total: 0, progress };
    read(BufReader::with_capacity(256 << 10, file), &mut sink).map_err(|b| BackupError::broken(b, from))?;
    let damaged = |what: String| BackupError::Damaged { path: from.to_owned(), what };
    for name in DATABASES {
        let path = scratch.join(name);
        if !path.exists() {
            if LATER_DATABASES.contains(&name) {
                continue;
            }
            return Err(damaged(format!("{name} is missing")));
        }
        check_database(&path).map_err(|why| damaged(format!("{name}: {why}")))?;
    }
    let manifest = scratch.join(MANIFEST);
    let text = fs::read(&manifest).map_err(|_| damaged("the manifest is missing".to_owned()))?;
    let summary = serde_json::from_slice(&text).map_err(|e| damaged(format!("the manifest: {e}")))?;
    fs::remove_file(&manifest).and_then(|()| sync_dir(scratch)).map_err(|e| StoreError::io(&e, scratch))?;
    Ok(summary)
}

/// SQLite's own check of a database file, which no check value replaces.
fn check_database(path: &Path) -> Result<(), String> {
    let check = || -> Result<String, StoreError> {
        let db = open_read_only(path)?;
        Ok(db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?)
    };
    match check() {
        Ok(answer) if answer == "ok" => Ok(()),
        Ok(answer) => Err(answer),
        Err(StoreError { fault: Fault::Corrupt(why), .. }) => Err(why),
        Err(error) => Err(error.to_string()),
    }
}

/// Writes entries as files.
struct Files<'a, 'p> {
    dir: &'a Path,
    open: Option<(File, PathBuf)>,
    name: String,
    done: u64,
    total: u64,
    progress: &'a mut dyn FnMut(BackupProgress<'p>),
}

impl Sink for Files<'_, '_> {
    fn begin(&mut self, name: &str, place: &Path, size: u64) -> io::Result<()> {
        let path = self.dir.join(place);
        let folder = path.parent().unwrap_or(self.dir).to_owned();
        fs::DirBuilder::new().mode(0o700).recursive(true).create(&folder)?;
        let mut options = fs::OpenOptions::new();
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        self.open = Some((options.write(true).create_new(true).open(&path)?, folder));
        (self.name, self.done, self.total) = (name.to_owned(), 0, size);
        Ok(())
    }

    fn piece(&mut self, piece: &[u8]) -> io::Result<()> {
        if let Some((file, _)) = &mut self.open {
            file.write_all(piece)?;
        }
        self.done += piece.len() as u64;
        let what = if self.name.starts_with("blobs/") { "blobs" } else { "databases" };
        (self.progress)(BackupProgress { what, done: self.done, total: self.total });
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let Some((file, folder)) = self.open.take() else { return Ok(()) };
        file.sync_all()?;
        sync_dir(&folder)
    }
}
