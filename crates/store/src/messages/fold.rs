//! From the journal into segments: what many batches brought for a person is written once.

use super::line::{Line, damaged};
use super::recent::{self, Recent};
use super::window::{SEGMENT_BYTES, Summary, Window};
use crate::error::{Fault, StoreError};
use crate::open::may_pass;
use crate::sqlite::{Inner, Store};
use lyceum_users::messages::MessageId;
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::BTreeSet;
use std::ops::Range;

/// Size of the journal at which it is folded.
const FOLD_BYTES: usize = 64 << 20;
/// People whose lines are folded in one transaction.
const PEOPLE_A_STEP: usize = 256;
/// Journal rows that are removed in one transaction.
const ROWS_A_STEP: usize = 16;

/// A fold of everything that is under way.
pub(super) struct Folding {
    /// The last row that will be gone.
    upto: i64,
    /// Who is left. Nobody is taken from here whose lines are not in segments, or who is not among the failed.
    people: Vec<Box<str>>,
    /// Whose lines could not be folded.
    failed: Vec<Box<str>>,
    /// The last row that was looked at for removal.
    looked: i64,
}

enum Step {
    Nothing,
    People(Vec<Box<str>>),
    Rows { after: i64, upto: i64, held: BTreeSet<i64> },
}

impl Store {
    /// Takes a step in folding the journal, or begins if it is large enough (or `now` is true). True while there is more
    /// to do. After an error the same step is taken again.
    pub(super) fn fold_step(&self, now: bool) -> Result<bool, StoreError> {
        let inner = self.inner();
        let _order = inner.history.order();
        let step = match inner.history.change(|recent| next_step(recent, now)) {
            Some(step) => step,
            None => inner.messages.read(|db| inner.history.recent(db, |recent| next_step(recent, now)))?,
        };
        match step {
            Step::Nothing => Ok(false),
            Step::People(people) => fold_group(inner, &people).map(|()| true),
            Step::Rows { after, upto, held } => forget_rows(inner, after..upto, &held),
        }
    }
}

fn next_step(recent: &mut Recent, now: bool) -> Step {
    let due = recent.bytes >= recent.left + FOLD_BYTES || (now && recent.bytes > 0);
    if recent.folding.is_none() && !due {
        return Step::Nothing;
    }
    let upto = recent.last;
    let begin = || Folding { upto, people: recent.people.keys().cloned().collect(), failed: Vec::new(), looked: 0 };
    let folding = recent.folding.get_or_insert_with(begin);
    if folding.people.is_empty() {
        let upto = folding.upto;
        let rows = folding.failed.iter().filter_map(|user| recent.people.get(user)).flatten().map(|at| at.row);
        return Step::Rows { after: folding.looked, upto, held: rows.filter(|row| *row <= upto).collect() };
    }
    Step::People(folding.people[folding.people.len().saturating_sub(PEOPLE_A_STEP)..].to_vec())
}

/// Folds the last people of a fold; one whose lines cannot be folded costs nobody else theirs.
fn fold_group(inner: &Inner, group: &[Box<str>]) -> Result<(), StoreError> {
    let mut failed = Vec::new();
    match people(inner, group) {
        Err(error) if !is_of_one_stream(&error) => return Err(error),
        Err(_) => {
            for user in group {
                match people(inner, std::slice::from_ref(user)) {
                    Err(error) if !is_of_one_stream(&error) => return Err(error),
                    Err(error) => {
                        tracing::error!(%user, %error, "the history of a user could not be folded; it stays in the journal");
                        failed.push(user.clone());
                    }
                    Ok(()) => {}
                }
            }
        }
        Ok(()) => {}
    }
    inner.history.change(|recent| {
        if let Some(folding) = &mut recent.folding {
            folding.people.truncate(folding.people.len() - group.len());
            folding.failed.append(&mut failed);
        }
    });
    Ok(())
}

/// Folds the lines of these people, all or none; the order must be held.
pub(super) fn people(inner: &Inner, people: &[Box<str>]) -> Result<(), StoreError> {
    if people.is_empty() {
        return Ok(());
    }
    inner
        .messages
        .write(inner.messages_epoch, |tx, epoch| people.iter().try_for_each(|user| one(inner, tx, epoch, user)))?;
    inner.history.change(|recent| people.iter().for_each(|user| drop(recent.people.remove(user))));
    Ok(())
}

/// Whether others may fare better: it is not disk or ownership, but what is written of somebody.
pub(super) fn is_of_one_stream(error: &StoreError) -> bool {
    !may_pass(&error.fault) && !matches!(error.fault, Fault::StaleOwner { .. })
}

