//! What can go wrong below every question: disk, file, damage, a stale owner.

use std::path::{Path, PathBuf};

/// Why the store could not read or write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No space, a quota or a file size limit.
    DiskFull,
    /// The device or the kernel refused.
    Io(String),
    /// The file or folder may not be written.
    ReadOnly,
    /// The file is not what it was.
    Corrupt(String),
    /// Someone else holds a database lock.
    Busy,
    /// Another node took over; what this one writes is out of date.
    StaleOwner {
        /// Group, or [`crate::WHOLE`].
        group: u16,
        /// Epoch that the write carried.
        ours: u64,
        /// Epoch of the owner.
        current: u64,
    },
    /// A row cannot be read back, as after a downgrade.
    Unreadable(String),
    /// A fault of this program.
    Internal(String),
}

impl Fault {
    /// Disk or file stand in the way, for whatever is written.
    pub(crate) fn is_of_the_disk(&self) -> bool {
        matches!(self, Fault::DiskFull | Fault::Io(_) | Fault::ReadOnly | Fault::Corrupt(_))
    }
}

/// A [`Fault`] and the file it happened at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    /// What went wrong.
    pub fault: Fault,
    /// Where.
    pub path: PathBuf,
}

impl StoreError {
    pub(crate) fn new(fault: Fault, path: &Path) -> Self {
        StoreError { fault, path: path.to_owned() }
    }

    pub(crate) fn io(error: &std::io::Error, path: &Path) -> Self {
        StoreError::new(io_fault(error), path)
    }

    pub(crate) fn unreadable(what: impl std::fmt::Display) -> Self {
        StoreError { fault: Fault::Unreadable(what.to_string()), path: PathBuf::new() }
    }
}

fn io_fault(error: &std::io::Error) -> Fault {
    use std::io::ErrorKind as Kind;
    match error.kind() {
        Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => Fault::DiskFull,
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem => Fault::ReadOnly,
        _ => Fault::Io(error.to_string()),
    }
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.path.display();
        match &self.fault {
            Fault::DiskFull => {
                write!(f, "no space left for {path}: free space on that disk; the server goes on by itself")
            }
            Fault::Io(why) => {
                write!(f, "the disk refused {path} ({why}): check the disk and the kernel's log")
            }
            Fault::ReadOnly => {
                write!(f, "{path} may not be written: check the owner and mode of the folder and the mount")
            }
            Fault::Corrupt(why) => {
                write!(
                    f,
                    "{path} is damaged ({why}): stop the server and restore the last backup with `lyceum restore`"
                )
            }
            Fault::Busy => {
                write!(
                    f,
                    "{path} is locked by another program: close it (a shell or viewer on the database) and try again"
                )
            }
            Fault::StaleOwner { group, ours, current } => {
                let what = if *group == crate::WHOLE { "the store".into() } else { format!("routing group {group}") };
                write!(
                    f,
                    "another owner took over {what} in {path} (epoch {current}, ours is {ours}): nothing was written; restart this node if it should own it"
                )
            }
            Fault::Unreadable(why) => {
                write!(
                    f,
                    "a row in {path} cannot be read ({why}): was it written by a newer server? Start that one, or restore a backup"
                )
            }
            Fault::Internal(why) => {
                write!(f, "an unexpected answer from {path} ({why}): report this with the server's log")
            }
        }
    }
}

impl std::error::Error for StoreError {}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        StoreError { fault: sqlite_fault(&error), path: PathBuf::new() }
    }
}

fn sqlite_fault(error: &rusqlite::Error) -> Fault {
    use rusqlite::ErrorCode as Code;
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        return match error {
            rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..) => {
                Fault::Unreadable(error.to_string())
            }
            _ => Fault::Internal(error.to_string()),
        };
    };
    match failure.code {
        Code::DiskFull => Fault::DiskFull,
        Code::ReadOnly | Code::PermissionDenied | Code::CannotOpen => Fault::ReadOnly,
        Code::DatabaseCorrupt | Code::NotADatabase => Fault::Corrupt(error.to_string()),
        Code::DatabaseBusy | Code::DatabaseLocked => Fault::Busy,
        Code::SystemIoFailure => match std::io::Error::last_os_error().kind() {
            // RLIMIT_FSIZE and quotas come through SQLite as plain input/output errors.
            std::io::ErrorKind::FileTooLarge | std::io::ErrorKind::QuotaExceeded => Fault::DiskFull,
            _ => Fault::Io(error.to_string()),
        },
        _ => Fault::Internal(error.to_string()),
    }
}

/// Errors that carry a [`StoreError`] learn the file from the function that knows it.
pub(crate) trait At: Sized {
    fn store_error(&mut self) -> Option<&mut StoreError>;

    fn at(mut self, path: &Path) -> Self {
        if let Some(error) = self.store_error()
            && error.path.as_os_str().is_empty()
        {
            error.path = path.to_owned();
        }
        self
    }
}

impl At for StoreError {
    fn store_error(&mut self) -> Option<&mut StoreError> {
        Some(self)
    }
}

/// Gives an error family its way from [`StoreError`] and from SQLite.
macro_rules! family {
    ($name:ident) => {
        impl From<$crate::error::StoreError> for $name {
            fn from(error: $crate::error::StoreError) -> Self {
                $name::Store(error)
            }
        }
        impl From<rusqlite::Error> for $name {
            fn from(error: rusqlite::Error) -> Self {
                $name::Store(error.into())
            }
        }
        impl $crate::error::At for $name {
            fn store_error(&mut self) -> Option<&mut $crate::error::StoreError> {
                match self {
                    $name::Store(error) => Some(error),
                    #[allow(unreachable_patterns, reason = "a family may have one variant")]
                    _ => None,
                }
            }
        }
        impl std::error::Error for $name {}
    };
}
pub(crate) use family;
