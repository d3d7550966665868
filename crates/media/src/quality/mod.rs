//! How good a stream is: loss, jitter, round trip, bursts and gaps (RFC 3611), opinion score (ITU-T G.107).

mod burst;
mod emodel;
mod record;

pub use burst::{Bursts, Runs};
pub use emodel::{Impairment, mos, rating};
pub use record::{Flow, LegRecord, SentReports};
