//! A message to a list that comes with it (RFC 5365): `sip:list@` and one of our domains.
//!
//! Those whom the list names openly become a conversation, so that each sees who has it and answers go to all; those of
//! `bcc`, and a single recipient, get it as if it were sent to them alone.

use std::sync::Arc;

use lyceum_net::Outbox;
use lyceum_sip::time::Now;
use lyceum_sip::transaction::ServerId;
use lyceum_sip::{Message, Name, Uri};
use lyceum_store::{ConversationId, MessageEntry};
use lyceum_topology::{Snapshot, UserRecord};
use lyceum_users::format::resource_lists::{self, CopyControl};
use lyceum_users::messages::Stored;

use super::conversation::Said;
use super::letter::{Kind, Letter, PLAIN, block_of, kind_of, passed_headers, sender_of};
use crate::calls::admit::Sender;
use crate::core::Core;
use crate::events::user_at;
use crate::inbound::Inbound;
use crate::refusal::{Refusal, warning};

/// The user part that lists are sent to. A user of this name has it instead.
const USER: &[u8] = b"list";
/// What such a message requires (RFC 5365 §5).
const OPTION: &str = "recipient-list-message";
/// Separates the parts of what is passed on, where there are several.
const BOUNDARY: &str = "lyceum-parts";

/// A list that was read, with what is to be told to those on it.
struct Mailing {
    open: Vec<Arc<UserRecord>>,
    hidden: Vec<Arc<UserRecord>>,
    content_type: Vec<u8>,
    body: Vec<u8>,
}

impl Core {
    /// Is this where lists are sent to?
    pub(crate) fn is_list(&self, uri: &Uri<'_>) -> bool {
        uri.user().is_some_and(|user| user.eq_ignore_ascii_case(USER)) && self.is_us(uri)
    }

    /// Sends a message to everybody on the list that it brings; 202 says that it is stored for all of them.
    pub(super) fn take_for_list(
        &mut self,
        inbound: &Inbound<'_>,
        server: ServerId,
        who: &Sender,
        (snapshot, archived): (&Snapshot, bool),
        out: &mut Outbox,
    ) {
        let message = inbound.message;
        let unknown = crate::register::unknown_options(&message, Name::Require, &[OPTION]);
        if !unknown.is_empty() {
            return self.refuse_event(inbound, server, Refusal::UnknownRequire, &[("Unsupported", &unknown)], out);
        }
        let mut mailing = match self.mailing(&message, snapshot) {
            Ok(mailing) => mailing,
            Err((refusal, why)) => {
                return self.refuse_event(inbound, server, refusal, &[("Warning", &warning(&why))], out);
            }
        };
        let sender = sender_of(who, &message);
        if let Sender::User(user) = who
            && mailing.open.len() + mailing.hidden.len() > snapshot.message_policy(user).max_recipients as usize
        {
            return self.refuse_event(inbound, server, Refusal::TooManyRecipients, &[], out);
        }
        let said = (&mailing.content_type[..], &mailing.body[..]);
        match self.may_pass(inbound, who, &sender, said, snapshot) {
            Ok(None) => {}
            Ok(Some(body)) => mailing.body = body,
            Err(refusal) => return self.refuse_event(inbound, server, refusal, &[], out),
        }
        let everybody = mailing.open.iter().chain(&mailing.hidden);
        let people: Vec<&str> = everybody.map(|user| user.address.as_str()).collect();
        let said = (&mailing.content_type[..], &mailing.body[..]);
        if kind_of(said.0, said.1) == Kind::Words
            && !archived
            && self.archive(inbound, server, who, (&sender, &people), said, snapshot, out)
        {
            return;
        }
        match self.mail(inbound.now, &message, &sender, &mailing, snapshot) {
            Ok(seq) => self.answer_message(inbound, server, seq, 202),
            Err(refusal) => self.refuse_event(inbound, server, refusal, &[], out),
        }
        self.pump_deliveries(inbound.now, out);
    }

