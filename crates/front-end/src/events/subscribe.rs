//! SUBSCRIBE (RFC 6665): subscriptions begin, are refreshed, fetched once, and end.

use std::sync::Arc;

use lyceum_net::Outbox;
use lyceum_sip::time::WallTime;
use lyceum_sip::transaction::ServerId;
use lyceum_sip::{Message, Name, Transport};
use lyceum_topology::{UserRecord, routing_group};
use lyceum_users::contacts::{ContactList, WatcherNote};
use lyceum_users::facet_kind;
use lyceum_users::presence::BRIEF;
use lyceum_users::subscription::{CSEQ_BLOCK, EventPackage, MAX_SUBSCRIPTION, Subscription};

use super::given::{Amiss, LISTS_OF_ONE};
use super::publish::{ALLOW_EVENTS, event};
use super::{SUBSCRIPTIONS, user_at};
use crate::calls::admit::Sender;
use crate::calls::hops::flow_bytes;
use crate::core::Core;
use crate::inbound::Inbound;
use crate::refusal::Refusal;

/// A new subscription, as far as it was checked.
struct New<'a> {
    package: EventPackage,
    event_id: &'a [u8],
    presentity: Arc<UserRecord>,
    watcher: String,
    list: bool,
    /// The list that it brings.
    given: Option<Vec<String>>,
    expires: u32,
}

impl Core {
    /// Takes a SUBSCRIBE to one of our users, or within a subscription of ours.
    pub(crate) fn subscribe(&mut self, inbound: &Inbound<'_>, out: &mut Outbox) {
        let Some((server, sender)) = self.begin_event(inbound, out) else { return };
        let watcher = match &sender {
            Sender::User(user) => user.address.to_string(),
            _ => from_address(&inbound.message).unwrap_or_default(),
        };
        match inbound.message.to_tag() {
            Some(_) => self.resubscribe(inbound, server, &watcher, out),
            None => self.subscribe_anew(inbound, server, watcher, out),
        }
        self.flush_transactions(inbound.now, out);
    }

    fn subscribe_anew(&mut self, inbound: &Inbound<'_>, server: ServerId, watcher: String, out: &mut Outbox) {
        let Some((package, event_id)) = event(inbound) else {
            return self.refuse_event(inbound, server, Refusal::BadEvent, &[("Allow-Events", ALLOW_EVENTS)], out);
        };
        let given = match self.given_anew(&inbound.message, &watcher) {
            Ok(given) => given,
            Err(amiss) => return self.refuse_list(inbound, server, amiss, out),
        };
        if given.is_some() && package != EventPackage::Presence {
            return self.refuse_event(inbound, server, Refusal::BadEvent, &[("Allow-Events", b"presence")], out);
        }
        let presentity = match given {
            Some(_) => self.list_owner(inbound, &watcher),
            None => self.presentity_of(inbound).ok_or(Refusal::NotFound),
        };
        let presentity = match presentity {
            Ok(presentity) => presentity,
            Err(refusal) => return self.refuse_event(inbound, server, refusal, &[], out),
        };
        let own = presentity.address.as_str() == watcher;
        let list = given.is_some() || package == EventPackage::Presence && asks_for_list(&inbound.message);
        if !own && (list || package != EventPackage::Presence) {
            return self.refuse_event(inbound, server, Refusal::NotYourPresence, &[], out);
        }
        let expires = match self.granted(inbound, &presentity) {
            Ok(expires) => expires,
            Err(min) => {
                let min = min.to_string();
                let line = [("Min-Expires", min.as_bytes())];
                return self.refuse_event(inbound, server, Refusal::IntervalTooBrief, &line, out);
            }
        };
        let limit = self.snapshot.presence_policy(&presentity).max_category_subscription as usize;
        let many = self.events.watches.of(presentity.address.as_str()).len() >= limit;
        let lists = given.is_some() && self.events.watches.lists_given(presentity.address.as_str()) >= LISTS_OF_ONE;
        if (many && !own) || lists || self.events.watches.len() >= SUBSCRIPTIONS {
            return self.refuse_event(inbound, server, Refusal::TooManyWatchers, &[("Retry-After", b"600")], out);
        }
        let new = New { package, event_id, presentity, watcher, list, given, expires };
        self.open(inbound, server, &new, out);
    }

    /// The interval granted, or the least that is accepted.
    fn granted(&self, inbound: &Inbound<'_>, user: &UserRecord) -> Result<u32, u32> {
        let policy = self.snapshot.presence_policy(user);
        match inbound.message.expires() {
            None => Ok(policy.default_expires),
            Some(0) => Ok(0),
            Some(asked) if asked < BRIEF.min(policy.min_expires) => Err(policy.min_expires),
            Some(asked) => Ok(asked.min(policy.max_expires)),
        }
    }

