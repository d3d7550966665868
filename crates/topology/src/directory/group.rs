//! Distribution groups: an address that stands for people and for other groups.

use super::Directory;
use super::address::AddressOfRecord;
use super::user::UserRecord;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// Members that one record lists at most.
pub const GROUP_MEMBERS_MOST: usize = 1_000;
/// How deep groups stand in groups.
pub const GROUP_DEPTH_MOST: usize = 8;
/// People that an expansion finds at most.
pub const GROUP_PEOPLE_MOST: usize = 1_000;

/// A distribution group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRecord {
    /// Where it is reached; no user has the same.
    pub address: AddressOfRecord,
    /// The name people see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<Box<str>>,
    /// Users and groups.
    #[serde(default)]
    pub members: Box<[AddressOfRecord]>,
}

/// The people of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expansion {
    /// Enabled users, each once, sorted by address.
    pub people: Vec<Arc<UserRecord>>,
    /// Whether a bound left some out.
    pub cut: bool,
}

/// Why a group cannot be as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupFault {
    /// A user has the address.
    AddressTaken(AddressOfRecord),
    /// More members than [`GROUP_MEMBERS_MOST`].
    TooManyMembers(usize),
    /// Neither a user nor a group.
    UnknownMember(AddressOfRecord),
    /// Through this member the group would contain itself.
    Loop(AddressOfRecord),
    /// Through this member groups would stand deeper in each other than [`GROUP_DEPTH_MOST`].
    TooDeep(AddressOfRecord),
}

impl fmt::Display for GroupFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddressTaken(address) => write!(f, "{address} is a user"),
            Self::TooManyMembers(count) => {
                write!(f, "{count} members; a group has {GROUP_MEMBERS_MOST} at most, and may hold further groups")
            }
            Self::UnknownMember(address) => write!(f, "{address} is neither a user nor a group"),
            Self::Loop(address) => write!(f, "through {address} the group would contain itself"),
            Self::TooDeep(address) => {
                write!(f, "through {address} groups would stand more than {GROUP_DEPTH_MOST} deep in each other")
            }
        }
    }
}

impl std::error::Error for GroupFault {}

impl Directory {
    /// The group with this address.
    pub fn group(&self, address: &AddressOfRecord) -> Option<&Arc<GroupRecord>> {
        self.groups.find(address.hash(), |group| group.address == *address)
    }

    /// The group that these parts of a SIP URI name, as they were received.
    pub fn group_at(&self, user: &[u8], domain: &[u8]) -> Option<&Arc<GroupRecord>> {
        self.groups.find(super::address_hash(user, domain), |group| group.address.is(user, domain))
    }

    /// All groups, in no particular order.
    pub fn groups(&self) -> impl Iterator<Item = &Arc<GroupRecord>> {
        self.groups.iter()
    }

    /// Adds or replaces a group, in place.
    pub fn insert_group(&mut self, group: GroupRecord) {
        self.remove_group(&group.address);
        self.groups.insert(group.address.hash(), Arc::new(group), |other| other.address.hash());
    }

    /// Removes a group, in place. Groups that list it list nobody by that address then.
    pub fn remove_group(&mut self, address: &AddressOfRecord) -> Option<Arc<GroupRecord>> {
        self.groups.remove(address.hash(), |group| group.address == *address)
    }

    /// Whether this group can stand in the directory.
    pub fn check_group(&self, group: &GroupRecord) -> Result<(), GroupFault> {
        if self.get(&group.address).is_some() {
            return Err(GroupFault::AddressTaken(group.address.clone()));
        }
        if group.members.len() > GROUP_MEMBERS_MOST {
            return Err(GroupFault::TooManyMembers(group.members.len()));
        }
        for member in &group.members {
            if *member == group.address {
                return Err(GroupFault::Loop(member.clone()));
            }
            let Some(inner) = self.group(member) else {
                self.get(member).ok_or_else(|| GroupFault::UnknownMember(member.clone()))?;
                continue;
            };
            self.check_below(group, inner, member)?;
        }
        Ok(())
    }

    /// Goes down level by level, each group once: what a loop would repeat is found on its first round.
    fn check_below(
        &self,
        group: &GroupRecord,
        inner: &GroupRecord,
        member: &AddressOfRecord,
    ) -> Result<(), GroupFault> {
        let mut seen: HashSet<&AddressOfRecord> = HashSet::new();
        let mut level: Vec<&AddressOfRecord> = inner.members.iter().collect();
        for _ in 2..=GROUP_DEPTH_MOST {
            let mut below = Vec::new();
            for address in level {
                if *address == group.address {
                    return Err(GroupFault::Loop(member.clone()));
                }
                if let Some(next) = self.group(address).filter(|_| seen.insert(address)) {
                    below.extend(next.members.iter());
                }
            }
            level = below;
        }
        match level.iter().any(|address| self.group(address).is_some()) {
            true => Err(GroupFault::TooDeep(member.clone())),
            false => Ok(()),
        }
    }

