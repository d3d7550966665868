//! `/administrators`.

use super::sessions::{ROLE, check_name};
use crate::Web;
use crate::authorize::Actor;
use crate::extract::{Name, Payload, WhatIf};
use crate::password::{self, ADMINISTRATOR_LEAST};
use crate::refused::{Refused, unavailable};
use axum::extract::State;
use axum::{Extension, Json};
use lyceum_api::administrator::{Administrator, AdministratorChange, NewAdministrator, OneTimeLink};
use lyceum_api::{Changed, Difference, Refusal, Timestamp};
use lyceum_store::{AdministratorError, Password};
use serde_json::json;

/// `GET /administrators`.
pub async fn list(State(web): State<Web>) -> Result<Json<Vec<Administrator>>, Refused> {
    let store = web.options().store.clone();
    let found = web.blocking(move || store.administrators().map_err(refused)).await?;
    Ok(Json(found.into_iter().filter(|a| a.has_password).map(shown).collect()))
}

fn shown(found: lyceum_store::Administrator) -> Administrator {
    Administrator { name: found.name, created: Timestamp(found.created.0) }
}

/// `POST /administrators`.
pub async fn new(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Payload(new): Payload<NewAdministrator>,
) -> Result<Json<Changed>, Refused> {
    check_name(&new.name)?;
    password::check(new.password.reveal(), &new.name, ADMINISTRATOR_LEAST)?;
    web.clone()
        .hashing(move || {
            let _turn = web.turn();
            let store = &web.options().store;
            if store.administrator(&new.name).map_err(refused)?.is_some() {
                let what = format!("there is an administrator {} already", new.name);
                return Err(Refused::new(Refusal::AdministratorExists, what, "name"));
            }
            if !what_if {
                let by = web.by(&actor);
                store.administrator_put(&new.name, ROLE, true, by).map_err(refused)?;
                store.administrator_password(&new.name, Password(new.password.reveal()), by).map_err(refused)?;
            }
            Ok(changed(what_if, "new", &new.name, true))
        })
        .await
        .map(Json)
}

/// `PATCH /administrators/{name}`.
pub async fn set(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Name(name): Name,
    Payload(change): Payload<AdministratorChange>,
) -> Result<Json<Changed>, Refused> {
    password::check(change.password.reveal(), &name, ADMINISTRATOR_LEAST)?;
    web.clone()
        .hashing(move || {
            let store = &web.options().store;
            if store.administrator(&name).map_err(refused)?.is_none() {
                return Err(refused(AdministratorError::NoAdministrator(name)));
            }
            if !what_if {
                let password = Password(change.password.reveal());
                store.administrator_password(&name, password, web.by(&actor)).map_err(refused)?;
            }
            Ok(changed(what_if, "set", &name, true))
        })
        .await
        .map(Json)
}

/// `DELETE /administrators/{name}`.
pub async fn remove(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Name(name): Name,
) -> Result<Json<Changed>, Refused> {
    web.clone()
        .blocking(move || {
            let _turn = web.turn();
            let store = &web.options().store;
            let all = store.administrators().map_err(refused)?;
            if !all.iter().any(|a| a.name == name) {
                return Err(refused(AdministratorError::NoAdministrator(name)));
            }
            if !all.iter().any(|a| a.name != name && a.enabled && a.has_password) {
                return Err(refused(AdministratorError::LastOne(name)));
            }
            if !what_if {
                store.administrator_remove(&name, web.by(&actor)).map_err(refused)?;
            }
            Ok(changed(what_if, "remove", &name, false))
        })
        .await
        .map(Json)
}

/// `POST /administrators/one-time-url`.
pub async fn one_time_url(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
) -> Result<Json<OneTimeLink>, Refused> {
    web.clone()
        .blocking(move || {
            let (url, expires) = web.one_time_url(&actor.name)?;
            Ok(OneTimeLink { url, expires })
        })
        .await
        .map(Json)
}

fn refused(error: AdministratorError) -> Refused {
    let what = error.to_string();
    match error {
        AdministratorError::NoAdministrator(name) => {
            Refused::new(Refusal::AdministratorNotFound, what, format!("/administrators/{name}"))
        }
        AdministratorError::LastOne(name) => {
            Refused::new(Refusal::LastAdministrator, what, format!("/administrators/{name}"))
        }
        AdministratorError::WeakPassword => Refused::new(Refusal::PasswordTooWeak, what, "password"),
        other => unavailable(&other),
    }
}

fn changed(what_if: bool, action: &str, name: &str, stays: bool) -> Changed {
    let set = |word: &str| Some(json!(word));
    let change = match stays {
        true => Difference { path: "password".to_owned(), before: None, after: set("set") },
        false => Difference { path: "name".to_owned(), before: set(name), after: None },
    };
    Changed {
        what_if,
        action: action.to_owned(),
        kind: "administrator".to_owned(),
        name: name.to_owned(),
        changes: vec![change],
        version: None,
        object: stays.then(|| json!({ "name": name })),
    }
}
