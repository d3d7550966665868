//! The difference between the people of a directory server and the users here, and whether it may be carried out.
//!
//! | person there     | account here       | then |
//! |------------------|--------------------|------|
//! | may sign in      | none               | a new user |
//! | disabled         | none               | nothing |
//! | may sign in      | present            | what the mapping reads is written |
//! | may sign in      | disabled, gone     | the same, and enabled again |
//! | disabled         | present, gone      | the same, and disabled |
//! | not found        | present, disabled  | disabled or removed, as `gone` says |
//!
//! A user is enabled or disabled only when the person's standing changed: who was disabled here by hand stays so.

use crate::mapping::{Entry, Person, person};
use lyceum_topology::accounts::{Account, Gone, Ldap, MappedField, Standing};
use lyceum_topology::{Conflict, Directory, Snapshot, UserId, UserRecord};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// One user that a comparison changes.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A new user; its number is given by who writes it down.
    New(UserRecord, Account),
    /// The user before and after.
    Change(Arc<UserRecord>, UserRecord, Account),
    /// Nothing that others see, but how the person is found.
    Keep(Account),
    /// The user goes.
    Remove(Arc<UserRecord>),
}

/// A person, or a value of theirs, that cannot be taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The distinguished name, or the address.
    pub who: String,
    /// Why, for the administrator.
    pub why: String,
}

/// Why a comparison may not be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// Accounts that would be disabled or removed.
    pub taken: usize,
    /// Accounts that may be.
    pub allowed: usize,
    /// Accounts there are.
    pub accounts: usize,
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Stop { taken, allowed, accounts } = self;
        write!(f, "{taken} of {accounts} accounts would be disabled or removed, {allowed} are the most at once")
    }
}

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// What would be done.
    pub steps: Vec<Step>,
    /// Users that are as they should be.
    pub same: usize,
    /// Who cannot be taken over, in whole or in part.
    pub refused: Vec<Refusal>,
    /// Set when too much would be taken away.
    pub stop: Option<Stop>,
}

/// Compares. Nothing is changed; the order of the entries decides who of two with one address comes first.
pub fn plan(ldap: &Ldap, snapshot: &Snapshot, entries: &[Entry], accounts: &[Account]) -> Plan {
    let mut work = Work {
        ldap,
        snapshot,
        directory: snapshot.directory().clone(),
        next_id: snapshot.directory().users().map(|user| user.id.0).max().unwrap_or(0),
        plan: Plan::default(),
        taken: 0,
    };
    let known: HashMap<&str, &Account> = accounts.iter().map(|account| (account.id.as_str(), account)).collect();
    let (people, unreadable) = work.people(entries);
    // Somebody whose entry cannot be read this time is not somebody who left.
    let left = |account: &&Account| !people.contains_key(account.id.as_str()) && !unreadable.contains(&account.dn);
    accounts.iter().filter(left).for_each(|account| work.gone(account));
    let mut in_order: Vec<&Person> = people.values().collect();
    in_order.sort_by(|a, b| (&a.address, &a.id).cmp(&(&b.address, &b.id)));
    for person in in_order {
        match known.get(person.id.as_str()) {
            Some(account) => work.known(person, account),
            None => work.unknown(person),
        }
    }
    work.finish(accounts, people.is_empty())
}

struct Work<'a> {
    ldap: &'a Ldap,
    snapshot: &'a Snapshot,
    /// The users as they will be, so that two changes do not claim the same.
    directory: Directory,
    next_id: u32,
    plan: Plan,
    taken: usize,
}

