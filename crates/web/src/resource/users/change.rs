//! Changing one user: check against the snapshot, commit with its audit line, publish the next snapshot.
//! The directory shares everything with the one before but the shards of this user.

use super::{address, find, shown};
use crate::Web;
use crate::password;
use crate::refused::{Refused, fault, unavailable};
use crate::resource::Order;
use lyceum_api::change::differences;
use lyceum_api::user::{NewUser, UserChange};
use lyceum_api::{Changed, Difference, Refusal, Secret};
use lyceum_sip::digest::Ha1;
use lyceum_store::DirectoryError;
use lyceum_topology::{GrantKind, LineUri, PolicyKind, Problem, Snapshot, UserId, UserRecord};
use serde_json::{Value, json};
use std::sync::Arc;

impl Web {
    /// Creates a user.
    pub(crate) fn new_user(&self, order: &Order, new: NewUser) -> Result<Changed, Refused> {
        let _turn = self.turn();
        let before = self.options().publisher.current();
        let address = address(&before, &new.address)?;
        if before.directory().get(&address).is_some() {
            let what = format!("there is a user {address} already");
            return Err(Refused::new(Refusal::UserExists, what, format!("/users/{address}")));
        }
        let pool = new.pool.clone().or_else(|| before.document().pools().next().map(|(_, pool)| pool.name.clone()));
        let mut user = UserRecord::new(UserId(0), address, &pool.unwrap_or_default());
        let fields = UserChange {
            display_name: new.display_name,
            enabled: new.enabled,
            numbers: Some(new.numbers),
            mail: new.mail,
            title: new.title,
            company: new.company,
            department: new.department,
            ..UserChange::default()
        };
        apply(&mut user, &fields)?;
        for (kind, name) in &new.policies {
            user = user.granted(grantable(kind)?, Some(name));
        }
        self.put(order, &before, None, user, new.password.as_ref())
    }

    /// Changes a user by `edit`, and the password if one is given.
    pub(crate) fn change_user(
        &self,
        order: &Order,
        text: &str,
        password: Option<&Secret>,
        edit: impl FnOnce(&mut UserRecord) -> Result<(), Refused>,
    ) -> Result<Changed, Refused> {
        let _turn = self.turn();
        let before = self.options().publisher.current();
        let old = find(&before, text)?.clone();
        let mut user = UserRecord::clone(&old);
        edit(&mut user)?;
        self.put(order, &before, Some(&old), user, password)
    }

    /// Unties a user from the issuer's person, if they are tied.
    pub(crate) fn untie(&self, order: &Order, text: &str) -> Result<Option<Difference>, Refused> {
        let _turn = self.turn();
        let snapshot = self.options().publisher.current();
        let (user, store) = (find(&snapshot, text)?, &self.options().store);
        let tied = store.vouched(user.id).map_err(|error| unavailable(&error))?;
        if tied.is_some() && !order.what_if {
            let untied = store.vouched_untie(user.id, user.address.as_str(), self.by(&order.actor));
            untied.map_err(|error| unavailable(&error))?;
        }
        Ok(tied.map(|tied| Difference { path: "issuer".to_owned(), before: Some(json!(tied.subject)), after: None }))
    }

    /// Removes a user.
    pub(crate) fn remove_user(&self, order: &Order, text: &str) -> Result<Changed, Refused> {
        let _turn = self.turn();
        let before = self.options().publisher.current();
        let user = find(&before, text)?.clone();
        let next = next(&before, before.directory().without(user.id))?;
        if !order.what_if {
            self.options().store.user_remove(user.id, self.by(&order.actor)).map_err(refused)?;
            self.options().publisher.publish(next);
            self.options().publisher.credentials_changed(user.id);
            self.options().publisher.user_gone(&user);
        }
        let changes = differences(Some(&json(&before, &user)), None);
        Ok(changed(order, &user, changes, None))
    }

    fn put(
        &self,
        order: &Order,
        before: &Snapshot,
        old: Option<&UserRecord>,
        user: UserRecord,
        password: Option<&Secret>,
    ) -> Result<Changed, Refused> {
        let problems = before.check_user(&user);
        if !problems.is_empty() {
            return Err(invalid(&user, &problems));
        }
        let secret = password.map(|p| ha1(&user, p)).transpose()?;
        let old_json = old.map(|old| json(before, old));
        let mut changes = differences(old_json.as_ref(), Some(&json(before, &user)));
        if secret.is_some() {
            // That it changed is worth a line; what it is, never.
            changes.push(Difference { path: "password".to_owned(), before: None, after: Some(json!("set")) });
        }
        let unchanged = changes.is_empty();
        // What would be refused is refused before anything is written.
        next(before, with(before, user.clone())?)?;
        if order.what_if || unchanged {
            let object = json(before, &user);
            return Ok(changed(order, &user, changes, Some(object)));
        }
        let user = self.options().store.user_put(user, secret.as_ref(), self.by(&order.actor)).map_err(refused)?;
        let publisher = &self.options().publisher;
        if old.is_none() && self.has_former(&user)? {
            self.settle_former()?;
        } else {
            publisher.publish(next(before, with(before, user.clone())?)?);
        }
        if secret.is_some() {
            publisher.credentials_changed(user.id);
        }
        if old.is_some_and(|old| old.enabled) && !user.enabled {
            publisher.user_gone(&user);
        }
        let object = json(before, &user);
        Ok(changed(order, &user, changes, Some(object)))
    }
}

