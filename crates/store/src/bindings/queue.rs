//! What waits for the writer thread, and when it is woken.

use super::{BATCH_ENTRIES, PATIENT_INTERVAL, QUEUE_ENTRIES, WARM_INTERVALS};
use lyceum_users::Block;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A block on its way.
pub(crate) struct Submitted {
    pub worker: u8,
    pub seq: u64,
    pub block: Block,
}

/// Work beside the blocks.
pub(crate) enum Task {
    /// Take over a group.
    Claim { group: u8, done: std::sync::mpsc::SyncSender<Result<u64, crate::StoreError>> },
    /// A folded image; `upto` is the last journal row in it.
    Image { group: u8, upto: i64, epoch: u64, image: Vec<u8> },
    /// Everything up to here is in images.
    Forget { upto: i64 },
}

/// Since when entries wait.
#[derive(Clone, Copy, Default)]
struct Waiting {
    /// The first of those that somebody waits for.
    awaited: Option<Instant>,
    /// The first of all.
    any: Option<Instant>,
}

impl Waiting {
    fn begin(&mut self, now: Instant, is_patient: bool) {
        self.any.get_or_insert(now);
        if !is_patient {
            self.awaited.get_or_insert(now);
        }
    }

    /// When the batch closes, if the one before it closed then.
    fn due(&self, closed: Option<Instant>, interval: Duration) -> Option<Instant> {
        let after = |first: Option<Instant>, interval: Duration| {
            first.map(|first| closed.map_or(first, |closed| first.max(closed + interval)))
        };
        let patient = if interval.is_zero() { interval } else { interval.max(PATIENT_INTERVAL) };
        [after(self.awaited, interval), after(self.any, patient)].into_iter().flatten().min()
    }
}

#[derive(Default)]
struct State {
    blocks: VecDeque<Submitted>,
    entries: usize,
    waiting: Waiting,
    /// When the last batch closed: the next closes an interval later, or at once if that is past.
    closed: Option<Instant>,
    /// The writer sleeps until then.
    wakes_at: Option<Instant>,
    tasks: VecDeque<Task>,
    task_bytes: usize,
    /// The writer sleeps without a clock and must be called.
    asleep: bool,
    /// The writer was called: for a full batch, or for one that is due sooner than it would wake.
    called: bool,
    empty_intervals: u32,
    stopping: bool,
}

/// The bounded queue between workers and the writer thread.
pub(crate) struct Queue {
    state: Mutex<State>,
    writer: Condvar,
    fold: Condvar,
    interval: Duration,
}

/// What the writer takes at once.
pub(crate) struct Batch {
    pub blocks: Vec<Submitted>,
    pub tasks: Vec<Task>,
    pub stopping: bool,
}

impl Queue {
    pub(crate) fn new(interval: Duration) -> Queue {
        // Nothing is expected yet: the first entry calls the writer.
        let state = State { empty_intervals: WARM_INTERVALS, ..State::default() };
        Queue { state: Mutex::new(state), writer: Condvar::new(), fold: Condvar::new(), interval }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a block, or hands it back when the queue is full or closed.
    pub(crate) fn submit(&self, submitted: Submitted) -> Result<(), Block> {
        let mut state = self.lock();
        let entries = submitted.block.entries() as usize;
        if state.stopping || state.entries + entries > QUEUE_ENTRIES {
            return Err(submitted.block);
        }
        state.entries += entries;
        if state.waiting.awaited.is_none() {
            state.waiting.begin(Instant::now(), submitted.block.is_patient());
        }
        state.blocks.push_back(submitted);
        let due = state.waiting.due(state.closed, self.interval);
        let oversleeps = state.wakes_at.is_some_and(|wakes| due.is_some_and(|due| due < wakes));
        if state.asleep || ((oversleeps || state.entries >= BATCH_ENTRIES) && !state.called) {
            state.called = true;
            self.writer.notify_one();
        }
        Ok(())
    }

    /// Queues a task; waits while `bytes` of others are ahead. False once closed.
    pub(crate) fn task(&self, task: Task, bytes: usize, limit: usize) -> bool {
        let mut state = self.lock();
        while state.task_bytes > limit && !state.stopping {
            state = self.fold.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stopping {
            return false;
        }
        state.task_bytes += bytes;
        state.tasks.push_back(task);
        if state.asleep {
            self.writer.notify_one();
        }
        true
    }

    /// Waits for the next batch to close.
    pub(crate) fn next(&self) -> Batch {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let due = state.waiting.due(state.closed, self.interval);
            if state.stopping || state.entries >= BATCH_ENTRIES || due.is_some_and(|due| due <= now) {
                return self.close(&mut state);
            }
            if due.is_none() && !state.tasks.is_empty() {
                return self.close(&mut state);
            }
            let cold = self.interval.is_zero() || state.empty_intervals >= WARM_INTERVALS;
            state = match due {
                None if cold => {
                    state.asleep = true;
                    let mut state = self.writer.wait(state).unwrap_or_else(PoisonError::into_inner);
                    state.asleep = false;
                    state.empty_intervals = 0;
                    state
                }
                _ => {
                    let wait = due.map_or(self.interval, |due| due - now);
                    // An entry that comes while nothing waits is seen soon enough at the end of the interval.
                    (state.wakes_at, state.called) = (due, false);
                    let (mut state, out) =
                        self.writer.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner);
                    state.wakes_at = None;
                    if out.timed_out() && state.waiting.any.is_none() {
                        state.empty_intervals += 1;
                    }
                    state
                }
            };
        }
    }

