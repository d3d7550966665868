//! One server per data folder.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Held as long as the folder is in use; the kernel releases it when the process ends.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: File,
}

/// Why the folder cannot be locked.
pub(crate) enum LockError {
    /// By the process with this id, where it could be read.
    Held(Option<u32>),
    Io(std::io::Error),
}

impl FolderLock {
    pub(crate) fn take(dir: &Path) -> Result<FolderLock, LockError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(dir.join("lock"))
            .map_err(LockError::Io)?;
        // SAFETY: the descriptor is open and owned by `file`.
        if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } != 0 {
            let error = std::io::Error::last_os_error();
            if error.kind() != std::io::ErrorKind::WouldBlock {
                return Err(LockError::Io(error));
            }
            let mut text = String::new();
            let _ = file.read_to_string(&mut text);
            return Err(LockError::Held(text.trim().parse().ok()));
        }
        let note = |file: &mut File| {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            writeln!(file, "{}", std::process::id())
        };
        // The number is only for people: on a full disk the lock itself still holds.
        if let Err(error) = note(&mut file) {
            tracing::warn!(%error, "process id not written into the folder lock");
        }
        Ok(FolderLock { _file: file })
    }
}
