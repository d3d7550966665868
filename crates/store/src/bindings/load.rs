//! Groups as the store holds them.

use super::{BindingError, Epochs};
use crate::error::{Fault, StoreError};
use crate::sqlite::{Store, open_read_only};
use lyceum_users::{Block, Group};
use rusqlite::{Connection, OptionalExtension};
use std::ops::RangeInclusive;

/// A group read back, with what its journal holds beyond its image.
pub struct LoadedGroup {
    /// The group, ready to serve, its epoch set.
    pub group: Group,
    /// Journal entries that were applied to its base image.
    pub replayed: u64,
}

impl Store {
    /// All 256 groups in order, as of the last committed batch.
    pub fn load_groups(&self) -> Result<Vec<LoadedGroup>, BindingError> {
        use crate::error::At;
        let inner = self.inner();
        let run = || {
            let mut db = open_read_only(&inner.bindings_path)?;
            let tx = db.transaction()?;
            replay(&tx, 0..=255, i64::MAX, &inner.epochs)
        };
        run().map_err(|e: BindingError| e.at(&inner.bindings_path))
    }
}

/// Base images and the journal up to row `upto`, for some groups.
pub(super) fn replay(
    db: &Connection,
    range: RangeInclusive<u8>,
    upto: i64,
    epochs: &Epochs,
) -> Result<Vec<LoadedGroup>, BindingError> {
    let first = *range.start();
    let mut loaded = Vec::with_capacity(range.len());
    let mut imaged = Vec::with_capacity(range.len());
    for number in range {
        let (group, upto) = base(db, number, epochs)?;
        loaded.push(LoadedGroup { group, replayed: 0 });
        imaged.push(upto);
    }
    let from = imaged.iter().copied().min().unwrap_or(0);
    let mut rows = db.prepare_cached("SELECT id, block FROM journal WHERE id > ?1 AND id <= ?2 ORDER BY id")?;
    let mut rows = rows.query([from, upto])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let block = row.get_ref(1)?.as_blob().map_err(StoreError::unreadable)?;
        for entry in Block::read(block) {
            let Some(slot) = entry.group.checked_sub(first).map(usize::from) else { continue };
            let Some(loaded) = loaded.get_mut(slot).filter(|_| id > imaged[slot]) else { continue };
            loaded.group.apply(entry.entry).map_err(|e| damaged(entry.group, &e))?;
            loaded.replayed += 1;
        }
    }
    Ok(loaded)
}

fn base(db: &Connection, number: u8, epochs: &Epochs) -> Result<(Group, i64), BindingError> {
    let mut group = Group::new(number);
    group.set_epoch(epochs.of(number));
    let upto = db
        .prepare_cached("SELECT upto, image FROM image WHERE grp = ?1")?
        .query_row([number], |row| {
            let image = row.get_ref(1)?.as_blob().unwrap_or(b"");
            Ok((row.get::<_, i64>(0)?, group.load(image)))
        })
        .optional()?;
    match upto {
        Some((upto, Ok(()))) => Ok((group, upto)),
        Some((_, Err(error))) => Err(damaged(number, &error)),
        None => Ok((group, 0)),
    }
}

fn damaged(group: u8, why: &dyn std::fmt::Display) -> BindingError {
    let fault = Fault::Corrupt(format!("routing group {group}: {why}"));
    BindingError::Store(StoreError { fault, path: std::path::PathBuf::new() })
}
