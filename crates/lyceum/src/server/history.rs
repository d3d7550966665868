//! The history of messages and the archive: from the workers to the store, off their path.

use std::time::Duration;

use anyhow::{Result, anyhow};
use lyceum_front_end::executor::{MessagesFn, Post};
use lyceum_net::Handle;
use lyceum_store::{MessageBatch, MessageWriter, MessageWriterOptions, MessagesCommitted, Store};

/// How long the history may lag, and the longest that a message waits for the archive: what is not delivered waits
/// durably elsewhere, so batches may be large.
const INTERVAL: Duration = Duration::from_millis(250);

/// Starts the thread that writes.
pub fn writer(store: &Store, handle: Handle<Post>) -> Result<MessageWriter> {
    let options = MessageWriterOptions { interval: INTERVAL, ..MessageWriterOptions::default() };
    let told = move |committed: MessagesCommitted| {
        if let Err(error) = &committed.result {
            tracing::error!(%error, "messages are missing in history or archive");
        }
        let tokens: Vec<u64> = committed.tokens.into_iter().filter(|token| *token > 0).collect();
        if !tokens.is_empty() {
            let post = Post::Archived { tokens, written: committed.result.is_ok() };
            // A worker that has ended answers nobody any more.
            handle.worker(committed.worker).post_when_room(post).ok();
        }
    };
    store.message_writer(options, told).map_err(|error| anyhow!("{error}"))
}

/// What a worker hands its messages to.
pub fn sink(writer: MessageWriter, worker: u8) -> MessagesFn {
    Box::new(move |token, entries| {
        let count = entries.len();
        let taken = writer.submit(MessageBatch { worker, token, entries }).is_ok();
        if !taken {
            tracing::warn!(count, "messages are missing in history or archive: the queue is full");
        }
        taken
    })
}
