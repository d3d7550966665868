//! A MESSAGE comes in: may it pass, where does it go, and is it kept?

use std::sync::Arc;

use lyceum_net::Outbox;
use lyceum_sip::time::Now;
use lyceum_sip::transaction::ServerId;
use lyceum_sip::{Message, Name};
use lyceum_store::{Mark, MessageEntry, MessageRef, NewMessage, Participant};
use lyceum_topology::policy::{ArchiveDuty, MessagePolicy};
use lyceum_topology::{Snapshot, UserRecord, routing_group};
use lyceum_users::messages::filter::{self, Verdict};
use lyceum_users::messages::imdn::{Disposition, Imdn};
use lyceum_users::messages::{Arrival, DeviceKey, MessageId, OwnedText, Stored, Text};
use lyceum_users::presence::Reach;

use super::letter::{Kind, block_of, kind_of, passed_headers, sender_of};
use crate::calls::admit::{Admitted, Sender};
use crate::core::Core;
use crate::events::{from_address, user_at};
use crate::inbound::Inbound;
use crate::refusal::Refusal;

/// What a forwarded message is kept by, should its device not take it.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) aor: Box<str>,
    pub(crate) sender: Box<str>,
    pub(crate) device: DeviceKey,
    pub(crate) id: MessageId,
    /// It is somebody's words, of which the histories tell whether they were delivered.
    pub(crate) words: bool,
    /// For the histories, until it is taken or stored.
    pub(crate) remembered: Option<Box<NewMessage>>,
    /// It is stored by now; should the device answer yet, it has confirmed.
    pub(crate) stored: bool,
}

/// What is to become of a message.
pub(crate) enum Taken {
    /// It was dealt with.
    Done,
    /// The proxy forwards it; with what it is kept by if that fails.
    Forward(Option<Box<Kept>>),
}

/// A message and what is known of it.
struct Letter<'a> {
    sender: String,
    user: &'a UserRecord,
    kind: Kind,
    body: Vec<u8>,
}

impl Core {
    /// A MESSAGE outside a dialog, admitted and with its transaction.
    pub(crate) fn take_message(
        &mut self,
        inbound: &Inbound<'_>,
        server: ServerId,
        admitted: &Admitted<'_>,
        snapshot: &Snapshot,
        out: &mut Outbox,
    ) -> Taken {
        self.take(inbound, server, &admitted.sender, snapshot, false, out)
    }

    /// A message for a conversation of several.
    fn take_for_conversation(
        &mut self,
        inbound: &Inbound<'_>,
        server: ServerId,
        who: &Sender,
        conversation: &(String, Vec<String>),
        (snapshot, archived): (&Snapshot, bool),
        out: &mut Outbox,
    ) {
        let message = inbound.message;
        let sender = sender_of(who, &message);
        let body = match self.may_pass(inbound, who, snapshot) {
            Ok(body) => body,
            Err(refusal) => return self.refuse_event(inbound, server, refusal, &[], out),
        };
        if kind_of(&message) == Kind::Typing {
            self.tell_typing(inbound, &sender, conversation, snapshot, out);
            return self.answer_message(inbound, server, None, 202);
        }
        let others: Vec<&str> = conversation.1.iter().map(String::as_str).filter(|one| *one != sender).collect();
        if !archived && self.archive(inbound, server, who, (&sender, &others), snapshot, out) {
            return;
        }
        let body = body.as_deref().unwrap_or(message.body());
        self.tell_conversation(inbound, server, (&sender, body), conversation, snapshot, out);
    }

    /// Does for the archive what policy asks; true when the message waits for it.
    fn archive(
        &mut self,
        inbound: &Inbound<'_>,
        server: ServerId,
        who: &Sender,
        (sender, others): (&str, &[&str]),
        snapshot: &Snapshot,
        out: &mut Outbox,
    ) -> bool {
        if kind_of(&inbound.message) != Kind::Words {
            return false;
        }
        let duty = self.archive_duty(sender, others, snapshot);
        if duty == ArchiveDuty::None {
            return false;
        }
        let id = self.next_message_id(inbound.now, usize::from(routing_group(sender)));
        let row = self.archive_row(inbound.now, &inbound.message, (sender, others), id);
        if duty == ArchiveDuty::ArchiveOrRefuse {
            self.park(inbound, server, who, row, out);
            return true;
        }
        self.messages.history.push(row);
        false
    }