    fn open(&mut self, inbound: &Inbound<'_>, server: ServerId, new: &New<'_>, out: &mut Outbox) {
        let message = inbound.message;
        let contact = message.contacts().flatten().find_map(|contact| contact.address().map(|address| address.uri));
        let Some(contact) = contact else {
            return self.refuse_event(inbound, server, Refusal::BadContacts, &[], out);
        };
        let aor = new.presentity.address.as_str();
        let group = routing_group(aor);
        let tag = self.stateless_tag(&message);
        let mut local = message.value(Name::To).unwrap_or_default().to_vec();
        local.extend_from_slice(b";tag=");
        local.extend_from_slice(&tag);
        let routes = message.values(Name::RecordRoute).collect::<Vec<_>>().join(&b", "[..]);
        let subscription = Subscription {
            package: new.package,
            presentity: aor,
            watcher: &new.watcher,
            list: new.list,
            expires: WallTime(inbound.now.wall.0 + u64::from(new.expires) * 1000),
            reserved: CSEQ_BLOCK,
            remote_cseq: message.cseq().number,
            call_id: message.call_id(),
            local: &local,
            remote: message.value(Name::From).unwrap_or_default(),
            target: contact,
            routes: &routes,
            flow: &flow_bytes(inbound.arrival.transport, &inbound.flow_to(contact)),
            event_id: new.event_id,
        };
        let key = self.dialog_key(message.call_id(), &tag, message.from_tag().unwrap_or_default());
        let Some(seq) = self.write_subscription(group, &key, &subscription) else {
            return self.refuse_event(inbound, server, Refusal::TooLarge, &[], out);
        };
        if let Some(uris) = &new.given
            && self.write_list(group, &key, uris).is_none()
        {
            self.remove_subscription(group, &key);
            return self.refuse_event(inbound, server, Refusal::TooManyRecipients, &[], out);
        }
        let slot = self.events.watches.put(key, group, &subscription);
        if new.list {
            let members = self.fill_list(slot, aor);
            self.note_list(aor, &members);
        }
        if new.expires == 0 {
            self.events.watches.last(slot, super::watches::End::Timeout);
        }
        let bytes = self.subscribed(inbound, new.expires, new.list);
        self.answer_after(inbound.now, Some(seq), (server, 200, bytes), Some(key));
        if new.package == EventPackage::Presence && !new.list && aor != new.watcher {
            self.note_watcher(&new.presentity, &new.watcher);
        }
    }

    /// The 200 with what was granted and where we are reached.
    fn subscribed(&mut self, inbound: &Inbound<'_>, expires: u32, list: bool) -> Vec<u8> {
        let mut lines = format!("Expires: {expires}\r\n").into_bytes();
        lines.extend_from_slice(b"Contact: ");
        self.write_contact(inbound, &mut lines);
        lines.extend_from_slice(b"\r\n");
        if list {
            lines.extend_from_slice(b"Require: eventlist\r\n");
        }
        let remote = inbound.arrival.remote;
        let tag = self.stateless_tag(&inbound.message);
        let mut bytes = Vec::with_capacity(512);
        let mut builder = lyceum_sip::ResponseBuilder::new(&inbound.message, 200, "OK");
        builder.received(remote.ip(), remote.port()).to_tag(&tag).copy_record_route().lines(&lines);
        builder.write(&mut bytes);
        bytes
    }

    /// Our Contact towards this sender, in angle brackets.
    fn write_contact(&self, inbound: &Inbound<'_>, out: &mut Vec<u8>) {
        let listener = inbound.arrival.listener;
        write_contact(&listener.advertised, inbound.arrival.transport, out);
    }

    fn resubscribe(&mut self, inbound: &Inbound<'_>, server: ServerId, watcher: &str, out: &mut Outbox) {
        let message = inbound.message;
        let (to_tag, from_tag) = (message.to_tag().unwrap_or_default(), message.from_tag().unwrap_or_default());
        let key = self.dialog_key(message.call_id(), to_tag, from_tag);
        let place = self.events.watches.slot(&key).and_then(|slot| Some((slot, self.events.watches.key_at(slot)?.0)));
        let packed = place.and_then(|(slot, group)| {
            let packed = self.groups[usize::from(group)].facet(facet_kind::SUBSCRIPTION, &key)?;
            Some((slot, group, packed.to_vec()))
        });
        let Some((slot, group, packed)) = packed else {
            return self.refuse_event(inbound, server, Refusal::NotOurDialog, &[], out);
        };
        let Some(stored) = Subscription::unpack(&packed).filter(|stored| stored.watcher == watcher) else {
            return self.refuse_event(inbound, server, Refusal::NotOurDialog, &[], out);
        };
        if message.cseq().number <= stored.remote_cseq {
            return self.refuse_event(inbound, server, Refusal::OutOfOrder, &[], out);
        }
        let Some(user) = user_at(&self.snapshot, stored.presentity).cloned() else {
            return self.refuse_event(inbound, server, Refusal::NotFound, &[], out);
        };
        let expires = match self.granted(inbound, &user) {
            Ok(expires) => expires,
            Err(min) => {
                let min = min.to_string();
                let line = [("Min-Expires", min.as_bytes())];
                return self.refuse_event(inbound, server, Refusal::IntervalTooBrief, &line, out);
            }
        };
        let given = match self.given_again(&message, &user, self.events.watches.is_given(slot)) {
            Ok(given) => given,
            Err(amiss) => return self.refuse_list(inbound, server, amiss, out),
        };
        let contact = message.contacts().flatten().find_map(|contact| contact.address().map(|address| address.uri));
        let target = contact.unwrap_or(stored.target);
        let flow = flow_bytes(inbound.arrival.transport, &inbound.flow_to(target));
        let renewed = Subscription {
            expires: WallTime(inbound.now.wall.0 + u64::from(expires) * 1000),
            remote_cseq: message.cseq().number,
            target,
            flow: &flow,
            reserved: self.events.watches.get(slot).map_or(stored.reserved, |watch| watch.reserved),
            ..stored
        };
        let Some(seq) = self.write_subscription(group, &key, &renewed) else {
            return self.refuse_event(inbound, server, Refusal::TooLarge, &[], out);
        };
        if let Some(uris) = given
            && self.write_list(group, &key, &uris).is_none()
        {
            return self.refuse_event(inbound, server, Refusal::TooManyRecipients, &[], out);
        }
        self.events.watches.put(key, group, &renewed);
        if renewed.list {
            let members = self.fill_list(slot, renewed.presentity);
            self.note_list(renewed.presentity, &members);
        }
        if expires == 0 {
            self.events.watches.last(slot, super::watches::End::Timeout);
        }
        let bytes = self.subscribed(inbound, expires, renewed.list);
        self.answer_after(inbound.now, Some(seq), (server, 200, bytes), Some(key));
    }