    fn close(&self, state: &mut State) -> Batch {
        state.closed = Some(Instant::now());
        let mut blocks = Vec::with_capacity(state.blocks.len());
        let mut taken = 0;
        // A burst beyond one batch stays for the next, but a block is never split.
        while let Some(next) = state.blocks.front() {
            let entries = next.block.entries() as usize;
            if taken > 0 && taken + entries > 4 * BATCH_ENTRIES {
                break;
            }
            taken += entries;
            blocks.extend(state.blocks.pop_front());
        }
        state.entries -= taken;
        if state.blocks.is_empty() {
            state.waiting = Waiting::default();
        }
        state.called = false;
        state.empty_intervals = 0;
        let mut tasks = Vec::new();
        let mut bytes = 0;
        while bytes < super::FOLD_BYTES_PER_BATCH
            && let Some(task) = state.tasks.pop_front()
        {
            let size = if let Task::Image { image, .. } = &task { image.len() } else { 0 };
            bytes += size;
            state.task_bytes -= size;
            // Deleting journal rows is a batch's share of work by itself.
            let last = matches!(task, Task::Forget { .. });
            tasks.push(task);
            if last {
                break;
            }
        }
        self.fold.notify_all();
        let stopping = state.stopping && state.blocks.is_empty();
        Batch { blocks, tasks, stopping }
    }

    /// Closes the queue; what is in it is still written.
    pub(crate) fn stop(&self) {
        self.lock().stopping = true;
        self.writer.notify_all();
        self.fold.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::BATCH_INTERVAL;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_quiet_server_writes_at_once_whoever_waits() {
        let (start, mut waiting) = (Instant::now(), Waiting::default());
        assert_eq!(waiting.due(Some(start), BATCH_INTERVAL), None);
        waiting.begin(start + 900 * MS, true);
        assert_eq!(waiting.due(Some(start), BATCH_INTERVAL), Some(start + 900 * MS));
        assert_eq!(waiting.due(None, BATCH_INTERVAL), Some(start + 900 * MS));
    }

    #[test]
    fn presence_waits_longer_for_its_batch_until_somebody_waits_too() {
        let (start, mut waiting) = (Instant::now(), Waiting::default());
        waiting.begin(start + 10 * MS, true);
        waiting.begin(start + 20 * MS, true);
        assert_eq!(waiting.due(Some(start), BATCH_INTERVAL), Some(start + PATIENT_INTERVAL));
        waiting.begin(start + 130 * MS, false);
        assert_eq!(waiting.due(Some(start), BATCH_INTERVAL), Some(start + 130 * MS));
    }

    #[test]
    fn who_is_waited_for_comes_after_the_interval() {
        let (start, mut waiting) = (Instant::now(), Waiting::default());
        waiting.begin(start + 10 * MS, false);
        assert_eq!(waiting.due(Some(start), BATCH_INTERVAL), Some(start + BATCH_INTERVAL));
        assert_eq!(waiting.due(Some(start), Duration::ZERO), Some(start + 10 * MS), "a test's interval holds for all");
    }
}
