//! The topology document: every version ever published.

use crate::audit::{By, NewLine, add};
use crate::error::{StoreError, family};
use crate::sqlite::{Store, from_json, to_json};
use lyceum_sip::time::WallTime;
use lyceum_topology::Document;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

/// Why a document was not published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopologyError {
    /// Someone published since the draft was begun.
    Conflict {
        /// The version that the draft started from.
        expected: u64,
        /// The version that is current.
        current: u64,
    },
    /// There is no such version.
    NoVersion(u64),
    /// Disk, file, damage or a stale owner.
    Store(StoreError),
}

family!(TopologyError);

impl std::fmt::Display for TopologyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TopologyError::Conflict { expected, current } => write!(
                f,
                "the topology is at version {current} now, the draft started from {expected}: look at the difference, put the change into a draft of {current} and publish that"
            ),
            TopologyError::NoVersion(version) => {
                write!(f, "the topology has no version {version}: list them with `lyceum topology versions`")
            }
            TopologyError::Store(error) => error.fmt(f),
        }
    }
}

/// One published version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Its number.
    pub version: u64,
    /// Who published it.
    pub author: String,
    /// When.
    pub at: WallTime,
    /// The version whose document it brought back, after a rollback.
    pub restored_from: Option<u64>,
}

impl Store {
    /// Publishes a document as the next version: document, audit line and version in one
    /// transaction. `expected` is the version that the draft started from, 0 for the first.
    pub fn publish_topology(&self, document: &Document, expected: u64, by: By<'_>) -> Result<Published, TopologyError> {
        self.write(|tx, epoch| {
            let current = current(tx)?;
            if current != expected {
                return Err(TopologyError::Conflict { expected, current });
            }
            insert(tx, epoch, document.clone(), current, None, by)
        })
    }

    /// Publishes the document of an old version as a new one. Directory and secrets stay.
    pub fn rollback_topology(&self, to: u64, expected: u64, by: By<'_>) -> Result<Published, TopologyError> {
        self.write(|tx, epoch| {
            let current = current(tx)?;
            if current != expected {
                return Err(TopologyError::Conflict { expected, current });
            }
            let document = document(tx, to)?.ok_or(TopologyError::NoVersion(to))?;
            insert(tx, epoch, document, current, Some(to), by)
        })
    }

    /// The newest document, its version in it; `None` before the first.
    pub fn topology(&self) -> Result<Option<Document>, TopologyError> {
        self.read(|db| document(db, current(db)?))
    }

    /// The document of one version.
    pub fn topology_version(&self, version: u64) -> Result<Document, TopologyError> {
        self.read(|db| document(db, version)?.ok_or(TopologyError::NoVersion(version)))
    }

    /// The newest versions, newest first.
    pub fn topology_versions(&self, limit: u32) -> Result<Vec<Published>, TopologyError> {
        self.read(|db| {
            let mut select = db.prepare_cached(
                "SELECT version, author, at, restored_from FROM topology ORDER BY version DESC LIMIT ?1",
            )?;
            let rows = select.query_map([limit], published)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn published(row: &Row<'_>) -> rusqlite::Result<Published> {
    let (version, author) = (row.get(0)?, row.get(1)?);
    Ok(Published { version, author, at: WallTime(row.get(2)?), restored_from: row.get(3)? })
}

fn current(db: &Connection) -> rusqlite::Result<u64> {
    db.query_row("SELECT coalesce(max(version), 0) FROM topology", [], |row| row.get(0))
}

fn document(db: &Connection, version: u64) -> Result<Option<Document>, TopologyError> {
    let text: Option<String> = db
        .prepare_cached("SELECT document FROM topology WHERE version = ?1")?
        .query_row([version], |row| row.get(0))
        .optional()?;
    text.map(|text| Ok(from_json(&text)?)).transpose()
}

fn insert(
    tx: &Transaction<'_>,
    epoch: u64,
    mut document: Document,
    current: u64,
    restored_from: Option<u64>,
    by: By<'_>,
) -> Result<Published, TopologyError> {
    let version = current + 1;
    document.version = version;
    tx.execute(
        "INSERT INTO topology (version, document, author, at, restored_from, epoch) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![version, to_json(&document)?, by.who, by.at.0, restored_from, epoch],
    )?;
    let what = if restored_from.is_some() { "topology.rollback" } else { "topology.publish" };
    let object = restored_from.map_or_else(|| "topology".to_owned(), |v| format!("version {v}"));
    let line = NewLine {
        what,
        object: &object,
        version_before: (current > 0).then_some(current),
        version_after: Some(version),
        ..NewLine::default()
    };
    add(tx, epoch, by, &line)?;
    Ok(Published { version, author: by.who.to_owned(), at: by.at, restored_from })
}
