//! Changes of a list, and what a list may not be.

use super::list::{ContactEntry, ContactList, Rule, Who};
use super::{ListDamaged, MAX_GROUPS, MAX_NAME, MAX_RELATIONSHIPS};
use crate::presence::Relationship;
use lyceum_topology::PresencePolicy;
use std::collections::BTreeSet;

/// Why a list is not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactRefusal {
    /// It was changed since it was read.
    VersionConflict {
        /// The version that it has now.
        current: u64,
    },
    /// More contacts, groups, distribution groups or relationships than allowed.
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// A name over its bound, or empty.
    BadName {
        /// The name.
        name: String,
    },
    /// Not an address.
    BadAddress {
        /// What stands there.
        address: String,
    },
    /// Twice the same.
    Duplicate {
        /// What is there twice.
        what: String,
    },
    /// A contact is in a group that is not there.
    UnknownGroup {
        /// The contact.
        address: String,
        /// The group.
        group: u32,
    },
    /// There is no such contact.
    NotFound {
        /// The address.
        address: String,
    },
    /// The whole list is over the bound of a record.
    TooLarge,
    /// The stored list cannot be read.
    Damaged,
}

impl From<ListDamaged> for ContactRefusal {
    fn from(_: ListDamaged) -> Self {
        ContactRefusal::Damaged
    }
}

impl std::fmt::Display for ContactRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ContactRefusal::VersionConflict { current } => {
                write!(
                    f,
                    "the contact list was changed meanwhile and has version {current}; read it and change it again"
                )
            }
            ContactRefusal::TooMany { what, limit } => {
                write!(f, "the list would have over {limit} {what}; remove some, or have the presence policy raised")
            }
            ContactRefusal::BadName { name } => {
                write!(f, "the name {name:?} is empty or over {MAX_NAME} characters; choose another")
            }
            ContactRefusal::BadAddress { address } => {
                write!(f, "{address:?} is no address; write user@domain")
            }
            ContactRefusal::Duplicate { what } => write!(f, "{what} is there twice; leave one out"),
            ContactRefusal::UnknownGroup { address, group } => {
                write!(f, "{address} is in group {group}, which is not there; add the group or take it off the contact")
            }
            ContactRefusal::NotFound { address } => write!(f, "{address} is no contact"),
            ContactRefusal::TooLarge => write!(f, "the contact list is over its bound as a whole; shorten names"),
            ContactRefusal::Damaged => ListDamaged.fmt(f),
        }
    }
}

impl std::error::Error for ContactRefusal {}

impl ContactList {
    /// Adds a contact, or changes one that is there. Who is added is not asked about any more.
    pub fn put_contact(&mut self, mut entry: ContactEntry) -> Result<(), ContactRefusal> {
        entry.address = address(&entry.address)?;
        self.pending_watchers.retain(|watcher| *watcher != entry.address);
        match self.contacts.iter_mut().find(|contact| contact.address == entry.address) {
            Some(contact) => *contact = entry,
            None => self.contacts.push(entry),
        }
        Ok(())
    }

    /// Removes a contact.
    pub fn remove_contact(&mut self, of: &str) -> Result<(), ContactRefusal> {
        let address = address(of)?;
        let before = self.contacts.len();
        self.contacts.retain(|contact| contact.address != address);
        if self.contacts.len() < before { Ok(()) } else { Err(ContactRefusal::NotFound { address }) }
    }

    /// Says what somebody may see; `None`: the default again.
    pub fn relate(&mut self, who: Who, relationship: Option<Relationship>) {
        self.relationships.retain(|rule| rule.who != who);
        if let Who::Address(address) = &who {
            self.pending_watchers.retain(|watcher| watcher != address);
        }
        if let Some(relationship) = relationship {
            self.relationships.push(Rule { who, relationship });
        }
    }

    /// Whether somebody is on the list.
    pub fn contains(&self, address: &str) -> bool {
        self.contacts.iter().any(|contact| contact.address.eq_ignore_ascii_case(address))
    }

    /// What must hold of every list. A limit that was lowered since refuses growth, not every change.
    pub fn check(&self, policy: &PresencePolicy, stored: &ContactList) -> Result<(), ContactRefusal> {
        let bounded = |what: &'static str, now: usize, before: usize, limit: usize| {
            if now > limit && now > before { Err(ContactRefusal::TooMany { what, limit }) } else { Ok(()) }
        };
        let distribution =
            |list: &ContactList| list.groups.iter().filter(|group| group.distribution_group.is_some()).count();
        bounded("contacts", self.contacts.len(), stored.contacts.len(), policy.max_contacts as usize)?;
        let most = policy.max_distribution_groups as usize;
        bounded("distribution groups", distribution(self), distribution(stored), most)?;
        bounded("groups", self.groups.len(), 0, MAX_GROUPS)?;
        bounded("relationships", self.relationships.len(), 0, MAX_RELATIONSHIPS)?;
        self.check_groups()?;
        self.check_contacts()?;
        let mut rules = BTreeSet::new();
        match self.relationships.iter().find(|rule| !rules.insert(&rule.who)) {
            Some(rule) => Err(ContactRefusal::Duplicate { what: rule.who.to_string() }),
            None => Ok(()),
        }
    }

    fn check_groups(&self) -> Result<(), ContactRefusal> {
        let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
        for group in &self.groups {
            name(&group.name)?;
            if group.id == 0 || !ids.insert(group.id) || !names.insert(&group.name) {
                return Err(ContactRefusal::Duplicate { what: format!("group {} {:?}", group.id, group.name) });
            }
            if let Some(of) = &group.distribution_group {
                canonical(of)?;
            }
        }
        Ok(())
    }

    fn check_contacts(&self) -> Result<(), ContactRefusal> {
        let groups: BTreeSet<u32> = self.groups.iter().map(|group| group.id).collect();
        let mut addresses = BTreeSet::new();
        for contact in &self.contacts {
            canonical(&contact.address)?;
            if !addresses.insert(&contact.address) {
                return Err(ContactRefusal::Duplicate { what: contact.address.clone() });
            }
            contact.display_name.as_deref().map_or(Ok(()), name)?;
            let mut own = BTreeSet::new();
            if let Some(group) = contact.groups.iter().find(|group| !groups.contains(group)) {
                return Err(ContactRefusal::UnknownGroup { address: contact.address.clone(), group: *group });
            }
            if contact.groups.iter().any(|group| !own.insert(group)) {
                return Err(ContactRefusal::Duplicate { what: format!("a group of {}", contact.address) });
            }
        }
        Ok(())
    }
}

/// An address as lists keep it.
pub(super) fn address(text: &str) -> Result<String, ContactRefusal> {
    match Who::parse(text) {
        Some(Who::Address(address)) => Ok(address),
        _ => Err(ContactRefusal::BadAddress { address: text.chars().take(80).collect() }),
    }
}

/// Addresses of a list are compared to the letter.
fn canonical(text: &str) -> Result<(), ContactRefusal> {
    if address(text)? == text { Ok(()) } else { Err(ContactRefusal::BadAddress { address: text.to_owned() }) }
}

fn name(name: &str) -> Result<(), ContactRefusal> {
    let good = !name.trim().is_empty() && name.chars().count() <= MAX_NAME && !name.chars().any(char::is_control);
    if good { Ok(()) } else { Err(ContactRefusal::BadName { name: name.chars().take(40).collect() }) }
}
