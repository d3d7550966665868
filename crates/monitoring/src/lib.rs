//! What is kept of calls: detail records with the decision that routed them, the SIP ladder of a
//! call, and the sentence that explains what went wrong. Nothing here reads a clock, a file or a socket.

mod call;
mod decision;
mod explain;
mod filter;
mod head;
mod ladder;
mod private;
mod redact;
mod stamp;
mod trace;

pub use call::{BranchRecord, CallRecord, Outcome, Party, Side};
pub use decision::{DecisionStep, Target, Wire};
pub use explain::{Explanation, Verdict};
pub use filter::{RingBounds, TraceFilter, TraceRing};
pub use ladder::{Ladder, Lane, Role, Rung, Style, Transaction};
pub use private::Private;
pub use stamp::Stamp;
pub use trace::{Direction, Passage, TraceEntry};
