//! Upkeep beside the writer: folding the journal, copying the WAL back, trying a refusing disk.

use super::commit::checkpoint;
use super::load::replay;
use super::queue::Task;
use super::writer::Shared;
use super::{BindingError, Epochs, FOLD_BYTES_PER_BATCH, FOLD_GROUPS, PROBE_EVERY};
use crate::error::StoreError;
use crate::sqlite::configure;
use lyceum_sip::time::WallTime;
use rusqlite::Connection;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A probe writes this much, so that it does not succeed where the next batch would fail.
const PROBE_BYTES: i64 = 64 << 10;

/// A fold that failed is tried again after this time.
const FOLD_AGAIN: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Wanted {
    fold: Option<i64>,
    folding: bool,
    /// A fold that failed, and when it is tried again.
    again: Option<(i64, Instant)>,
    checkpoint: bool,
    checkpointed: bool,
    probe: bool,
    stop: bool,
}

/// What the writer asks of the upkeep thread.
#[derive(Default)]
pub(super) struct Upkeep {
    wanted: Mutex<Wanted>,
    called: Condvar,
}

impl Upkeep {
    fn lock(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, change: impl FnOnce(&mut Wanted)) {
        change(&mut self.lock());
        self.called.notify_one();
    }

    /// Asks for a fold up to a journal row; false when one is under way.
    pub(super) fn fold(&self, upto: i64) -> bool {
        if self.lock().folding {
            return false;
        }
        self.ask(|w| (w.fold, w.folding) = (Some(upto), true));
        true
    }

    pub(super) fn checkpoint(&self) {
        self.ask(|w| w.checkpoint = true);
    }

    pub(super) fn probe(&self) {
        self.ask(|w| w.probe = true);
    }

    pub(super) fn stop(&self) {
        self.ask(|w| w.stop = true);
    }

    /// Work came to its end, whatever way. A fold that failed is taken up again, in a while.
    fn ended(&self, work: &Work, well: bool) {
        let mut wanted = self.lock();
        match work {
            Work::Checkpoint => wanted.checkpointed = well,
            Work::Fold(_) if well => wanted.folding = false,
            Work::Fold(upto) => wanted.again = Some((*upto, Instant::now() + FOLD_AGAIN)),
            Work::Probe => wanted.probe &= !well,
        }
    }

    /// True once after the upkeep thread has copied the bulk of the WAL back.
    pub(super) fn take_checkpointed(&self) -> bool {
        std::mem::take(&mut self.lock().checkpointed)
    }
}

/// The upkeep thread.
pub(super) fn run(shared: &Shared, path: &Path, epochs: &Epochs) {
    let mut db = None;
    let mut told = false;
    loop {
        let Some(work) = next(&shared.upkeep) else { return };
        let done = carry_out(&mut db, &work, shared, path, epochs);
        shared.upkeep.ended(&work, done.is_ok());
        if let Err(error) = done {
            // Opened anew next time: a handle that met a failing disk may hold stale state.
            db = None;
            if !shared.away.load(Ordering::Relaxed) && !told {
                tracing::warn!(%error, "upkeep of the binding journal put off; it is tried again");
                told = true;
            }
        } else {
            told = false;
        }
    }
}

enum Work {
    Fold(i64),
    Checkpoint,
    Probe,
}

fn next(upkeep: &Upkeep) -> Option<Work> {
    let mut wanted = upkeep.lock();
    loop {
        if wanted.stop {
            return None;
        }
        if std::mem::take(&mut wanted.checkpoint) {
            return Some(Work::Checkpoint);
        }
        if let Some(upto) = wanted.fold.take() {
            return Some(Work::Fold(upto));
        }
        let now = Instant::now();
        if let Some((upto, _)) = wanted.again.take_if(|(_, due)| *due <= now) {
            return Some(Work::Fold(upto));
        }
        let again = wanted.again.map(|(_, due)| due - now);
        let Some(wait) = wanted.probe.then_some(PROBE_EVERY).or(again) else {
            wanted = upkeep.called.wait(wanted).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        let (woken, out) = upkeep.called.wait_timeout(wanted, wait).unwrap_or_else(PoisonError::into_inner);
        wanted = woken;
        if out.timed_out() && wanted.probe && !wanted.stop {
            return Some(Work::Probe);
        }
    }
}

fn carry_out(
    db: &mut Option<Connection>,
    work: &Work,
    shared: &Shared,
    path: &Path,
    epochs: &Epochs,
) -> Result<(), BindingError> {
    if db.is_none() {
        *db = Some(open(path)?);
    }
    let Some(db) = db.as_mut() else { return Ok(()) };
    match work {
        Work::Checkpoint => Ok(checkpoint(db)?),
        Work::Fold(upto) => fold(db, *upto, shared, epochs),
        Work::Probe => {
            let _ = checkpoint(db);
            probe(db)?;
            if shared.away.swap(false, Ordering::Relaxed) {
                tracing::info!("bindings can be written again");
            }
            Ok(())
        }
    }
}

fn open(path: &Path) -> Result<Connection, StoreError> {
    use crate::error::At;
    let open = || -> rusqlite::Result<Connection> {
        let db = Connection::open(path)?;
        configure(&db, "FULL")?;
        db.execute_batch("PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -256;")?;
        db.busy_timeout(Duration::from_secs(1))?;
        Ok(db)
    };
    open().map_err(|e| StoreError::from(e).at(path))
}

/// Makes new images of every group that the journal speaks of, a few groups at a time, and has
/// the writer commit them between batches. Only then are the rows forgotten.
fn fold(db: &mut Connection, upto: i64, shared: &Shared, epochs: &Epochs) -> Result<(), BindingError> {
    let now = wall_now();
    for first in (0..=255u8).step_by(FOLD_GROUPS) {
        let tx = db.transaction()?;
        let last = first + (FOLD_GROUPS - 1) as u8;
        let loaded = replay(&tx, first..=last, upto, epochs)?;
        drop(tx);
        for loaded in loaded.into_iter().filter(|l| l.replayed > 0) {
            let mut image = Vec::new();
            loaded.group.snapshot(now, &mut image);
            let (group, bytes) = (loaded.group.id(), image.len());
            let task = Task::Image { group, upto, epoch: epochs.of(group), image };
            if !shared.queue.task(task, bytes, 2 * FOLD_BYTES_PER_BATCH) {
                return Err(BindingError::Stopped);
            }
        }
    }
    shared.queue.task(Task::Forget { upto }, 0, usize::MAX);
    Ok(())
}

fn probe(db: &mut Connection) -> Result<(), BindingError> {
    let tx = db.transaction()?;
    tx.execute("INSERT OR REPLACE INTO mark (name, value) VALUES ('probe', zeroblob(?1))", [PROBE_BYTES])?;
    tx.commit()?;
    db.execute("DELETE FROM mark WHERE name = 'probe'", [])?;
    Ok(())
}

fn wall_now() -> WallTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallTime(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