/// Removes journal rows that are folded, but those held for somebody whose lines could not be. True while there are more.
fn forget_rows(inner: &Inner, rows: Range<i64>, held: &BTreeSet<i64>) -> Result<bool, StoreError> {
    let (after, upto) = (rows.start, rows.end);
    let (looked, bytes) = inner.messages.write(inner.messages_epoch, |tx, _| {
        let found: Vec<i64> = tx
            .prepare_cached("SELECT id FROM history_journal WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3")?
            .query_map(params![after, upto, ROWS_A_STEP], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for row in found.iter().filter(|row| !held.contains(row)) {
            tx.prepare_cached("DELETE FROM history_journal WHERE id = ?1")?.execute([row])?;
        }
        if found.len() == ROWS_A_STEP {
            return Ok::<_, StoreError>((found.last().copied(), 0));
        }
        // People whose history was removed were remembered until no row tells of them.
        let unheld = held.first().map_or(upto, |first| first - 1);
        tx.execute("DELETE FROM history_person WHERE summary = x'' AND upto <= ?1", [unheld])?;
        let bytes = "SELECT coalesce(sum(length(block)), 0) FROM history_journal";
        Ok((None, tx.query_row(bytes, [], |row| row.get::<_, usize>(0))?))
    })?;
    inner.history.change(|recent| match (looked, &mut recent.folding) {
        (Some(looked), Some(folding)) => folding.looked = looked,
        _ => {
            recent.folding = None;
            recent.bytes = bytes;
            recent.left = if held.is_empty() { 0 } else { bytes };
        }
    });
    Ok(looked.is_some())
}

/// The summary of a person as of the journal's row that is told with it.
pub(super) fn person(db: &rusqlite::Connection, user: &str) -> Result<(i64, Summary), StoreError> {
    let mut select = db.prepare_cached("SELECT upto, summary FROM history_person WHERE user = ?1")?;
    let found: Option<(i64, Vec<u8>)> = select.query_row([user], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((upto, summary)) = found else { return Ok((0, Summary::default())) };
    Ok((upto, Summary::read(&summary).ok_or_else(damaged)?))
}

/// Writes a person's summary.
pub(super) fn set_person(
    tx: &Transaction<'_>,
    epoch: u64,
    user: &str,
    (upto, summary): (i64, &Summary),
) -> Result<(), StoreError> {
    tx.prepare_cached("INSERT OR REPLACE INTO history_person (user, upto, summary, epoch) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![user, upto, summary.write(), epoch])?;
    Ok(())
}

/// Folds the lines of one person.
pub(super) fn one(inner: &Inner, tx: &Transaction<'_>, epoch: u64, user: &str) -> Result<(), StoreError> {
    let places = inner.history.of(tx, user)?;
    let Some(last) = places.last() else { return Ok(()) };
    let lines = recent::read(tx, &places)?;
    let (_, mut summary) = person(tx, user)?;
    lines.iter().for_each(|line| summary.apply(user, line));
    let mut window = Window::of(lines);
    while let Some((first, newest)) = joining(tx, user, &window)? {
        window.merge(newest);
        remove_segment(tx, user, first)?;
    }
    write_segments(tx, epoch, user, &window)?;
    set_person(tx, epoch, user, (last.row, &summary))
}

/// The newest segment, if these messages belong into it: it is not full, or not wholly older.
fn joining(tx: &Transaction<'_>, user: &str, window: &Window) -> Result<Option<(MessageId, Window)>, StoreError> {
    let mut select = tx
        .prepare_cached("SELECT first, last, block FROM history_segment WHERE user = ?1 ORDER BY first DESC LIMIT 1")?;
    let mut rows = select.query([user])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (first, last) = (MessageId(row.get(0)?), MessageId(row.get(1)?));
    let block = row.get_ref(2)?.as_blob().map_err(|_| damaged())?;
    let is_older = window.messages.first_key_value().is_some_and(|(oldest, _)| last < *oldest);
    if is_older && block.len() >= SEGMENT_BYTES {
        return Ok(None);
    }
    Ok(Some((first, Window::of(Line::read_all(block)?))))
}

pub(super) fn remove_segment(tx: &Transaction<'_>, user: &str, first: MessageId) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM history_segment WHERE user = ?1 AND first = ?2")?.execute(params![user, first.0])?;
    Ok(())
}

pub(super) fn write_segments(tx: &Transaction<'_>, epoch: u64, user: &str, window: &Window) -> Result<(), StoreError> {
    let mut insert =
        tx.prepare_cached("INSERT INTO history_segment (user, first, last, block, epoch) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for segment in window.segments() {
        insert.execute(params![user, segment.first.0, segment.last.0, segment.block, epoch])?;
    }
    Ok(())
}
