//! What is kept: for devices that are to have it later, and for the histories.

use std::sync::Arc;

use lyceum_net::Outbox;
use lyceum_sip::time::Now;
use lyceum_sip::transaction::ServerId;
use lyceum_sip::{Message, Name};
use lyceum_store::{Mark, MessageEntry, MessageRef, NewMessage, Participant};
use lyceum_topology::policy::MessagePolicy;
use lyceum_topology::{Snapshot, UserRecord, routing_group};
use lyceum_users::messages::imdn::{Disposition, Imdn};
use lyceum_users::messages::{Arrival, DeviceKey, MessageId, OwnedText, Stored, Text};

use super::letter::{Content, Kind, Letter, block_of, name_of, passed_headers};
use super::take::Kept;
use crate::core::Core;
use crate::inbound::Inbound;
use crate::refusal::Refusal;

impl Core {
    /// Keeps the message for every device that is to have it; the answer leaves when it is durable.
    /// With `quiet` it waits until its recipient may be disturbed.
    pub(super) fn store_message(
        &mut self,
        inbound: &Inbound<'_>,
        server: ServerId,
        letter: &Letter<'_>,
        (devices, quiet): (&[DeviceKey], bool),
        snapshot: &Snapshot,
        out: &mut Outbox,
    ) {
        // Who keeps a message answers for what it requires (RFC 3261 §8.2.2.3); who forwards it does not.
        let unknown = crate::register::unknown_options(&inbound.message, Name::Require, &[]);
        if !unknown.is_empty() {
            return self.refuse_event(inbound, server, Refusal::UnknownRequire, &[("Unsupported", &unknown)], out);
        }
        let at = usize::from(routing_group(letter.user.address.as_str()));
        let id = self.next_message_id(inbound.now, at);
        let message = inbound.message;
        match self.keep(inbound.now, &message, letter, id, devices, snapshot) {
            Ok((stored, seq)) => {
                if matches!(stored, Stored::New { .. }) {
                    let entry = self.remembered(&message, letter, letter.said(&message), id, true, snapshot);
                    self.messages.history.extend(entry.map(MessageEntry::Message));
                }
                let status = if quiet || devices.is_empty() { 202 } else { 200 };
                self.answer_message(inbound, server, seq, status);
                if !quiet {
                    // Not before it is durable: what a crash takes back nobody has seen, and its repetition is the first.
                    self.due_after(seq, letter.user.address.as_str(), Some(devices));
                    self.pump_deliveries(inbound.now, out);
                }
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
        let (content_type, body) = letter.said(message);
        let content = Content::in_type(message, content_type, body);
        let arrival = Arrival {
            id,
            aor,
            sender: &letter.sender,
            from: message.value(Name::From).unwrap_or_default(),
            to: message.value(Name::To).unwrap_or_default(),
            call_id: message.call_id(),
            cseq: message.cseq().number,
            message_id: content.message_id.unwrap_or_default(),
            content_type,
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

    pub(super) fn put_waiting(
        &mut self,
        now: Now,
        policy: &MessagePolicy,
        arrival: &Arrival<'_>,
    ) -> Result<Stored, Refusal> {
        let at = usize::from(routing_group(arrival.aor));
        let (group, journal) = (&mut self.groups[at], &mut self.journal);
        let stored = self.messages.waiting[at].store(now.wall, policy, arrival, group, journal);
        stored.inspect(|_| self.metrics.messages_kept.inc()).map_err(|refusal| {
            tracing::debug!(%refusal, "a message was not kept");
            Refusal::MailboxFull
        })
    }

    /// A forwarded message was not taken by its device: it is kept, and the sender hears that it was accepted.
    pub(crate) fn keep_forwarded(&mut self, now: Now, request: &Message<'_>, kept: &mut Kept) -> Option<Option<u64>> {
        let snapshot = Arc::clone(&self.snapshot);
        let (name, domain) = kept.aor.split_once('@')?;
        let user = snapshot.user(name.as_bytes(), domain.as_bytes())?;
        let letter = Letter { sender: kept.sender.to_string(), user, kind: kept.kind, body: None };
        let (_, seq) = self.keep(now, request, &letter, kept.id, &[kept.device], &snapshot).ok()?;
        self.messages.history.extend(kept.remembered.take().map(MessageEntry::Message));
        Some(seq)
    }

    pub(super) fn answer_message(&mut self, inbound: &Inbound<'_>, server: ServerId, seq: Option<u64>, status: u16) {
        let reason = if status == 202 { "Accepted" } else { "OK" };
        let bytes = self.event_answer(inbound, status, reason, b"");
        self.answer_after(inbound.now, seq, (server, status, bytes), None);
    }

    /// The message for the histories of those who have one; a notice becomes a mark. One that does not reach its
    /// recipient is in its sender's alone.
    pub(super) fn remembered(
        &mut self,
        message: &Message<'_>,
        letter: &Letter<'_>,
        said: (&[u8], &[u8]),
        id: MessageId,
        reaches: bool,
        snapshot: &Snapshot,
    ) -> Option<Box<NewMessage>> {
        let content = Content::in_type(message, said.0, said.1);
        if letter.kind == Kind::Notice {
            if reaches {
                self.note_disposition(content.body, letter, id);
            }
            return None;
        }
        let (name, domain) = letter.sender.split_once('@').unwrap_or((&letter.sender, ""));
        let from = snapshot.user(name.as_bytes(), domain.as_bytes());
        let kept = |user: &UserRecord| snapshot.message_policy(user).keep_history;
        let sender_keeps = from.is_some_and(|user| kept(user));
        let recipient_keeps = reaches && kept(letter.user);
        if !sender_keeps && !recipient_keeps {
            return None;
        }
        let text = |bytes: &[u8]| -> Box<str> { String::from_utf8_lossy(bytes).into() };
        Some(Box::new(NewMessage {
            id,
            conversation: None,
            subject: None,
            sender: Participant { address: letter.sender.as_str().into(), kept: sender_keeps },
            recipients: vec![Participant { address: letter.user.address.as_str().into(), kept: recipient_keeps }],
            wire_id: Some(content.message_id.map_or_else(|| name_of(message), text)),
            content_type: text(content.content_type),
            body: OwnedText(content.body.to_vec()),
        }))
    }

    /// A notice of delivery or reading: a mark in the history of the message it is about.
    fn note_disposition(&mut self, body: &[u8], letter: &Letter<'_>, id: MessageId) {
        let Ok(notice) = Imdn::read(body) else { return };
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
            if kept.kind == Kind::Words {
                let message = MessageRef::Id { id: kept.id, sender: kept.sender };
                self.mark_delivered(now, &kept.aor, message);
            }
        } else if let Some(message) = kept.remembered {
            self.messages.history.push(MessageEntry::Delivered { message, at: now.wall });
        }
    }
}
