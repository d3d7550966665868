//! The history of messages: from the workers to the store, off their path.

use std::time::Duration;

use anyhow::{Result, anyhow};
use lyceum_front_end::executor::MessagesFn;
use lyceum_store::{MessageBatch, MessageWriter, MessageWriterOptions, Store};

/// How long the history may lag: what is not delivered waits durably elsewhere, so batches may be large.
const INTERVAL: Duration = Duration::from_millis(500);

/// Starts the thread that writes.
pub fn writer(store: &Store) -> Result<MessageWriter> {
    let options = MessageWriterOptions { interval: INTERVAL, ..MessageWriterOptions::default() };
    let told = |committed: lyceum_store::MessagesCommitted| {
        if let Err(error) = committed.result {
            tracing::error!(%error, "messages are missing in the history");
        }
    };
    store.message_writer(options, told).map_err(|error| anyhow!("{error}"))
}

/// What a worker hands its messages to.
pub fn sink(writer: MessageWriter, worker: u8) -> MessagesFn {
    Box::new(move |entries| {
        let count = entries.len();
        if writer.submit(MessageBatch { worker, token: 0, entries }).is_err() {
            tracing::warn!(count, "messages are missing in the history: its queue is full");
        }
    })
}
