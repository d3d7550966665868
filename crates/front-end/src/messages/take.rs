//! A MESSAGE comes in: may it pass, where does it go, and is it kept?

use std::sync::Arc;

use lyceum_net::Outbox;
use lyceum_sip::transaction::ServerId;
use lyceum_sip::{Name, Uri};
use lyceum_store::{MessageEntry, NewMessage};
use lyceum_topology::{Snapshot, UserRecord, routing_group};
use lyceum_users::messages::filter::{self, Entity, Verdict};
use lyceum_users::messages::{DeviceKey, MessageId};
use lyceum_users::presence::Reach;

use super::conversation::Conversation;
use super::letter::{Kind, Letter, PLAIN, is_from, kind_of, sender_of, wrapper};
use crate::calls::admit::{Admitted, Sender};
use crate::core::Core;
use crate::events::user_at;
use crate::inbound::Inbound;
use crate::refusal::Refusal;

/// What a forwarded message is kept by, should its device not take it.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) aor: Box<str>,
    pub(crate) sender: Box<str>,
    pub(crate) device: DeviceKey,
    pub(crate) id: MessageId,
    /// Of somebody's words the histories tell whether they were delivered.
    pub(super) kind: Kind,
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

impl Core {
    /// A MESSAGE, admitted and with its transaction. With `archived` the archive has done its part.
    pub(crate) fn take_message(
        &mut self,
        inbound: &Inbound<'_>,
        server: ServerId,
        admitted: &Admitted<'_>,
        (snapshot, archived): (&Snapshot, bool),
        out: &mut Outbox,
    ) -> Taken {
        let message = inbound.message;
        let (who, target) = (&admitted.sender, admitted.plan.request_uri);
        let is_its_own = std::ptr::eq(target, message.request_uri());
        let uri = if is_its_own { message.parsed_request_uri() } else { Uri::parse(target) };
        // Who is in a dialog that we routed goes where it goes. A To tag of somebody's own making is no dialog.
        let is_routed = matches!(who, Sender::Dialog(_)) || !admitted.plan.routes.is_empty();
        let Some(uri) = uri.ok().filter(|_| !is_routed) else {
            return self.take_elsewhere(inbound, server, admitted, (snapshot, archived), out);
        };
        if let Some(conversation) = self.conversation_of(&uri) {
            self.take_for_conversation(inbound, server, who, &conversation, (snapshot, archived), out);
            return Taken::Done;
        }
        if let Sender::User(sender) = who
            && let Some(conversation) = self.conversation_of_group(&uri, sender, snapshot)
        {
            match conversation {
                Ok(all) => self.take_for_conversation(inbound, server, who, &all, (snapshot, archived), out),
                Err(refusal) => self.refuse_event(inbound, server, refusal, &[], out),
            }
            return Taken::Done;
        }
        let plain = uri.user().filter(|_| uri.param("gr").is_none());
        let user = plain.and_then(|user| snapshot.user(user, uri.host_text())).filter(|user| user.enabled);
        if let Some(user) = user.cloned() {
            let devices = self.devices(inbound.now, user.address.as_str());
            return self.take_for_user(inbound, server, who, (&user, &devices), (snapshot, archived), out);
        }
        match self.target(&uri, target, snapshot) {
            Some((user, gruu)) => {
                let devices = self.devices_of(inbound.now, user.address.as_str(), gruu.as_ref());
                // No such device: the proxy says so.
                if gruu.is_some() && devices.is_empty() {
                    return Taken::Forward(None);
                }
                self.take_for_user(inbound, server, who, (&user, &devices), (snapshot, archived), out)
            }
            None if self.is_list(&uri) => {
                self.take_for_list(inbound, server, who, (snapshot, archived), out);
                Taken::Done
            }
            None => self.take_elsewhere(inbound, server, admitted, (snapshot, archived), out),
        }
    }

    /// A message for a conversation of several.
    fn take_for_conversation(
        &mut self,
        inbound: &Inbound<'_>,
        server: ServerId,
        who: &Sender,
        conversation: &Conversation,
        (snapshot, archived): (&Snapshot, bool),
        out: &mut Outbox,
    ) {
        let message = inbound.message;
        let sender = sender_of(who, &message);
        let content_type = message.value(Name::ContentType).unwrap_or(PLAIN);
        let body = match self.may_pass(inbound, who, &sender, (content_type, message.body()), snapshot) {
            Ok(body) => body,
            Err(refusal) => return self.refuse_event(inbound, server, refusal, &[], out),
        };
        let kind = kind_of(content_type, message.body());
        if kind == Kind::Typing {
            self.tell_typing(inbound, &sender, conversation, snapshot, out);
            return self.answer_message(inbound, server, None, 202);
        }
        let others: Vec<&str> = conversation.1.iter().map(String::as_str).filter(|one| *one != sender).collect();
        let people = (sender.as_str(), others.as_slice());
        let said = (content_type, message.body());
        if kind == Kind::Words && !archived && self.archive(inbound, server, who, people, said, snapshot, out) {
            return;
        }
        let body = body.as_deref().unwrap_or(message.body());
        self.tell_conversation(inbound, server, (&sender, body), conversation, snapshot, out);
    }

