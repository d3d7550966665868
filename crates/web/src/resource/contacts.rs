//! `/users/{address}/contacts` and `/users/{address}/relationships`, for administrators.

use crate::Web;
use crate::authorize::Actor;
use crate::extract::{Name, Names, Payload, WhatIf};
use crate::refused::Refused;
use axum::extract::State;
use axum::{Extension, Json};
use lyceum_api::change::differences;
use lyceum_api::client::RelationshipChange;
use lyceum_api::contact::{Contact, ContactChange, Relation};
use lyceum_api::{Changed, Problem, Refusal};
use lyceum_users::contacts::{ContactEntry, ContactGroup, ContactList, ContactRefusal, Who};
use lyceum_users::presence::Relationship;
use serde_json::Value;

/// `GET /users/{address}/contacts`.
pub async fn list(State(web): State<Web>, Name(address): Name) -> Result<Json<Vec<Contact>>, Refused> {
    let found = web.clone().blocking(move || Ok(web.people()?.contacts(&web.known(&address)?)?)).await?;
    Ok(Json(found.contacts.iter().map(|entry| shown(&found, entry)).collect()))
}

/// `PUT /users/{address}/contacts/{contact}`.
pub async fn put(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Names(address, contact): Names,
    Payload(change): Payload<ContactChange>,
) -> Result<Json<Changed>, Refused> {
    let order = Order { what: "contact.set", action: "set", kind: "contact", what_if };
    let contact = web.whole(contact)?;
    let key = contact.clone();
    let edit = move |list: &mut ContactList| put_contact(list, &contact, change);
    web.clone().blocking(move || web.change_contacts(&actor, &address, &key, order, edit)).await.map(Json)
}

/// `DELETE /users/{address}/contacts/{contact}`.
pub async fn remove(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Names(address, contact): Names,
) -> Result<Json<Changed>, Refused> {
    let order = Order { what: "contact.remove", action: "remove", kind: "contact", what_if };
    let contact = web.whole(contact)?;
    let key = contact.clone();
    let edit = move |list: &mut ContactList| list.remove_contact(&contact);
    web.clone().blocking(move || web.change_contacts(&actor, &address, &key, order, edit)).await.map(Json)
}

/// `GET /users/{address}/relationships`.
pub async fn relationships(State(web): State<Web>, Name(address): Name) -> Result<Json<Vec<Relation>>, Refused> {
    let found = web.clone().blocking(move || Ok(web.people()?.contacts(&web.known(&address)?)?)).await?;
    Ok(Json(found.relationships.iter().map(|rule| relation(&rule.who, rule.relationship)).collect()))
}

/// `PUT /users/{address}/relationships/{who}`.
pub async fn relate(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Names(address, other): Names,
    Payload(change): Payload<RelationshipChange>,
) -> Result<Json<Changed>, Refused> {
    let other = web.whole(other)?;
    let who = who(&other)?;
    let Some(relationship) = Relationship::parse(&change.relationship) else {
        let what = "write blocked, external, colleagues, workgroup or friends-and-family";
        return Err(Refused::new(Refusal::RequestMalformed, what, "relationship"));
    };
    let order = Order { what: "contact.relationship", action: "set", kind: "relationship", what_if };
    let edit = move |list: &mut ContactList| {
        list.relate(who, Some(relationship));
        Ok(())
    };
    web.clone().blocking(move || web.change_contacts(&actor, &address, &other, order, edit)).await.map(Json)
}

/// `DELETE /users/{address}/relationships/{who}`: the default again.
pub async fn unrelate(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Names(address, other): Names,
) -> Result<Json<Changed>, Refused> {
    let other = web.whole(other)?;
    let who = who(&other)?;
    let order = Order { what: "contact.relationship", action: "remove", kind: "relationship", what_if };
    let edit = move |list: &mut ContactList| {
        list.relate(who, None);
        Ok(())
    };
    web.clone().blocking(move || web.change_contacts(&actor, &address, &other, order, edit)).await.map(Json)
}

/// What is asked for, for the answer and the audit list.
struct Order {
    what: &'static str,
    action: &'static str,
    kind: &'static str,
    what_if: bool,
}

impl Web {
    /// An address; without a domain it is in the default one.
    fn whole(&self, text: String) -> Result<String, Refused> {
        if text.contains('@') {
            return Ok(text);
        }
        super::users::address(&self.options().publisher.current(), &text).map(|address| address.to_string())
    }

