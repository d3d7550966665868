//! The call detail record while the call is under way.

use std::collections::HashSet;

use lyceum_monitoring::{CallRecord, DecisionStep, Outcome, Party, Private, Side, Stamp};
use lyceum_sip::time::{Now, Time};
use lyceum_sip::token::{Direction, FlowBytes};
use lyceum_sip::{Message, Name, Scheme, Uri};
use lyceum_topology::{UserId, routing_group};

use super::admit::Sender;
use super::hops::text;
use crate::core::{Core, Effect};
use crate::inbound::Inbound;
use crate::trace::wire_of;

/// Calls in progress that are kept for their record; beyond it the record is closed at the answer.
const ACTIVE: usize = 200_000;
/// A call from which nothing was heard for so long has ended unseen.
pub(super) const FORGOTTEN: std::time::Duration = std::time::Duration::from_secs(12 * 3600);
/// A refresh may be late by so much.
pub(super) const GRACE: std::time::Duration = std::time::Duration::from_secs(60);
/// A call from which nothing was heard for so long, and whose caller is no longer signed in by the flow that he called
/// by, does not count against his limit any more: he is gone, and nobody hung up.
const DOUBTFUL: std::time::Duration = std::time::Duration::from_secs(30 * 60);
/// How often forgotten calls are looked for.
const SWEEP_EVERY: std::time::Duration = std::time::Duration::from_secs(60);

/// An answered call until its BYE.
pub struct Active {
    record: Box<CallRecord>,
    heard: Time,
    parties: [Option<UserId>; 2],
    /// How long it may be silent: its session interval (RFC 4028), else [`FORGOTTEN`].
    silence: std::time::Duration,
    /// The flow that the caller called by.
    flow: FlowBytes,
    /// It counts against the caller's limit.
    counts: bool,
}

/// What is known of a call when it is answered.
pub(crate) struct Answered<'a> {
    /// Key in the table of calls in progress.
    pub(crate) key: u64,
    /// The final status.
    pub(crate) status: u16,
    /// The flow to the caller, with its transport.
    pub(crate) flow: &'a [u8],
    /// The session interval that was agreed, in seconds.
    pub(crate) interval: Option<u32>,
}

impl Core {
    /// The record of a call that begins with this INVITE.
    pub(crate) fn open_record(
        &mut self,
        inbound: &Inbound<'_>,
        sender: &Sender,
        steps: Vec<DecisionStep>,
    ) -> Box<CallRecord> {
        let message = inbound.message;
        let number = self.calls.next_record;
        self.calls.next_record += 1;
        let started = Stamp(inbound.now.wall.0);
        let source = Some(inbound.arrival.remote);
        let user = match sender {
            Sender::User(user) => {
                self.calls.user_call_begins(user.id);
                Some(user.id.0)
            }
            _ => None,
        };
        let mut decision = vec![DecisionStep::Received {
            request_uri: private(message.request_uri()),
            source: inbound.arrival.remote,
        }];
        match sender {
            Sender::User(user) => {
                decision.push(DecisionStep::Authenticated { user: user.address.to_string(), by: "digest".into() })
            }
            Sender::Trusted => decision.push(DecisionStep::Trusted { host: inbound.arrival.remote.ip().to_string() }),
            Sender::Federated(domain) => {
                decision.push(DecisionStep::Authenticated { user: domain.to_string(), by: "certificate".into() });
            }
            Sender::Dialog(_) => decision.push(DecisionStep::InDialog),
        }
        decision.extend(steps);
        let from = message.from().map(|from| from.uri).unwrap_or_default();
        let to = message.to().map(|to| to.uri).unwrap_or_default();
        Box::new(CallRecord {
            id: format!("{}-{:x}-{:x}-{:x}", self.pool, started.0, self.worker, number),
            call_id: String::from_utf8_lossy(message.call_id()).into_owned(),
            session_id: message.value(Name::SessionId).and_then(text),
            node: self.node.to_string(),
            caller: Party {
                address: private(from),
                user,
                user_agent: message.value(Name::UserAgent).and_then(text),
                transport: Some(wire_of(inbound.arrival.transport)),
                source,
            },
            callee: Some(Party { address: private(to), user: None, user_agent: None, transport: None, source: None }),
            dialled: private(message.request_uri()),
            started,
            ringing: None,
            answered: None,
            ended: None,
            outcome: Outcome::Ringing,
            status: 0,
            code: None,
            hung_up: None,
            branches: Vec::new(),
            decision,
        })
    }

    /// The key under which an answered call is found again: Call-ID and the caller's tag.
    pub(crate) fn call_key(&self, call_id: &[u8], caller_tag: &[u8]) -> u64 {
        self.keys.hash(&[call_id, caller_tag])
    }

    /// The call is answered: its record waits for the BYE.
    pub(crate) fn record_answered(&mut self, now: Now, mut record: Box<CallRecord>, answered: &Answered<'_>) {
        record.status = answered.status;
        record.outcome = Outcome::Answered;
        record.answered = Some(Stamp(now.wall.0));
        self.end_ladder(now, &record);
        self.metrics.calls_answered.inc();
        if self.calls.active.len() >= ACTIVE {
            return self.record_done(record);
        }
        self.metrics.calls_active.add(1);
        let parties = self.parties(&record);
        self.talk(now, parties, true);
        let agreed = answered.interval.map(|seconds| std::time::Duration::from_secs(u64::from(seconds)) + GRACE);
        let silence = agreed.unwrap_or(FORGOTTEN).min(FORGOTTEN);
        let flow = FlowBytes::new(answered.flow.get(1..).unwrap_or_default()).unwrap_or_default();
        let active = Active { record, heard: now.mono, parties, silence, flow, counts: true };
        if let Some(before) = self.calls.active.insert(answered.key, active) {
            self.call_over(now, before);
        }
    }

