//! The thread that writes flow records to a file and hands them to the webhook. A call never waits for it.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use lyceum_monitoring::FlowRecord;

use super::flows::FlowSink;
use super::webhook::Poster;

/// Records that may wait; beyond it the newest are lost and counted.
const QUEUE: usize = 16_384;
/// Records written, and posted, at once.
const BATCH: usize = 256;

/// Writes flow records.
pub struct FlowWriter {
    records: SyncSender<FlowRecord>,
    thread: JoinHandle<()>,
}

impl FlowWriter {
    /// Starts the thread. The file is opened anew for every batch, so that it may be moved away at any time.
    pub fn start(file: Option<PathBuf>, poster: Option<Poster>) -> std::io::Result<FlowWriter> {
        let (records, waiting) = sync_channel(QUEUE);
        let thread =
            std::thread::Builder::new().name("flows".into()).spawn(move || run(&waiting, file.as_deref(), poster))?;
        Ok(FlowWriter { records, thread })
    }

    /// Takes records.
    pub fn sink(&self) -> FlowSink {
        let records = self.records.clone();
        Box::new(move |record| {
            if let Err(TrySendError::Full(record)) = records.try_send(record) {
                tracing::error!(flow = record.flow, "a flow record is lost: {QUEUE} wait to be written");
            }
        })
    }

    /// Writes what waits, and ends. Every sink must be gone.
    pub fn stop(self) {
        drop(self.records);
        if self.thread.join().is_err() {
            tracing::error!("the thread of flow records had ended by a fault");
        }
    }
}

fn run(waiting: &Receiver<FlowRecord>, file: Option<&Path>, poster: Option<Poster>) {
    while let Ok(first) = waiting.recv() {
        let mut batch = vec![first];
        batch.extend(waiting.try_iter().take(BATCH - 1));
        let lines: Vec<String> = batch.iter().filter_map(|record| serde_json::to_string(record).ok()).collect();
        if let Some(path) = file
            && let Err(error) = append(path, &lines)
        {
            let (path, lost) = (path.display(), lines.len());
            tracing::error!(%error, %path, lost, "flow records cannot be written: free space, or correct media.flow_records");
        }
        if let Some(poster) = &poster {
            poster.post(format!("[{}]", lines.join(",")), lines.len());
        }
    }
}

fn append(path: &Path, lines: &[String]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).mode(0o640).open(path)?;
    let mut text = lines.join("\n");
    text.push('\n');
    file.write_all(text.as_bytes())
}
