//! The server half: requests in, answers out.

use super::clock::Clock;
use super::{Full, Incoming, ServerId, Table};
use crate::message::Message;
use crate::method::Method;
use crate::time::Time;
use crate::transaction::machine::{Action, Timer};
use crate::transaction::output::{Event, Source};
use crate::transaction::{server_invite as invite, server_other as other};

pub(super) struct Server<P> {
    fingerprint: u128,
    /// Fingerprint in `merges` while unanswered, else 0.
    merge: u64,
    started: Time,
    clock: Clock,
    kept: Option<Box<[u8]>>,
    peer: P,
    state: State,
    reliable: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Invite(invite::State),
    Other(other::State),
}

#[derive(Clone, Copy)]
enum Input {
    Repeated,
    Provisional,
    Success,
    Failure,
    Ack,
    Fired(Timer),
    TransportError,
}

impl State {
    fn step(self, input: Input, reliable: bool) -> (State, &'static [Action]) {
        match self {
            State::Invite(state) => {
                let input = match input {
                    Input::Repeated => invite::Input::Repeated,
                    Input::Provisional => invite::Input::Provisional,
                    Input::Success => invite::Input::Success,
                    Input::Failure => invite::Input::Failure,
                    Input::Ack => invite::Input::Ack,
                    Input::Fired(timer) => invite::Input::Fired(timer),
                    Input::TransportError => invite::Input::TransportError,
                };
                let (next, actions) = invite::step(state, input, reliable);
                (State::Invite(next), actions)
            }
            State::Other(state) => {
                let input = match input {
                    Input::Repeated => other::Input::Repeated,
                    Input::Provisional => other::Input::Provisional,
                    Input::Success | Input::Failure => other::Input::Final,
                    // No other method has an ACK.
                    Input::Ack => return (self, &[]),
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

/// What a step works with: the message that came, and where its sender is.
struct Given<'a, P> {
    bytes: &'a [u8],
    to: Option<&'a P>,
}

impl<P: Clone> Table<P> {
    /// Says what a request is and does what a repetition or an ACK asks for. A repetition is
    /// answered to `peer`, where it came from.
    pub fn request_arrived(&mut self, now: Time, m: &Message<'_>, _reliable: bool, peer: &P) -> Incoming {
        let found = self.find_server(self.keys.server(m, false));
        if m.method() == Method::Ack {
            let Some(id) = found else { return Incoming::AckForSuccess };
            let passed = self.server_step(now, id.index, Input::Ack, &Given { bytes: &[], to: None });
            return if passed { Incoming::AckForSuccess } else { Incoming::AckAbsorbed(id) };
        }
        if let Some(id) = found {
            let given = Given { bytes: &[], to: Some(peer) };
            self.server_step(now, id.index, Input::Repeated, &given);
            return Incoming::Retransmission;
        }
        if m.method() == Method::Cancel {
            return Incoming::Cancel(self.find_server(self.keys.server(m, true)));
        }
        match self.keys.merge(m).and_then(|merge| self.merges.get(merge)) {
            Some(_) => Incoming::Merged,
            None => Incoming::New,
        }
    }

    /// Begins a server transaction for a request that [`Table::request_arrived`] called new.
    ///
    /// # Errors
    /// [`Full`] at [`super::TableLimits::servers`].
    pub fn accept(&mut self, now: Time, m: &Message<'_>, reliable: bool, peer: P) -> Result<ServerId, Full> {
        if self.servers.slab.len() >= self.limits.servers {
            return Err(Full);
        }
        let (state, actions) = if m.method() == Method::Invite {
            let (state, actions) = invite::start();
            (State::Invite(state), actions)
        } else {
            let (state, actions) = other::start();
            (State::Other(state), actions)
        };
        let fingerprint = self.keys.server(m, false);
        let merge = self.keys.merge(m).map_or(0, |merge| merge as u64);
        let (index, generation) = self.servers.slab.insert(Server {
            fingerprint,
            merge,
            started: now,
            clock: Clock::default(),
            kept: None,
            peer,
            state,
            reliable,
        });
        self.servers.lookup.insert(fingerprint, index);
        if merge != 0 {
            self.merges.insert(u128::from(merge), index);
        }
        self.server_actions(now, index, state, actions, &Given { bytes: &[], to: None });
        Ok(ServerId { index, generation })
    }

    /// Answers a request. The bytes are queued, and kept as long as a repetition may ask for
    /// them: until the ACK for a non-2xx to an INVITE, not at all for a 2xx to an INVITE or
    /// over a reliable transport.
    ///
    /// False when the answer may not be sent: the transaction is over or has its final answer,
    /// or RFC 4320 forbids it (a provisional other than 100, an early 100 or any 408 to a
    /// non-INVITE).
    pub fn respond(&mut self, now: Time, id: ServerId, code: u16, bytes: &[u8]) -> bool {
        let Some(server) = self.servers.slab.get(id.index, id.generation) else { return false };
        let input = match code {
            ..=199 => Input::Provisional,
            200..=299 => Input::Success,
            _ => Input::Failure,
        };
        if matches!(server.state, State::Other(_))
            && !other::allows(code, now - server.started, server.reliable, &self.timers)
        {
            return false;
        }
        let before = self.outputs.len();
        self.server_step(now, id.index, input, &Given { bytes, to: None });
        self.outputs.len() > before
    }

    /// Ends a server transaction at once, keeping nothing: what comes again is new.
    pub fn forget(&mut self, id: ServerId) {
        if self.servers.slab.get(id.index, id.generation).is_some() {
            self.remove_server(id.index);
        }
    }

    /// The transport could not deliver an answer: the transaction is over.
    pub fn server_transport_error(&mut self, now: Time, id: ServerId) {
        if self.servers.slab.get(id.index, id.generation).is_some() {
            let nothing = Given { bytes: &[], to: None };
            self.server_step(now, id.index, Input::TransportError, &nothing);
        }
    }

    /// Where the answers of a live server transaction go.
    pub fn server_peer(&mut self, id: ServerId) -> Option<&P> {
        self.servers.slab.get(id.index, id.generation).map(|server| &server.peer)
    }

    pub(super) fn server_due(&mut self, now: Time, index: u32) {
        let nothing = Given { bytes: &[], to: None };
        loop {
            let Some(server) = self.servers.slab.at(index) else { return };
            match server.clock.due(now) {
                Some(timer) => self.server_step(now, index, Input::Fired(timer), &nothing),
                None => break,
            };
        }
        self.watch_server(now, index);
    }

    fn find_server(&mut self, fingerprint: u128) -> Option<ServerId> {
        let index = self.servers.lookup.get(fingerprint)?;
        let found = self.servers.slab.at(index)?.fingerprint == fingerprint;
        found.then(|| ServerId { index, generation: self.servers.slab.generation(index) })
    }

    /// One step of a machine; true when it passes its input on.
    fn server_step(&mut self, now: Time, index: u32, input: Input, given: &Given<'_, P>) -> bool {
        let Some(server) = self.servers.slab.at(index) else { return false };
        let (next, actions) = server.state.step(input, server.reliable);
        if matches!(input, Input::Success | Input::Failure) && server.merge != 0 {
            let merge = std::mem::take(&mut server.merge);
            self.merges.remove(u128::from(merge), index);
        }
        self.server_actions(now, index, next, actions, given)
    }

    fn server_actions(&mut self, now: Time, index: u32, next: State, actions: &[Action], given: &Given<'_, P>) -> bool {
        let id = ServerId { index, generation: self.servers.slab.generation(index) };
        let mut passed = false;
        for &action in actions {
            let Some(server) = self.servers.slab.at(index) else { return passed };
            match action {
                Action::Send => {
                    self.outputs.transmit(server.peer.clone(), given.bytes, Source::Server(id));
                }
                Action::Resend => {
                    if let Some(kept) = &server.kept {
                        let peer = given.to.unwrap_or(&server.peer).clone();
                        self.outputs.transmit(peer, kept, Source::Server(id));
                    }
                }
                Action::Keep => {
                    let old = server.kept.take();
                    self.release(old);
                    let kept = self.keep(given.bytes);
                    if let Some(server) = self.servers.slab.at(index) {
                        server.kept = kept;
                    }
                }
                Action::Forget => {
                    let old = server.kept.take();
                    self.release(old);
                }
                Action::Start(timer) => server.clock.start(timer, now, &self.timers),
                Action::Again(timer) => server.clock.again(timer, now, &self.timers),
                Action::AgainAtT2(timer) => server.clock.again_at_t2(timer, now, &self.timers),
                Action::StopRepeating => server.clock.stop_repeating(),
                Action::Pass => passed = true,
                Action::TimedOut => self.outputs.push(Event::ServerTimeout { id }),
                Action::TryingDue => self.outputs.push(Event::TryingDue { id }),
                Action::Ack | Action::TimerC => {}
            }
        }
        if next.is_terminated() {
            self.remove_server(index);
            self.outputs.push(Event::ServerEnded { id });
        } else if let Some(server) = self.servers.slab.at(index) {
            server.state = next;
            self.watch_server(now, index);
        }
        passed
    }

    fn watch_server(&mut self, now: Time, index: u32) {
        let Some(server) = self.servers.slab.at(index) else { return };
        match server.clock.next() {
            Some(at) => self.servers.wheel.set(now, index, at),
            None => self.servers.wheel.cancel(index),
        }
    }

    fn remove_server(&mut self, index: u32) {
        let Some(server) = self.servers.slab.remove(index) else { return };
        self.servers.wheel.cancel(index);
        self.servers.lookup.remove(server.fingerprint, index);
        if server.merge != 0 {
            self.merges.remove(u128::from(server.merge), index);
        }
        self.release(server.kept);
    }
}
