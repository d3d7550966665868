//! The SIP ladder of a call: who sent what to whom, put together by transaction.

mod group;
mod lane;
mod render;

pub use lane::Lane;
pub use render::Style;

use crate::explain::{Explanation, explain};
use crate::stamp::Stamp;
use crate::trace::TraceEntry;
use serde::Serialize;

/// The messages of a call in order of time, its lanes and transactions, and what happened in a sentence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ladder {
    /// The columns: the server, and everybody it exchanged messages with.
    pub lanes: Vec<Lane>,
    /// One line per message.
    pub rungs: Vec<Rung>,
    /// The transactions, in the order they began.
    pub transactions: Vec<Transaction>,
    /// What happened.
    pub explanation: Explanation,
}

/// One message of a ladder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rung {
    /// The message.
    pub entry: TraceEntry,
    /// The lane it left.
    pub from: usize,
    /// The lane it reached.
    pub to: usize,
    /// Its transaction's position in [`Ladder::transactions`].
    pub transaction: usize,
    /// Whether the same message was sent before.
    pub again: bool,
}

/// A request with its answers, between the server and one other party (RFC 3261 §17).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Transaction {
    /// The method. The ACK of a refused INVITE belongs to its transaction.
    pub method: String,
    /// The CSeq number.
    pub cseq: u32,
    /// The branch.
    pub branch: String,
    /// Who asks.
    pub role: Role,
    /// The lane of the other party.
    pub peer: usize,
    /// Whether the request belongs to a dialog (its To carries a tag).
    pub in_dialog: bool,
    /// Its messages, as positions in [`Ladder::rungs`].
    pub rungs: Vec<usize>,
    /// When the request was first seen.
    pub began: Stamp,
    /// When the final answer was first seen.
    pub answered: Option<Stamp>,
    /// The last provisional status, or 0.
    pub provisional: u16,
    /// The final status, or 0 while there is none.
    pub status: u16,
    /// How often the request was repeated.
    pub request_repeats: u32,
    /// How often the final answer was repeated.
    pub answer_repeats: u32,
    /// How often the request was repeated after it had been answered, be it provisionally.
    pub repeats_after_answer: u32,
    /// Whether an ACK was seen for the final answer; only an INVITE has one.
    pub acknowledged: bool,
}

/// Which side of a transaction the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The other party asks.
    Server,
    /// The server asks.
    Client,
}

impl Ladder {
    /// Puts messages together. They may be of several legs, and need not be in order.
    pub fn build(entries: Vec<TraceEntry>) -> Self {
        let mut ladder = group::group(entries);
        ladder.explanation = explain(&ladder);
        ladder
    }

    /// What happened, in a sentence, with a code and what to do.
    pub fn explain(&self) -> &Explanation {
        &self.explanation
    }

    /// The transaction in which things went wrong.
    pub fn failing(&self) -> Option<&Transaction> {
        self.transactions.get(self.explanation.transaction?)
    }

    /// The ladder as text for a terminal.
    pub fn render(&self, style: Style) -> String {
        render::render(self, style)
    }

    /// The ladder as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a ladder has string keys only")
    }

    pub(crate) fn entries<'a>(
        &'a self,
        transaction: &'a Transaction,
    ) -> impl DoubleEndedIterator<Item = &'a TraceEntry> {
        transaction.rungs.iter().map(|&rung| &self.rungs[rung].entry)
    }
}
