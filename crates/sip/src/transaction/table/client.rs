//! The client half: requests out, responses in.

use super::clock::Clock;
use super::{Cancelling, ClientId, Full, Outgoing, Response, Table};
use crate::limits::Limits;
use crate::message::{Message, parse};
use crate::time::Time;
use crate::transaction::machine::{Action, Timer};
use crate::transaction::output::{Event, Source};
use crate::transaction::request::{ack_for, cancel_for};
use crate::transaction::{client_invite as invite, client_other as other};
use std::time::Duration;

pub(super) struct Client<P> {
    fingerprint: u128,
    user: u64,
    clock: Clock,
    /// When timer C fires; it runs from the sending on, but only counts once something came.
    c_at: Time,
    /// What a provisional answer sets it to.
    c_span: Duration,
    /// The request while it may be needed, then the ACK.
    kept: Option<Box<[u8]>>,
    cancel: Cancel,
    peer: P,
    state: State,
    reliable: bool,
    /// A CANCEL of the table's own: nobody is told of it.
    silent: bool,
}

/// How far cancelling went.
enum Cancel {
    No,
    /// Asked for; the header lines to add when the first provisional answer comes.
    Waiting(Box<[u8]>),
    Sent,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Invite(invite::State),
    Other(other::State),
}

#[derive(Clone, Copy)]
enum Input {
    Provisional,
    Success,
    Failure,
    CancelSent,
    Fired(Timer),
    TransportError,
}

impl State {
    fn step(self, input: Input, reliable: bool) -> (State, &'static [Action]) {
        match self {
            State::Invite(state) => {
                let input = match input {
                    Input::Provisional => invite::Input::Provisional,
                    Input::Success => invite::Input::Success,
                    Input::Failure => invite::Input::Failure,
                    Input::CancelSent => invite::Input::CancelSent,
                    Input::Fired(timer) => invite::Input::Fired(timer),
                    Input::TransportError => invite::Input::TransportError,
                };
                let (next, actions) = invite::step(state, input, reliable);
                (State::Invite(next), actions)
            }
            State::Other(state) => {
                let input = match input {
                    Input::Provisional => other::Input::Provisional,
                    Input::Success | Input::Failure => other::Input::Final,
                    Input::CancelSent => return (self, &[]),
                    Input::Fired(timer) => other::Input::Fired(timer),
                    Input::TransportError => other::Input::TransportError,
                };
                let (next, actions) = other::step(state, input, reliable);
                (State::Other(next), actions)
            }
        }
    }

    fn is_terminated(self) -> bool {
        matches!(self, State::Invite(invite::State::Terminated) | State::Other(other::State::Terminated))
    }
}

/// What a step works with: the request that begins, or the response that came.
#[derive(Clone, Copy)]
enum Given<'a> {
    Nothing,
    Request(&'a [u8]),
    Response(&'a Message<'a>),
}

impl<P: Clone> Table<P> {
    /// Sends a request in a transaction of its own. An INVITE gets timer C as in [`super::Timers`].
    ///
    /// # Errors
    /// [`Full`] at [`super::TableLimits::clients`], or when the bytes of an INVITE cannot be
    /// kept: without them there is no ACK.
    pub fn send(&mut self, now: Time, request: Outgoing<'_, P>) -> Result<ClientId, Full> {
        let room = self.limits.kept_bytes.saturating_sub(self.kept_bytes);
        if self.clients.slab.len() >= self.limits.clients || request.bytes.len() > room {
            return Err(Full);
        }
        Ok(self.begin(now, request, false))
    }

    fn begin(&mut self, now: Time, request: Outgoing<'_, P>, silent: bool) -> ClientId {
        let (state, actions) = if request.method == b"INVITE" {
            let (state, actions) = invite::start(request.reliable);
            (State::Invite(state), actions)
        } else {
            let (state, actions) = other::start(request.reliable);
            (State::Other(state), actions)
        };
        let fingerprint = self.keys.client(request.branch, request.method);
        let (index, generation) = self.clients.slab.insert(Client {
            fingerprint,
            user: request.user,
            clock: Clock::default(),
            c_at: now + self.timers.c,
            c_span: self.timers.c,
            kept: None,
            cancel: Cancel::No,
            peer: request.peer,
            state,
            reliable: request.reliable,
            silent,
        });
        self.clients.lookup.insert(fingerprint, index);
        self.client_actions(now, index, state, actions, Given::Request(request.bytes));
        ClientId { index, generation }
    }