    fn refuse_list(&mut self, inbound: &Inbound<'_>, server: ServerId, amiss: Amiss, out: &mut Outbox) {
        let (refusal, header, value) = amiss;
        self.refuse_event(inbound, server, refusal, &[(header, &value)], out);
    }

    /// Writes the record; `None` when it is larger than one may be.
    pub(crate) fn write_subscription(
        &mut self,
        group: u8,
        key: &[u8; 16],
        subscription: &Subscription<'_>,
    ) -> Option<u64> {
        let mut packed = std::mem::take(&mut self.events.scratch);
        packed.clear();
        subscription.pack(&mut packed);
        let group = &mut self.groups[usize::from(group)];
        let fits = packed.len() <= MAX_SUBSCRIPTION;
        let seq =
            fits.then(|| group.put_facet(facet_kind::SUBSCRIPTION, key, &packed, &mut self.journal).ok()).flatten();
        self.events.scratch = packed;
        seq
    }

    /// What names a dialog of ours in table and store: the same after a restart.
    pub(crate) fn dialog_key(&self, call_id: &[u8], local_tag: &[u8], remote_tag: &[u8]) -> [u8; 16] {
        self.keys.name(&[call_id, local_tag, remote_tag])
    }

    /// Those whom somebody's list names for the first time are asked about its owner.
    pub(super) fn note_list(&mut self, owner: &str, members: &[Box<str>]) {
        let snapshot = Arc::clone(&self.snapshot);
        let others = members.iter().filter(|member| ***member != *owner);
        for member in others.filter_map(|member| user_at(&snapshot, member)).filter(|user| user.enabled) {
            self.note_watcher(member, owner);
        }
    }

    /// The owner is asked about a new watcher once.
    pub(super) fn note_watcher(&mut self, user: &UserRecord, watcher: &str) {
        let aor = user.address.as_str();
        let snapshot = Arc::clone(&self.snapshot);
        let policy = snapshot.presence_policy(user);
        let group = &mut self.groups[usize::from(routing_group(aor))];
        let known =
            ContactList::load(group, aor).is_ok_and(|mut list| list.note_watcher(watcher, policy) != WatcherNote::New);
        if !known {
            let noted = ContactList::edit(aor, policy, group, &mut self.journal, |list| {
                list.note_watcher(watcher, policy);
                Ok(())
            });
            if let Err(refusal) = noted {
                tracing::debug!(%refusal, "a new watcher was not noted");
            }
        }
    }
}

/// A Contact with our own address, in angle brackets.
pub(crate) fn write_contact(advertised: &str, transport: Transport, out: &mut Vec<u8>) {
    out.extend_from_slice(b"<sip:");
    out.extend_from_slice(advertised.as_bytes());
    if transport != Transport::Udp {
        out.extend_from_slice(b";transport=");
        out.extend_from_slice(transport.uri_param().as_bytes());
    }
    out.push(b'>');
}

/// The canonical address in From.
pub(crate) fn from_address(message: &Message<'_>) -> Option<String> {
    let uri = message.from().ok()?.parsed_uri().ok()?;
    let user = uri.user_unescaped()?;
    let (user, host) = (std::str::from_utf8(&user).ok()?, std::str::from_utf8(uri.host_text()).ok()?);
    let mut address = String::with_capacity(user.len() + 1 + host.len());
    address.push_str(user);
    address.push('@');
    address.push_str(host);
    address.make_ascii_lowercase();
    Some(address)
}

/// RFC 4662: the watcher understands lists, and the Request-URI names one.
fn asks_for_list(message: &Message<'_>) -> bool {
    message.has_option(Name::Supported, "eventlist")
        && message.parsed_request_uri().is_ok_and(|uri| uri.param("list").is_some_and(|list| list == b"contacts"))
}