    /// The call did not come about.
    pub(crate) fn record_failed(&mut self, now: Now, mut record: Box<CallRecord>, status: u16, code: Option<&str>) {
        record.status = status;
        record.outcome = Outcome::of_status(status);
        record.ended = Some(Stamp(now.wall.0));
        record.code = code.map(str::to_owned);
        if record.outcome == Outcome::Cancelled {
            record.hung_up = Some(Side::Caller);
        }
        self.end_ladder(now, &record);
        self.record_done(record);
    }

    /// Our users at both ends of a call.
    fn parties(&self, record: &CallRecord) -> [Option<UserId>; 2] {
        let dialled = record.dialled.reveal();
        let callee = Uri::parse(dialled.as_bytes()).ok().and_then(|uri| match uri.scheme() {
            Scheme::Tel => self.snapshot.by_number(dialled),
            _ => self.snapshot.user(uri.user()?, uri.host_text()),
        });
        [record.caller.user.map(UserId), callee.map(|user| user.id)]
    }

    /// The parties of a call begin or cease to talk.
    fn talk(&mut self, now: Now, parties: [Option<UserId>; 2], begins: bool) {
        for user in parties.into_iter().flatten() {
            let count = self.calls.talking.entry(user).or_insert(0);
            *count = if begins { count.saturating_add(1) } else { count.saturating_sub(1) };
            if *count == 0 {
                self.calls.talking.remove(&user);
            }
            let aor = self.snapshot.directory().by_id(user).map(|user| user.address.to_string());
            if let Some(aor) = aor {
                self.facts_changed(now, &aor);
            }
        }
    }

    /// An answered call is over, or as good as.
    fn call_over(&mut self, now: Now, active: Active) {
        self.metrics.calls_active.add(-1);
        self.talk(now, active.parties, false);
        if active.counts {
            self.record_done(active.record);
        } else {
            self.effects.push_back(Effect::Record(active.record));
        }
    }

    fn record_done(&mut self, record: Box<CallRecord>) {
        if let Some(user) = record.caller.user {
            self.calls.user_call_ends(UserId(user));
        }
        self.effects.push_back(Effect::Record(record));
    }

    /// A BYE passed: the call is over.
    pub(crate) fn record_ended(&mut self, now: Now, message: &Message<'_>, side: Side) {
        let (Some(from), Some(to)) = (message.from_tag(), message.to_tag()) else { return };
        let caller_tag = if side == Side::Caller { from } else { to };
        let key = self.call_key(message.call_id(), caller_tag);
        let Some(mut active) = self.calls.active.remove(&key) else { return };
        active.record.ended = Some(Stamp(now.wall.0));
        active.record.hung_up = Some(side);
        self.call_over(now, active);
    }

    /// Is the call of this in-dialog request under way?
    pub(crate) fn is_call_under_way(&self, message: &Message<'_>, direction: Direction) -> bool {
        let caller_tag = match direction {
            Direction::ToCallee => message.from_tag(),
            Direction::ToCaller => message.to_tag(),
        };
        let key = self.call_key(message.call_id(), caller_tag.unwrap_or_default());
        self.calls.active.contains_key(&key)
    }

    /// Something passed in the call: it is alive.
    pub(crate) fn record_heard(&mut self, now: Now, call_id: &[u8], caller_tag: &[u8]) {
        let key = self.call_key(call_id, caller_tag);
        if let Some(active) = self.calls.active.get_mut(&key) {
            active.heard = now.mono;
        }
    }

    /// Calls in progress, for those who look.
    pub fn calls_in_progress(&self) -> impl Iterator<Item = &CallRecord> {
        self.calls.active.values().map(|active| &*active.record)
    }

    /// Closes the records of calls whose end nobody saw; all of them when the server stops.
    pub(crate) fn calls_timeout(&mut self, now: Now) {
        if now.mono < self.calls.next_sweep {
            return;
        }
        self.calls.next_sweep = now.mono + SWEEP_EVERY;
        self.bridges_swept(now);
        let (mut over, mut gone) = (HashSet::new(), Vec::new());
        for (key, active) in &self.calls.active {
            let silent = now.mono - active.heard;
            if silent >= active.silence {
                over.insert(*key);
            } else if active.counts && silent >= DOUBTFUL && !self.is_caller_here(now, active) {
                gone.push(*key);
            }
        }
        self.bridges_forgotten(now, &over);
        for key in over {
            if let Some(active) = self.calls.active.remove(&key) {
                self.call_over(now, active);
            }
        }
        for key in gone {
            let Some(active) = self.calls.active.get_mut(&key) else { continue };
            active.counts = false;
            if let Some(user) = active.record.caller.user {
                self.calls.user_call_ends(UserId(user));
            }
        }
    }

    /// Is the caller of this call, if he is one of ours, still signed in by the flow that he called by?
    fn is_caller_here(&self, now: Now, active: &Active) -> bool {
        let Some(user) = active.parties[0].and_then(|user| self.snapshot.directory().by_id(user)) else { return false };
        let aor = user.address.as_str();
        self.groups[usize::from(routing_group(aor))].bindings(now, aor).any(|binding| binding.flow() == &*active.flow)
    }

    /// The server stops: calls go on between the phones, their records are written as they stand.
    pub(crate) fn close_records(&mut self) {
        for (_, active) in std::mem::take(&mut self.calls.active) {
            self.effects.push_back(Effect::Record(active.record));
        }
        self.calls.per_user.clear();
        self.metrics.calls_active.set(0);
    }
}

fn private(bytes: &[u8]) -> Private {
    Private::new(String::from_utf8_lossy(bytes).into_owned())
}
