//! Call records on their way to the store: collected by one thread, written in batches, never waited for by a call.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use lyceum_front_end::executor::{LadderFn, RecordFn};
use lyceum_front_end::ladders::Ladder;
use lyceum_front_end::metrics::Metrics;
use lyceum_monitoring::{CallRecord, TraceEntry};
use lyceum_sip::WallTime;
use lyceum_store::{CallRow, Store, TraceRow};

/// Records that may wait; beyond it the newest are lost and counted.
const QUEUE: usize = 65_536;
/// Records at which a batch is written before its time.
const BATCH: usize = 2_000;
/// A batch is written after this time at the latest.
const INTERVAL: Duration = Duration::from_millis(500);

enum Job {
    Record(Box<CallRecord>),
    Ladder(Box<Ladder>),
}

#[derive(Default)]
struct State {
    jobs: Vec<Job>,
    flushes: Vec<SyncSender<()>>,
    /// The thread waits without a clock and must be called. While a batch gathers, handing one over wakes nobody.
    asleep: bool,
    stopping: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    called: Condvar,
}

/// The thread that writes records.
pub struct RecordWriter {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

/// Hands records over.
#[derive(Clone)]
pub struct RecordSender(Arc<Shared>);

impl RecordWriter {
    /// Starts the thread.
    pub fn start(store: Store) -> Self {
        let shared = Arc::new(Shared::default());
        let theirs = shared.clone();
        let thread = std::thread::Builder::new().name("records".into()).spawn(move || run(&store, &theirs));
        RecordWriter { shared, thread: thread.expect("the system gives one more thread at start") }
    }

    /// A handle.
    pub fn sender(&self) -> RecordSender {
        RecordSender(self.shared.clone())
    }

    /// Writes what waits and ends.
    pub fn stop(self) {
        self.shared.lock().stopping = true;
        self.shared.called.notify_all();
        self.thread.join().ok();
    }
}

impl RecordSender {
    /// What a worker calls.
    pub fn record_fn(&self) -> RecordFn {
        let shared = self.0.clone();
        let lost = std::sync::atomic::AtomicBool::new(false);
        Box::new(move |record| {
            let full = !shared.push(Job::Record(record));
            if full && !lost.swap(full, std::sync::atomic::Ordering::Relaxed) {
                tracing::warn!("call records come faster than the store takes them; some are lost");
            }
            if !full {
                lost.store(false, std::sync::atomic::Ordering::Relaxed);
            }
        })
    }

    /// What a worker calls with a ladder.
    pub fn ladder_fn(&self, metrics: Arc<Metrics>) -> LadderFn {
        let shared = self.0.clone();
        Box::new(move |ladder| {
            if !shared.push(Job::Ladder(ladder)) {
                metrics.ladders_dropped.inc();
            }
        })
    }

    /// Returns when everything handed over so far is written.
    pub fn flush(&self) {
        let (done, wait) = sync_channel(1);
        let mut state = self.0.lock();
        if state.stopping {
            return;
        }
        state.flushes.push(done);
        drop(state);
        self.0.called.notify_one();
        wait.recv_timeout(Duration::from_secs(5)).ok();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// False when the queue is full.
    fn push(&self, job: Job) -> bool {
        let mut state = self.lock();
        if state.jobs.len() >= QUEUE || state.stopping {
            return false;
        }
        state.jobs.push(job);
        if state.asleep || state.jobs.len() == BATCH {
            state.asleep = false;
            self.called.notify_one();
        }
        true
    }

    /// Waits for the next batch to close: its jobs, who waits for them, and whether it is the last.
    fn next(&self) -> (Vec<Job>, Vec<SyncSender<()>>, bool) {
        let mut state = self.lock();
        while state.jobs.is_empty() && state.flushes.is_empty() && !state.stopping {
            state.asleep = true;
            state = self.called.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.asleep = false;
        let gathers = |state: &mut State| state.jobs.len() < BATCH && state.flushes.is_empty() && !state.stopping;
        let (mut state, _) =
            self.called.wait_timeout_while(state, INTERVAL, gathers).unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut state.jobs), std::mem::take(&mut state.flushes), state.stopping)
    }
}

fn run(store: &Store, shared: &Shared) {
    let mut rows = Rows::default();
    loop {
        let (jobs, flushes, last) = shared.next();
        for job in jobs {
            match job {
                Job::Record(record) => rows.calls.extend(row(&record)),
                Job::Ladder(ladder) => rows.traces.extend(ladder.into_entries().iter().filter_map(trace_row)),
            }
        }
        write(store, &mut rows);
        for done in flushes {
            done.send(()).ok();
        }
        if last {
            return;
        }
    }
}

/// What waits to be written.
#[derive(Default)]
struct Rows {
    calls: Vec<CallRow>,
    traces: Vec<TraceRow>,
}

/// A traced message as the store takes it.
pub(super) fn trace_row(entry: &TraceEntry) -> Option<TraceRow> {
    let record = serde_json::to_vec(entry).ok()?;
    Some(TraceRow { call: entry.call_id.clone(), at: WallTime(entry.time.0), record })
}

fn row(record: &CallRecord) -> Option<CallRow> {
    Some(CallRow {
        id: record.id.clone(),
        started: WallTime(record.started.0),
        ended: record.ended.map(|stamp| WallTime(stamp.0)),
        caller: address(record.caller.address.reveal()),
        callee: record.callee.as_ref().map(|party| address(party.address.reveal())).unwrap_or_default(),
        status: record.status,
        record: serde_json::to_vec(record).ok()?,
    })
}

/// `user@domain` of a SIP URI, so that a question by user finds the row.
fn address(uri: &str) -> String {
    let bare = uri.strip_prefix("sip:").or_else(|| uri.strip_prefix("sips:")).unwrap_or(uri);
    bare.split([';', '?']).next().unwrap_or(bare).to_lowercase()
}

fn write(store: &Store, rows: &mut Rows) {
    if !rows.calls.is_empty()
        && let Err(error) = store.append_calls(&rows.calls)
    {
        tracing::error!(%error, lost = rows.calls.len(), "call records could not be written");
    }
    if !rows.traces.is_empty()
        && let Err(error) = store.append_traces(&rows.traces)
    {
        tracing::error!(%error, lost = rows.traces.len(), "messages of calls could not be written");
    }
    rows.calls.clear();
    rows.traces.clear();
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn rows_are_found_by_plain_address() {
        assert_eq!(address("sip:Anna@Example.org;transport=tcp"), "anna@example.org");
        assert_eq!(address("tel:+49301"), "tel:+49301");
    }
}
