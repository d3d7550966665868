//! Conversations of several people: an address that everybody in it writes to (a list on the server, as in RFC 5365, until
//! meetings bring a focus).

use lyceum_net::Outbox;
use lyceum_sip::time::Now;
use lyceum_sip::transaction::ServerId;
use lyceum_sip::{Message, Name, Uri};
use lyceum_store::{ConversationId, MessageEntry, NewMessage, Participant};
use lyceum_topology::{AddressOfRecord, Snapshot, UserRecord, routing_group};
use lyceum_users::facet_kind;
use lyceum_users::messages::{Arrival, OwnedText, Stored, Text};
use lyceum_users::presence::Reach;

use super::letter::{Content, Kind, PLAIN, block_of, kind_of, name_of, passed_headers};
use crate::core::Core;
use crate::events::{Done, user_at};
use crate::inbound::Inbound;
use crate::refusal::Refusal;

/// What the user part of a conversation's address begins with.
const PREFIX: &str = "conversation-";
/// People of one conversation at most, whatever policy says.
const MEMBERS_MOST: usize = 250;
/// Conversations that one person made, at most.
const MADE_MOST: usize = 200;

/// The id of a conversation and its people.
pub(super) type Conversation = (String, Vec<String>);

/// Something that one person says to several.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) sender: &'a str,
    /// The value of From.
    pub(super) from: &'a [u8],
    pub(super) content_type: &'a [u8],
    pub(super) body: &'a [u8],
    /// Header lines that go with it.
    pub(super) headers: &'a [u8],
}

/// The address of the conversation of these people.
pub fn conversation_address(members: &[String], domain: &str) -> String {
    let id = ConversationId::of(members.iter().map(String::as_str));
    format!("{PREFIX}{id}@{domain}")
}

impl Core {
    /// Makes the conversation of these people for one of them, if there is none yet; `done` hears when it is durable.
    ///
    /// Everybody in a new one is a user of ours. Who has made `MADE_MOST` loses the oldest: it is made again when it is
    /// opened again.
    pub fn make_conversation(
        &mut self,
        maker: &str,
        members: &[String],
        domain: &str,
        done: Done,
    ) -> Result<String, Refusal> {
        if members.len() > MEMBERS_MOST {
            return Err(Refusal::TooManyRecipients);
        }
        // As it is kept: a comma parts the people of a list.
        let read = |member: &String| AddressOfRecord::parse(member).ok().filter(|one| one.as_str() == member);
        let people = members.iter().filter(|member| !member.contains(',')).map_while(read).collect::<Vec<_>>();
        if people.len() < members.len() {
            return Err(Refusal::NotFound);
        }
        let address = conversation_address(members, domain);
        let at = usize::from(routing_group(&address));
        let joined = members.join(",");
        let is_member = |one: &[u8]| members.iter().any(|member| member.as_bytes() == one);
        match self.groups[at].facet(facet_kind::LIST, address.as_bytes()) {
            Some(known) if known == joined.as_bytes() => {
                self.when_durable(None, done);
                return Ok(address);
            }
            // Whoever had an address before its present holder was taken out. Nobody is thrown out by this: a list of others
            // under a name that is made of its people is no mistake.
            Some(known) if known.split(|byte| *byte == b',').any(|one| !is_member(one)) => {
                return Err(Refusal::NotInConversation);
            }
            _ => {}
        }
        if people.iter().any(|person| self.snapshot.directory().get(person).is_none()) {
            return Err(Refusal::NotFound);
        }
        let put = |core: &mut Core, kind, key: &str, value: &str| {
            let group = &mut core.groups[usize::from(routing_group(key))];
            group.put_facet(kind, key.as_bytes(), value.as_bytes(), &mut core.journal)
        };
        put(self, facet_kind::LIST, &address, &joined).map_err(|_| Refusal::TooManyRecipients)?;
        let made = self.room_for_one_more(maker) + &address;
        let seq = put(self, facet_kind::LISTS_MADE, maker, &made).map_err(|_| Refusal::TooManyRecipients)?;
        self.when_durable(Some(seq), done);
        Ok(address)
    }

