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

/// Pause before the next try while the disk refuses.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// How the writer works; the defaults are the product's.
#[derive(Clone, Copy, Debug)]
pub struct MessageWriterOptions {
    /// Time after its first entry that closes a batch.
    pub interval: Duration,
    /// Entries that wait at most.
    pub queue_entries: usize,
    /// Pause before the next try while the disk refuses.
    pub try_every: Duration,
}

impl Default for MessageWriterOptions {
    fn default() -> Self {
        Self { interval: Duration::from_millis(20), queue_entries: QUEUE_ENTRIES, try_every: TRY_EVERY }
    }
}

/// What one worker hands over at once: all of it is written or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageBatch {
    /// The worker that is told of the outcome.
    pub worker: u8,
    /// By what the worker knows it again; 0 if nobody waits for the outcome. While the disk refuses, such a batch stays in
    /// the queue and is tried again, whereas one that is waited for is reported at once.
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

/// Batches in the order in which they came, and since when the first of them waits.
#[derive(Default)]
struct Waiting {
    batches: VecDeque<MessageBatch>,
    first: Option<Instant>,
}

#[derive(Default)]
struct State {
    /// For whose outcome somebody waits. Their order among the others does not matter: they are rows of the archive.
    awaited: Waiting,
    patient: Waiting,
    entries: usize,
    bytes: usize,
    /// The disk refused: the patient are not tried before.
    pause: Option<Instant>,
    /// Batches with token 0 since the start, and how many of them are over; they are taken in their order.
    queued: u64,
    finished: u64,
    /// Somebody waits to read what is queued.
    hurry: bool,
    /// The last write was refused by the disk.
    refused: bool,
    stopping: bool,
}

struct Shared {
    state: Mutex<State>,
    writer: Condvar,
    finished: Condvar,
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
        let full = state.entries >= BATCH_ENTRIES;
        state.queued += u64::from(batch.token == 0);
        let waiting = if batch.token == 0 { &mut state.patient } else { &mut state.awaited };
        let wakes = waiting.first.is_none() || full;
        waiting.first.get_or_insert_with(Instant::now);
        waiting.batches.push_back(batch);
        if wakes {
            self.shared.writer.notify_one();
        }
        Ok(())
    }

    /// Whether the disk refused the last write.
    pub fn is_refused(&self) -> bool {
        self.shared.lock().refused
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

    /// Has what is queued written now, and waits until everything that was queued with token 0 before is written or
    /// reported; false when that takes longer, and at once while the disk refuses.
    pub fn flush(&self, within: Duration) -> bool {
        let mut state = self.shared.lock();
        let (queued, begun) = (state.queued, Instant::now());
        if state.refused && state.finished < queued {
            return false;
        }
        if state.finished < queued {
            state.hurry = true;
            self.shared.writer.notify_one();
        }
        while state.finished < queued {
            if state.refused {
                return false;
            }
            let Some(left) = within.checked_sub(begun.elapsed()) else { return false };
            state = self.shared.finished.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
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
            let now = Instant::now();
            let due = state.due(self.options.interval);
            let full = state.pause.is_none() && state.entries >= BATCH_ENTRIES;
            if full || state.stopping || due.is_some_and(|due| due <= now) {
                break;
            }
            state = match due {
                None => self.writer.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(due) => self.writer.wait_timeout(state, due - now).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        let taken = state.take();
        (!taken.is_empty() || !state.stopping).then_some(taken)
    }

    /// Puts what the disk refused before everything else, in its order; that much the queue may exceed its bound. True if
    /// this begins a pause. A writer that stops takes nothing back.
    fn put_back(&self, batches: Vec<MessageBatch>) -> Result<bool, Vec<MessageBatch>> {
        let mut state = self.lock();
        if state.stopping {
            return Err(batches);
        }
        if batches.is_empty() {
            return Ok(false);
        }
        let now = Instant::now();
        for batch in batches.into_iter().rev() {
            state.entries += batch.entries.len();
            state.bytes += batch.bytes();
            state.patient.batches.push_front(batch);
            state.patient.first.get_or_insert(now);
        }
        let begins = !state.refused;
        state.refused = true;
        state.pause = Some(now + self.options.try_every);
        // Who waits to read what is queued reads what there is.
        self.finished.notify_all();
        Ok(begins)
    }

    /// The disk takes writes. True if it refused before.
    fn taken(&self) -> bool {
        let mut state = self.lock();
        state.pause = None;
        std::mem::take(&mut state.refused)
    }
}

impl State {
    /// When the next batch closes by the clock.
    fn due(&self, interval: Duration) -> Option<Instant> {
        let interval = if self.hurry { Duration::ZERO } else { interval };
        let closes = |waiting: &Waiting| waiting.first.map(|first| first + interval);
        [closes(&self.awaited), self.pause.or(closes(&self.patient))].into_iter().flatten().min()
    }

    /// Takes as many batches as are written at once; during a pause only those that are waited for.
    fn take(&mut self) -> Vec<MessageBatch> {
        let is_paused = self.pause.is_some_and(|pause| pause > Instant::now()) && !self.stopping;
        let mut taken = Vec::new();
        let mut entries = 0;
        for waiting in [&mut self.awaited, &mut self.patient].into_iter().take(if is_paused { 1 } else { 2 }) {
            while let Some(batch) = waiting.batches.front()
                && (entries == 0 || entries + batch.entries.len() <= 4 * BATCH_ENTRIES)
            {
                entries += batch.entries.len();
                self.bytes -= batch.bytes();
                taken.extend(waiting.batches.pop_front());
            }
            if waiting.batches.is_empty() {
                waiting.first = None;
            }
        }
        self.entries -= entries;
        self.hurry &= !self.patient.batches.is_empty() && !is_paused;
        if !is_paused {
            self.pause = None;
        }
        taken
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
            finished: Condvar::new(),
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
                    commit(&store, &theirs, batches, &done);
                    if let Err(error) = store.fold_step(false) {
                        tracing::error!(%error, "the journal of messages could not be folded; it is tried again");
                    }
                }
            })
            .map_err(|e| StoreError::io(&e, std::path::Path::new("a thread")))?;
        Ok(MessageWriter { shared, thread: Arc::new(Mutex::new(Some(thread))) })
    }
}

