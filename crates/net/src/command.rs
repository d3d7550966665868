//! What the driver says to a worker, beside the engine's own posts.

use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use crate::Flow;
use crate::streams::ForeignOpen;

pub(crate) enum Command {
    /// Another worker's engine sends on a connection of ours.
    Relay { flow: Flow, bytes: Box<[u8]>, ticket: u64, origin: u8 },
    /// The answer to a [`Command::Relay`] that did not reach the connection.
    Failed { ticket: u64 },
    /// Another worker's engine closes a connection of ours.
    Close(Flow),
    /// The HTTPS server has a flow for us.
    OpenForeign(Box<ForeignOpen>),
    /// A message came on it. The permit bounds how much is under way.
    ForeignInput { key: u64, bytes: Vec<u8>, permit: OwnedSemaphorePermit },
    /// It is gone.
    ForeignClosed { key: u64 },
    /// Finish within this time, then end.
    Drain { within: Duration },
}

/// The driver's way to another worker, whatever its engine's posts are.
pub(crate) trait Peer: Send + Sync {
    /// Gives the command back when the queue is full.
    fn command(&self, command: Command) -> Result<(), Command>;
    /// For what must not be lost; see [`Mailbox::command_always`](crate::mailbox::Mailbox::command_always).
    fn command_always(&self, command: Command);
    /// Drain has begun or the worker has ended.
    fn is_closed(&self) -> bool;
}

impl<P: Send> Peer for crate::mailbox::Mailbox<P> {
    fn command(&self, command: Command) -> Result<(), Command> {
        crate::mailbox::Mailbox::command(self, command)
    }

    fn command_always(&self, command: Command) {
        crate::mailbox::Mailbox::command_always(self, command);
    }

    fn is_closed(&self) -> bool {
        crate::mailbox::Mailbox::is_closed(self)
    }
}
