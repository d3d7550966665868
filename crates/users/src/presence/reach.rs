//! Whether somebody may be called or written to.

use super::aggregate::AggregateState;
use super::availability::Band;
use super::view::Relationship;

/// The answer to a caller or writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Go on.
    Allowed,
    /// The person has blocked the other: refuse as if they were never there.
    Blocked,
    /// The person wants not to be disturbed, and the other is not of the workgroup: calls are refused, messages wait.
    DoNotDisturb,
}

/// Whether somebody of this relationship may interrupt now. People reach themselves always: the caller is to see to that.
pub fn reach(state: &AggregateState, relationship: Relationship) -> Reach {
    if relationship == Relationship::Blocked {
        Reach::Blocked
    } else if state.availability.band() == Band::DoNotDisturb && relationship != Relationship::Workgroup {
        Reach::DoNotDisturb
    } else {
        Reach::Allowed
    }
}
