//! The handle of the writer thread.

use super::commit::Committer;
use super::fold::Upkeep;
use super::queue::{Queue, Submitted, Task};
use super::{BATCH_INTERVAL, BindingError};
use crate::error::StoreError;
use crate::sqlite::Store;
use lyceum_users::Block;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How the writer works; the defaults are the product's.
#[derive(Clone, Copy, Debug)]
pub struct BindingWriterOptions {
    /// Time after its first entry that closes a batch.
    pub interval: Duration,
    /// Journal size in bytes at which it is folded into base images.
    pub fold_bytes: u64,
}

impl Default for BindingWriterOptions {
    fn default() -> Self {
        BindingWriterOptions { interval: BATCH_INTERVAL, fold_bytes: super::FOLD_BYTES }
    }
}

/// A report to one worker: its blocks up to and including `upto` are durable, or were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The worker that submitted them.
    pub worker: u8,
    /// The last block reported on.
    pub upto: u64,
    /// Durable, or why not.
    pub result: Result<(), BindingError>,
}

/// What writer and upkeep threads share with the handles.
pub(super) struct Shared {
    pub queue: Queue,
    pub upkeep: Upkeep,
    pub away: AtomicBool,
    pub commits: AtomicU64,
    pub entries: AtomicU64,
}

/// Hands blocks to the writer thread. A clone is another handle on the same thread.
#[derive(Clone)]
pub struct BindingWriter {
    shared: Arc<Shared>,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl BindingWriter {
    /// Queues a worker's block; `seq` rises from block to block. A full queue (or a stopped
    /// writer) hands the block back: undo it and answer 503.
    pub fn submit(&self, worker: u8, seq: u64, block: Block) -> Result<(), Block> {
        self.shared.queue.submit(Submitted { worker, seq, block })
    }

    /// True while the disk refuses writes: serve refreshes from memory and refuse new facts. It
    /// becomes false by itself when a trial write succeeds.
    pub fn is_away(&self) -> bool {
        self.shared.away.load(Ordering::Relaxed)
    }

    /// Batches committed since the start.
    pub fn commits(&self) -> u64 {
        self.shared.commits.load(Ordering::Relaxed)
    }

    /// Entries committed since the start.
    pub fn entries(&self) -> u64 {
        self.shared.entries.load(Ordering::Relaxed)
    }

    /// Takes a group over: blocks under its former epoch are refused from now on.
    pub fn claim(&self, group: u8) -> Result<u64, BindingError> {
        let (done, answer) = std::sync::mpsc::sync_channel(1);
        if !self.shared.queue.task(Task::Claim { group, done }, 0, usize::MAX) {
            return Err(BindingError::Stopped);
        }
        Ok(answer.recv().map_err(|_| BindingError::Stopped)??)
    }

    /// Writes what is queued and ends both threads.
    pub fn stop(&self) {
        self.shared.queue.stop();
        self.shared.upkeep.stop();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            let _ = thread.join();
        }
    }
}

impl Store {
    /// Starts the writer thread. `done` is called on it, once per worker and batch: let it post
    /// and return.
    pub fn binding_writer(
        &self,
        options: BindingWriterOptions,
        done: impl Fn(Committed) + Send + 'static,
    ) -> Result<BindingWriter, BindingError> {
        let inner = self.inner();
        let shared = Arc::new(Shared {
            queue: Queue::new(options.interval),
            upkeep: Upkeep::default(),
            away: AtomicBool::new(false),
            commits: AtomicU64::new(0),
            entries: AtomicU64::new(0),
        });
        let committer = Committer::open(&inner.bindings_path, &inner.owner, inner.epochs.clone(), options.fold_bytes)?;
        let writer = spawn("binding-writer", {
            let shared = shared.clone();
            move || write_until_stopped(committer, &shared, done)
        })?;
        let upkeep = spawn("binding-fold", {
            let (shared, path, epochs) = (shared.clone(), inner.bindings_path.clone(), inner.epochs.clone());
            move || super::fold::run(&shared, &path, &epochs)
        })?;
        Ok(BindingWriter { shared, threads: Arc::new(Mutex::new(vec![writer, upkeep])) })
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|e| StoreError::io(&e, std::path::Path::new("a thread")))
}

fn write_until_stopped(mut committer: Committer, shared: &Shared, done: impl Fn(Committed)) {
    loop {
        let batch = shared.queue.next();
        let stopping = batch.stopping;
        committer.commit(batch, shared, &done);
        if stopping {
            return;
        }
    }
}
