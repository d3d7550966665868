//! What the driver says to a worker, beside the engine's own posts.

use std::time::Duration;

use crate::Flow;

pub(crate) enum Command {
    /// Another worker's engine sends on a connection of ours.
    Relay { flow: Flow, bytes: Box<[u8]>, ticket: u64, origin: u8 },
    /// The answer to a [`Command::Relay`] that did not reach the connection.
    Failed { ticket: u64 },
    /// Another worker's engine closes a connection of ours.
    Close(Flow),
    /// Finish within this time, then end.
    Drain { within: Duration },
}

/// The driver's way to another worker, whatever its engine's posts are.
pub(crate) trait Peer: Send + Sync {
    fn command(&self, command: Command) -> Result<(), Command>;
    fn command_always(&self, command: Command);
}

impl<P: Send> Peer for crate::mailbox::Mailbox<P> {
    fn command(&self, command: Command) -> Result<(), Command> {
        crate::mailbox::Mailbox::command(self, command)
    }

    fn command_always(&self, command: Command) {
        crate::mailbox::Mailbox::command_always(self, command);
    }
}
