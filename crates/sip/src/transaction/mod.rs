//! Transactions: RFC 3261 §17 with the corrections of RFC 6026 (state Accepted, timers L and
//! M) and RFC 4320 (what may be said to a non-INVITE, and when).
//!
//! Four machines, one file each, are pure functions `(state, input) -> (state, actions)`.
//! [`Table`] owns the transactions of one worker: it matches messages (§17.1.3, §17.2.3),
//! carries the machines' actions out, keeps the deadlines, and queues what leaves. It reads no
//! clock and writes to no socket: mutate once, then drain [`Table::poll_output`] until it
//! gives `None`; call [`Table::timeout`] when [`Table::next_timeout`] has come.
//!
//! What the table leaves to its user: building messages (100 Trying too: send it at once, the
//! table has no 200 ms timer), choosing where they go, and ending what it began: a server
//! transaction waits for [`Table::respond`], at most [`Timers::pending`] for an INVITE and
//! 64·T1 for anything else, when nobody waits for the answer any more.
//!
//! A request passed through needs nothing here for its extension: PRACK and reliable
//! provisional answers (RFC 3262), UPDATE (RFC 3311), Replaces (RFC 3891) and REFER (RFC 3515)
//! are ordinary transactions to a proxy, which must only keep their headers and forward every
//! provisional answer.

mod client_invite;
mod client_other;
mod key;
mod lookup;
mod machine;
mod output;
mod request;
mod server_invite;
mod server_other;
mod slab;
mod table;
mod wheel;

#[cfg(test)]
mod tests;

pub use machine::{Timer, Timers};
pub use output::{Output, Source};
pub use request::{ack_for, cancel_for};
pub use table::{Cancelling, ClientId, Counts, Full, Incoming, Outgoing, Response, ServerId, Table, TableLimits};