    /// With `archived` the archive has done its part, and nothing is forwarded any more.
    pub(super) fn take(
        &mut self,
        inbound: &Inbound<'_>,
        server: ServerId,
        who: &Sender,
        snapshot: &Snapshot,
        archived: bool,
        out: &mut Outbox,
    ) -> Taken {
        let message = inbound.message;
        if let Some(conversation) = self.conversation_of(&message) {
            self.take_for_conversation(inbound, server, who, &conversation, (snapshot, archived), out);
            return Taken::Done;
        }
        if let Sender::User(sender) = who
            && let Some(conversation) = self.conversation_of_group(&message, sender, snapshot)
        {
            match conversation {
                Ok(all) => self.take_for_conversation(inbound, server, who, &all, (snapshot, archived), out),
                Err(refusal) => self.refuse_event(inbound, server, refusal, &[], out),
            }
            return Taken::Done;
        }
        let uri = message.parsed_request_uri().ok().filter(|uri| uri.param("gr").is_none());
        let user = uri.and_then(|uri| snapshot.user(uri.user()?, uri.host_text()).filter(|user| user.enabled).cloned());
        let Some(user) = user else { return self.take_elsewhere(inbound, server, who, snapshot, out) };
        let sender = sender_of(who, &message);
        let body = match self.may_pass(inbound, who, snapshot) {
            Ok(body) => body,
            Err(refusal) => {
                self.refuse_event(inbound, server, refusal, &[], out);
                return Taken::Done;
            }
        };
        let letter = Letter { sender, user: &user, kind: kind_of(&message), body: body.unwrap_or_default() };
        let rewritten = !letter.body.is_empty();
        let reach = self.reach(inbound.now, snapshot, &user, &letter.sender);
        let aor = user.address.as_str();
        let pair = (letter.sender.as_str(), &[aor][..]);
        if !archived && reach != Reach::Blocked && self.archive(inbound, server, who, pair, snapshot, out) {
            return Taken::Done;
        }
        let at = usize::from(routing_group(aor));
        let devices = self.devices(inbound.now, aor);
        let waits = devices.iter().any(|device| self.messages.waiting[at].has_due(inbound.now.wall, aor, *device));
        match (reach, letter.kind, devices.as_slice()) {
            (Reach::Blocked, ..) => {
                self.refuse_event(inbound, server, Refusal::NotSignedIn, &[], out);
                Taken::Done
            }
            (Reach::DoNotDisturb, Kind::Typing, _) | (_, Kind::Typing, []) => {
                self.answer_message(inbound, server, None, 202);
                Taken::Done
            }
            (_, Kind::Typing, _) => Taken::Forward(None),
            (Reach::Allowed, _, [device]) if !waits && !rewritten && !archived => {
                let id = self.next_message_id(inbound.now, at);
                let remembered = self.remembered(&message, &letter, id, snapshot);
                let (aor, sender, words) = (aor.into(), letter.sender.into(), letter.kind == Kind::Words);
                let kept = Kept { aor, sender, device: *device, id, words, remembered, stored: false };
                Taken::Forward(Some(Box::new(kept)))
            }
            (_, _, devices) => {
                self.store_message(inbound, server, &letter, devices, snapshot, out);
                Taken::Done
            }
        }
    }

    /// The devices of a user that are signed in.
    pub(crate) fn devices(&self, now: Now, aor: &str) -> Vec<DeviceKey> {
        let group = &self.groups[usize::from(routing_group(aor))];
        let mut devices: Vec<DeviceKey> =
            group.bindings(now, aor).map(|binding| DeviceKey::of(binding.instance(), binding.uri())).collect();
        devices.sort_unstable();
        devices.dedup();
        devices
    }

    pub(super) fn next_message_id(&mut self, now: Now, at: usize) -> MessageId {
        let random = self.random.bits().to_be_bytes();
        self.messages.waiting[at].next_id(now.wall, random)
    }

