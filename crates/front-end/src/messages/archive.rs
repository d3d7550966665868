//! The archive: whose messages are written down, and those that must be before they may pass (critical mode).

use lyceum_net::{Arrival, Flow, ListenerId, Outbox};
use lyceum_sip::time::{Now, Time};
use lyceum_sip::token::Passage;
use lyceum_sip::transaction::ServerId;
use lyceum_sip::{Index, Limits, Message, ResponseBuilder, Transport, parse, proxy};
use lyceum_store::{ArchiveKind, ArchiveRow, ConversationId, MessageEntry};
use lyceum_topology::policy::{ArchiveDuty, Side};
use lyceum_topology::{Snapshot, UserId, routing_group};
use lyceum_users::messages::{MessageId, OwnedText};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::letter::PLAIN;
use super::take::Taken;
use crate::calls::admit::{Admitted, Sender};
use crate::core::{Core, Effect};
use crate::inbound::Inbound;
use crate::refusal::{DIAGNOSTICS_HEADER, Refusal};

/// Messages that wait for the archive at once; beyond it further ones are refused with 503.
const PARKED: usize = 4_096;
/// A message waits no longer than its transaction lives: 64·T1 of RFC 3261.
const LIFE: Duration = Duration::from_secs(32);

/// A message that waits until the archive has it.
pub(crate) struct Parked {
    /// When nobody waits for the answer any more.
    expires: Time,
    server: ServerId,
    who: Who,
    flow: Flow,
    transport: Transport,
    listener: ListenerId,
    local: SocketAddr,
    remote: SocketAddr,
    bytes: Box<[u8]>,
}

/// Who sent a message that waits: a user is looked up again, and may be gone by then.
enum Who {
    User(UserId),
    Trusted,
    Federated(Arc<str>),
    Dialog(Passage),
}

impl Core {
    /// Does for the archive what policy asks; true when the message waits for it.
    #[expect(clippy::too_many_arguments, reason = "the message under way is one value in parts that live apart")]
    pub(super) fn archive(
        &mut self,
        inbound: &Inbound<'_>,
        server: ServerId,
        who: &Sender,
        people: (&str, &[&str]),
        said: (&[u8], &[u8]),
        snapshot: &Snapshot,
        out: &mut Outbox,
    ) -> bool {
        let duty = self.archive_duty(people.0, people.1, snapshot);
        if duty == ArchiveDuty::None {
            return false;
        }
        let id = self.next_message_id(inbound.now, usize::from(routing_group(people.0)));
        let row = archive_row(inbound.now, people, said, id);
        if duty == ArchiveDuty::ArchiveOrRefuse {
            self.park(inbound, server, who, row, out);
            return true;
        }
        self.messages.history.push(row);
        false
    }

    /// What is to be done with a message between these people: the most that any of their policies asks.
    fn archive_duty(&self, sender: &str, recipients: &[&str], snapshot: &Snapshot) -> ArchiveDuty {
        if !snapshot.archives() {
            return ArchiveDuty::None;
        }
        let user = |address: &str| {
            let (name, domain) = address.split_once('@')?;
            snapshot.user(name.as_bytes(), domain.as_bytes()).cloned()
        };
        let people: Vec<_> = std::iter::once(sender).chain(recipients.iter().copied()).map(user).collect();
        let mut duty = ArchiveDuty::None;
        for (at, one) in people.iter().enumerate() {
            let Some(one) = one else { continue };
            let policy = snapshot.archiving_policy(one);
            for (other_at, other) in people.iter().enumerate() {
                if at != other_at {
                    let side = if other.is_some() { Side::Internal } else { Side::External };
                    duty = duty.max(policy.duty(side));
                }
            }
        }
        duty
    }

    /// Hands the row to the archive and keeps the message until it is there.
    fn park(&mut self, inbound: &Inbound<'_>, server: ServerId, sender: &Sender, row: MessageEntry, out: &mut Outbox) {
        self.forget_expired(inbound.now);
        if self.messages.parked.len() >= PARKED {
            return self.refuse_event(inbound, server, Refusal::ArchiveAway, &[("Retry-After", b"10")], out);
        }
        let who = match sender {
            Sender::User(user) => Who::User(user.id),
            Sender::Trusted => Who::Trusted,
            Sender::Federated(domain) => Who::Federated(Arc::clone(domain)),
            Sender::Dialog(passage) => Who::Dialog(*passage),
        };
        let arrival = inbound.arrival;
        self.messages.next_token += 1;
        let token = self.messages.next_token;
        let parked = Parked {
            expires: inbound.now.mono + LIFE,
            server,
            who,
            flow: arrival.flow,
            transport: arrival.transport,
            listener: arrival.listener.id,
            local: arrival.local,
            remote: arrival.remote,
            bytes: inbound.message.wire().into(),
        };
        self.messages.parked.insert(token, parked);
        self.effects.push_back(Effect::Archive { token, entries: vec![row] });
    }