    fn change_contacts(
        &self,
        actor: &Actor,
        address: &str,
        key: &str,
        order: Order,
        edit: impl FnOnce(&mut ContactList) -> Result<(), ContactRefusal> + Clone + Send + 'static,
    ) -> Result<Changed, Refused> {
        let address = self.known(address)?;
        let key = key.trim().to_ascii_lowercase();
        let people = self.people()?;
        let before = people.contacts(&address)?;
        let mut after = before.clone();
        let refused = |refusal: ContactRefusal| {
            Refused::from(Problem::new(Refusal::ContactsRefused, refusal.to_string(), "contacts"))
        };
        edit.clone()(&mut after).map_err(refused)?;
        let (old, new) = (object(&before, order.kind, &key), object(&after, order.kind, &key));
        let changes = differences(old.as_ref(), new.as_ref());
        if order.what_if {
            let snapshot = self.options().publisher.current();
            let user = super::users::find(&snapshot, &address)?;
            after.check(snapshot.presence_policy(user), &before).map_err(refused)?;
        } else if !changes.is_empty() {
            people.edit_contacts(&address, Box::new(edit))?;
            self.note(actor, order.what, &address);
        }
        Ok(Changed {
            what_if: order.what_if,
            action: order.action.to_owned(),
            kind: order.kind.to_owned(),
            name: format!("{key} of {address}"),
            changes,
            version: None,
            object: new,
        })
    }
}

fn who(text: &str) -> Result<Who, Refused> {
    let what = "write user@domain, or @domain for everybody of a domain";
    Who::parse(text).ok_or_else(|| Refused::new(Refusal::RequestMalformed, what, "who"))
}

fn object(list: &ContactList, kind: &str, key: &str) -> Option<Value> {
    if kind == "relationship" {
        let rule = list.relationships.iter().find(|rule| rule.who.to_string() == key)?;
        return serde_json::to_value(relation(&rule.who, rule.relationship)).ok();
    }
    let entry = list.contacts.iter().find(|entry| entry.address == key)?;
    serde_json::to_value(shown(list, entry)).ok()
}

fn shown(list: &ContactList, entry: &ContactEntry) -> Contact {
    let name = |id: &u32| list.groups.iter().find(|group| group.id == *id).map(|group| group.name.clone());
    Contact {
        address: entry.address.clone(),
        display_name: entry.display_name.clone(),
        groups: entry.groups.iter().filter_map(name).collect(),
        favourite: entry.favourite,
    }
}

fn relation(who: &Who, relationship: Relationship) -> Relation {
    Relation { who: who.to_string(), relationship: relationship.as_str().to_owned() }
}

fn put_contact(list: &mut ContactList, contact: &str, change: ContactChange) -> Result<(), ContactRefusal> {
    let address = contact.trim().to_ascii_lowercase();
    let known = list.contacts.iter().find(|entry| entry.address == address).cloned();
    let mut entry = known.unwrap_or(ContactEntry { address, display_name: None, groups: Vec::new(), favourite: false });
    if let Some(name) = change.display_name {
        entry.display_name = Some(name).filter(|name| !name.is_empty());
    }
    if let Some(names) = change.groups {
        entry.groups = names.iter().map(|name| group(list, name)).collect();
    }
    entry.favourite = change.favourite.unwrap_or(entry.favourite);
    list.put_contact(entry)
}

/// The number of the group with this name, made if there is none.
fn group(list: &mut ContactList, name: &str) -> u32 {
    if let Some(known) = list.groups.iter().find(|group| group.name == name) {
        return known.id;
    }
    let id = list.groups.iter().map(|group| group.id).max().unwrap_or(0).saturating_add(1);
    list.groups.push(ContactGroup { id, name: name.to_owned(), distribution_group: None });
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_added_with_its_groups_and_changed_in_parts() {
        let mut list = ContactList::default();
        let groups = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        let change = ContactChange { groups: groups(&["Team", "Berlin"]), favourite: Some(true), display_name: None };
        put_contact(&mut list, "Ben@Example.org", change).expect("an address");
        let change = ContactChange { display_name: Some("Benny".into()), ..ContactChange::default() };
        put_contact(&mut list, "ben@example.org", change).expect("an address");
        let change = ContactChange { groups: groups(&["Berlin"]), ..ContactChange::default() };
        put_contact(&mut list, "carl@example.org", change).expect("an address");
        let all: Vec<Contact> = list.contacts.iter().map(|entry| shown(&list, entry)).collect();
        let contact = |address: &str, name: Option<&str>, groups: &[&str], favourite| Contact {
            address: address.into(),
            display_name: name.map(str::to_owned),
            groups: groups.iter().map(|name| (*name).to_owned()).collect(),
            favourite,
        };
        assert_eq!(
            all,
            [
                contact("ben@example.org", Some("Benny"), &["Team", "Berlin"], true),
                contact("carl@example.org", None, &["Berlin"], false),
            ]
        );
        assert_eq!(list.groups.len(), 2);
        assert!(put_contact(&mut list, "nobody", ContactChange::default()).is_err());
    }
}
