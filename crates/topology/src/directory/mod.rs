//! The directory: users, groups, numbers and devices, one record each, found without copying a byte.

mod address;
mod assignment;
mod device;
mod group;
mod number;
mod shards;
mod user;

pub use address::{AddressError, AddressOfRecord, folded_address, routing_group};
pub use assignment::Assignment;
pub use device::{DeviceRecord, MacAddress, MacError};
pub use group::{Expansion, GROUP_DEPTH_MOST, GROUP_MEMBERS_MOST, GROUP_PEOPLE_MOST, GroupFault, GroupRecord};
pub use number::{E164, LineUri, NumberError, NumberRecord};
pub use shards::SHARDS;
pub use user::{Job, UserId, UserRecord};

pub(crate) use address::{address_hash, unescaped_lower, without_final_dot};
pub(crate) use assignment::{Assignments, Placed};

use crate::path::Path;
use crate::problem::{Code, Problem};
use shards::Shards;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// All records at one moment. A clone is a few pointers; a change shares all but one shard of 1024
/// with the directory it was made from.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    addresses: Shards<Arc<UserRecord>>,
    ids: Shards<Arc<UserRecord>>,
    lines: Shards<(LineUri, Arc<UserRecord>)>,
    numbers: Shards<Arc<NumberRecord>>,
    devices: Shards<Arc<DeviceRecord>>,
    groups: Shards<Arc<GroupRecord>>,
    pub(crate) assignments: Assignments,
    /// How many users each SIP domain has.
    pub(crate) domains: Arc<BTreeMap<Box<str>, u32>>,
    users: usize,
}

/// Why a record cannot be in the directory beside the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// Another user has this address.
    AddressTaken {
        /// The address.
        address: AddressOfRecord,
        /// Who has it.
        by: UserId,
    },
    /// A distribution group has this address.
    AddressIsGroup {
        /// The address.
        address: AddressOfRecord,
    },
    /// Another user has this number.
    NumberTaken {
        /// The number.
        number: LineUri,
        /// The user who has it.
        by: AddressOfRecord,
    },
}

impl Conflict {
    /// The conflict as a problem of the record that was refused.
    pub fn problem(&self, record: &UserRecord) -> Problem {
        let path = Path::root().key("users").key(record.address.as_str());
        match self {
            Self::AddressTaken { .. } => Problem::new(
                &path.key("address"),
                Code::AddressTaken,
                self.to_string(),
                "Choose another address, or remove that user first.",
            ),
            Self::AddressIsGroup { .. } => Problem::new(
                &path.key("address"),
                Code::AddressTaken,
                self.to_string(),
                "Choose another address, or remove that group first.",
            ),
            Self::NumberTaken { .. } => Problem::new(
                &path.key("numbers"),
                Code::NumberTaken,
                self.to_string(),
                "Take the number from that user first.",
            ),
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddressTaken { address, .. } => write!(f, "Another user already has the address {address}."),
            Self::AddressIsGroup { address } => write!(f, "A distribution group already has the address {address}."),
            Self::NumberTaken { by, .. } => write!(f, "The number already belongs to {by}."),
        }
    }
}

impl std::error::Error for Conflict {}

fn id_hash(id: UserId) -> u64 {
    address::stir(u64::from(id.0) | 1 << 40)
}

impl Directory {
    /// The user with this address.
    pub fn get(&self, address: &AddressOfRecord) -> Option<&Arc<UserRecord>> {
        self.addresses.find(address.hash(), |user| user.address == *address)
    }

    /// The user whom these parts of a SIP URI name, as they were received.
    pub fn find(&self, user: &[u8], domain: &[u8]) -> Option<&Arc<UserRecord>> {
        self.addresses.find(address_hash(user, domain), |record| record.address.is(user, domain))
    }

