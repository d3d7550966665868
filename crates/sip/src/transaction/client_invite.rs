//! The INVITE client transaction (RFC 3261 figure 5 as amended by RFC 6026 figure 3).
//!
//! | state | input | next | actions |
//! |---|---|---|---|
//! | Calling | timer A | Calling | send again, A doubles |
//! | Calling | timer B | Terminated | timed out |
//! | Calling | 1xx | Proceeding | pass, C runs instead of A and B |
//! | Proceeding | 1xx | Proceeding | pass |
//! | Calling, Proceeding | 2xx | Accepted | pass, M starts |
//! | Calling, Proceeding | 300-699 | Completed (Terminated if reliable) | ACK, pass, D starts |
//! | Proceeding | timer C | Proceeding | tell, wait 64·T1 for the answer to our CANCEL |
//! | Proceeding | CANCEL sent | Proceeding | wait 64·T1 |
//! | Proceeding | wait over | Terminated | timed out |
//! | Completed | 300-699 | Completed | ACK again |
//! | Completed | timer D | Terminated | |
//! | Accepted | 2xx | Accepted | pass |
//! | Accepted | timer M | Terminated | |
//! | any | transport error | Terminated | |

use super::machine::{Action, Action::*, Step, Timer};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Calling,
    Proceeding,
    Completed,
    Accepted,
    Terminated,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Input {
    Provisional,
    Success,
    Failure,
    CancelSent,
    Fired(Timer),
    TransportError,
}

/// What to do when the transaction begins.
pub(super) fn start(reliable: bool) -> Step<State> {
    const RELIABLE: &[Action] = &[Send, Keep, Start(Timer::B)];
    const UNRELIABLE: &[Action] = &[Send, Keep, Start(Timer::A), Start(Timer::B)];
    (State::Calling, if reliable { RELIABLE } else { UNRELIABLE })
}

pub(super) fn step(state: State, input: Input, reliable: bool) -> Step<State> {
    use Input::*;
    use State::*;
    match (state, input) {
        (Terminated, _) => (Terminated, &[]),
        (_, TransportError) => (Terminated, &[]),
        (Calling, Fired(Timer::A)) => (Calling, &[Resend, Again(Timer::A)]),
        (Calling, Fired(Timer::B)) => (Terminated, &[TimedOut]),
        (Calling, Provisional) => (Proceeding, &[StopRepeating, Start(Timer::C), Pass]),
        (Proceeding, Provisional) => (Proceeding, &[Pass]),
        (Calling | Proceeding, Success) => (Accepted, &[StopRepeating, Forget, Start(Timer::M), Pass]),
        (Calling | Proceeding, Failure) if reliable => (Terminated, &[Ack, Pass]),
        (Calling | Proceeding, Failure) => (Completed, &[StopRepeating, Ack, Start(Timer::D), Pass]),
        (Proceeding, Fired(Timer::C)) => (Proceeding, &[Start(Timer::Cancelled), Action::TimerC]),
        (Proceeding, CancelSent) => (Proceeding, &[Start(Timer::Cancelled)]),
        (Proceeding, Fired(Timer::Cancelled)) => (Terminated, &[TimedOut]),
        (Completed, Failure) => (Completed, &[Resend]),
        (Completed, Fired(Timer::D)) => (Terminated, &[]),
        (Accepted, Success) => (Accepted, &[Pass]),
        (Accepted, Fired(Timer::M)) => (Terminated, &[]),
        (same, _) => (same, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::{Input::*, State::*, *};

    #[test]
    fn figure_5() {
        let cases: &[(State, Input, State, &[Action])] = &[
            (Calling, Fired(Timer::A), Calling, &[Resend, Again(Timer::A)]),
            (Calling, Fired(Timer::B), Terminated, &[TimedOut]),
            (Calling, TransportError, Terminated, &[]),
            (Calling, Provisional, Proceeding, &[StopRepeating, Start(Timer::C), Pass]),
            (Calling, Success, Accepted, &[StopRepeating, Forget, Start(Timer::M), Pass]),
            (Calling, Failure, Completed, &[StopRepeating, Ack, Start(Timer::D), Pass]),
            (Proceeding, Provisional, Proceeding, &[Pass]),
            (Proceeding, Success, Accepted, &[StopRepeating, Forget, Start(Timer::M), Pass]),
            (Proceeding, Failure, Completed, &[StopRepeating, Ack, Start(Timer::D), Pass]),
            (Proceeding, Fired(Timer::A), Proceeding, &[]),
            (Proceeding, Fired(Timer::B), Proceeding, &[]),
            (Proceeding, Fired(Timer::C), Proceeding, &[Start(Timer::Cancelled), Action::TimerC]),
            (Proceeding, CancelSent, Proceeding, &[Start(Timer::Cancelled)]),
            (Proceeding, Fired(Timer::Cancelled), Terminated, &[TimedOut]),
            (Completed, Failure, Completed, &[Resend]),
            (Completed, Provisional, Completed, &[]),
            (Completed, Success, Completed, &[]),
            (Completed, Fired(Timer::D), Terminated, &[]),
            (Completed, TransportError, Terminated, &[]),
            (Accepted, Success, Accepted, &[Pass]),
            (Accepted, Provisional, Accepted, &[]),
            (Accepted, Failure, Accepted, &[]),
            (Accepted, Fired(Timer::M), Terminated, &[]),
            (Terminated, Success, Terminated, &[]),
        ];
        for &(state, input, next, actions) in cases {
            assert_eq!(step(state, input, false), (next, actions), "{state:?} {input:?}");
        }
    }

    #[test]
    fn a_reliable_transport_repeats_nothing() {
        assert_eq!(start(true).1, &[Send, Keep, Start(Timer::B)]);
        assert_eq!(start(false).1, &[Send, Keep, Start(Timer::A), Start(Timer::B)]);
        assert_eq!(step(Proceeding, Failure, true), (Terminated, &[Ack, Pass][..]));
    }
}