fn commit(store: &Store, shared: &Shared, batches: Vec<MessageBatch>, done: &impl Fn(MessagesCommitted)) {
    if batches.is_empty() {
        return;
    }
    let result = super::write::append(store, batches.iter().flat_map(|batch| &batch.entries));
    match &result {
        Ok(()) if shared.taken() => tracing::info!("messages are written again"),
        Ok(()) => {}
        Err(error) if may_pass(&error.fault) => return refused(shared, batches, error, done),
        // One batch that cannot be written must not take the others with it.
        Err(_) if batches.len() > 1 => return commit_each(store, shared, batches, done),
        Err(error) => tracing::error!(%error, "messages could not be written"),
    }
    report(shared, &batches, &result, done);
}

/// Each batch by itself; once the disk refuses, all that are left wait in their order.
fn commit_each(store: &Store, shared: &Shared, batches: Vec<MessageBatch>, done: &impl Fn(MessagesCommitted)) {
    let mut left = VecDeque::from(batches);
    while let Some(batch) = left.pop_front() {
        let result = super::write::append(store, batch.entries.iter());
        match &result {
            Err(error) if may_pass(&error.fault) => {
                left.push_front(batch);
                return refused(shared, left.into(), error, done);
            }
            Err(error) => tracing::error!(%error, "messages could not be written"),
            Ok(()) => drop(shared.taken()),
        }
        report(shared, &[batch], &result, done);
    }
}

/// The disk refused: what nobody waits for is tried again.
fn refused(shared: &Shared, batches: Vec<MessageBatch>, error: &StoreError, done: &impl Fn(MessagesCommitted)) {
    let (patient, awaited): (Vec<_>, Vec<_>) = batches.into_iter().partition(|batch| batch.token == 0);
    match shared.put_back(patient) {
        Ok(true) => tracing::error!(%error, "messages could not be written; it is tried again until the queue is full"),
        Ok(false) => {}
        Err(lost) => {
            tracing::error!(%error, "messages could not be written before the stop");
            report(shared, &lost, &Err(error.clone()), done);
        }
    }
    report(shared, &awaited, &Err(error.clone()), done);
}

fn report(
    shared: &Shared,
    batches: &[MessageBatch],
    result: &Result<(), StoreError>,
    done: &impl Fn(MessagesCommitted),
) {
    let entries: usize = batches.iter().map(|batch| batch.entries.len()).sum();
    let count = if result.is_ok() { &shared.written } else { &shared.failed };
    count.fetch_add(entries as u64, Ordering::Relaxed);
    shared.lock().finished += batches.iter().filter(|batch| batch.token == 0).count() as u64;
    shared.finished.notify_all();
    let mut workers: Vec<u8> = batches.iter().map(|batch| batch.worker).collect();
    workers.sort_unstable();
    workers.dedup();
    for worker in workers {
        let tokens = batches.iter().filter(|batch| batch.worker == worker).map(|batch| batch.token).collect();
        done(MessagesCommitted { worker, tokens, result: result.clone() });
    }
}
