//! The SQLite arm: connections, transactions, and the handle.

use crate::bindings::Epochs;
use crate::error::{At, Fault, StoreError};
use crate::key::Sealer;
use crate::lock::FolderLock;
use crate::ownership::{WHOLE, check};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

/// Readers per database; questions of the API and the shell run beside each other.
const READERS: usize = 2;
/// How long a statement waits for another program's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Durable state. A clone is another handle on the same folder.
#[derive(Clone)]
pub enum Store {
    /// One node, one data folder.
    Sqlite(Sqlite),
}

/// The SQLite arm of [`Store`].
#[derive(Clone)]
pub struct Sqlite(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub dir: PathBuf,
    pub main: Database,
    pub records: Database,
    pub messages: Database,
    pub history: crate::messages::History,
    pub bindings_path: PathBuf,
    pub sealer: RwLock<Sealer>,
    pub owner: String,
    pub epoch: u64,
    pub records_epoch: u64,
    pub messages_epoch: u64,
    pub epochs: Arc<Epochs>,
    pub _lock: FolderLock,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.inner().dir.display())
    }
}

impl Store {
    pub(crate) fn inner(&self) -> &Inner {
        let Store::Sqlite(sqlite) = self;
        &sqlite.0
    }

    /// The data folder.
    pub fn dir(&self) -> &Path {
        &self.inner().dir
    }

    /// The epoch under which this process owns a routing group; for [`lyceum_users::Group::set_epoch`].
    pub fn epoch(&self, group: u8) -> u64 {
        self.inner().epochs.of(group)
    }

    /// Whether the last write to one of the databases was refused by the disk. Does not block.
    pub fn refuses_writes(&self) -> bool {
        let inner = self.inner();
        [&inner.main, &inner.records, &inner.messages].iter().any(|database| database.refusing.load(Ordering::Relaxed))
    }

    /// Tries the databases that refused; [`refuses_writes`](Store::refuses_writes) says what came of it.
    pub fn try_refused(&self) {
        let inner = self.inner();
        let epochs = [inner.epoch, inner.records_epoch, inner.messages_epoch];
        for (database, epoch) in [&inner.main, &inner.records, &inner.messages].into_iter().zip(epochs) {
            if database.refusing.load(Ordering::Relaxed) && database.try_write(epoch).is_ok() {
                database.refusing.store(false, Ordering::Relaxed);
            }
        }
    }

    /// One transaction on the main database, under our epoch.
    pub(crate) fn write<T, E: From<StoreError> + From<rusqlite::Error> + At>(
        &self,
        work: impl FnOnce(&Transaction<'_>, u64) -> Result<T, E>,
    ) -> Result<T, E> {
        let inner = self.inner();
        inner.main.write(inner.epoch, work)
    }

    /// One question to the main database.
    pub(crate) fn read<T, E: From<StoreError> + From<rusqlite::Error> + At>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.inner().main.read(work)
    }
}

/// One database: a writer and a few readers.
pub(crate) struct Database {
    pub path: PathBuf,
    writer: Mutex<Connection>,
    readers: Vec<Mutex<Connection>>,
    next: AtomicUsize,
    /// The last write was refused by disk or file.
    refusing: AtomicBool,
}

impl Database {
    pub(crate) fn new(path: PathBuf, writer: Connection, synchronous: &str) -> Result<Database, StoreError> {
        let reader = || -> Result<Mutex<Connection>, StoreError> {
            let db = Connection::open(&path).map_err(StoreError::from)?;
            configure(&db, synchronous).map_err(StoreError::from)?;
            db.pragma_update(None, "query_only", true).map_err(StoreError::from)?;
            Ok(Mutex::new(db))
        };
        let readers = (0..READERS).map(|_| reader().map_err(|e| e.at(&path))).collect::<Result<_, _>>()?;
        Ok(Database {
            path,
            writer: Mutex::new(writer),
            readers,
            next: AtomicUsize::new(0),
            refusing: AtomicBool::new(false),
        })
    }

    /// The writer. A panic of a former holder rolled its transaction back, so the lock is good.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn epoch(&self) -> Result<u64, StoreError> {
        self.read(|db| Ok(db.query_row("SELECT epoch FROM ownership WHERE grp = ?1", [WHOLE], |row| row.get(0))?))
    }

    pub(crate) fn write<T, E: From<StoreError> + From<rusqlite::Error> + At>(
        &self,
        epoch: u64,
        work: impl FnOnce(&Transaction<'_>, u64) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut db = self.lock();
        let run = || {
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            check(&tx, WHOLE, epoch)?;
            let answer = work(&tx, epoch)?;
            tx.commit()?;
            Ok(answer)
        };
        let done = run().map_err(|e: E| e.at(&self.path));
        match done {
            Ok(answer) => {
                self.refusing.store(false, Ordering::Relaxed);
                Ok(answer)
            }
            Err(mut error) => {
                if error.store_error().is_some_and(|error| error.fault.is_of_the_disk()) {
                    self.refusing.store(true, Ordering::Relaxed);
                }
                Err(error)
            }
        }
    }

    /// Writes a row as it is, to see whether a disk that refused has recovered.
    fn try_write(&self, epoch: u64) -> Result<(), StoreError> {
        self.write(epoch, |tx, epoch| {
            tx.execute("UPDATE ownership SET epoch = ?2 WHERE grp = ?1", rusqlite::params![WHOLE, epoch])?;
            Ok(())
        })
    }

    pub(crate) fn read<T, E: From<StoreError> + From<rusqlite::Error> + At>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let free = (0..READERS).find_map(|i| self.readers[(first + i) % READERS].try_lock().ok());
        let db = free.unwrap_or_else(|| self.readers[first % READERS].lock().unwrap_or_else(PoisonError::into_inner));
        work(&db).map_err(|e| e.at(&self.path))
    }
}

/// What every connection is set to.
pub(crate) fn configure(db: &Connection, synchronous: &str) -> rusqlite::Result<()> {
    db.busy_timeout(BUSY_TIMEOUT)?;
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    debug_assert_eq!(mode, "wal");
    db.execute_batch(&format!(
        "PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; \
         PRAGMA cache_size = -1024; PRAGMA trusted_schema = OFF;"
    ))?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// A connection that cannot write.
pub(crate) fn open_read_only(path: &Path) -> Result<Connection, StoreError> {
    let open = || -> rusqlite::Result<Connection> {
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        db.busy_timeout(BUSY_TIMEOUT)?;
        Ok(db)
    };
    open().map_err(|e| StoreError::from(e).at(path))
}

/// A row's JSON, read back.
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(StoreError::unreadable)
}

/// A row's JSON.
pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError { fault: Fault::Internal(e.to_string()), path: PathBuf::new() })
}
