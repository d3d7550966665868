//! Call records on their way to the store: collected by one thread, written in batches, never waited for by a call.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use lyceum_front_end::executor::{LadderFn, RecordFn};
use lyceum_front_end::ladders::Ladder;
use lyceum_front_end::metrics::Metrics;
use lyceum_monitoring::{CallRecord, TraceEntry};
use lyceum_sip::WallTime;
use lyceum_store::{CallRow, Store, TraceRow};

/// Records that may wait; beyond it the newest are lost and counted.
const QUEUE: usize = 65_536;
/// Records of one transaction.
const BATCH: usize = 2_000;
/// A batch is written after this time at the latest.
const INTERVAL: Duration = Duration::from_millis(500);

enum Job {
    Record(Box<CallRecord>),
    Ladder(Box<Ladder>),
    Flush(SyncSender<()>),
    Stop,
}

/// The thread that writes records.
pub struct RecordWriter {
    sender: SyncSender<Job>,
    thread: JoinHandle<()>,
}

/// Hands records over.
#[derive(Clone)]
pub struct RecordSender(SyncSender<Job>);

impl RecordWriter {
    /// Starts the thread.
    pub fn start(store: Store) -> Self {
        let (sender, receiver) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new().name("records".into()).spawn(move || run(&store, &receiver));
        RecordWriter { sender, thread: thread.expect("the system gives one more thread at start") }
    }

    /// A handle.
    pub fn sender(&self) -> RecordSender {
        RecordSender(self.sender.clone())
    }

    /// Writes what waits and ends.
    pub fn stop(self) {
        self.sender.send(Job::Stop).ok();
        self.thread.join().ok();
    }
}

impl RecordSender {
    /// What a worker calls.
    pub fn record_fn(&self) -> RecordFn {
        let sender = self.0.clone();
        let lost = std::sync::atomic::AtomicBool::new(false);
        Box::new(move |record| {
            let full = sender.try_send(Job::Record(record)).is_err();
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
        let sender = self.0.clone();
        Box::new(move |ladder| {
            if sender.try_send(Job::Ladder(ladder)).is_err() {
                metrics.ladders_dropped.inc();
            }
        })
    }

    /// Returns when everything handed over so far is written.
    pub fn flush(&self) {
        let (done, wait) = sync_channel(1);
        if self.0.send(Job::Flush(done)).is_ok() {
            wait.recv_timeout(Duration::from_secs(5)).ok();
        }
    }
}

fn run(store: &Store, jobs: &Receiver<Job>) {
    let mut rows = Rows::default();
    let mut due: Option<Instant> = None;
    loop {
        let job = match due {
            Some(due) => jobs.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match job {
            Ok(Job::Record(record)) => {
                rows.calls.extend(row(&record));
                due.get_or_insert_with(|| Instant::now() + INTERVAL);
                if rows.calls.len() < BATCH {
                    continue;
                }
            }
            Ok(Job::Ladder(ladder)) => {
                rows.traces.extend(ladder.into_entries().iter().filter_map(trace_row));
                due.get_or_insert_with(|| Instant::now() + INTERVAL);
                if rows.traces.len() < BATCH {
                    continue;
                }
            }
            Ok(Job::Flush(done)) => {
                write(store, &mut rows);
                due = None;
                done.send(()).ok();
                continue;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Job::Stop) | Err(RecvTimeoutError::Disconnected) => return write(store, &mut rows),
        }
        write(store, &mut rows);
        due = None;
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