    /// What somebody made, each with a line end; the oldest are removed until there is room.
    fn room_for_one_more(&mut self, maker: &str) -> String {
        let group = &self.groups[usize::from(routing_group(maker))];
        let known = group.facet(facet_kind::LISTS_MADE, maker.as_bytes()).unwrap_or_default();
        let made: Vec<String> = String::from_utf8_lossy(known).lines().map(str::to_owned).collect();
        let (old, kept) = made.split_at(made.len().saturating_sub(MADE_MOST - 1));
        for address in old {
            let group = &mut self.groups[usize::from(routing_group(address))];
            group.remove_facet(facet_kind::LIST, address.as_bytes(), &mut self.journal);
        }
        kept.iter().fold(String::new(), |all, one| all + one + "\n")
    }

    /// The people of the conversation that a URI names.
    pub(super) fn conversation_of(&self, uri: &Uri<'_>) -> Option<Conversation> {
        let user = uri.user()?;
        user.get(..PREFIX.len()).filter(|start| start.eq_ignore_ascii_case(PREFIX.as_bytes()))?;
        let user = std::str::from_utf8(user).ok()?.to_ascii_lowercase();
        let id = user.strip_prefix(PREFIX)?.to_owned();
        let domain = std::str::from_utf8(uri.host_text()).ok()?.to_ascii_lowercase();
        let address = format!("{user}@{domain}");
        let group = &self.groups[usize::from(routing_group(&address))];
        let members = std::str::from_utf8(group.facet(facet_kind::LIST, address.as_bytes())?).ok()?;
        Some((id, members.split(',').map(str::to_owned).collect()))
    }

    /// The conversation of a distribution group's people and whoever writes to it, made if there is none yet: answers to
    /// it go to everybody too. `Some(Err)` where the group is too large to write to.
    pub(super) fn conversation_of_group(
        &mut self,
        uri: &Uri<'_>,
        sender: &UserRecord,
        snapshot: &Snapshot,
    ) -> Option<Result<Conversation, Refusal>> {
        let directory = snapshot.directory();
        let group = directory.group_at(uri.user()?, uri.host_text())?;
        let found = directory.expand(group);
        let mut members: Vec<String> = found.people.iter().map(|user| user.address.to_string()).collect();
        members.push(sender.address.to_string());
        members.sort_unstable();
        members.dedup();
        let most = snapshot.message_policy(sender).max_recipients as usize;
        if found.cut || members.len() > most + 1 {
            return Some(Err(Refusal::TooManyRecipients));
        }
        let made = self.make_conversation(sender.address.as_str(), &members, group.address.domain(), Box::new(|_| ()));
        let id = ConversationId::of(members.iter().map(String::as_str)).to_string();
        Some(made.map(|_| (id, members)))
    }

    /// A MESSAGE to everybody of a conversation: stored for each, then delivered.
    pub(super) fn tell_conversation(
        &mut self,
        inbound: &Inbound<'_>,
        server: ServerId,
        (sender, body): (&str, &[u8]),
        conversation: &Conversation,
        snapshot: &Snapshot,
        out: &mut Outbox,
    ) {
        if !conversation.1.iter().any(|member| member == sender) {
            return self.refuse_event(inbound, server, Refusal::NotInConversation, &[], out);
        }
        let message = inbound.message;
        let headers = passed_headers(&message);
        let (from, content_type) = (message.value(Name::From), message.value(Name::ContentType));
        let (from, content_type) = (from.unwrap_or_default(), content_type.unwrap_or(PLAIN));
        let said = Said { sender, from, content_type, body, headers: &headers };
        let seq = self.tell_all(inbound.now, &message, &said, conversation, snapshot);
        self.answer_message(inbound, server, seq, 200);
        self.pump_deliveries(inbound.now, out);
    }