    /// Says whose a response is, and does what the transaction must: a non-2xx answer to an
    /// INVITE is acknowledged, a repetition absorbed.
    pub fn response_arrived(&mut self, now: Time, m: &Message<'_>) -> Response {
        let Ok(via) = m.top_via() else { return Response::Stray };
        let fingerprint = self.keys.client(via.branch, m.cseq().method);
        let Some(id) = self.find_client(fingerprint) else { return Response::Stray };
        let input = match m.status() {
            ..=199 => Input::Provisional,
            200..=299 => Input::Success,
            _ => Input::Failure,
        };
        let Some(client) = self.clients.slab.at(id.index) else { return Response::Stray };
        let (user, silent, c_span) = (client.user, client.silent, client.c_span);
        // RFC 3261 §16.7 step 2: 101 to 199 set timer C anew, 100 does not.
        if (101..200).contains(&m.status()) {
            self.set_timer_c(now, id, c_span);
        }
        let passed = self.client_step(now, id.index, input, Given::Response(m));
        if matches!(input, Input::Provisional) {
            self.cancel_if_waiting(now, id.index);
        }
        if passed && !silent { Response::Pass { id, user } } else { Response::Absorbed }
    }

    /// Cancels an INVITE (RFC 3261 §9.1); `extra` is whole header lines to add, for instance
    /// a Reason. The CANCEL's own answer is absorbed. The INVITE still ends with a final
    /// answer, or with a timeout after 64·T1.
    pub fn cancel(&mut self, now: Time, id: ClientId, extra: &[u8]) -> Cancelling {
        let Some(client) = self.clients.slab.get(id.index, id.generation) else {
            return Cancelling::TooLate;
        };
        let outcome = match client.state {
            State::Invite(invite::State::Calling) => Cancelling::Waiting,
            State::Invite(invite::State::Proceeding) => Cancelling::Sent,
            _ => return Cancelling::TooLate,
        };
        if matches!(client.cancel, Cancel::No) {
            client.cancel = Cancel::Waiting(extra.into());
            self.cancel_if_waiting(now, id.index);
        }
        outcome
    }

    /// Tells that a CANCEL was sent by other means: the transaction now ends within 64·T1.
    pub fn cancel_sent(&mut self, now: Time, id: ClientId) {
        if self.clients.slab.get(id.index, id.generation).is_some() {
            self.client_step(now, id.index, Input::CancelSent, Given::Nothing);
        }
    }

    /// Sets timer C to another duration than [`super::Timers::c`], from now and at each
    /// provisional answer from 101 to 199, which the table sees to itself.
    pub fn set_timer_c(&mut self, now: Time, id: ClientId, duration: Duration) {
        let Some(client) = self.clients.slab.get(id.index, id.generation) else { return };
        (client.c_at, client.c_span) = (now + duration, duration);
        if client.clock.runs(Timer::C) {
            client.clock.start_at(Timer::C, client.c_at);
            self.watch_client(now, id.index);
        }
    }

    /// The transport could not deliver: the transaction is over. Gives what `user` was, for a
    /// transaction of the caller's that still waited for its final answer: the branch then
    /// counts as a 503 (RFC 3261 §16.9).
    pub fn transport_error(&mut self, now: Time, id: ClientId) -> Option<u64> {
        let client = self.clients.slab.get(id.index, id.generation)?;
        let waits = matches!(
            client.state,
            State::Invite(invite::State::Calling | invite::State::Proceeding)
                | State::Other(other::State::Trying | other::State::Proceeding)
        );
        let told = (waits && !client.silent).then_some(client.user);
        self.client_step(now, id.index, Input::TransportError, Given::Nothing);
        told
    }

    /// What `user` was, while the transaction lives.
    pub fn client_user(&mut self, id: ClientId) -> Option<u64> {
        self.clients.slab.get(id.index, id.generation).map(|client| client.user)
    }

    pub(super) fn client_due(&mut self, now: Time, index: u32) {
        loop {
            let Some(client) = self.clients.slab.at(index) else { return };
            match client.clock.due(now) {
                Some(timer) => self.client_step(now, index, Input::Fired(timer), Given::Nothing),
                None => break,
            };
        }
        self.watch_client(now, index);
    }

    fn find_client(&mut self, fingerprint: u128) -> Option<ClientId> {
        let index = self.clients.lookup.get(fingerprint)?;
        let found = self.clients.slab.at(index)?.fingerprint == fingerprint;
        found.then(|| ClientId { index, generation: self.clients.slab.generation(index) })
    }

