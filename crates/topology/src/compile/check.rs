//! Whether the directory fits the document.

use super::Compiled;
use crate::directory::{Assignment, Directory, UserRecord};
use crate::path::Path;
use crate::policy::{GrantKind, Scopes};
use crate::problem::{Code, Problem};
use std::collections::BTreeMap;

impl Compiled {
    /// What in the directory refers to something the document no longer has. Costs as much as there
    /// are different assignments and domains, not as there are users.
    pub(crate) fn check_directory(&self, directory: &Directory) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (domain, count) in directory.domains.iter().filter(|(domain, _)| self.domain(domain.as_bytes()).is_none()) {
            let what = format!(
                "{} in {domain}, which is not a SIP domain of the organisation.",
                users(*count, "has an address", "have addresses")
            );
            let fix = "Keep the domain, or give those users another address first.";
            problems.push(Problem::new(
                &Path::root().key("domains").key(&**domain),
                Code::UserInForeignDomain,
                what,
                fix,
            ));
        }
        let mut per_pool: BTreeMap<&str, u32> = BTreeMap::new();
        let mut per_grant: BTreeMap<(GrantKind, &str), u32> = BTreeMap::new();
        for (placed, count) in directory.assignments.iter().filter(|(_, count)| *count > 0) {
            *per_pool.entry(&placed.assignment.pool).or_default() += count;
            for grant in self.unknown_grants(&placed.assignment) {
                *per_grant.entry(grant).or_default() += count;
            }
        }
        problems.extend(per_grant.into_iter().map(|((kind, name), count)| {
            let path = Path::root().key("policies").key(kind.policy().as_str()).key("named").key(name);
            let what = format!("{} this policy granted, and it does not exist.", users(count, "has", "have"));
            Problem::new(&path, Code::GrantUnknown, what, "Keep the policy, or grant those users another first.")
        }));
        problems.extend(per_pool.into_iter().filter_map(|(pool, count)| self.check_pool(pool, count)));
        problems
    }

    fn check_pool(&self, pool: &str, count: u32) -> Option<Problem> {
        if self.document.site_of(pool).is_none() {
            let what = format!("{} homed on the pool {pool}, which does not exist.", users(count, "is", "are"));
            let path = Path::root().key("sites");
            return Some(Problem::new(
                &path,
                Code::UserInUnknownPool,
                what,
                "Keep the pool, or move those users to another first.",
            ));
        }
        let most = self.pool(pool).users.registrar.max_users;
        let what = format!("{} homed on the pool {pool}, which takes {most}.", users(count, "is", "are"));
        let path = Path::root().key("policies").key("registrar").key("pools").key(pool).key("max_users");
        (count > most)
            .then(|| Problem::new(&path, Code::PoolFull, what, "Raise max_users, or move users to another pool."))
    }

    fn unknown_grants<'a>(&'a self, assignment: &'a Assignment) -> impl Iterator<Item = (GrantKind, &'a str)> {
        let grants = assignment.grants.iter().map(|(kind, name)| (*kind, &**name));
        grants.filter(|(kind, name)| !self.policy_exists(*kind, name))
    }

    fn policy_exists(&self, kind: GrantKind, name: &str) -> bool {
        let policies = &self.document.policies;
        match kind {
            GrantKind::Registrar => policies.registrar.named().is_some_and(|named| named.contains_key(name)),
            GrantKind::Calls => policies.calls.named().is_some_and(|named| named.contains_key(name)),
            GrantKind::Presence => policies.presence.named().is_some_and(|named| named.contains_key(name)),
            GrantKind::Message => policies.message.named().is_some_and(|named| named.contains_key(name)),
            GrantKind::FileTransfer => policies.file_transfer.named().is_some_and(|named| named.contains_key(name)),
            GrantKind::Archiving => policies.archiving.named().is_some_and(|named| named.contains_key(name)),
            GrantKind::ExternalAccess => policies.external_access.named().is_some_and(|named| named.contains_key(name)),
            GrantKind::ClientVersion => policies.client_version.named().is_some_and(|named| named.contains_key(name)),
        }
    }

    /// What would be wrong with this record beside the others.
    pub(crate) fn check_user(&self, directory: &Directory, user: &UserRecord) -> Vec<Problem> {
        let path = Path::root().key("users").key(user.address.as_str());
        let mut problems: Vec<Problem> =
            directory.conflict(user).into_iter().map(|conflict| conflict.problem(user)).collect();
        if self.domain(user.address.domain().as_bytes()).is_none() {
            let what = format!("{} is not a SIP domain of the organisation.", user.address.domain());
            let own: Vec<&str> = self.document.domains.iter().map(|domain| domain.name.as_str()).collect();
            let fix = format!("Use one of: {}; or add the domain first.", own.join(", "));
            problems.push(Problem::new(&path.key("address"), Code::UserInForeignDomain, what, fix));
        }
        if self.document.site_of(user.pool()).is_none() {
            let what = format!("There is no pool `{}`.", user.pool());
            let pools: Vec<&str> = self.document.pools().map(|(_, pool)| pool.name.as_str()).collect();
            problems.push(Problem::new(
                &path.key("pool"),
                Code::UserInUnknownPool,
                what,
                format!("Use one of: {}.", pools.join(", ")),
            ));
        }
        problems.extend(self.unknown_grants(user.assignment()).map(|(kind, name)| {
            let what = format!("There is no {} policy named {name}.", kind.policy().as_str());
            let path = path.key("grants").key(kind.policy().as_str());
            Problem::new(&path, Code::GrantUnknown, what, "Create the policy first, or grant another.")
        }));
        problems
    }
}

fn users(count: u32, one: &str, many: &str) -> String {
    if count == 1 { format!("1 user {one}") } else { format!("{count} users {many}") }
}