    /// The people whom a group stands for. A loop that came about otherwise ends where it began.
    pub fn expand(&self, group: &GroupRecord) -> Expansion {
        let mut seen: HashSet<&AddressOfRecord> = HashSet::from([&group.address]);
        let mut found = Expansion::default();
        let mut level: Vec<&AddressOfRecord> = group.members.iter().collect();
        for _ in 0..=GROUP_DEPTH_MOST {
            let mut below = Vec::new();
            for address in level.into_iter().filter(|address| seen.insert(address)) {
                if let Some(user) = self.get(address).filter(|user| user.enabled) {
                    if found.people.len() == GROUP_PEOPLE_MOST {
                        found.cut = true;
                        break;
                    }
                    found.people.push(Arc::clone(user));
                } else if let Some(inner) = self.group(address) {
                    below.extend(inner.members.iter());
                }
            }
            level = below;
        }
        found.cut |= !level.is_empty();
        found.people.sort_unstable_by(|a, b| a.address.cmp(&b.address));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::UserId;

    fn address(name: &str) -> AddressOfRecord {
        AddressOfRecord::parse(&format!("{name}@contoso.com")).unwrap()
    }

    fn group(name: &str, members: &[&str]) -> GroupRecord {
        GroupRecord {
            address: address(name),
            display_name: None,
            members: members.iter().map(|member| address(member)).collect(),
        }
    }

    fn directory() -> Directory {
        let mut directory = Directory::default();
        for (id, name) in [(1, "anna"), (2, "ben"), (3, "clara")] {
            directory.insert(UserRecord::new(UserId(id), address(name), "p")).unwrap();
        }
        let mut off = UserRecord::new(UserId(4), address("off"), "p");
        off.enabled = false;
        directory.insert(off).unwrap();
        directory.insert_group(group("inner", &["ben", "clara", "off"]));
        directory.insert_group(group("outer", &["anna", "ben", "inner", "gone"]));
        directory
    }

    fn people(directory: &Directory, name: &str) -> Vec<String> {
        let found = directory.expand(directory.group(&address(name)).unwrap());
        found.people.iter().map(|user| user.address.user().to_owned()).collect()
    }

    #[test]
    fn a_group_is_its_enabled_people_each_once() {
        let directory = directory();
        assert_eq!(people(&directory, "outer"), ["anna", "ben", "clara"]);
        assert_eq!(people(&directory, "inner"), ["ben", "clara"]);
        assert!(directory.group_at(b"OUTER", b"Contoso.com.").is_some());
    }

    #[test]
    fn loops_strangers_and_taken_addresses_are_refused() {
        let directory = directory();
        for (wanted, fault) in [
            (group("new", &["anna", "inner"]), None),
            (group("inner", &["outer"]), Some(GroupFault::Loop(address("outer")))),
            (group("inner", &["inner"]), Some(GroupFault::Loop(address("inner")))),
            (group("new", &["nobody"]), Some(GroupFault::UnknownMember(address("nobody")))),
            (group("anna", &["ben"]), Some(GroupFault::AddressTaken(address("anna")))),
        ] {
            assert_eq!(directory.check_group(&wanted).err(), fault, "{wanted:?}");
        }
    }

    #[test]
    fn depth_is_bounded_and_a_loop_ends() {
        let mut directory = directory();
        directory.insert_group(group("g0", &["anna"]));
        for depth in 1..=GROUP_DEPTH_MOST + 1 {
            let next = group(&format!("g{depth}"), &[&format!("g{}", depth - 1), "ben"]);
            let fault = directory.check_group(&next).err();
            let deep = (depth > GROUP_DEPTH_MOST).then(|| GroupFault::TooDeep(address(&format!("g{}", depth - 1))));
            assert_eq!(fault, deep, "{depth}");
            directory.insert_group(next);
        }
        assert_eq!(people(&directory, &format!("g{GROUP_DEPTH_MOST}")), ["anna", "ben"]);
        assert!(directory.expand(directory.group(&address("g9")).unwrap()).cut);
        directory.insert_group(group("inner", &["ben", "outer"]));
        assert_eq!(people(&directory, "outer"), ["anna", "ben"]);
    }
}