    fn cancel_if_waiting(&mut self, now: Time, index: u32) {
        let Some(client) = self.clients.slab.at(index) else { return };
        if client.state != State::Invite(invite::State::Proceeding) || !matches!(client.cancel, Cancel::Waiting(_)) {
            return;
        }
        let Cancel::Waiting(extra) = std::mem::replace(&mut client.cancel, Cancel::Sent) else {
            return;
        };
        let (peer, reliable, user) = (client.peer.clone(), client.reliable, client.user);
        let Some(kept) = &client.kept else { return };
        if parse(kept, &mut self.index, &Limits::default()).is_err() {
            return;
        }
        let invite = Message::new(kept, &self.index);
        let Ok(via) = invite.top_via() else { return };
        let branch = via.branch.to_vec();
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        cancel_for(&invite, &extra, &mut bytes);
        let request = Outgoing { method: b"CANCEL", branch: &branch, bytes: &bytes, reliable, peer, user };
        self.begin(now, request, true);
        self.scratch = bytes;
        self.client_step(now, index, Input::CancelSent, Given::Nothing);
    }

    /// One step of a machine; true when it passes its input on.
    fn client_step(&mut self, now: Time, index: u32, input: Input, given: Given<'_>) -> bool {
        let Some(client) = self.clients.slab.at(index) else { return false };
        let (next, actions) = client.state.step(input, client.reliable);
        self.client_actions(now, index, next, actions, given)
    }

    fn client_actions(&mut self, now: Time, index: u32, next: State, actions: &[Action], given: Given<'_>) -> bool {
        let id = ClientId { index, generation: self.clients.slab.generation(index) };
        let mut passed = false;
        for &action in actions {
            let Some(client) = self.clients.slab.at(index) else { return passed };
            match action {
                Action::Send | Action::Keep => self.send_or_keep(id, action, given),
                Action::Resend => {
                    if let Some(kept) = &client.kept {
                        self.outputs.transmit(client.peer.clone(), kept, Source::Client(id));
                    }
                }
                Action::Forget => {
                    let old = client.kept.take();
                    self.release(old);
                }
                Action::Ack => self.acknowledge(id, given),
                // Timer C has been running since the request was sent.
                Action::Start(Timer::C) => client.clock.start_at(Timer::C, client.c_at),
                Action::Start(timer) => client.clock.start(timer, now, &self.timers),
                Action::Again(timer) => client.clock.again(timer, now, &self.timers),
                Action::AgainAtT2(timer) => client.clock.again_at_t2(timer, now, &self.timers),
                Action::StopRepeating => client.clock.stop_repeating(),
                Action::Pass => passed = true,
                Action::TimedOut if !client.silent => {
                    self.outputs.push(Event::ClientTimeout { user: client.user, id });
                }
                Action::TimerC => self.outputs.push(Event::TimerC { user: client.user, id }),
                Action::TimedOut | Action::TryingDue => {}
            }
        }
        if next.is_terminated() {
            self.remove_client(id);
        } else if let Some(client) = self.clients.slab.at(index) {
            client.state = next;
            self.watch_client(now, index);
        }
        passed
    }

    fn send_or_keep(&mut self, id: ClientId, action: Action, given: Given<'_>) {
        let Given::Request(bytes) = given else { return };
        if action == Action::Send {
            if let Some(client) = self.clients.slab.at(id.index) {
                self.outputs.transmit(client.peer.clone(), bytes, Source::Client(id));
            }
            return;
        }
        let kept = self.keep(bytes);
        if let Some(client) = self.clients.slab.at(id.index) {
            client.kept = kept;
        }
    }

    /// Makes the ACK from the request, sends it, and keeps it in the request's place.
    fn acknowledge(&mut self, id: ClientId, given: Given<'_>) {
        let Given::Response(response) = given else { return };
        let Some(client) = self.clients.slab.at(id.index) else { return };
        let (request, peer, reliable) = (client.kept.take(), client.peer.clone(), client.reliable);
        let mut ack = std::mem::take(&mut self.scratch);
        ack.clear();
        if let Some(request) = &request
            && parse(request, &mut self.index, &Limits::default()).is_ok()
        {
            ack_for(&Message::new(request, &self.index), response, &mut ack);
            self.outputs.transmit(peer, &ack, Source::Client(id));
        }
        self.release(request);
        if !reliable && !ack.is_empty() {
            let kept = self.keep(&ack);
            if let Some(client) = self.clients.slab.at(id.index) {
                client.kept = kept;
            }
        }
        self.scratch = ack;
    }

    fn watch_client(&mut self, now: Time, index: u32) {
        let Some(client) = self.clients.slab.at(index) else { return };
        match client.clock.next() {
            Some(at) => self.clients.wheel.set(now, index, at),
            None => self.clients.wheel.cancel(index),
        }
    }

    fn remove_client(&mut self, id: ClientId) {
        let Some(client) = self.clients.slab.remove(id.index) else { return };
        self.clients.wheel.cancel(id.index);
        self.clients.lookup.remove(client.fingerprint, id.index);
        self.release(client.kept);
        if !client.silent {
            self.outputs.push(Event::ClientEnded { user: client.user, id });
        }
    }
}
