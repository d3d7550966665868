//! Who owns what: every write carries its owner's epoch, and a stale owner is refused.

use crate::error::{Fault, StoreError};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::PathBuf;

/// The number under which a database as a whole is owned; routing groups are 0 to 255.
pub const WHOLE: u16 = 256;

/// Takes over, or reads the epoch when `take` is false. Runs inside the caller's transaction.
pub(crate) fn claim(db: &Connection, group: u16, owner: &str, take: bool) -> rusqlite::Result<u64> {
    let current: Option<u64> = db
        .prepare_cached("SELECT epoch FROM ownership WHERE grp = ?1")?
        .query_row([group], |row| row.get(0))
        .optional()?;
    match current {
        Some(epoch) if !take => return Ok(epoch),
        _ => {}
    }
    let epoch = current.unwrap_or(0) + 1;
    db.prepare_cached(
        "INSERT INTO ownership (grp, epoch, owner) VALUES (?1, ?2, ?3)
         ON CONFLICT (grp) DO UPDATE SET epoch = ?2, owner = ?3",
    )?
    .execute(params![group, epoch, owner])?;
    Ok(epoch)
}

/// Refuses a write whose epoch is not the owner's.
pub(crate) fn check(db: &Connection, group: u16, ours: u64) -> Result<(), StoreError> {
    let current: u64 = db
        .prepare_cached("SELECT epoch FROM ownership WHERE grp = ?1")?
        .query_row([group], |row| row.get(0))
        .optional()?
        .unwrap_or(0);
    if current == ours {
        Ok(())
    } else {
        Err(StoreError { fault: Fault::StaleOwner { group, ours, current }, path: PathBuf::new() })
    }
}
