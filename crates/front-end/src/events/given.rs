//! Lists that come with a SUBSCRIBE (RFC 5367): the presence of those whom it names, as one subscription.
//!
//! The URIs are kept as they came, in a facet beside the record of the subscription, and told again in the same words;
//! whom they mean is looked up whenever the list is filled.

use std::sync::Arc;

use lyceum_sip::{Message, Name, NameAddr, Uri};
use lyceum_topology::{PresencePolicy, UserRecord, routing_group};
use lyceum_users::contacts::ContactList;
use lyceum_users::facet_kind;
use lyceum_users::format::resource_lists::{self, ListError};
use lyceum_users::format::xml::XmlError;
use lyceum_users::subscription::{Subscription, pack_list, unpack_list};

use super::user_at;
use crate::core::Core;
use crate::inbound::Inbound;
use crate::messages::address_of;
use crate::refusal::{Refusal, warning};

/// What a SUBSCRIBE with a list requires (RFC 5367 §3).
pub(super) const OPTION: &str = "recipient-list-subscribe";
/// Lists of this kind that one user watches at a time, on all their devices.
pub(super) const LISTS_OF_ONE: usize = 32;

/// A refusal, and the header that says what is amiss.
pub(super) type Amiss = (Refusal, &'static str, Vec<u8>);

/// What a SUBSCRIBE says about its list.
pub(super) enum Given {
    /// There is none, and none is meant.
    Nothing,
    /// It requires one and brings none: a refresh keeps what there is.
    Kept,
    /// Its URIs in order, each person once.
    List(Vec<String>),
}

fn malformed(why: &str) -> Amiss {
    (Refusal::Malformed, "Warning", warning(why))
}

fn amiss(error: ListError) -> Amiss {
    match error {
        ListError::NoList => {
            let read = format!("{}, multipart/mixed", resource_lists::CONTENT_TYPE);
            (Refusal::UnsupportedList, "Accept", read.into_bytes())
        }
        ListError::TooMany | ListError::Xml(XmlError::TooLarge { .. }) => {
            (Refusal::TooManyRecipients, "Warning", warning(&error.to_string()))
        }
        _ => malformed(&format!("the list of people: {error}")),
    }
}

impl Core {
    /// Reads the list of a SUBSCRIBE, as far as this user's policy allows one.
    pub(super) fn given(&self, message: &Message<'_>, policy: &PresencePolicy) -> Result<Given, Amiss> {
        let content_type = String::from_utf8_lossy(message.value(Name::ContentType).unwrap_or_default());
        if !message.has_option(Name::Require, OPTION) {
            // Passing over a list would watch something else than was asked for.
            return match resource_lists::of_request(&content_type, message.body()) {
                Err(ListError::NoList | ListError::Multipart(_)) => Ok(Given::Nothing),
                _ => Err((Refusal::ExtensionRequired, "Require", OPTION.as_bytes().to_vec())),
            };
        }
        if message.body().is_empty() {
            return Ok(Given::Kept);
        }
        if message.values(Name::ContentEncoding).any(|encoding| !encoding.eq_ignore_ascii_case(b"identity")) {
            return Err((Refusal::UnsupportedList, "Accept-Encoding", b"identity".to_vec()));
        }
        let (entries, _) = resource_lists::of_request(&content_type, message.body()).map_err(amiss)?;
        let (mut uris, mut seen) = (Vec::new(), std::collections::HashSet::new());
        for entry in entries {
            let member = self.member(&entry.uri).ok_or_else(|| malformed(&format!("{} is no URI", entry.uri)))?;
            if seen.insert(member) {
                uris.push(entry.uri);
            }
        }
        let most = policy.max_contacts as usize;
        if uris.len() > most {
            let why = format!("the list has {} people; at most {most} may be on one", uris.len());
            return Err((Refusal::TooManyRecipients, "Warning", warning(&why)));
        }
        Ok(Given::List(uris))
    }

    /// The list that begins a subscription; `None` when it is to be one without.
    pub(super) fn given_anew(&self, message: &Message<'_>, watcher: &str) -> Result<Option<Vec<String>>, Amiss> {
        let fallback = PresencePolicy::default();
        let policy = user_at(&self.snapshot, watcher).map_or(&fallback, |user| self.snapshot.presence_policy(user));
        match self.given(message, policy)? {
            Given::Nothing => Ok(None),
            Given::Kept => Err(malformed("a list of people is required and is not in the body")),
            Given::List(_) if ![Name::Supported, Name::Require].iter().any(|n| message.has_option(*n, "eventlist")) => {
                Err((Refusal::ExtensionRequired, "Require", b"eventlist".to_vec()))
            }
            Given::List(uris) => Ok(Some(uris)),
        }
    }

    /// The list that a refresh brings instead of the one that there is.
    pub(super) fn given_again(
        &self,
        message: &Message<'_>,
        user: &UserRecord,
        is_given: bool,
    ) -> Result<Option<Vec<String>>, Amiss> {
        match self.given(message, self.snapshot.presence_policy(user))? {
            Given::List(_) | Given::Kept if !is_given => {
                Err(malformed("this subscription was not begun with a list; begin another"))
            }
            Given::List(uris) => Ok(Some(uris)),
            Given::Kept | Given::Nothing => Ok(None),
        }
    }

    /// Whose subscription one with a list is: the watcher's own, sent to where lists are sent to or to their own address.
    pub(super) fn list_owner(&self, inbound: &Inbound<'_>, watcher: &str) -> Result<Arc<UserRecord>, Refusal> {
        let own = user_at(&self.snapshot, watcher).filter(|user| user.enabled).ok_or(Refusal::NotYourPresence)?;
        match self.presentity_of(inbound) {
            Some(user) if user.id == own.id => Ok(user),
            Some(_) => Err(Refusal::NotYourPresence),
            None if inbound.message.parsed_request_uri().is_ok_and(|uri| self.is_list(&uri)) => Ok(Arc::clone(own)),
            None => Err(Refusal::NotFound),
        }
    }

    /// Whom a URI of a list means: the canonical address of one of our users, or the address as it is written. Nobody is
    /// found by what hides their address.
    fn member(&self, uri: &str) -> Option<Box<str>> {
        let parsed = Uri::parse(uri.as_bytes()).ok()?;
        let written = address_of(uri.as_bytes())?;
        let user = parsed.user().filter(|_| self.is_us(&parsed) && parsed.param("gr").is_none()).and_then(|user| {
            let domain = self.snapshot.our_domain(parsed.host_text());
            let domain = domain.unwrap_or_else(|| self.snapshot.default_domain());
            self.snapshot.user(user, domain.as_str().as_bytes())
        });
        Some(user.map_or_else(|| written.into(), |user| user.address.as_str().into()))
    }

    /// Keeps the list of a subscription beside it.
    pub(super) fn write_list(&mut self, group: u8, key: &[u8; 16], uris: &[String]) -> Option<u64> {
        let mut packed = Vec::new();
        pack_list(uris, &mut packed);
        let group = &mut self.groups[usize::from(group)];
        group.put_facet(facet_kind::SUBSCRIBED_LIST, key, &packed, &mut self.journal).ok()
    }

    /// The record of a subscription goes, and its list.
    pub(super) fn remove_subscription(&mut self, group: u8, key: &[u8; 16]) {
        let group = &mut self.groups[usize::from(group)];
        group.remove_facet(facet_kind::SUBSCRIPTION, key, &mut self.journal);
        group.remove_facet(facet_kind::SUBSCRIBED_LIST, key, &mut self.journal);
    }

    /// The members of a list watch, from the list as it is now: the one that it was given, or its owner's contacts. Gives
    /// those who were not on it before.
    pub(crate) fn fill_list(&mut self, slot: u32, owner: &str) -> Vec<Box<str>> {
        let Some((group, key)) = self.events.watches.key_at(slot) else { return Vec::new() };
        let Some(packed) = self.groups[usize::from(group)].facet(facet_kind::SUBSCRIBED_LIST, &key) else {
            let contacts =
                ContactList::load(&self.groups[usize::from(routing_group(owner))], owner).unwrap_or_default();
            let members = contacts.contacts.iter().map(|entry| entry.address.as_str().into()).collect();
            return self.events.watches.set_members(slot, members, None);
        };
        let (mut members, mut uris): (Vec<Box<str>>, Vec<Box<str>>) = (Vec::new(), Vec::new());
        let mut seen = std::collections::HashSet::new();
        for uri in unpack_list(packed).unwrap_or_default() {
            let member = self.member(uri).unwrap_or_else(|| uri.into());
            if seen.insert(member.clone()) {
                members.push(member);
                uris.push(uri.into());
            }
        }
        self.events.watches.set_members(slot, members, Some(uris))
    }

    /// All list watches, at start.
    pub(crate) fn load_lists(&mut self) {
        for slot in self.events.watches.list_slots() {
            self.fill_again(slot);
        }
    }

    /// A list watch as the store has it.
    pub(super) fn fill_again(&mut self, slot: u32) {
        let Some((group, key)) = self.events.watches.key_at(slot) else { return };
        let packed = self.groups[usize::from(group)].facet(facet_kind::SUBSCRIPTION, &key);
        let stored = packed.and_then(Subscription::unpack).filter(|stored| stored.list);
        if let Some(owner) = stored.map(|stored| stored.presentity.to_owned()) {
            self.fill_list(slot, &owner);
        }
    }
}

/// What the list of a subscription is called: as it was subscribed to.
pub(super) fn list_uri(subscription: &Subscription<'_>, is_given: bool) -> String {
    let asked = NameAddr::parse(subscription.local).ok().and_then(|to| std::str::from_utf8(to.uri).ok());
    match asked.filter(|_| is_given) {
        Some(uri) => uri.to_owned(),
        None => format!("sip:{};list=contacts", subscription.presentity),
    }
}