    /// Policy and filter: `Some` is the body that goes on instead.
    pub(super) fn may_pass(
        &mut self,
        inbound: &Inbound<'_>,
        sender: &Sender,
        snapshot: &Snapshot,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let message = inbound.message;
        let content_type = message.value(Name::ContentType).unwrap_or_default();
        let user = match sender {
            Sender::User(user) => user,
            // A party of a dialog is held to the policy of the user it says it is.
            Sender::Dialog(_) => match from_address(&message).and_then(|aor| user_at(snapshot, &aor)) {
                Some(user) => user,
                None => return Ok(None),
            },
            Sender::Trusted => return Ok(None),
        };
        let policy = snapshot.message_policy(user);
        if !policy.allow_messages {
            return Err(Refusal::MessagesForbidden);
        }
        if message.body().len() > policy.max_body_kib as usize * 1024 {
            return Err(Refusal::MessageTooLarge);
        }
        if !policy.allow_html && content_type.to_ascii_lowercase().starts_with(b"text/html") {
            return Err(Refusal::HtmlForbidden);
        }
        let links = &snapshot.pool(&self.pool).im_filter;
        match filter::check(links, snapshot.file_transfer_policy(user), content_type, message.body()) {
            Verdict::Allow => Ok(None),
            Verdict::Rewrite(body) => Ok(Some(body)),
            Verdict::Block(_) => Err(Refusal::MessageFiltered),
        }
    }

    /// Keeps the message for every device that is to have it; the answer leaves when it is durable.
    fn store_message(
        &mut self,
        inbound: &Inbound<'_>,
        server: ServerId,
        letter: &Letter<'_>,
        devices: &[DeviceKey],
        snapshot: &Snapshot,
        out: &mut Outbox,
    ) {
        let at = usize::from(routing_group(letter.user.address.as_str()));
        let id = self.next_message_id(inbound.now, at);
        let message = inbound.message;
        match self.keep(inbound.now, &message, letter, id, devices, snapshot) {
            Ok((stored, seq)) => {
                if matches!(stored, Stored::New { .. }) {
                    let entry = self.remembered(&message, letter, id, snapshot);
                    self.messages.history.extend(entry.map(MessageEntry::Message));
                }
                let status = if devices.is_empty() { 202 } else { 200 };
                self.answer_message(inbound, server, seq, status);
                self.due_devices(letter.user.address.as_str(), devices);
                self.pump_deliveries(inbound.now, out);
            }
            Err(refusal) => self.refuse_event(inbound, server, refusal, &[], out),
        }
    }

    fn keep(
        &mut self,
        now: Now,
        message: &Message<'_>,
        letter: &Letter<'_>,
        id: MessageId,
        devices: &[DeviceKey],
        snapshot: &Snapshot,
    ) -> Result<(Stored, Option<u64>), Refusal> {
        let aor = letter.user.address.as_str();
        let headers = passed_headers(message);
        let body = if letter.body.is_empty() { message.body() } else { &letter.body };
        let arrival = Arrival {
            id,
            aor,
            sender: &letter.sender,
            from: message.value(Name::From).unwrap_or_default(),
            to: message.value(Name::To).unwrap_or_default(),
            call_id: message.call_id(),
            cseq: message.cseq().number,
            message_id: message.value_named(b"Message-ID").unwrap_or_default(),
            content_type: message.value(Name::ContentType).unwrap_or(b"text/plain"),
            headers: &headers,
            body: Text(body),
            owes: devices,
            delivered: &[],
            anyone: devices.is_empty(),
        };
        let policy = snapshot.message_policy(letter.user);
        let stored = self.put_waiting(now, policy, &arrival)?;
        Ok((stored, block_of(stored)))
    }

    fn put_waiting(&mut self, now: Now, policy: &MessagePolicy, arrival: &Arrival<'_>) -> Result<Stored, Refusal> {
        let at = usize::from(routing_group(arrival.aor));
        let (group, journal) = (&mut self.groups[at], &mut self.journal);
        let stored = self.messages.waiting[at].store(now.wall, policy, arrival, group, journal);
        stored.inspect(|_| self.metrics.messages_kept.inc()).map_err(|refusal| {
            tracing::debug!(%refusal, "a message was not kept");
            Refusal::MailboxFull
        })
    }

