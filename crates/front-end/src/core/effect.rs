//! What the core wants done.

use lyceum_monitoring::CallRecord;
use lyceum_users::Block;

use crate::ladders::Ladder;

/// What the executor does for the core.
#[derive(Debug)]
pub enum Effect {
    /// Make this block durable, then post its number back as committed (or failed).
    Persist {
        /// The block's number.
        seq: u64,
        /// Its entries.
        block: Block,
    },
    /// Keep messages and marks for the history; not urgent.
    Messages(Vec<lyceum_store::MessageEntry>),
    /// Write to the archive at once, then post the token back as written or not.
    Archive {
        /// By what the message is known again.
        token: u64,
        /// What is to be written.
        entries: Vec<lyceum_store::MessageEntry>,
    },
    /// Keep a call detail record; not urgent.
    Record(Box<CallRecord>),
    /// Keep the messages of a call; not urgent.
    Ladder(Box<Ladder>),
    /// A node without a certificate wants one: judge what it says and post the answer back.
    Enrol {
        /// To be given back with the answer.
        query: u64,
        /// What it says.
        asked: Box<[u8]>,
    },
    /// Find the addresses of a host and post them back.
    Resolve {
        /// To be given back with the answer.
        query: u64,
        /// What to look up.
        target: crate::calls::Lookup,
    },
}