    /// A message for the devices of one user. What was archived first is stored for them, not forwarded.
    fn take_for_user(
        &mut self,
        inbound: &Inbound<'_>,
        server: ServerId,
        who: &Sender,
        (user, devices): (&Arc<UserRecord>, &[DeviceKey]),
        (snapshot, archived): (&Snapshot, bool),
        out: &mut Outbox,
    ) -> Taken {
        let message = inbound.message;
        let sender = sender_of(who, &message);
        let content_type = message.value(Name::ContentType).unwrap_or_default();
        let body = match self.may_pass(inbound, who, &sender, (content_type, message.body()), snapshot) {
            Ok(body) => body,
            Err(refusal) => {
                self.refuse_event(inbound, server, refusal, &[], out);
                return Taken::Done;
            }
        };
        let letter = Letter { sender, user, kind: kind_of(content_type, message.body()), body };
        let reach = self.reach(inbound.now, snapshot, user, &letter.sender);
        let aor = user.address.as_str();
        let at = usize::from(routing_group(aor));
        if reach == Reach::Blocked {
            return self.take_and_drop(inbound, server, &letter, snapshot);
        }
        let (people, said) = ((letter.sender.as_str(), &[aor][..]), (content_type, message.body()));
        if letter.kind == Kind::Words && !archived && self.archive(inbound, server, who, people, said, snapshot, out) {
            return Taken::Done;
        }
        let waits = devices.iter().any(|device| self.messages.waiting[at].has_due(inbound.now.wall, aor, *device));
        match (reach, letter.kind, devices) {
            (Reach::DoNotDisturb, Kind::Typing, _) | (_, Kind::Typing, []) => {
                self.answer_message(inbound, server, None, 202);
                Taken::Done
            }
            (_, Kind::Typing, _) => Taken::Forward(None),
            (Reach::Allowed, kind, [device]) if !waits && letter.body.is_none() && !archived => {
                let id = self.next_message_id(inbound.now, at);
                let remembered = self.remembered(&message, &letter, letter.said(&message), id, true, snapshot);
                let (aor, sender) = (aor.into(), letter.sender.into());
                let kept = Kept { aor, sender, device: *device, id, kind, remembered, stored: false };
                Taken::Forward(Some(Box::new(kept)))
            }
            (_, kind, devices) => {
                // A notice makes no sound.
                let quiet = reach == Reach::DoNotDisturb && kind == Kind::Words;
                self.store_message(inbound, server, &letter, (devices, quiet), snapshot, out);
                Taken::Done
            }
        }
    }

    /// The blocked hear what they would hear if the person were never there, and find what they wrote in their history.
    fn take_and_drop(
        &mut self,
        inbound: &Inbound<'_>,
        server: ServerId,
        letter: &Letter<'_>,
        snapshot: &Snapshot,
    ) -> Taken {
        if letter.kind == Kind::Words {
            let id = self.next_message_id(inbound.now, usize::from(routing_group(letter.user.address.as_str())));
            let entry = self.remembered(&inbound.message, letter, letter.said(&inbound.message), id, false, snapshot);
            self.messages.history.extend(entry.map(MessageEntry::Message));
        }
        self.answer_message(inbound, server, None, 202);
        Taken::Done
    }

    /// Policy and filter: `Some` is the body that goes on instead.
    pub(super) fn may_pass(
        &mut self,
        inbound: &Inbound<'_>,
        who: &Sender,
        sender: &str,
        (content_type, body): (&[u8], &[u8]),
        snapshot: &Snapshot,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let message = inbound.message;
        let user = match who {
            Sender::User(user) => user,
            // A party of a dialog is held to the policy of its user.
            Sender::Dialog(_) => match user_at(snapshot, sender) {
                Some(user) => user,
                None => return Ok(None),
            },
            Sender::Trusted | Sender::Federated(_) => return Ok(None),
        };
        let policy = snapshot.message_policy(user);
        if !policy.allow_messages {
            return Err(Refusal::MessagesForbidden);
        }
        if body.len() > policy.max_body_kib as usize * 1024 {
            return Err(Refusal::MessageTooLarge);
        }
        let is_html = |media: &[u8]| media.get(..9).is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/html"));
        if !policy.allow_html && is_html(content_type) {
            return Err(Refusal::HtmlForbidden);
        }
        if let Some(cpim) = wrapper(content_type, body) {
            if !is_from(&cpim, user.address.as_str()) {
                return Err(Refusal::NotYourIdentity);
            }
            if !policy.allow_html && is_html(cpim.content_type()) {
                return Err(Refusal::HtmlForbidden);
            }
        }
        let encoding = message.value(Name::ContentEncoding).unwrap_or_default();
        let links = &snapshot.pool(&self.pool).im_filter;
        match filter::check(links, snapshot.file_transfer_policy(user), &Entity { content_type, encoding, body }) {
            Verdict::Allow => Ok(None),
            Verdict::Rewrite(body) => Ok(Some(body)),
            Verdict::Block(_) => Err(Refusal::MessageFiltered),
        }
    }
}