    /// Stores a message; the block to wait for.
    pub(super) fn store_arrival(
        &mut self,
        now: Now,
        policy: &MessagePolicy,
        arrival: &Arrival<'_>,
    ) -> Result<Option<u64>, Refusal> {
        self.put_waiting(now, policy, arrival).map(block_of)
    }

    /// A forwarded message was not taken by its device: it is kept, and the sender hears that it was accepted.
    pub(crate) fn keep_forwarded(&mut self, now: Now, request: &Message<'_>, kept: &mut Kept) -> Option<Option<u64>> {
        let snapshot = Arc::clone(&self.snapshot);
        let (name, domain) = kept.aor.split_once('@')?;
        let user = snapshot.user(name.as_bytes(), domain.as_bytes())?;
        let letter = Letter { sender: kept.sender.to_string(), user, kind: kind_of(request), body: Vec::new() };
        let (_, seq) = self.keep(now, request, &letter, kept.id, &[kept.device], &snapshot).ok()?;
        self.messages.history.extend(kept.remembered.take().map(MessageEntry::Message));
        Some(seq)
    }

    pub(super) fn answer_message(&mut self, inbound: &Inbound<'_>, server: ServerId, seq: Option<u64>, status: u16) {
        let reason = if status == 202 { "Accepted" } else { "OK" };
        let bytes = self.event_answer(inbound, status, reason, b"");
        self.answer_after(inbound.now, seq, (server, status, bytes), None);
    }

    /// The message for the histories of those who have one; a notice becomes a mark.
    fn remembered(
        &mut self,
        message: &Message<'_>,
        letter: &Letter<'_>,
        id: MessageId,
        snapshot: &Snapshot,
    ) -> Option<Box<NewMessage>> {
        if letter.kind == Kind::Notice {
            self.note_disposition(message, letter, id);
            return None;
        }
        let (name, domain) = letter.sender.split_once('@').unwrap_or((&letter.sender, ""));
        let from = snapshot.user(name.as_bytes(), domain.as_bytes());
        let kept = |user: &UserRecord| snapshot.message_policy(user).keep_history;
        let sender_keeps = from.is_some_and(|user| kept(user));
        let recipient_keeps = kept(letter.user);
        if !sender_keeps && !recipient_keeps {
            return None;
        }
        let text = |bytes: &[u8]| -> Box<str> { String::from_utf8_lossy(bytes).into() };
        let body = if letter.body.is_empty() { message.body() } else { &letter.body };
        Some(Box::new(NewMessage {
            id,
            conversation: None,
            subject: None,
            sender: Participant { address: letter.sender.as_str().into(), kept: sender_keeps },
            recipients: vec![Participant { address: letter.user.address.as_str().into(), kept: recipient_keeps }],
            wire_id: message.value_named(b"Message-ID").map(text),
            content_type: text(message.value(Name::ContentType).unwrap_or(b"text/plain")),
            body: OwnedText(body.to_vec()),
        }))
    }

    /// A notice of delivery or reading: a mark in the history of the message it is about.
    fn note_disposition(&mut self, message: &Message<'_>, letter: &Letter<'_>, id: MessageId) {
        let Ok(notice) = Imdn::read(message.body()) else { return };
        let mark = match notice.disposition {
            Disposition::Delivered => Mark::Delivered,
            Disposition::Displayed => Mark::Read,
            _ => return,
        };
        let message = MessageRef::Wire {
            wire_id: notice.message_id.as_str().into(),
            sender: letter.user.address.as_str().into(),
        };
        let user = letter.sender.as_str().into();
        self.messages.history.push(MessageEntry::Mark { message, user, mark, at: id.time() });
    }

    /// A device took a forwarded message.
    pub(crate) fn forwarded_taken(&mut self, now: Now, kept: Kept) {
        if kept.stored {
            let at = usize::from(routing_group(&kept.aor));
            let (group, journal) = (&mut self.groups[at], &mut self.journal);
            self.messages.waiting[at].confirm(&kept.aor, kept.id, kept.device, group, journal);
            if kept.words {
                let message = MessageRef::Id { id: kept.id, sender: kept.sender };
                self.mark_delivered(now, &kept.aor, message);
            }
        } else if let Some(message) = kept.remembered {
            self.messages.history.push(MessageEntry::Delivered { message, at: now.wall });
        }
    }
}
