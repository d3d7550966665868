//! Opening a data folder.

use crate::bindings::Epochs;
use crate::error::{At, Fault, StoreError, family};
use crate::fs::{make_private, network_file_system};
use crate::key::MasterKey;
use crate::lock::{FolderLock, LockError};
use crate::migrate::{BINDINGS, MAIN, MESSAGES, RECORDS, Schema, migrate};
use crate::ownership::{WHOLE, claim};
use crate::sqlite::{Database, Inner, Sqlite, Store, configure};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

/// Whether opening takes the folder's groups over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpochPolicy {
    /// The next epoch of everything is ours: what an earlier owner still writes is refused.
    TakeOver,
    /// Keep the epochs as they are, for tools that look or change nothing of a running owner's.
    Keep,
}

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of this node, for the ownership table.
    pub owner: String,
    /// Take over, or keep.
    pub epochs: EpochPolicy,
}

impl Options {
    /// A node that takes the folder over.
    pub fn node(name: &str) -> Options {
        Options { owner: name.to_owned(), epochs: EpochPolicy::TakeOver }
    }
}

/// Why a data folder cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// Another server uses it.
    Locked {
        /// The folder.
        dir: PathBuf,
        /// That server's process.
        pid: Option<u32>,
    },
    /// Written by a newer server.
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: usize,
        /// The newest that this build knows.
        known: usize,
    },
    /// The schema's history is not this product's.
    AlteredSchema {
        /// The database.
        path: PathBuf,
        /// The step that differs.
        version: usize,
    },
    /// Some other program's database.
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// Secrets were sealed under another master key.
    WrongKey {
        /// The folder.
        dir: PathBuf,
    },
    /// Disk, file or damage.
    Store(StoreError),
}

family!(OpenError);

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OpenError::Locked { dir, pid } => {
                let who = pid.map_or("another process".into(), |pid| format!("the process with id {pid}"));
                write!(
                    f,
                    "the data folder {} is in use by {who}: stop that server, or give another folder",
                    dir.display()
                )
            }
            OpenError::NewerSchema { path, found, known } => write!(
                f,
                "{} was written by a newer server (schema {found}, this build knows {known}): start the newer server, or restore a backup made by this one",
                path.display()
            ),
            OpenError::AlteredSchema { path, version } => write!(
                f,
                "step {version} of the schema of {} is not the one this build knows: it was changed by hand or by another build; restore a backup",
                path.display()
            ),
            OpenError::NotOurs { path } => {
                write!(
                    f,
                    "{} is not a Lyceum database: give another data folder, or move that file away",
                    path.display()
                )
            }
            OpenError::WrongKey { dir } => write!(
                f,
                "the master key does not open the secrets in {}: put back the key file that belongs to this data folder",
                dir.display()
            ),
            OpenError::Store(error) => error.fmt(f),
        }
    }
}

impl Store {
    /// Opens a data folder, creating what is missing, and locks it for this process.
    pub fn open(dir: &Path, key: MasterKey, options: &Options) -> Result<Store, OpenError> {
        prepare_dir(dir)?;
        let lock = lock(dir)?;
        let main = database(dir, "lyceum.db", &MAIN, "FULL")?;
        let records = database(dir, "records.db", &RECORDS, "NORMAL")?;
        let messages = database(dir, "messages.db", &MESSAGES, "FULL")?;
        crate::messages::carry_over(&mut messages.lock()).map_err(|e| e.at(&messages.path))?;
        let bindings_path = dir.join("bindings.db");
        let mut bindings = connect(&bindings_path, &BINDINGS, "FULL")?;
        let epoch = take_over(&mut main.lock(), options).map_err(|e| locate(e, &main.path))?;
        take_over(&mut records.lock(), options).map_err(|e| locate(e, &records.path))?;
        take_over(&mut messages.lock(), options).map_err(|e| locate(e, &messages.path))?;
        let epochs = take_over_groups(&mut bindings, options).map_err(|e| locate(e, &bindings_path))?;
        let records_epoch = records.epoch()?;
        let messages_epoch = messages.epoch()?;
        let sealer = key.sealer();
        check_key(&main.lock(), &sealer, epoch, dir)?;
        Ok(Store::Sqlite(Sqlite(Arc::new(Inner {
            dir: dir.to_owned(),
            main,
            records,
            messages,
            history: Default::default(),
            bindings_path,
            sealer: RwLock::new(sealer),
            owner: options.owner.clone(),
            epoch,
            records_epoch,
            messages_epoch,
            epochs: Arc::new(epochs),
            _lock: lock,
        }))))
    }
}

