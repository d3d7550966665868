//! Registrations: a journal of blocks inside SQLite, folded into base images.
//!
//! ```text
//! workers ── Block ──► queue ──► writer thread: one row, one fdatasync per batch ──► Committed
//!                                      ▲ images, a few per batch
//!                                 fold thread: journal rows + old images → new images
//! ```
//! A batch closes at [`BATCH_ENTRIES`] entries, or a set interval after the last one closed, or at once when that is
//! past. While work keeps coming the writer wakes by its own clock, so that handing a block over wakes nobody.

mod commit;
mod fold;
mod load;
mod queue;
mod writer;

pub use load::LoadedGroup;
pub use writer::{BindingWriter, BindingWriterOptions, Committed};

use crate::error::{StoreError, family};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Entries that close a batch.
pub(crate) const BATCH_ENTRIES: usize = 256;
/// The least time between two batches: on a quiet server an entry is written at once, under load batches are this far
/// apart, because a commit costs some 150 µs of CPU whatever is in it (docs/decisions/0012). A phone waits 500 ms before it
/// repeats.
pub(crate) const BATCH_INTERVAL: Duration = Duration::from_millis(100);
/// The same for a batch of nothing but published presence ([`lyceum_users::Block::is_patient`]), for which no person waits.
pub(crate) const PATIENT_INTERVAL: Duration = Duration::from_millis(160);
/// Entries that wait at most; beyond, a block is handed back and its answers become 503s.
pub(crate) const QUEUE_ENTRIES: usize = 65_536;
/// Journal size at which it is folded.
pub(crate) const FOLD_BYTES: u64 = 8 << 20;
/// Folding holds this share of the groups in memory at a time.
pub(crate) const FOLD_GROUPS: usize = 32;
/// Image bytes, and journal bytes deleted, that ride on one batch.
pub(crate) const FOLD_BYTES_PER_BATCH: usize = 128 << 10;
/// The WAL file's size, reached once at start and then overwritten, because a sync that does not
/// change a file's size is cheaper.
pub(crate) const WAL_BYTES: usize = 4 << 20;
/// While the disk refuses, it is tried again this often.
pub(crate) const PROBE_EVERY: Duration = Duration::from_secs(1);
/// Empty intervals after which the writer sleeps until it is called.
pub(crate) const WARM_INTERVALS: u32 = 2;

/// Why bindings were not written or read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindingError {
    /// The block builds on one that failed; the worker undid it already.
    Superseded,
    /// The writer was stopped.
    Stopped,
    /// Disk, file, damage or a stale owner.
    Store(StoreError),
}

family!(BindingError);

impl std::fmt::Display for BindingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BindingError::Superseded => write!(f, "an earlier block of this worker failed; nothing was written"),
            BindingError::Stopped => write!(f, "the server is stopping; nothing was written"),
            BindingError::Store(error) => error.fmt(f),
        }
    }
}

/// The epochs of all routing groups as this process last claimed or read them. The data folder's
/// lock makes this process the only one that changes them.
pub(crate) struct Epochs([AtomicU64; 256]);

impl Epochs {
    pub(crate) fn new(epochs: [u64; 256]) -> Epochs {
        Epochs(epochs.map(AtomicU64::new))
    }

    pub(crate) fn of(&self, group: u8) -> u64 {
        self.0[usize::from(group)].load(Ordering::Acquire)
    }

    pub(crate) fn set(&self, group: u8, epoch: u64) {
        self.0[usize::from(group)].store(epoch, Ordering::Release);
    }
}
