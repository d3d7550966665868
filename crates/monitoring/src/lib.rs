//! What is kept of calls: detail records with the decision that routed them, the SIP ladder of a
//! call, and the sentence that explains what went wrong. Nothing here reads a clock, a file or a socket.
//!
//! ```
//! use lyceum_monitoring::{Direction, Ladder, Passage, Stamp, TraceEntry, Wire};
//!
//! let passage = |direction| Passage {
//!     time: Stamp(0),
//!     direction,
//!     local: ([192, 0, 2, 1], 5060).into(),
//!     remote: ([192, 0, 2, 7], 5060).into(),
//!     transport: Wire::Udp,
//! };
//! let fields = "Via: SIP/2.0/UDP x;branch=z9hG4bK1\r\nFrom: <sip:anna@contoso.com>;tag=1\r\n\
//!     To: <sip:bne@contoso.com>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n";
//! let invite = format!("INVITE sip:bne@contoso.com SIP/2.0\r\n{fields}");
//! let refusal = format!("SIP/2.0 404 Not Found\r\n{fields}");
//! let ladder = Ladder::build(vec![
//!     TraceEntry::capture(passage(Direction::Received), invite.as_bytes()),
//!     TraceEntry::capture(passage(Direction::Sent), refusal.as_bytes()),
//! ]);
//! assert_eq!(ladder.explain().sentence, "There is no user, number or route for bne.");
//! ```

mod call;
mod decision;
mod explain;
mod filter;
mod flow;
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
pub use flow::{FlowCount, FlowEnd, FlowEvent, FlowPath, FlowQuality, FlowRecord};
pub use ladder::{Ladder, Lane, Role, Rung, Style, Transaction};
pub use private::Private;
pub use stamp::Stamp;
pub use trace::{Direction, Passage, TraceEntry};