/// Sets the fields that are given; an empty text clears.
pub(super) fn apply(user: &mut UserRecord, wanted: &UserChange) -> Result<(), Refused> {
    if let Some(name) = &wanted.display_name {
        user.display_name = text(name, "display_name")?;
    }
    if let Some(mail) = &wanted.mail {
        user.mail = text(mail, "mail")?;
    }
    let mut job = user.job().clone();
    for (place, wanted, field) in [
        (&mut job.title, &wanted.title, "title"),
        (&mut job.company, &wanted.company, "company"),
        (&mut job.department, &wanted.department, "department"),
    ] {
        if let Some(wanted) = wanted {
            *place = text(wanted, field)?;
        }
    }
    user.set_job(job);
    if let Some(enabled) = wanted.enabled {
        user.enabled = enabled;
    }
    if let Some(numbers) = &wanted.numbers {
        user.numbers = numbers.iter().map(|n| number(n)).collect::<Result<_, _>>()?;
    }
    if let Some(pool) = &wanted.pool {
        let mut assignment = user.assignment().clone();
        assignment.pool = pool.as_str().into();
        *user = user.clone().assigned(assignment);
    }
    Ok(())
}

/// Longest name, title, department, company or mail address: a page of results and a NOTIFY have to hold them.
const TEXT_MOST: usize = 256;

/// A text of the address book; an empty one clears the field.
pub(crate) fn text(text: &str, field: &str) -> Result<Option<Box<str>>, Refused> {
    let text = text.trim();
    if text.len() > TEXT_MOST || text.chars().any(char::is_control) {
        let what = format!("{field} is longer than {TEXT_MOST} bytes, or holds control characters");
        return Err(Refused::new(Refusal::UserInvalid, what, field));
    }
    Ok((!text.is_empty()).then(|| text.into()))
}

/// A number as people write it.
pub(crate) fn number(text: &str) -> Result<LineUri, Refused> {
    LineUri::parse(text).map_err(|e| Refused::new(Refusal::NumberInvalid, format!("'{text}' is {e}"), "numbers"))
}

fn grantable(kind: &str) -> Result<GrantKind, Refused> {
    PolicyKind::parse(kind).and_then(PolicyKind::grantable).ok_or_else(|| {
        let what = format!("there is no policy kind '{kind}' that can be granted to users");
        Refused::new(Refusal::PolicyKindUnknown, what, "policies")
    })
}

pub(crate) fn ha1(user: &UserRecord, password: &Secret) -> Result<Ha1, Refused> {
    password::check(password.reveal(), user.address.user(), password::USER_LEAST)?;
    Ok(Ha1::of(user.address.user().as_bytes(), user.address.domain().as_bytes(), password.reveal().as_bytes()))
}

fn json(snapshot: &Snapshot, user: &UserRecord) -> Value {
    serde_json::to_value(shown(snapshot, user)).unwrap_or_default()
}

fn with(before: &Snapshot, user: UserRecord) -> Result<lyceum_topology::Directory, Refused> {
    let problem = before.directory().with(user.clone());
    problem.map_err(|conflict| invalid(&user, &[conflict.problem(&user)]))
}

/// The next snapshot.
pub(crate) fn next(before: &Snapshot, directory: lyceum_topology::Directory) -> Result<Arc<Snapshot>, Refused> {
    before.with_directory(directory).map(Arc::new).map_err(|problems| super::super::documents::invalid(&problems))
}

/// A record that does not fit: the first problem gives the refusal its code.
pub(crate) fn invalid(user: &UserRecord, problems: &[Problem]) -> Refused {
    let first = problems.first();
    let refusal = match first.map(|p| p.code) {
        Some("LYT0028") => Refusal::UserExists,
        Some("LYT0029") => Refusal::NumberTaken,
        Some("LYT0025") => Refusal::DomainUnknown,
        _ => Refusal::UserInvalid,
    };
    let what = first.map_or_else(String::new, |p| p.what.clone());
    Refused::new(refusal, what, format!("/users/{}", user.address)).with(problems.iter().map(fault).collect())
}

/// A refusal of the store, whose rules are the snapshot's and so have been checked already.
pub(crate) fn refused(error: DirectoryError) -> Refused {
    match error {
        DirectoryError::NoUser(_) => Refused::new(Refusal::UserNotFound, error.to_string(), "/users"),
        DirectoryError::Conflict(_) => Refused::new(Refusal::UserExists, error.to_string(), "/users"),
        other => unavailable(&other),
    }
}

fn changed(order: &Order, user: &UserRecord, changes: Vec<Difference>, object: Option<Value>) -> Changed {
    Changed {
        what_if: order.what_if,
        action: order.action.to_owned(),
        kind: "user".to_owned(),
        name: user.address.to_string(),
        changes,
        version: None,
        object,
    }
}
