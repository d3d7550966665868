//! Contact lists: whom a user knows, in which groups, and what each of them may see.
//!
//! One list per user, kept as a facet and changed as a whole under a version, so that two devices do not undo each
//! other's changes. The list also remembers who watches without being on it, until the user has said what they may see.

mod edit;
mod list;
mod pack;
mod relate;

pub use edit::ContactRefusal;
pub use list::{ContactEntry, ContactGroup, ContactList, Rule, Who};
pub use relate::WatcherNote;

use crate::facet::facet_kind::CONTACTS;
use crate::group::Group;
use crate::journal::Journal;
use lyceum_topology::PresencePolicy;

/// Most groups of a list.
pub const MAX_GROUPS: usize = 64;
/// Longest name of a group or contact, in characters.
pub const MAX_NAME: usize = 256;
/// Longest address, in bytes.
pub const MAX_ADDRESS: usize = 256;
/// Most relationships beside the defaults.
pub const MAX_RELATIONSHIPS: usize = 2_000;
/// Most watchers of whom the user has been told; beyond it the one told longest ago is forgotten.
pub const MAX_KNOWN_WATCHERS: usize = 600;

/// A stored contact list that is damaged or written by a newer server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListDamaged;

impl std::fmt::Display for ListDamaged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a contact list cannot be read; start the newer server, or restore a backup")
    }
}

impl std::error::Error for ListDamaged {}

impl ContactList {
    /// The list of a user; an empty one of version 0 where there is none.
    pub fn load(group: &Group, aor: &str) -> Result<ContactList, ListDamaged> {
        match group.facet(CONTACTS, aor.as_bytes()) {
            Some(packed) => ContactList::unpack(packed).ok_or(ListDamaged),
            None => Ok(ContactList::default()),
        }
    }

    /// Replaces the list, if it still has the version that the change was made from. The new version is the stored one
    /// and one more, whatever `list` says. Watchers are not the client's to change and stay as stored.
    pub fn replace(
        self,
        aor: &str,
        based_on: u64,
        policy: &PresencePolicy,
        group: &mut Group,
        journal: &mut Journal,
    ) -> Result<(ContactList, u64), ContactRefusal> {
        let stored = ContactList::load(group, aor)?;
        if stored.version != based_on {
            return Err(ContactRefusal::VersionConflict { current: stored.version });
        }
        let list = ContactList {
            version: stored.version + 1,
            pending_watchers: stored.pending_watchers.clone(),
            known_watchers: stored.known_watchers.clone(),
            ..self
        };
        list.check(policy, &stored)?;
        let block = list.store(aor, group, journal)?;
        Ok((list, block))
    }

    /// Changes the list, checks it, and writes it under the next version.
    pub fn edit(
        aor: &str,
        policy: &PresencePolicy,
        group: &mut Group,
        journal: &mut Journal,
        edit: impl FnOnce(&mut ContactList) -> Result<(), ContactRefusal>,
    ) -> Result<(ContactList, u64), ContactRefusal> {
        let stored = ContactList::load(group, aor)?;
        let mut list = stored.clone();
        edit(&mut list)?;
        list.version = stored.version + 1;
        list.check(policy, &stored)?;
        let block = list.store(aor, group, journal)?;
        Ok((list, block))
    }

    /// Forgets the list of a user who was removed.
    pub fn remove(aor: &str, group: &mut Group, journal: &mut Journal) -> Option<u64> {
        group.remove_facet(CONTACTS, aor.as_bytes(), journal)
    }

    fn store(&self, aor: &str, group: &mut Group, journal: &mut Journal) -> Result<u64, ContactRefusal> {
        let mut packed = Vec::new();
        self.pack(&mut packed);
        group.put_facet(CONTACTS, aor.as_bytes(), &packed, journal).map_err(|_| ContactRefusal::TooLarge)
    }
}
