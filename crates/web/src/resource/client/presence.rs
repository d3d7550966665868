//! `/client/presence`.

use super::SignedIn;
use crate::Web;
use crate::extract::{Params, Payload};
use crate::port::Chooser;
use crate::refused::Refused;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use lyceum_api::Refusal;
use lyceum_api::client::{DeviceUse, OwnPresence};
use serde::Deserialize;
use serde_json::json;

/// People asked about at once.
const PEOPLE_MOST: usize = 200;

/// Whose presence.
#[derive(Deserialize)]
pub struct Of {
    /// Addresses, comma separated.
    of: Option<String>,
}

/// `GET /client/presence`: one's own wish, or with `of` what one sees of others.
pub async fn get(
    State(web): State<Web>,
    Extension(who): Extension<SignedIn>,
    Params(query): Params<Of>,
) -> Result<Response, Refused> {
    let people = web.people()?;
    let Some(of) = query.of else {
        let own = web.for_people(move || Ok(people.own_presence(who.address())?)).await?;
        return Ok(Json(own).into_response());
    };
    let all: Vec<String> = of.split(',').map(|one| one.trim().to_ascii_lowercase()).collect();
    if all.len() > PEOPLE_MOST {
        let what = format!("{} people at once; ask for {PEOPLE_MOST} at most", all.len());
        return Err(Refused::new(Refusal::RequestTooLarge, what, "of"));
    }
    let items = web.for_people(move || Ok(people.presence(who.address(), &all)?)).await?;
    Ok(Json(json!({ "items": items })).into_response())
}

/// `PUT /client/presence`.
pub async fn set(
    State(web): State<Web>,
    Extension(who): Extension<SignedIn>,
    Payload(wish): Payload<OwnPresence>,
) -> Result<Json<OwnPresence>, Refused> {
    let people = web.people()?;
    web.for_people(move || Ok(people.choose(who.address(), &wish, Chooser::User)?)).await.map(Json)
}

/// `PUT /client/presence/activity`.
pub async fn activity(
    State(web): State<Web>,
    Extension(who): Extension<SignedIn>,
    Payload(used): Payload<DeviceUse>,
) -> Result<StatusCode, Refused> {
    let people = web.people()?;
    web.for_people(move || Ok(people.used(who.address(), &used.device, used.idle_seconds)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}