    /// Reads the list and what comes with it. A list with anybody who is not ours is refused as a whole: a message to
    /// half of a list is worse than none.
    fn mailing(&self, message: &Message<'_>, snapshot: &Snapshot) -> Result<Mailing, (Refusal, String)> {
        let malformed = |why: String| (Refusal::Malformed, why);
        let content_type = String::from_utf8_lossy(message.value(Name::ContentType).unwrap_or_default()).into_owned();
        let (entries, parts) = resource_lists::of_request(&content_type, message.body())
            .map_err(|error| malformed(format!("the list of recipients: {error}")))?;
        let mut mailing = Mailing { open: Vec::new(), hidden: Vec::new(), content_type: Vec::new(), body: Vec::new() };
        let mut seen = std::collections::HashSet::new();
        for entry in &entries {
            let uri = Uri::parse(entry.uri.as_bytes()).ok();
            let user = uri.as_ref().and_then(|uri| self.target(uri, entry.uri.as_bytes(), snapshot));
            let Some((user, None)) = user else {
                return Err((Refusal::NotFound, format!("{} is no user here; take it off the list", entry.uri)));
            };
            if seen.insert(user.id) {
                let is_hidden = entry.copy_control == CopyControl::Bcc;
                if is_hidden { mailing.hidden.push(user) } else { mailing.open.push(user) }
            }
        }
        match parts.as_slice() {
            [] => return Err(malformed("the message has a list of recipients and no text".to_owned())),
            [part] => {
                mailing.content_type = part.header("Content-Type").map_or(PLAIN, str::as_bytes).to_vec();
                mailing.body = part.body.to_vec();
            }
            several => {
                mailing.content_type = format!("multipart/mixed;boundary=\"{BOUNDARY}\"").into_bytes();
                let mut all = lyceum_users::format::multipart::Multipart::new(BOUNDARY, &mut mailing.body);
                for part in several {
                    all.begin(part.header("Content-Type").unwrap_or("text/plain"), None);
                    all.body().extend_from_slice(part.body);
                }
                all.end();
            }
        }
        Ok(mailing)
    }

    /// Stores a message for everybody on a list; the block to wait for.
    fn mail(
        &mut self,
        now: Now,
        message: &Message<'_>,
        sender: &str,
        mailing: &Mailing,
        snapshot: &Snapshot,
    ) -> Result<Option<u64>, Refusal> {
        let headers = passed_headers(message);
        let from = message.value(Name::From).unwrap_or_default();
        let Mailing { content_type, body, .. } = mailing;
        let said = Said { sender, from, content_type, body, headers: &headers };
        let mut members: Vec<String> = mailing.open.iter().map(|user| user.address.to_string()).collect();
        let mut seq = None;
        // Of a conversation all are users of ours.
        let is_conversation =
            user_at(snapshot, sender).is_some() && members.iter().filter(|member| *member != sender).count() > 1;
        if is_conversation {
            members.push(sender.to_owned());
            members.sort_unstable();
            members.dedup();
            let domain = sender.split_once('@').map_or("", |(_, domain)| domain);
            self.make_conversation(sender, &members, domain, Box::new(|_| ()))?;
            let id = ConversationId::of(members.iter().map(String::as_str)).to_string();
            seq = self.tell_all(now, message, &said, &(id, members), snapshot);
        }
        let alone = if is_conversation { &[][..] } else { &mailing.open[..] };
        for user in alone.iter().chain(&mailing.hidden) {
            let to = format!("<sip:{}>", user.address.as_str());
            let stored =
                match self.keep_for_member(now, message, (user.address.as_str(), to.as_bytes()), &said, snapshot) {
                    Ok(stored) => stored,
                    // The others get it all the same.
                    Err(refusal) => {
                        tracing::debug!(?refusal, "somebody on a list does not get a message");
                        continue;
                    }
                };
            seq = seq.max(block_of(stored));
            if matches!(stored, Stored::New { .. }) {
                self.remember_mailed(now, message, &said, user, snapshot);
            }
        }
        Ok(seq)
    }

    fn remember_mailed(
        &mut self,
        now: Now,
        message: &Message<'_>,
        said: &Said<'_>,
        user: &UserRecord,
        snapshot: &Snapshot,
    ) {
        let kind = kind_of(said.content_type, said.body);
        let letter = Letter { sender: said.sender.to_owned(), user, kind, body: None };
        let at = usize::from(lyceum_topology::routing_group(user.address.as_str()));
        let id = self.next_message_id(now, at);
        let entry = self.remembered(message, &letter, (said.content_type, said.body), id, true, snapshot);
        self.messages.history.extend(entry.map(MessageEntry::Message));
    }
}