    /// Stores for each of a conversation what was said to it, and remembers it; the block to wait for.
    pub(super) fn tell_all(
        &mut self,
        now: Now,
        message: &Message<'_>,
        said: &Said<'_>,
        conversation: &Conversation,
        snapshot: &Snapshot,
    ) -> Option<u64> {
        let (id, members) = conversation;
        let mut headers = said.headers.to_vec();
        headers.extend_from_slice(format!("Conversation-ID: {id}\r\n").as_bytes());
        headers.extend_from_slice(format!("Conversation-Members: {}\r\n", members.join(",")).as_bytes());
        let said = Said { headers: &headers, ..*said };
        let to = message.value(Name::To).unwrap_or_default();
        let (mut seq, mut reached, mut repeated) = (None, Vec::new(), false);
        for member in members.iter().filter(|member| *member != said.sender) {
            match self.keep_for_member(now, message, (member, to), &said, snapshot) {
                Ok(stored) => {
                    seq = seq.max(block_of(stored));
                    match stored {
                        Stored::New { .. } => reached.push(member.as_str()),
                        Stored::Already { .. } => repeated = true,
                    }
                }
                // The others get it all the same; a full mailbox is its owner's.
                Err(refusal) => tracing::debug!(?refusal, "a member of a conversation does not get a message"),
            }
        }
        if !repeated || !reached.is_empty() {
            self.remember_conversation(now, message, &said, conversation, (&reached, repeated), snapshot);
        }
        seq
    }

    /// Stores a message of several for one of them; who does not want to be disturbed gets it later.
    pub(super) fn keep_for_member(
        &mut self,
        now: Now,
        message: &Message<'_>,
        (member, to): (&str, &[u8]),
        said: &Said<'_>,
        snapshot: &Snapshot,
    ) -> Result<Stored, Refusal> {
        let user = user_at(snapshot, member).filter(|user| user.enabled).ok_or(Refusal::NotFound)?;
        let reach = self.reach(now, snapshot, user, said.sender);
        if reach == Reach::Blocked {
            return Err(Refusal::NotSignedIn);
        }
        let devices = self.devices(now, member);
        let at = usize::from(routing_group(member));
        let content = Content::in_type(message, said.content_type, said.body);
        let arrival = Arrival {
            id: self.next_message_id(now, at),
            aor: member,
            sender: said.sender,
            from: said.from,
            to,
            call_id: message.call_id(),
            cseq: message.cseq().number,
            message_id: content.message_id.unwrap_or_default(),
            content_type: said.content_type,
            headers: said.headers,
            body: Text(said.body),
            owes: &devices,
            delivered: &[],
            anyone: devices.is_empty(),
        };
        let stored = self.put_waiting(now, snapshot.message_policy(user), &arrival)?;
        if reach == Reach::Allowed || kind_of(said.content_type, said.body) != Kind::Words {
            self.due_after(block_of(stored), member, Some(&devices));
        }
        Ok(stored)
    }

    /// For the histories of the sender and of those who get it. Where some had it before, the sender remembers it already.
    fn remember_conversation(
        &mut self,
        now: Now,
        message: &Message<'_>,
        said: &Said<'_>,
        (id, members): &Conversation,
        (reached, repeated): (&[&str], bool),
        snapshot: &Snapshot,
    ) {
        let content = Content::in_type(message, said.content_type, said.body);
        let Some(conversation) = ConversationId::parse(id) else { return };
        if kind_of(said.content_type, said.body) != Kind::Words {
            return;
        }
        let kept =
            |address: &str| user_at(snapshot, address).is_some_and(|user| snapshot.message_policy(user).keep_history);
        let person = |address: &String| {
            let is_reached = reached.contains(&address.as_str());
            Participant { address: address.as_str().into(), kept: is_reached && kept(address) }
        };
        let text = |bytes: &[u8]| -> Box<str> { String::from_utf8_lossy(bytes).into() };
        let entry = NewMessage {
            id: self.next_message_id(now, usize::from(routing_group(said.sender))),
            conversation: Some(conversation),
            subject: message.value_named(b"Subject").map(text),
            sender: Participant { address: said.sender.into(), kept: !repeated && kept(said.sender) },
            recipients: members.iter().filter(|member| *member != said.sender).map(person).collect(),
            wire_id: Some(content.message_id.map_or_else(|| name_of(message), text)),
            content_type: text(content.content_type),
            body: OwnedText(content.body.to_vec()),
        };
        self.messages.history.push(MessageEntry::Message(Box::new(entry)));
    }
}
