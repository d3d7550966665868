//! One batch, one transaction, one row.

use super::queue::{Batch, Submitted, Task};
use super::writer::{Committed, Shared};
use super::{BindingError, Epochs, WAL_BYTES};
use crate::error::{At, Fault, StoreError};
use crate::open::may_pass;
use crate::ownership::claim;
use crate::sqlite::configure;
use lyceum_users::Block;
use rusqlite::{Connection, TransactionBehavior, params};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Pages written to the WAL after which it is copied back, so that it starts over.
const CHECKPOINT_PAGES: usize = WAL_BYTES / PAGE / 4 * 3;
const PAGE: usize = 4096;
/// Journal rows deleted with one batch.
const FORGET_ROWS: usize = 16;

pub(super) struct Committer {
    db: Connection,
    path: PathBuf,
    owner: String,
    epochs: Arc<Epochs>,
    /// Blocks of a worker below this generation build on what failed.
    generations: [u32; 256],
    last_id: i64,
    journal_bytes: u64,
    fold_bytes: u64,
    wal_pages: usize,
    /// Folds of which an image could not be written.
    broken_folds: Vec<i64>,
}

/// A block that goes into its batch's row.
struct Accepted {
    worker: u8,
    seq: u64,
    generation: u32,
}

/// Blocks of a batch that go into its row, and reports on those that do not.
#[derive(Default)]
struct Sorted {
    accepted: Vec<Accepted>,
    row: Vec<u8>,
    entries: u32,
    refused: Vec<Committed>,
}

impl Committer {
    pub(super) fn open(
        path: &Path,
        owner: &str,
        epochs: Arc<Epochs>,
        fold_bytes: u64,
    ) -> Result<Committer, StoreError> {
        let open = || -> rusqlite::Result<Committer> {
            let db = Connection::open(path)?;
            configure(&db, "FULL")?;
            // Checkpoints run on the upkeep thread; here they would hold up a commit.
            db.execute_batch("PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -512;")?;
            reserve_wal(&db, path)?;
            let last_id = db.query_row(
                "SELECT max(coalesce((SELECT max(id) FROM journal), 0), coalesce((SELECT max(upto) FROM image), 0))",
                [],
                |row| row.get(0),
            )?;
            let journal_bytes =
                db.query_row("SELECT coalesce(sum(length(block)), 0) FROM journal", [], |row| row.get(0))?;
            let owner = owner.to_owned();
            let (generations, wal_pages, path) = ([0; 256], 0, path.to_owned());
            let broken_folds = Vec::new();
            Ok(Committer {
                db,
                path,
                owner,
                epochs,
                generations,
                last_id,
                journal_bytes,
                fold_bytes,
                wal_pages,
                broken_folds,
            })
        };
        open().map_err(|e| StoreError::from(e).at(path))
    }

    /// Writes a batch and reports on every block in it.
    pub(super) fn commit(&mut self, batch: Batch, shared: &Shared, done: &impl Fn(Committed)) {
        let mut sorted = self.sort(batch.blocks);
        let mut reports = std::mem::take(&mut sorted.refused);
        if !sorted.accepted.is_empty() || !batch.tasks.is_empty() {
            self.carry_out(&sorted, batch.tasks, &mut reports, shared);
        }
        // Each worker hears of its blocks in the order in which it made them.
        reports.sort_by_key(|report| (report.worker, report.upto));
        reports.into_iter().for_each(done);
        self.maintain(shared);
    }

    fn carry_out(&mut self, sorted: &Sorted, tasks: Vec<Task>, reports: &mut Vec<Committed>, shared: &Shared) {
        let result = self.write(&sorted.row, sorted.entries, &tasks);
        match &result {
            Ok(forget_again) => {
                shared.commits.fetch_add(1, Ordering::Relaxed);
                shared.entries.fetch_add(u64::from(sorted.entries), Ordering::Relaxed);
                shared.away.store(false, Ordering::Relaxed);
                self.journal_bytes += sorted.row.len() as u64;
                if let Some(upto) = forget_again {
                    shared.queue.task(Task::Forget { upto: *upto }, 0, usize::MAX);
                }
            }
            Err(error) => self.failed(error, &sorted.accepted, shared),
        }
        let result = result.map(drop).map_err(BindingError::Store);
        for (worker, upto) in last_of_each(&sorted.accepted) {
            reports.push(Committed { worker, upto, result: result.clone() });
        }
        for task in tasks {
            self.finish(task, result.is_ok());
        }
    }

    /// Refuses what must not be written: blocks that build on a failed one, and stale owners'.
    fn sort(&mut self, blocks: Vec<Submitted>) -> Sorted {
        let mut sorted = Sorted::default();
        for Submitted { worker, seq, block } in blocks {
            let verdict = if block.generation() < self.generations[usize::from(worker)] {
                Err(BindingError::Superseded)
            } else {
                self.check_epochs(&block).map_err(BindingError::Store)
            };
            match verdict {
                Ok(()) => {
                    sorted.accepted.push(Accepted { worker, seq, generation: block.generation() });
                    sorted.entries += block.entries();
                    sorted.row.extend_from_slice(block.bytes());
                }
                Err(error) => {
                    self.supersede(worker, block.generation());
                    sorted.refused.push(Committed { worker, upto: seq, result: Err(error) });
                }
            }
        }
        sorted
    }

