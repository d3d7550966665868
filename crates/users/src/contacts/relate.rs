//! What a watcher is to the owner of a list, and who is asked about.

use super::MAX_KNOWN_WATCHERS;
use super::list::{ContactList, Who};
use crate::presence::{Relationship, Standing};
use lyceum_topology::PresencePolicy;

/// What became of a new watcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatcherNote {
    /// The owner knows them or has been told.
    Known,
    /// The owner is to be asked about them; the list has changed.
    New,
    /// As many wait for an answer as the policy allows; the owner is not asked about this one.
    Full,
}

impl ContactList {
    /// What a watcher is to the owner: what was said of them, else of their domain, else the default of inside or
    /// outside the organisation.
    pub fn relationship_of(&self, watcher: &str, same_organisation: bool) -> Relationship {
        let watcher = watcher.to_ascii_lowercase();
        let domain = watcher.split_once('@').map_or("", |(_, domain)| domain);
        let is_address = |who: &Who| matches!(who, Who::Address(address) if *address == watcher);
        let is_domain = |who: &Who| matches!(who, Who::Domain(of) if of == domain);
        let said = |is: &dyn Fn(&Who) -> bool| self.relationships.iter().find(|rule| is(&rule.who));
        match said(&is_address).or_else(|| said(&is_domain)) {
            Some(rule) => rule.relationship,
            None if same_organisation => Relationship::Colleagues,
            None => Relationship::External,
        }
    }

    /// The relationship, and whether privacy mode hides the owner's presence from this watcher.
    pub fn standing_of(&self, watcher: &str, same_organisation: bool, policy: &PresencePolicy) -> Standing {
        let relationship = self.relationship_of(watcher, same_organisation);
        let private = self.privacy_mode.unwrap_or(policy.privacy_mode);
        // Who was given more than the default was meant to see it, on the list or not.
        let trusted = relationship >= Relationship::Workgroup;
        Standing { relationship, hidden: private && !trusted && !self.contains(watcher) }
    }

    /// Remembers that somebody watches, so that the owner can be asked what they may see. The caller writes the list
    /// when it says [`WatcherNote::New`], through [`ContactList::edit`].
    pub fn note_watcher(&mut self, watcher: &str, policy: &PresencePolicy) -> WatcherNote {
        let watcher = watcher.to_ascii_lowercase();
        let said = |who: &Who| matches!(who, Who::Address(address) if *address == watcher);
        let known = self.contains(&watcher)
            || self.relationships.iter().any(|rule| said(&rule.who))
            || self.pending_watchers.contains(&watcher)
            || self.known_watchers.contains(&watcher);
        if known {
            WatcherNote::Known
        } else if self.pending_watchers.len() >= policy.max_prompted_subscriber as usize {
            WatcherNote::Full
        } else {
            self.pending_watchers.push(watcher);
            WatcherNote::New
        }
    }

    /// The owner has been told of a watcher and leaves it at the default.
    pub fn acknowledge_watcher(&mut self, watcher: &str) -> bool {
        let watcher = watcher.to_ascii_lowercase();
        let Some(at) = self.pending_watchers.iter().position(|pending| *pending == watcher) else { return false };
        self.pending_watchers.remove(at);
        if self.known_watchers.len() >= MAX_KNOWN_WATCHERS {
            self.known_watchers.remove(0);
        }
        self.known_watchers.push(watcher);
        true
    }
}
