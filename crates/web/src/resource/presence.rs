//! `/users/{address}/presence` and `/users/{address}/watchers`, for administrators.

use crate::Web;
use crate::authorize::Actor;
use crate::extract::{Name, Params, Payload, WhatIf};
use crate::port::Chooser;
use crate::refused::Refused;
use axum::extract::State;
use axum::{Extension, Json};
use lyceum_api::change::differences;
use lyceum_api::client::{OutOfOfficeNote, OwnPresence, PresenceView};
use lyceum_api::presence::{PresenceChange, UserPresence, Watcher};
use lyceum_api::{Changed, Refusal};
use serde::Deserialize;

/// Whose view.
#[derive(Deserialize)]
pub struct Seen {
    /// Address of who looks.
    by: Option<String>,
}

/// `GET /users/{address}/presence`: the user's own view, or with `by` what somebody else sees.
pub async fn get(
    State(web): State<Web>,
    Name(address): Name,
    Params(seen): Params<Seen>,
) -> Result<Json<UserPresence>, Refused> {
    web.clone().blocking(move || web.presence_of(&address, seen.by.as_deref())).await.map(Json)
}

/// `PATCH /users/{address}/presence`.
pub async fn set(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Name(address): Name,
    Payload(change): Payload<PresenceChange>,
) -> Result<Json<Changed>, Refused> {
    web.clone().blocking(move || web.set_presence(&actor, &address, change, what_if)).await.map(Json)
}

/// `GET /users/{address}/watchers`.
pub async fn watchers(State(web): State<Web>, Name(address): Name) -> Result<Json<Vec<Watcher>>, Refused> {
    web.clone().blocking(move || Ok(web.people()?.watchers(&web.known(&address)?)?)).await.map(Json)
}

impl Web {
    /// The address of a user that is there.
    pub(crate) fn known(&self, address: &str) -> Result<String, Refused> {
        let snapshot = self.options().publisher.current();
        Ok(super::users::find(&snapshot, address)?.address.to_string())
    }

    fn presence_of(&self, address: &str, by: Option<&str>) -> Result<UserPresence, Refused> {
        let address = self.known(address)?;
        let people = self.people()?;
        let snapshot = self.options().publisher.current();
        let watcher = by.map(|by| super::users::address(&snapshot, by)).transpose()?;
        let watcher = watcher.map_or_else(|| address.clone(), |watcher| watcher.to_string());
        let missing = || Refused::new(Refusal::UserNotFound, format!("{address} is disabled"), "address");
        let view = people.presence(&watcher, std::slice::from_ref(&address))?.pop().ok_or_else(missing)?;
        let own = if by.is_none() { Some(people.own_presence(&address)?) } else { None };
        Ok(shown(view, own))
    }

    fn set_presence(
        &self,
        actor: &Actor,
        address: &str,
        change: PresenceChange,
        what_if: bool,
    ) -> Result<Changed, Refused> {
        let address = self.known(address)?;
        let people = self.people()?;
        let before = people.own_presence(&address)?;
        let wish = wished(&before, change);
        let json = |own: &OwnPresence| serde_json::to_value(own).unwrap_or_default();
        let changes = differences(Some(&json(&before)), Some(&json(&wish)));
        if !what_if && !changes.is_empty() {
            people.choose(&address, &wish, Chooser::Administrator)?;
            self.note(actor, "presence.set", &address);
        }
        let object = serde_json::to_value(self.presence_of(&address, None)?).ok();
        let (action, kind) = ("set".to_owned(), "presence".to_owned());
        Ok(Changed { what_if, action, kind, name: address, changes, version: None, object })
    }
}

fn wished(before: &OwnPresence, change: PresenceChange) -> OwnPresence {
    let filled = |text: &String| !text.is_empty();
    // The end belongs to the choice it was given with.
    let until = if change.choice.is_some() { change.until } else { change.until.or(before.until) };
    OwnPresence {
        choice: change.choice.unwrap_or_else(|| before.choice.clone()),
        note: change.note.or_else(|| before.note.clone()).filter(filled),
        out_of_office: match change.out_of_office {
            Some(note) => Some(note).filter(filled).map(|note| OutOfOfficeNote { note, until: None }),
            None => before.out_of_office.clone(),
        },
        until,
    }
}

fn shown(view: PresenceView, own: Option<OwnPresence>) -> UserPresence {
    let (choice, until) = own.map_or((None, None), |own| (Some(own.choice), own.until));
    UserPresence {
        address: view.address,
        availability: view.availability,
        activity: view.activity,
        last_active: view.last_active,
        note: view.note,
        out_of_office: view.out_of_office,
        choice,
        until,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lyceum_api::Timestamp;

    #[test]
    fn what_is_not_named_stays_and_what_is_empty_goes() {
        let before = OwnPresence {
            choice: "busy".into(),
            note: Some("in the workshop".into()),
            out_of_office: Some(OutOfOfficeNote { note: "back on Monday".into(), until: None }),
            until: Some(Timestamp(5)),
        };
        let json = |own: OwnPresence| serde_json::to_value(own).expect("JSON");
        assert_eq!(json(wished(&before, PresenceChange::default())), json(before.clone()));
        let change = PresenceChange { choice: Some("away".into()), ..PresenceChange::default() };
        let away = wished(&before, change);
        assert_eq!((away.choice.as_str(), away.until, away.note.as_deref()), ("away", None, Some("in the workshop")));
        let change = PresenceChange {
            note: Some(String::new()),
            out_of_office: Some(String::new()),
            ..PresenceChange::default()
        };
        let bare = wished(&before, change);
        assert_eq!((bare.note, bare.out_of_office.is_none(), bare.until), (None, true, Some(Timestamp(5))));
    }
}
