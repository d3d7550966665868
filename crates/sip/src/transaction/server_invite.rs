//! The INVITE server transaction (RFC 3261 figure 7 as amended by RFC 6026 figure 1).
//!
//! | state | input | next | actions |
//! |---|---|---|---|
//! | Proceeding | INVITE | Proceeding | last provisional again |
//! | Proceeding | 1xx from the user | Proceeding | send, keep |
//! | Proceeding | 2xx from the user | Accepted | send, keep nothing, L starts |
//! | Proceeding | 300-699 from the user | Completed | send, keep, G (unreliable) and H start |
//! | Proceeding | pending too long | Terminated | |
//! | Completed | INVITE | Completed | answer again |
//! | Completed | timer G | Completed | answer again, G doubles up to T2 |
//! | Completed | ACK | Confirmed (Terminated if reliable) | keep nothing, I starts |
//! | Completed | timer H | Terminated | timed out |
//! | Confirmed | timer I | Terminated | |
//! | Accepted | 2xx from the user | Accepted | send |
//! | Accepted | ACK | Accepted | pass |
//! | Accepted | timer L | Terminated | |
//! | any | transport error | Terminated | |
//!
//! RFC 6026 §8.7: a repeated INVITE in Accepted is absorbed without an answer; whoever made
//! the 2xx repeats it until the ACK comes.

use super::machine::{Action, Action::*, Step, Timer};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Proceeding,
    Completed,
    Confirmed,
    Accepted,
    Terminated,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Input {
    Repeated,
    Provisional,
    Success,
    Failure,
    Ack,
    Fired(Timer),
    TransportError,
}

/// What to do when the transaction begins.
pub(super) fn start() -> Step<State> {
    (State::Proceeding, &[Start(Timer::Pending)])
}

pub(super) fn step(state: State, input: Input, reliable: bool) -> Step<State> {
    use State::*;
    const PROVISIONAL: &[Action] = &[Send, Keep, Start(Timer::Pending)];
    const PROVISIONAL_RELIABLE: &[Action] = &[Send, Start(Timer::Pending)];
    const FAIL: &[Action] = &[Send, Keep, Start(Timer::G), Start(Timer::H)];
    const FAIL_RELIABLE: &[Action] = &[Send, Start(Timer::H)];
    match (state, input) {
        (Terminated, _) => (Terminated, &[]),
        (_, Input::TransportError) => (Terminated, &[]),
        (Proceeding | Completed, Input::Repeated) => (state, &[Resend]),
        (Proceeding, Input::Provisional) => (Proceeding, if reliable { PROVISIONAL_RELIABLE } else { PROVISIONAL }),
        (Proceeding, Input::Success) => (Accepted, &[Send, Forget, Start(Timer::L)]),
        (Proceeding, Input::Failure) => (Completed, if reliable { FAIL_RELIABLE } else { FAIL }),
        (Proceeding, Input::Fired(Timer::Pending)) => (Terminated, &[]),
        (Completed, Input::Fired(Timer::G)) => (Completed, &[Resend, Again(Timer::G)]),
        (Completed, Input::Ack) if reliable => (Terminated, &[]),
        (Completed, Input::Ack) => (Confirmed, &[StopRepeating, Forget, Start(Timer::I)]),
        (Completed, Input::Fired(Timer::H)) => (Terminated, &[TimedOut]),
        (Confirmed, Input::Fired(Timer::I)) => (Terminated, &[]),
        (Accepted, Input::Success) => (Accepted, &[Send]),
        (Accepted, Input::Ack) => (Accepted, &[Pass]),
        (Accepted, Input::Fired(Timer::L)) => (Terminated, &[]),
        (same, _) => (same, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::{Input::*, State::*, *};
    use crate::transaction::machine::{Action, Action::Again};

    #[test]
    fn figure_7() {
        let resend: &[Action] = &[Resend];
        let cases: &[(State, Input, State, &[Action])] = &[
            (Proceeding, Repeated, Proceeding, resend),
            (Proceeding, Provisional, Proceeding, &[Send, Keep, Start(Timer::Pending)]),
            (Proceeding, Success, Accepted, &[Send, Forget, Start(Timer::L)]),
            (Proceeding, Failure, Completed, &[Send, Keep, Start(Timer::G), Start(Timer::H)]),
            (Proceeding, Input::Ack, Proceeding, &[]),
            (Proceeding, Fired(Timer::Pending), Terminated, &[]),
            (Proceeding, TransportError, Terminated, &[]),
            (Completed, Repeated, Completed, resend),
            (Completed, Fired(Timer::G), Completed, &[Resend, Again(Timer::G)]),
            (Completed, Fired(Timer::H), Terminated, &[TimedOut]),
            (Completed, Input::Ack, Confirmed, &[StopRepeating, Forget, Start(Timer::I)]),
            (Completed, Success, Completed, &[]),
            (Completed, Failure, Completed, &[]),
            (Completed, Provisional, Completed, &[]),
            (Confirmed, Repeated, Confirmed, &[]),
            (Confirmed, Input::Ack, Confirmed, &[]),
            (Confirmed, Fired(Timer::I), Terminated, &[]),
            (Accepted, Repeated, Accepted, &[]),
            (Accepted, Success, Accepted, &[Send]),
            (Accepted, Provisional, Accepted, &[]),
            (Accepted, Failure, Accepted, &[]),
            (Accepted, Input::Ack, Accepted, &[Pass]),
            (Accepted, Fired(Timer::L), Terminated, &[]),
        ];
        for &(state, input, next, actions) in cases {
            assert_eq!(step(state, input, false), (next, actions), "{state:?} {input:?}");
        }
    }

    #[test]
    fn over_a_reliable_transport_nothing_is_kept_and_i_is_zero() {
        let failed: &[Action] = &[Send, Start(Timer::H)];
        assert_eq!(step(Proceeding, Failure, true), (Completed, failed));
        assert_eq!(step(Completed, Input::Ack, true), (Terminated, &[][..]));
    }
}
