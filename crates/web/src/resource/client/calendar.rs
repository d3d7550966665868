//! `/client/calendar`: where one's busy times come from, and how that went; for administrators `/users/{address}/calendar`.

use super::SignedIn;
use crate::Web;
use crate::calendar::place::Place;
use crate::extract::{Name, Payload, body};
use crate::refused::Refused;
use axum::extract::{Request, State};
use axum::{Extension, Json};
use lyceum_api::Refusal;
use lyceum_api::calendar::{CalendarAddress, CalendarStatus};
use lyceum_users::presence::calendar::MAX_FEED_BYTES;

/// `GET /client/calendar`.
pub async fn get(State(web): State<Web>, Extension(who): Extension<SignedIn>) -> Result<Json<CalendarStatus>, Refused> {
    status(&web, who.address()).await
}

/// `GET /users/{address}/calendar`.
pub async fn of_user(State(web): State<Web>, Name(address): Name) -> Result<Json<CalendarStatus>, Refused> {
    let address = web.known(&address)?;
    status(&web, &address).await
}

/// `PUT /client/calendar`: fetches it at once and says how that went.
pub async fn set(
    State(web): State<Web>,
    Extension(who): Extension<SignedIn>,
    Payload(wanted): Payload<CalendarAddress>,
) -> Result<Json<CalendarStatus>, Refused> {
    let snapshot = web.options().publisher.current();
    let policy = snapshot.presence_policy(&who.user);
    if !policy.calendar_feeds {
        return Err(refused("your policy does not let calendars be fetched", "address"));
    }
    let feed = wanted.address.reveal().trim().to_owned();
    Place::parse(&feed, &policy.calendar_hosts).map_err(|what| refused(&what, "address"))?;
    let (people, address, kept) = (web.people()?, who.address().to_owned(), feed.clone());
    web.for_people(move || Ok(people.set_calendar_feed(&address, Some(&kept))?)).await?;
    Ok(Json(web.fetch_calendar(who.address(), &feed).await))
}

/// `PUT /client/calendar/file`: a calendar as a file, instead of an address.
pub async fn upload(
    State(web): State<Web>,
    Extension(who): Extension<SignedIn>,
    request: Request,
) -> Result<Json<CalendarStatus>, Refused> {
    let file = body(request, MAX_FEED_BYTES).await?.to_vec();
    let (people, address) = (web.people()?, who.address().to_owned());
    // Read before anything is forgotten: a file that is no calendar changes nothing.
    let (_, odd) = web.keep_calendar(who.address(), None, file).await.map_err(|what| refused(&what, "body"))?;
    let busy = web.for_people(move || Ok(people.keep_calendar_only(&address)?)).await?;
    web.forget_calendar(who.address());
    Ok(Json(CalendarStatus { not_understood: odd, ..web.calendar_status(who.address(), None, busy) }))
}

/// `DELETE /client/calendar`.
pub async fn remove(
    State(web): State<Web>,
    Extension(who): Extension<SignedIn>,
) -> Result<Json<CalendarStatus>, Refused> {
    let (people, address) = (web.people()?, who.address().to_owned());
    web.for_people(move || Ok(people.set_calendar_feed(&address, None)?)).await?;
    web.forget_calendar(who.address());
    Ok(Json(web.calendar_status(who.address(), None, 0)))
}

async fn status(web: &Web, address: &str) -> Result<Json<CalendarStatus>, Refused> {
    let (people, asked) = (web.people()?, address.to_owned());
    let (feed, busy) = web.for_people(move || Ok(people.calendar(&asked)?)).await?;
    Ok(Json(web.calendar_status(address, feed.as_deref(), busy)))
}

fn refused(what: &str, place: &'static str) -> Refused {
    Refused::new(Refusal::CalendarRefused, what, place)
}
