//! Flows whose bytes another server carries: WebSocket connections (RFC 7118) that the HTTPS server accepted.
//!
//! The HTTPS server opens a flow, pushes each WebSocket message into it and sends what comes out of it. To the engine
//! it is a [`Flow::Stream`](crate::Flow::Stream) like any other.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};

use crate::command::{Command, Peer};

/// A message longer than this is never accepted; see also [`Limits::message`](lyceum_sip::Limits).
const MESSAGE_MAX: usize = 1 << 20;

/// One flow, in its two halves. Dropping the input, or calling [`ForeignInput::close`], ends it for the engine; when
/// the engine or a bound ends it, [`ForeignOutput::next`] gives `None`.
#[derive(Debug)]
pub struct ForeignFlow {
    /// For what the peer sent.
    pub input: ForeignInput,
    /// For what the peer is to get.
    pub output: ForeignOutput,
}

/// Hands received messages to the worker.
pub struct ForeignInput {
    pub(crate) key: u64,
    pub(crate) remote: SocketAddr,
    pub(crate) worker: Arc<dyn Peer>,
    pub(crate) room: Arc<Semaphore>,
    pub(crate) output: mpsc::WeakSender<Vec<u8>>,
}

/// Messages that the engine sends on the flow.
#[derive(Debug)]
pub struct ForeignOutput {
    pub(crate) messages: mpsc::Receiver<Vec<u8>>,
}

/// The flow has ended; nothing more can be pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowEnded;

impl std::fmt::Debug for ForeignInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ForeignInput").field("key", &self.key).field("remote", &self.remote).finish_non_exhaustive()
    }
}

impl ForeignInput {
    /// Hands one whole message over. Waits while too much is on its way to the worker, so a flood stays in the peer's
    /// own connection.
    pub async fn push(&self, message: Vec<u8>) -> Result<(), FlowEnded> {
        let too_long = message.len() > MESSAGE_MAX;
        if too_long || self.worker.is_closed() || self.output.strong_count() == 0 {
            return Err(FlowEnded);
        }
        let bytes = message.len().max(1) as u32;
        let permit = self.room.clone().acquire_many_owned(bytes).await.map_err(|_| FlowEnded)?;
        self.worker.command_always(Command::ForeignInput { key: self.key, bytes: message, permit });
        Ok(())
    }

    /// Ends the flow.
    pub fn close(self) {}
}

impl Drop for ForeignInput {
    fn drop(&mut self) {
        self.worker.command_always(Command::ForeignClosed { key: self.key });
    }
}

impl ForeignOutput {
    /// The next message for the peer; `None` when the flow has ended.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        self.messages.recv().await
    }
}