    /// Users who are new, gone or not as they were in an older directory: as they are now, or were last.
    pub fn users_changed_since<'a>(&'a self, older: &'a Self) -> impl Iterator<Item = &'a Arc<UserRecord>> {
        fn same<'t>(table: &'t hashbrown::HashTable<Arc<UserRecord>>, one: &UserRecord) -> Option<&'t Arc<UserRecord>> {
            table.find(one.address.hash(), |other| other.address == one.address)
        }
        self.addresses.differing(&older.addresses).flat_map(|(new, old)| {
            let changed = new.iter().filter(|one| same(old, one).is_none_or(|before| before != *one));
            changed.chain(old.iter().filter(|one| same(new, one).is_none()))
        })
    }

    /// The user with this number in the store.
    pub fn by_id(&self, id: UserId) -> Option<&Arc<UserRecord>> {
        self.ids.find(id_hash(id), |user| user.id == id)
    }

    /// The user who has this telephone number.
    pub fn by_number(&self, line: LineUri) -> Option<&Arc<UserRecord>> {
        self.lines.find(line.hash(), |(own, _)| *own == line).map(|(_, user)| user)
    }

    /// The record of a number the organisation holds.
    pub fn number(&self, line: LineUri) -> Option<&Arc<NumberRecord>> {
        self.numbers.find(line.hash(), |record| record.number == line)
    }

    /// The record of a device.
    pub fn device(&self, mac: MacAddress) -> Option<&Arc<DeviceRecord>> {
        self.devices.find(mac.hash(), |record| record.mac == mac)
    }

    /// All users, in no particular order.
    pub fn users(&self) -> impl Iterator<Item = &Arc<UserRecord>> {
        self.addresses.iter()
    }

    /// All number records, in no particular order.
    pub fn numbers(&self) -> impl Iterator<Item = &Arc<NumberRecord>> {
        self.numbers.iter()
    }

    /// All device records, in no particular order.
    pub fn devices(&self) -> impl Iterator<Item = &Arc<DeviceRecord>> {
        self.devices.iter()
    }

    /// How many users there are.
    pub fn len(&self) -> usize {
        self.users
    }

    /// Whether there is no user.
    pub fn is_empty(&self) -> bool {
        self.users == 0
    }

    /// The directory with this user added, or put in the place of the user with the same number.
    pub fn with(&self, user: UserRecord) -> Result<Self, Conflict> {
        let mut directory = self.clone();
        directory.insert(user)?;
        Ok(directory)
    }

    /// The directory without this user.
    #[must_use]
    pub fn without(&self, id: UserId) -> Self {
        let mut directory = self.clone();
        directory.remove(id);
        directory
    }

    /// Adds a user in place, or replaces the one with the same number. On a conflict nothing changes.
    pub fn insert(&mut self, mut user: UserRecord) -> Result<Arc<UserRecord>, Conflict> {
        if let Some(conflict) = self.conflict(&user) {
            return Err(conflict);
        }
        self.remove(user.id);
        user.placed = self.assignments.join(&user.placed.assignment);
        let user = Arc::new(user);
        self.addresses.insert(user.address.hash(), user.clone(), |other| other.address.hash());
        self.ids.insert(id_hash(user.id), user.clone(), |other| id_hash(other.id));
        for &line in &user.numbers {
            // A user may list one number twice by mistake; it is one entry.
            if self.by_number(line).is_none() {
                self.lines.insert(line.hash(), (line, user.clone()), |(other, _)| other.hash());
            }
        }
        *Arc::make_mut(&mut self.domains).entry(user.address.domain().into()).or_default() += 1;
        self.users += 1;
        Ok(user)
    }

    /// Why this user cannot be beside the others, if it cannot.
    pub fn conflict(&self, user: &UserRecord) -> Option<Conflict> {
        if let Some(other) = self.get(&user.address).filter(|other| other.id != user.id) {
            return Some(Conflict::AddressTaken { address: user.address.clone(), by: other.id });
        }
        if self.group(&user.address).is_some() {
            return Some(Conflict::AddressIsGroup { address: user.address.clone() });
        }
        user.numbers.iter().find_map(|&number| {
            let other = self.by_number(number).filter(|other| other.id != user.id)?;
            Some(Conflict::NumberTaken { number, by: other.address.clone() })
        })
    }

    /// Removes a user in place.
    pub fn remove(&mut self, id: UserId) -> Option<Arc<UserRecord>> {
        let user = self.ids.remove(id_hash(id), |user| user.id == id)?;
        self.addresses.remove(user.address.hash(), |other| other.id == id);
        for &line in &user.numbers {
            self.lines.remove(line.hash(), |(own, _)| *own == line);
        }
        self.assignments.leave(&user.placed);
        let domains = Arc::make_mut(&mut self.domains);
        if let Some(count) = domains.get_mut(user.address.domain()) {
            *count -= 1;
            if *count == 0 {
                domains.remove(user.address.domain());
            }
        }
        self.users -= 1;
        Some(user)
    }

    /// Adds or replaces the record of a number, in place.
    pub fn insert_number(&mut self, record: NumberRecord) {
        self.remove_number(record.number);
        self.numbers.insert(record.number.hash(), Arc::new(record), |other| other.number.hash());
    }

    /// Removes the record of a number, in place.
    pub fn remove_number(&mut self, line: LineUri) -> Option<Arc<NumberRecord>> {
        self.numbers.remove(line.hash(), |record| record.number == line)
    }

    /// Adds or replaces the record of a device, in place.
    pub fn insert_device(&mut self, record: DeviceRecord) {
        self.remove_device(record.mac);
        self.devices.insert(record.mac.hash(), Arc::new(record), |other| other.mac.hash());
    }

    /// Removes the record of a device, in place.
    pub fn remove_device(&mut self, mac: MacAddress) -> Option<Arc<DeviceRecord>> {
        self.devices.remove(mac.hash(), |record| record.mac == mac)
    }

    /// How many parts were copied to make this directory out of an older one: the work of a change,
    /// whatever the machine.
    pub fn shards_copied_since(&self, older: &Self) -> usize {
        self.addresses.copied_since(&older.addresses)
            + self.ids.copied_since(&older.ids)
            + self.lines.copied_since(&older.lines)
            + self.numbers.copied_since(&older.numbers)
            + self.devices.copied_since(&older.devices)
            + self.groups.copied_since(&older.groups)
    }
}