    /// Forgets messages whose transactions are over: their senders took them for lost. Tokens rise with time.
    fn forget_expired(&mut self, now: Now) {
        while let Some(first) = self.messages.parked.first_entry()
            && first.get().expires <= now.mono
        {
            first.remove();
        }
    }

    /// The archive has these messages, or cannot be written: they go on, or are refused.
    pub fn archived(&mut self, now: Now, tokens: &[u64], written: bool, out: &mut Outbox) {
        self.forget_expired(now);
        for token in tokens {
            let Some(parked) = self.messages.parked.remove(token) else { continue };
            let mut index = Index::new();
            if parse(&parked.bytes, &mut index, &Limits { message: usize::MAX, body: usize::MAX, ..Limits::default() })
                .is_err()
            {
                continue;
            }
            let message = Message::new(&parked.bytes, &index);
            if written {
                self.resume(now, &parked, message, out);
            } else {
                self.refuse_parked(now, &parked, &message, Refusal::ArchiveAway);
            }
        }
        self.flush_transactions(now, out);
    }

    fn resume(&mut self, now: Now, parked: &Parked, message: Message<'_>, out: &mut Outbox) {
        let snapshot = Arc::clone(&self.snapshot);
        let Some(listener) = self.listener(parked.listener).cloned() else { return };
        let sender = match &parked.who {
            Who::User(user) => match snapshot.directory().by_id(*user).filter(|user| user.enabled) {
                Some(user) => Sender::User(Arc::clone(user)),
                None => return self.refuse_parked(now, parked, &message, Refusal::Disabled),
            },
            Who::Trusted => Sender::Trusted,
            Who::Federated(domain) => Sender::Federated(Arc::clone(domain)),
            Who::Dialog(passage) => Sender::Dialog(*passage),
        };
        let Ok(plan) = proxy::preprocess(&message, &|uri| self.is_own_route(uri)) else { return };
        let loop_hash = self.calls.branches.loop_hash(&message);
        let arrival = Arrival {
            flow: parked.flow,
            transport: parked.transport,
            listener: &listener,
            local: parked.local,
            remote: parked.remote,
            peer: None,
            bytes: &parked.bytes,
        };
        let trusted = matches!(parked.who, Who::Trusted);
        let outside = self.outside(&arrival, &message);
        let inbound = Inbound { now, arrival, message, trusted, outside };
        let admitted = Admitted { sender, plan, loop_hash };
        match self.take_message(&inbound, parked.server, &admitted, (&snapshot, true), out) {
            Taken::Done => {}
            Taken::Forward(kept) => self.route_on(&inbound, parked.server, &admitted, kept, &snapshot, out),
        }
    }

    fn refuse_parked(&mut self, now: Now, parked: &Parked, message: &Message<'_>, refusal: Refusal) {
        self.metrics.refused(refusal);
        let tag = self.stateless_tag(message);
        let mut bytes = Vec::with_capacity(512);
        let mut builder = ResponseBuilder::new(message, refusal.status(), refusal.reason());
        builder.received(parked.remote.ip(), parked.remote.port()).to_tag(&tag);
        builder.header(DIAGNOSTICS_HEADER, refusal.code().as_bytes());
        if refusal.status() == 503 {
            builder.header("Retry-After", b"10");
        }
        builder.write(&mut bytes);
        self.transactions.respond(now.mono, parked.server, refusal.status(), &bytes);
    }
}

/// The row of a message.
fn archive_row(now: Now, (sender, recipients): (&str, &[&str]), said: (&[u8], &[u8]), id: MessageId) -> MessageEntry {
    let people = std::iter::once(sender).chain(recipients.iter().copied());
    let (content_type, body) = said;
    MessageEntry::Archive(Box::new(ArchiveRow {
        at: now.wall,
        id,
        conversation: ConversationId::of(people),
        kind: ArchiveKind::Message,
        sender: sender.into(),
        recipients: recipients.iter().map(|one| Box::from(*one)).collect(),
        content_type: String::from_utf8_lossy(if content_type.is_empty() { PLAIN } else { content_type }).into(),
        body: OwnedText(body.to_vec()),
    }))
}