fn locate(error: rusqlite::Error, path: &Path) -> OpenError {
    OpenError::from(error).at(path)
}

fn prepare_dir(dir: &Path) -> Result<(), OpenError> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|e| StoreError::io(&e, dir))?;
    if let Some(kind) = network_file_system(dir) {
        tracing::warn!(folder = %dir.display(), kind, "data folder on a network file system: a power cut may lose acknowledged data");
    }
    Ok(())
}

fn lock(dir: &Path) -> Result<FolderLock, OpenError> {
    FolderLock::take(dir).map_err(|error| match error {
        LockError::Held(pid) => OpenError::Locked { dir: dir.to_owned(), pid },
        LockError::Io(error) => StoreError::io(&error, &dir.join("lock")).into(),
    })
}

fn database(dir: &Path, name: &str, schema: &Schema, synchronous: &str) -> Result<Database, OpenError> {
    let path = dir.join(name);
    let writer = connect(&path, schema, synchronous)?;
    Database::new(path, writer, synchronous).map_err(OpenError::from)
}

fn connect(path: &Path, schema: &Schema, synchronous: &str) -> Result<Connection, OpenError> {
    use crate::error::At;
    let open = || -> Result<Connection, OpenError> {
        make_private(path).map_err(|e| StoreError::io(&e, path))?;
        let mut db = Connection::open(path)?;
        configure(&db, synchronous)?;
        migrate(&mut db, schema, path)?;
        Ok(db)
    };
    open().map_err(|e| e.at(path))
}

fn take_over(db: &mut Connection, options: &Options) -> rusqlite::Result<u64> {
    let tx = db.transaction()?;
    let epoch = claim(&tx, WHOLE, &options.owner, options.epochs == EpochPolicy::TakeOver)?;
    tx.commit()?;
    Ok(epoch)
}

fn take_over_groups(db: &mut Connection, options: &Options) -> rusqlite::Result<Epochs> {
    let tx = db.transaction()?;
    let mut epochs = [0; 256];
    for (group, epoch) in (0u16..).zip(&mut epochs) {
        *epoch = claim(&tx, group, &options.owner, options.epochs == EpochPolicy::TakeOver)?;
    }
    tx.commit()?;
    Ok(Epochs::new(epochs))
}

const KEY_CONTEXT: &[u8] = b"lyceum key check";

fn check_key(db: &Connection, sealer: &crate::key::Sealer, epoch: u64, dir: &Path) -> Result<(), OpenError> {
    let sealed: Option<Vec<u8>> = db.query_row("SELECT sealed FROM key_check", [], |row| row.get(0)).optional()?;
    match sealed {
        Some(sealed) => {
            sealer.open(KEY_CONTEXT, &sealed).map(drop).map_err(|_| OpenError::WrongKey { dir: dir.to_owned() })
        }
        None => Ok(store_key_check(db, sealer, epoch)?),
    }
}

/// Notes which key seals this folder's secrets.
pub(crate) fn store_key_check(db: &Connection, sealer: &crate::key::Sealer, epoch: u64) -> rusqlite::Result<()> {
    let sealed = sealer.seal(KEY_CONTEXT, b"lyceum");
    db.execute("INSERT OR REPLACE INTO key_check (id, sealed, epoch) VALUES (1, ?1, ?2)", params![sealed, epoch])?;
    Ok(())
}

/// True when a fault is about space or the device, so that it can pass by itself.
pub(crate) fn may_pass(fault: &Fault) -> bool {
    matches!(fault, Fault::DiskFull | Fault::Io(_) | Fault::ReadOnly | Fault::Busy)
}