    fn check_epochs(&self, block: &Block) -> Result<(), StoreError> {
        for entry in Block::read(block.bytes()) {
            let current = self.epochs.of(entry.group);
            if entry.epoch != current {
                let fault = Fault::StaleOwner { group: entry.group.into(), ours: entry.epoch, current };
                return Err(StoreError::new(fault, &self.path));
            }
        }
        Ok(())
    }

    fn supersede(&mut self, worker: u8, generation: u32) {
        let least = &mut self.generations[usize::from(worker)];
        *least = (*least).max(generation + 1);
    }

    /// The transaction. Answers with journal rows that are still to be forgotten.
    fn write(&mut self, row: &[u8], entries: u32, tasks: &[Task]) -> Result<Option<i64>, StoreError> {
        let id = self.last_id + 1;
        let mut pages = 1;
        let mut forget_again = None;
        let mut run = || -> rusqlite::Result<()> {
            let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            if entries > 0 {
                tx.prepare_cached("INSERT INTO journal (id, entries, block) VALUES (?1, ?2, ?3)")?
                    .execute(params![id, entries, row])?;
                pages += 1 + row.len() / PAGE;
            }
            for task in tasks {
                match task {
                    Task::Claim { group, .. } => drop(claim(&tx, u16::from(*group), &self.owner, true)?),
                    Task::Image { group, upto, epoch, image } => {
                        tx.prepare_cached(
                            "INSERT OR REPLACE INTO image (grp, upto, epoch, image) VALUES (?1, ?2, ?3, ?4)",
                        )?
                        .execute(params![group, upto, epoch, image])?;
                        pages += 2 + image.len() / PAGE;
                    }
                    Task::Forget { upto } if self.broken_folds.contains(upto) => {}
                    Task::Forget { upto } => {
                        let gone = tx
                            .prepare_cached(
                                "DELETE FROM journal WHERE id IN (SELECT id FROM journal WHERE id <= ?1 ORDER BY id LIMIT ?2)",
                            )?
                            .execute(params![upto, FORGET_ROWS])?;
                        pages += 4;
                        forget_again = (gone == FORGET_ROWS).then_some(*upto);
                    }
                }
            }
            tx.commit()
        };
        run().map_err(|e| StoreError::from(e).at(&self.path))?;
        self.last_id = if entries > 0 { id } else { self.last_id };
        self.wal_pages += pages;
        Ok(forget_again)
    }

    fn failed(&mut self, error: &StoreError, accepted: &[Accepted], shared: &Shared) {
        for block in accepted {
            self.supersede(block.worker, block.generation);
        }
        if may_pass(&error.fault) {
            if !shared.away.swap(true, Ordering::Relaxed) {
                tracing::error!(%error, "bindings not written; serving refreshes from memory until the disk works");
            }
            shared.upkeep.probe();
        } else {
            tracing::error!(%error, "bindings not written");
        }
    }

    fn finish(&mut self, task: Task, written: bool) {
        match task {
            Task::Claim { group, done } => {
                let epoch = claim(&self.db, u16::from(group), &self.owner, false);
                let epoch = epoch.map_err(|e| StoreError::from(e).at(&self.path));
                if let Ok(epoch) = &epoch {
                    self.epochs.set(group, *epoch);
                }
                let _ = done.send(epoch);
            }
            // Rows of a fold with a lost image must stay.
            Task::Image { upto, .. } if !written => {
                self.broken_folds.push(upto);
                self.journal_bytes = self.fold_bytes;
            }
            Task::Forget { upto } => self.broken_folds.retain(|broken| *broken > upto),
            Task::Image { .. } => {}
        }
    }

    /// Calls the upkeep thread, and ends a checkpoint that it has prepared.
    fn maintain(&mut self, shared: &Shared) {
        if self.journal_bytes >= self.fold_bytes && shared.upkeep.fold(self.last_id) {
            self.journal_bytes = 0;
        }
        if shared.upkeep.take_checkpointed() {
            // Only the few pages since the upkeep thread's pass are left: the WAL can start over.
            let _ = checkpoint(&self.db);
            self.wal_pages = 0;
        } else if self.wal_pages >= CHECKPOINT_PAGES {
            shared.upkeep.checkpoint();
        }
    }
}

/// The last block of each worker, in order.
fn last_of_each(accepted: &[Accepted]) -> Vec<(u8, u64)> {
    let mut last: Vec<(u8, u64)> = Vec::new();
    for Accepted { worker, seq, .. } in accepted {
        match last.iter_mut().find(|(w, _)| w == worker) {
            Some((_, upto)) => *upto = *seq,
            None => last.push((*worker, *seq)),
        }
    }
    last
}

/// Copies the WAL back into the database as far as nobody is held up by it.
pub(super) fn checkpoint(db: &Connection) -> rusqlite::Result<()> {
    db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

/// Brings WAL and database to their usual size, so that commits overwrite instead of extending.
fn reserve_wal(db: &Connection, path: &Path) -> rusqlite::Result<()> {
    let wal = path.with_extension("db-wal");
    if std::fs::metadata(&wal).is_ok_and(|m| m.len() >= WAL_BYTES as u64) {
        return Ok(());
    }
    db.execute_batch("CREATE TABLE reserve (b BLOB)")?;
    let filled = db.execute("INSERT INTO reserve VALUES (zeroblob(?1))", [WAL_BYTES as i64]);
    db.execute_batch("DROP TABLE reserve")?;
    filled?;
    checkpoint(db)
}
