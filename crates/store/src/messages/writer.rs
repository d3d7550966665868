//! The thread that writes messages, and the bounded queue before it.

use super::MessageEntry;
use crate::error::StoreError;
use crate::open::may_pass;
use crate::sqlite::Store;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Entries that close a batch.
const BATCH_ENTRIES: usize = 256;
/// Entries that wait at most; beyond, they are handed back.
const QUEUE_ENTRIES: usize = 16_384;
/// Bytes of messages that wait at most.
const QUEUE_BYTES: usize = 64 << 20;

/// How the writer works; the defaults are the product's.
#[derive(Clone, Copy, Debug)]
pub struct MessageWriterOptions {
    /// Time after its first entry that closes a batch.
    pub interval: Duration,
    /// Entries that wait at most.
    pub queue_entries: usize,
}

impl Default for MessageWriterOptions {
    fn default() -> Self {
        Self { interval: Duration::from_millis(20), queue_entries: QUEUE_ENTRIES }
    }
}

/// What one worker hands over at once: all of it is written or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageBatch {
    /// The worker that is told of the outcome.
    pub worker: u8,
    /// By what the worker knows it again.
    pub token: u64,
    /// What is to be written.
    pub entries: Vec<MessageEntry>,
}

impl MessageBatch {
    fn bytes(&self) -> usize {
        let size = |entry: &MessageEntry| match entry {
            MessageEntry::Message(message) | MessageEntry::Delivered { message, .. } => message.body.0.len() + 512,
            MessageEntry::Archive(row) => row.body.0.len() + 512,
            MessageEntry::Mark { .. } | MessageEntry::ReadUpTo { .. } => 128,
        };
        self.entries.iter().map(size).sum()
    }
}

/// A report to one worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessagesCommitted {
    /// The worker.
    pub worker: u8,
    /// Its batches, by token.
    pub tokens: Vec<u64>,
    /// Durable, or why not: then nothing of them was written.
    pub result: Result<(), StoreError>,
}

#[derive(Default)]
struct State {
    batches: VecDeque<MessageBatch>,
    entries: usize,
    bytes: usize,
    first: Option<Instant>,
    stopping: bool,
}

struct Shared {
    state: Mutex<State>,
    writer: Condvar,
    options: MessageWriterOptions,
    written: AtomicU64,
    failed: AtomicU64,
    handed_back: AtomicU64,
}

/// Hands messages to the writer thread. A clone is another handle on the same thread.
#[derive(Clone)]
pub struct MessageWriter {
    shared: Arc<Shared>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl MessageWriter {
    /// Queues a batch. A full queue (or a stopped writer) hands it back: nothing of it will be written.
    pub fn submit(&self, batch: MessageBatch) -> Result<(), MessageBatch> {
        let (entries, bytes) = (batch.entries.len(), batch.bytes());
        let mut state = self.shared.lock();
        let full = state.entries + entries > self.shared.options.queue_entries || state.bytes + bytes > QUEUE_BYTES;
        if state.stopping || full {
            self.shared.handed_back.fetch_add(entries as u64, Ordering::Relaxed);
            return Err(batch);
        }
        state.entries += entries;
        state.bytes += bytes;
        let wakes = state.first.is_none() || state.entries >= BATCH_ENTRIES;
        state.first.get_or_insert_with(Instant::now);
        state.batches.push_back(batch);
        if wakes {
            self.shared.writer.notify_one();
        }
        Ok(())
    }

    /// Entries written since the start.
    pub fn written(&self) -> u64 {
        self.shared.written.load(Ordering::Relaxed)
    }

    /// Entries that the store refused since the start.
    pub fn failed(&self) -> u64 {
        self.shared.failed.load(Ordering::Relaxed)
    }

    /// Entries handed back since the start, because the queue was full or the writer stopped.
    pub fn handed_back(&self) -> u64 {
        self.shared.handed_back.load(Ordering::Relaxed)
    }

    /// Writes what is queued and ends the thread.
    pub fn stop(&self) {
        self.shared.lock().stopping = true;
        self.shared.writer.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next batches to close; `None` when everything is written and the writer stops.
    fn next(&self) -> Option<Vec<MessageBatch>> {
        let mut state = self.lock();
        loop {
            let due = state.first.map(|first| first + self.options.interval);
            let now = Instant::now();
            if state.entries >= BATCH_ENTRIES || state.stopping || due.is_some_and(|due| due <= now) {
                break;
            }
            state = match due {
                None => self.writer.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(due) => self.writer.wait_timeout(state, due - now).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        let mut taken = Vec::new();
        let mut entries = 0;
        while let Some(batch) = state.batches.front()
            && (entries == 0 || entries + batch.entries.len() <= 4 * BATCH_ENTRIES)
        {
            entries += batch.entries.len();
            state.bytes -= batch.bytes();
            taken.extend(state.batches.pop_front());
        }
        state.entries -= entries;
        if state.batches.is_empty() {
            state.first = None;
        }
        (!taken.is_empty() || !state.stopping).then_some(taken)
    }
}

impl Store {
    /// Starts the writer thread. `done` is called on it, once per worker and batch: let it post and return.
    pub fn message_writer(
        &self,
        options: MessageWriterOptions,
        done: impl Fn(MessagesCommitted) + Send + 'static,
    ) -> Result<MessageWriter, StoreError> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            writer: Condvar::new(),
            options,
            written: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            handed_back: AtomicU64::new(0),
        });
        let (store, theirs) = (self.clone(), shared.clone());
        let thread = std::thread::Builder::new()
            .name("message-writer".to_owned())
            .spawn(move || {
                while let Some(batches) = theirs.next() {
                    commit(&store, &theirs, &batches, &done);
                    if let Err(error) = store.fold_step(false) {
                        tracing::error!(%error, "the journal of messages could not be folded; it is tried again");
                    }
                }
            })
            .map_err(|e| StoreError::io(&e, std::path::Path::new("a thread")))?;
        Ok(MessageWriter { shared, thread: Arc::new(Mutex::new(Some(thread))) })
    }
}

fn commit(store: &Store, shared: &Shared, batches: &[MessageBatch], done: &impl Fn(MessagesCommitted)) {
    let result = write(store, batches);
    match &result {
        // One batch that cannot be written must not take the others with it.
        Err(error) if batches.len() > 1 && !may_pass(&error.fault) => {
            for batch in batches {
                commit(store, shared, std::slice::from_ref(batch), done);
            }
            return;
        }
        Err(error) => tracing::error!(%error, "messages could not be written"),
        Ok(()) => {}
    }
    let entries: usize = batches.iter().map(|batch| batch.entries.len()).sum();
    let count = if result.is_ok() { &shared.written } else { &shared.failed };
    count.fetch_add(entries as u64, Ordering::Relaxed);
    let mut workers: Vec<u8> = batches.iter().map(|batch| batch.worker).collect();
    workers.sort_unstable();
    workers.dedup();
    for worker in workers {
        let tokens = batches.iter().filter(|batch| batch.worker == worker).map(|batch| batch.token).collect();
        done(MessagesCommitted { worker, tokens, result: result.clone() });
    }
}

fn write(store: &Store, batches: &[MessageBatch]) -> Result<(), StoreError> {
    super::write::append(store, batches.iter().flat_map(|batch| &batch.entries))
}
