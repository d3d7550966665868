//! Schemas: an ordered list per database, each step run once, in one transaction, and remembered
//! with its checksum. A list this short needs no library.

use crate::key::sha256;
use crate::open::OpenError;
use rusqlite::{Connection, params};
use std::path::Path;

/// One database's history; the position is the version.
pub(crate) struct Schema {
    /// Written into the file's header, so that no other database is taken for ours.
    pub application_id: i32,
    pub steps: &'static [&'static str],
}

pub(crate) const MAIN: Schema = Schema {
    application_id: 0x4c79_6d01,
    steps: &[
        include_str!("schema/main.1.sql"),
        include_str!("schema/main.2.sql"),
        include_str!("schema/main.3.sql"),
        include_str!("schema/main.4.sql"),
        include_str!("schema/main.5.sql"),
        include_str!("schema/main.6.sql"),
    ],
};
pub(crate) const BINDINGS: Schema =
    Schema { application_id: 0x4c79_6d02, steps: &[include_str!("schema/bindings.1.sql")] };
pub(crate) const RECORDS: Schema =
    Schema { application_id: 0x4c79_6d03, steps: &[include_str!("schema/records.1.sql")] };

pub(crate) const MESSAGES: Schema = Schema {
    application_id: 0x4c79_6d04,
    steps: &[include_str!("schema/messages.1.sql"), include_str!("schema/messages.2.sql")],
};

/// Brings a database to this build's schema; refuses a newer one and a changed history.
pub(crate) fn migrate(db: &mut Connection, schema: &Schema, path: &Path) -> Result<(), OpenError> {
    let found: i32 = db.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version: usize = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found != schema.application_id && (found != 0 || version != 0) {
        return Err(OpenError::NotOurs { path: path.to_owned() });
    }
    if version > schema.steps.len() {
        return Err(OpenError::NewerSchema { path: path.to_owned(), found: version, known: schema.steps.len() });
    }
    if version > 0 {
        check_history(db, schema, path)?;
    }
    for (index, step) in schema.steps.iter().enumerate().skip(version) {
        let tx = db.transaction()?;
        tx.execute_batch(
            "CREATE TABLE IF NOT EXISTS schema_step (version INTEGER PRIMARY KEY, checksum BLOB NOT NULL)",
        )?;
        tx.execute_batch(step)?;
        tx.execute(
            "INSERT INTO schema_step (version, checksum) VALUES (?1, ?2)",
            params![index + 1, sha256(step.as_bytes())],
        )?;
        tx.pragma_update(None, "user_version", (index + 1) as i64)?;
        tx.pragma_update(None, "application_id", schema.application_id)?;
        tx.commit()?;
    }
    Ok(())
}

fn check_history(db: &Connection, schema: &Schema, path: &Path) -> Result<(), OpenError> {
    let mut steps = db.prepare("SELECT version, checksum FROM schema_step ORDER BY version")?;
    let mut rows = steps.query([])?;
    while let Some(row) = rows.next()? {
        let (version, checksum): (usize, [u8; 32]) = (row.get(0)?, row.get(1)?);
        let known = version.checked_sub(1).and_then(|i| schema.steps.get(i));
        if known.is_none_or(|step| sha256(step.as_bytes()) != checksum) {
            return Err(OpenError::AlteredSchema { path: path.to_owned(), version });
        }
    }
    Ok(())
}