impl Work<'_> {
    /// The people by what tells them for life, and the names of those who cannot be read.
    fn people(&mut self, entries: &[Entry]) -> (HashMap<String, Person>, HashSet<String>) {
        let (mut people, mut unreadable) = (HashMap::new(), HashSet::new());
        for entry in entries {
            match person(self.ldap, self.snapshot.document(), entry) {
                Ok(person) => {
                    people.insert(person.id.clone(), person);
                }
                Err(why) => {
                    unreadable.insert(entry.dn.clone());
                    self.refuse(&entry.dn, why);
                }
            }
        }
        (people, unreadable)
    }

    fn refuse(&mut self, who: &str, why: impl std::fmt::Display) {
        self.plan.refused.push(Refusal { who: who.to_owned(), why: why.to_string() });
    }

    fn gone(&mut self, account: &Account) {
        let Some(before) = self.snapshot.directory().by_id(account.user).cloned() else { return };
        let standing = Standing::Gone;
        match self.ldap.gone {
            Gone::Remove => {
                self.taken += 1;
                self.directory.remove(before.id);
                self.plan.steps.push(Step::Remove(before));
            }
            Gone::Disable if account.standing == Standing::Gone => self.plan.same += 1,
            Gone::Disable => {
                self.taken += usize::from(account.standing == Standing::Present);
                let mut after = UserRecord::clone(&before);
                after.enabled = false;
                self.settle(before, after, Account { standing, ..account.clone() }, account);
            }
        }
    }

    fn known(&mut self, person: &Person, account: &Account) {
        let Some(before) = self.snapshot.directory().by_id(account.user).cloned() else { return };
        if person.address != before.address {
            let why = format!(
                "is {} in the directory server now; the user stays {}: remove the user, and the next sync makes the new one",
                person.address, before.address
            );
            self.refuse(before.address.as_str(), why);
        }
        let standing = if person.enabled { Standing::Present } else { Standing::Disabled };
        let mut after = UserRecord::clone(&before);
        person.write(self.ldap, &mut after);
        if account.standing != standing {
            after.enabled = person.enabled;
        }
        self.taken += usize::from(account.standing == Standing::Present && standing == Standing::Disabled);
        let now = Account { dn: person.dn.clone(), standing, ..account.clone() };
        let Some(after) = self.fitting(person, after) else { return };
        self.settle(before, after, now, account);
    }

    fn unknown(&mut self, person: &Person) {
        if !person.enabled {
            return;
        }
        if self.directory.get(&person.address).is_some() {
            let why =
                "somebody else has this address: a user made by hand, or another person; give one of them another";
            return self.refuse(&format!("{} ({})", person.address, person.dn), why);
        }
        let first = || self.snapshot.document().pools().next().map(|(_, pool)| pool.name.clone()).unwrap_or_default();
        let pool = self.ldap.pool.clone().unwrap_or_else(first);
        self.next_id += 1;
        let mut user = UserRecord::new(UserId(self.next_id), person.address.clone(), &pool);
        person.write(self.ldap, &mut user);
        let Some(mut user) = self.fitting(person, user) else { return };
        // The number was for this comparison only.
        user.id = UserId(0);
        let (id, dn) = (person.id.clone(), person.dn.clone());
        self.plan.steps.push(Step::New(user, Account { user: UserId(0), id, dn, standing: Standing::Present }));
    }

    /// The record without what somebody else has; `None` when it cannot be at all.
    fn fitting(&mut self, person: &Person, mut user: UserRecord) -> Option<UserRecord> {
        if person.number_unreadable && self.ldap.attribute(MappedField::Number).is_some() {
            let why = "has a number that is none: write it with + and country code; the user has none until then";
            self.refuse(person.address.as_str(), why);
        }
        // Who has the address or the number is told by the users as they will be, below.
        let problems = self.snapshot.check_user(&user);
        if let Some(problem) = problems.iter().find(|one| !["LYT0028", "LYT0029"].contains(&one.code)) {
            self.refuse(person.address.as_str(), format!("{} {}", problem.what, problem.fix));
            return None;
        }
        if let Err(conflict) = self.directory.insert(user.clone()) {
            let problem = conflict.problem(&user);
            self.refuse(person.address.as_str(), format!("{} {}", problem.what, problem.fix));
            let Conflict::NumberTaken { .. } = conflict else { return None };
            user.numbers = Box::default();
            self.directory.insert(user.clone()).ok()?;
        }
        Some(user)
    }

    fn settle(&mut self, before: Arc<UserRecord>, after: UserRecord, now: Account, then: &Account) {
        let step = match *before == after {
            false => Step::Change(before, after, now),
            true if now == *then => {
                self.plan.same += 1;
                return;
            }
            true => Step::Keep(now),
        };
        self.plan.steps.push(step);
    }

    fn finish(mut self, accounts: &[Account], nobody: bool) -> Plan {
        let there = accounts.iter().filter(|account| account.standing == Standing::Present).count();
        // One may always go: in a small house one is more than any share.
        let allowed = (there * self.ldap.max_removed_percent as usize / 100).max(1);
        if self.taken > allowed || (nobody && self.taken > 0) {
            self.plan.stop = Some(Stop { taken: self.taken, allowed, accounts: there });
        }
        self.plan
    }
}
