//! `/client/contacts` and `/client/relationships`.

use super::SignedIn;
use crate::Web;
use crate::extract::Payload;
use crate::refused::Refused;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::{Extension, Json};
use lyceum_api::Refusal;
use lyceum_api::client::RelationshipChange;
use lyceum_users::contacts::{ContactEntry, ContactList, Who};
use lyceum_users::presence::Relationship;

/// `GET /client/contacts`.
pub async fn get(State(web): State<Web>, Extension(who): Extension<SignedIn>) -> Result<Json<ContactList>, Refused> {
    let people = web.people()?;
    web.for_people(move || Ok(people.contacts(who.address())?)).await.map(Json)
}

/// `PUT /client/contacts`, with the version that the change was made from in If-Match.
pub async fn replace(
    State(web): State<Web>,
    Extension(who): Extension<SignedIn>,
    headers: HeaderMap,
    Payload(list): Payload<ContactList>,
) -> Result<Json<ContactList>, Refused> {
    let version = headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok());
    let version = version.and_then(|text| text.trim_matches('"').parse().ok()).unwrap_or(list.version);
    let people = web.people()?;
    web.for_people(move || Ok(people.replace_contacts(who.address(), list, version)?)).await.map(Json)
}

/// `POST /client/contacts/entries`.
pub async fn add(
    State(web): State<Web>,
    Extension(who): Extension<SignedIn>,
    Payload(entry): Payload<ContactEntry>,
) -> Result<Json<ContactList>, Refused> {
    let people = web.people()?;
    let edit = Box::new(move |list: &mut ContactList| list.put_contact(entry));
    web.for_people(move || Ok(people.edit_contacts(who.address(), edit)?)).await.map(Json)
}

/// `DELETE /client/contacts/entries/{address}`.
pub async fn remove(
    State(web): State<Web>,
    Extension(who): Extension<SignedIn>,
    Path(address): Path<String>,
) -> Result<Json<ContactList>, Refused> {
    let people = web.people()?;
    let edit = Box::new(move |list: &mut ContactList| list.remove_contact(&address));
    web.for_people(move || Ok(people.edit_contacts(who.address(), edit)?)).await.map(Json)
}

/// `PUT /client/relationships/{address}`: what somebody, or with `@domain` everybody of a domain, may see.
pub async fn relate(
    State(web): State<Web>,
    Extension(who): Extension<SignedIn>,
    Path(address): Path<String>,
    Payload(change): Payload<RelationshipChange>,
) -> Result<Json<ContactList>, Refused> {
    let malformed = |what: &str, place: &str| Refused::new(Refusal::RequestMalformed, what, place);
    let Some(other) = Who::parse(&address) else {
        return Err(malformed("write user@domain, or @domain for everybody of a domain", "address"));
    };
    let Some(relationship) = Relationship::parse(&change.relationship) else {
        let what = "write blocked, external, colleagues, workgroup or friends-and-family";
        return Err(malformed(what, "relationship"));
    };
    let people = web.people()?;
    let edit = Box::new(move |list: &mut ContactList| {
        list.relate(other, Some(relationship));
        list.acknowledge_watcher(&address);
        Ok(())
    });
    web.for_people(move || Ok(people.edit_contacts(who.address(), edit)?)).await.map(Json)
}
