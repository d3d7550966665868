//! The non-INVITE client transaction (RFC 3261 figure 6).
//!
//! | state | input | next | actions |
//! |---|---|---|---|
//! | Trying | timer E | Trying | send again, E doubles up to T2 |
//! | Proceeding | timer E | Proceeding | send again, E is T2 |
//! | Trying, Proceeding | timer F | Terminated | timed out |
//! | Trying, Proceeding | 1xx | Proceeding | pass |
//! | Trying, Proceeding | 200-699 | Completed (Terminated if reliable) | pass, K starts |
//! | Completed | any answer | Completed | |
//! | Completed | timer K | Terminated | |
//! | any | transport error | Terminated | |

use super::machine::{Action, Action::*, Step, Timer};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Input {
    Provisional,
    Final,
    Fired(Timer),
    TransportError,
}

/// What to do when the transaction begins. Nothing is kept that would not be sent again.
pub(super) fn start(reliable: bool) -> Step<State> {
    const RELIABLE: &[Action] = &[Send, Start(Timer::F)];
    const UNRELIABLE: &[Action] = &[Send, Keep, Start(Timer::E), Start(Timer::F)];
    (State::Trying, if reliable { RELIABLE } else { UNRELIABLE })
}

pub(super) fn step(state: State, input: Input, reliable: bool) -> Step<State> {
    use Input::*;
    use State::*;
    match (state, input) {
        (Terminated, _) => (Terminated, &[]),
        (_, TransportError) => (Terminated, &[]),
        (Trying, Fired(Timer::E)) => (Trying, &[Resend, Again(Timer::E)]),
        (Proceeding, Fired(Timer::E)) => (Proceeding, &[Resend, AgainAtT2(Timer::E)]),
        (Trying | Proceeding, Fired(Timer::F)) => (Terminated, &[TimedOut]),
        (Trying | Proceeding, Provisional) => (Proceeding, &[Pass]),
        (Trying | Proceeding, Final) if reliable => (Terminated, &[Pass]),
        (Trying | Proceeding, Final) => (Completed, &[StopRepeating, Forget, Start(Timer::K), Pass]),
        (Completed, Fired(Timer::K)) => (Terminated, &[]),
        (same, _) => (same, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::{Input::*, State::*, *};

    #[test]
    fn figure_6() {
        let done: &[Action] = &[StopRepeating, Forget, Start(Timer::K), Pass];
        let cases: &[(State, Input, State, &[Action])] = &[
            (Trying, Fired(Timer::E), Trying, &[Resend, Again(Timer::E)]),
            (Trying, Fired(Timer::F), Terminated, &[TimedOut]),
            (Trying, TransportError, Terminated, &[]),
            (Trying, Provisional, Proceeding, &[Pass]),
            (Trying, Final, Completed, done),
            (Proceeding, Fired(Timer::E), Proceeding, &[Resend, AgainAtT2(Timer::E)]),
            (Proceeding, Fired(Timer::F), Terminated, &[TimedOut]),
            (Proceeding, Provisional, Proceeding, &[Pass]),
            (Proceeding, Final, Completed, done),
            (Completed, Final, Completed, &[]),
            (Completed, Provisional, Completed, &[]),
            (Completed, Fired(Timer::F), Completed, &[]),
            (Completed, Fired(Timer::K), Terminated, &[]),
        ];
        for &(state, input, next, actions) in cases {
            assert_eq!(step(state, input, false), (next, actions), "{state:?} {input:?}");
        }
    }

    #[test]
    fn a_reliable_transport_repeats_nothing() {
        assert_eq!(start(true).1, &[Send, Start(Timer::F)]);
        assert_eq!(start(false).1, &[Send, Keep, Start(Timer::E), Start(Timer::F)]);
        assert_eq!(step(Trying, Final, true), (Terminated, &[Pass][..]));
    }
}
