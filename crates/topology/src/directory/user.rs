//! The record of a user.

use super::address::AddressOfRecord;
use super::assignment::{Assignment, Placed};
use super::number::LineUri;
use crate::policy::GrantKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A user's number in the store, for life; never given to another user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub u32);

/// What a person does and where, for the address book.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Job {
    /// The job title.
    pub title: Option<Box<str>>,
    /// The company.
    pub company: Option<Box<str>>,
    /// The department.
    pub department: Option<Box<str>>,
}

impl Job {
    const NONE: &Job = &Job { title: None, company: None, department: None };
}

/// A person, or a room or a service, that can sign in.
///
/// Passwords are not here: the store keeps their hashes, and nothing in the topology refers to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct UserRecord {
    /// The user's number in the store.
    pub id: UserId,
    /// Where the user is reached, and what the user signs in with.
    pub address: AddressOfRecord,
    /// The name others see.
    pub display_name: Option<Box<str>>,
    /// Whether the user may sign in; a disabled user's address counts as unknown to callers.
    pub enabled: bool,
    /// The user's numbers, the first the one shown to others.
    pub numbers: Box<[LineUri]>,
    /// The user's mail address.
    pub mail: Option<Box<str>>,
    /// Apart, because most rooms, services and test users have none.
    job: Option<Box<Job>>,
    pub(crate) placed: Arc<Placed>,
}

impl UserRecord {
    /// An enabled user with nothing but an address, homed on this pool.
    pub fn new(id: UserId, address: AddressOfRecord, pool: &str) -> Self {
        Self {
            id,
            address,
            display_name: None,
            enabled: true,
            numbers: Box::default(),
            mail: None,
            job: None,
            placed: unplaced(Assignment::to_pool(pool)),
        }
    }

    /// Title, company and department.
    pub fn job(&self) -> &Job {
        self.job.as_deref().unwrap_or(Job::NONE)
    }

    /// Sets title, company and department.
    pub fn set_job(&mut self, job: Job) {
        self.job = (job != *Job::NONE).then(|| Box::new(job));
    }

    /// The pool the user is homed on.
    pub fn pool(&self) -> &str {
        &self.placed.assignment.pool
    }

    /// Pool and grants together.
    pub fn assignment(&self) -> &Assignment {
        &self.placed.assignment
    }

    /// The named policy of this kind that the user was granted.
    pub fn grant(&self, kind: GrantKind) -> Option<&str> {
        self.placed.assignment.grant(kind)
    }

    /// The same user with another assignment.
    #[must_use]
    pub fn assigned(mut self, assignment: Assignment) -> Self {
        self.placed = unplaced(assignment);
        self
    }

    /// The same user granted this policy, or with `None` no policy of the kind.
    #[must_use]
    pub fn granted(self, kind: GrantKind, name: Option<&str>) -> Self {
        let mut assignment = self.placed.assignment.clone();
        match name {
            Some(name) => assignment.grants.insert(kind, name.into()),
            None => assignment.grants.remove(&kind),
        };
        self.assigned(assignment)
    }
}

/// An assignment that no directory has seen yet; its slot is no slot.
fn unplaced(assignment: Assignment) -> Arc<Placed> {
    Arc::new(Placed { assignment, slot: u32::MAX })
}

/// The record as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    id: UserId,
    address: AddressOfRecord,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    display_name: Option<Box<str>>,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    pool: Box<str>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    grants: BTreeMap<GrantKind, Box<str>>,
    #[serde(default, skip_serializing_if = "<[LineUri]>::is_empty")]
    numbers: Box<[LineUri]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mail: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    company: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    department: Option<Box<str>>,
}

fn yes() -> bool {
    true
}

impl From<Fields> for UserRecord {
    fn from(fields: Fields) -> Self {
        let Fields { id, address, display_name, enabled, pool, grants, numbers, mail, title, company, department } =
            fields;
        let placed = unplaced(Assignment { pool, grants });
        let mut user = Self { id, address, display_name, enabled, numbers, mail, job: None, placed };
        user.set_job(Job { title, company, department });
        user
    }
}

impl From<UserRecord> for Fields {
    fn from(user: UserRecord) -> Self {
        let Assignment { pool, grants } = user.placed.assignment.clone();
        let UserRecord { id, address, display_name, enabled, numbers, mail, job, .. } = user;
        let Job { title, company, department } = job.map(|job| *job).unwrap_or_default();
        Self { id, address, display_name, enabled, pool, grants, numbers, mail, title, company, department }
    }
}
