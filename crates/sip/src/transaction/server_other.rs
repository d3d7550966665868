//! The non-INVITE server transaction (RFC 3261 figure 8, with RFC 4320 §4).
//!
//! | state | input | next | actions |
//! |---|---|---|---|
//! | Trying | the request again | Trying | |
//! | Trying | timer E would be T2 | Trying | tell the user that a 100 is due |
//! | Trying, Proceeding | 100 from the user | Proceeding | send, keep |
//! | Proceeding | the request again | Proceeding | 100 again |
//! | Trying, Proceeding | 200-699 from the user | Completed (Terminated if reliable) | send, keep, J starts |
//! | Trying, Proceeding | 64·T1 | Terminated | the client waits no more: say nothing |
//! | Completed | the request again | Completed | answer again |
//! | Completed | timer J | Terminated | |
//! | any | transport error | Terminated | |

use super::machine::{Action::*, Step, Timer, Timers};
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Input {
    Repeated,
    Provisional,
    Final,
    Fired(Timer),
    TransportError,
}

/// What to do when the transaction begins. Its life is timer F of the client, 64·T1: RFC 4320
/// §4.2 forbids a late 408, and any other answer would come too late as well.
pub(super) fn start() -> Step<State> {
    (State::Trying, &[Start(Timer::Trying), Start(Timer::F)])
}

/// May this answer be sent now? RFC 4320 §4.1: of the provisional ones only 100, and over an
/// unreliable transport not before the client's timer E has reached T2. A 408 never (§4.2).
pub(super) fn allows(code: u16, since_start: Duration, reliable: bool, timers: &Timers) -> bool {
    match code {
        100 => reliable || since_start >= timers.until_t2(),
        101..=199 | 408 => false,
        _ => true,
    }
}

pub(super) fn step(state: State, input: Input, reliable: bool) -> Step<State> {
    use Input::*;
    use State::*;
    match (state, input) {
        (Terminated, _) => (Terminated, &[]),
        (_, TransportError) => (Terminated, &[]),
        (Proceeding | Completed, Repeated) => (state, &[Resend]),
        (Trying, Fired(Timer::Trying)) => (Trying, &[StopRepeating, TryingDue]),
        (Trying | Proceeding, Provisional) => (Proceeding, &[Send, Keep, StopRepeating]),
        (Trying | Proceeding, Final) if reliable => (Terminated, &[Send]),
        (Trying | Proceeding, Final) => (Completed, &[Send, Keep, StopRepeating, Start(Timer::J)]),
        (Trying | Proceeding, Fired(Timer::F)) => (Terminated, &[]),
        (Completed, Fired(Timer::J)) => (Terminated, &[]),
        (same, _) => (same, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::{Input::*, State::*, *};
    use crate::transaction::machine::Action;

    #[test]
    fn figure_8() {
        let done: &[Action] = &[Send, Keep, StopRepeating, Start(Timer::J)];
        let cases: &[(State, Input, State, &[Action])] = &[
            (Trying, Input::Repeated, Trying, &[]),
            (Trying, Provisional, Proceeding, &[Send, Keep, StopRepeating]),
            (Trying, Final, Completed, done),
            (Trying, Fired(Timer::Trying), Trying, &[StopRepeating, TryingDue]),
            (Trying, Fired(Timer::F), Terminated, &[]),
            (Proceeding, Input::Repeated, Proceeding, &[Resend]),
            (Proceeding, Final, Completed, done),
            (Proceeding, TransportError, Terminated, &[]),
            (Proceeding, Fired(Timer::F), Terminated, &[]),
            (Completed, Input::Repeated, Completed, &[Resend]),
            (Completed, Final, Completed, &[]),
            (Completed, Provisional, Completed, &[]),
            (Completed, Fired(Timer::J), Terminated, &[]),
        ];
        for &(state, input, next, actions) in cases {
            assert_eq!(step(state, input, false), (next, actions), "{state:?} {input:?}");
        }
        assert_eq!(step(Trying, Final, true), (Terminated, &[Send][..]));
    }

    #[test]
    fn rfc_4320_provisional_and_408() {
        let timers = Timers::default();
        let early = Duration::from_millis(3_499);
        let due = Duration::from_millis(3_500);
        let cases = [
            (100, early, false, false),
            (100, due, false, true),
            (100, early, true, true),
            (180, due, true, false),
            (408, due, false, false),
            (200, early, false, true),
            (503, early, false, true),
        ];
        for (code, at, reliable, want) in cases {
            assert_eq!(allows(code, at, reliable, &timers), want, "{code} at {at:?}");
        }
    }
}
