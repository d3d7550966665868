//! `/client/calls`: one's own calls, as their records tell.

use super::SignedIn;
use crate::Web;
use crate::extract::Params;
use crate::refused::Refused;
use crate::resource::calls::{read, rows};
use axum::extract::State;
use axum::{Extension, Json};
use lyceum_api::Timestamp;
use lyceum_api::call::CallQuery;
use lyceum_api::client::{OwnCall, OwnCallQuery, OwnCalls};
use lyceum_monitoring::{CallRecord, Outcome, Party};

/// `GET /client/calls`.
pub async fn list(
    State(web): State<Web>,
    Extension(who): Extension<SignedIn>,
    Params(query): Params<OwnCallQuery>,
) -> Result<Json<OwnCalls>, Refused> {
    web.clone()
        .for_people(move || {
            web.options().live.flush_calls();
            let wanted = CallQuery { limit: query.limit, after: query.before, ..CallQuery::default() };
            let (rows, next) = rows(&web.options().store, &wanted, Some(who.address().to_owned()))?;
            Ok(OwnCalls { items: rows.iter().filter_map(read).map(|r| own(&r, who.address())).collect(), next })
        })
        .await
        .map(Json)
}

/// A call as one of its two people sees it.
fn own(record: &CallRecord, me: &str) -> OwnCall {
    let outgoing = bare(record.caller.address.reveal()) == me;
    OwnCall {
        id: record.id.clone(),
        direction: if outgoing { "outgoing" } else { "incoming" }.to_owned(),
        with: if outgoing { called(record) } else { shown(record.caller.address.reveal()) },
        started: Timestamp(record.started.0),
        answered: record.answered.map(|t| Timestamp(t.0)),
        ended: record.ended.map(|t| Timestamp(t.0)),
        seconds: record.talk_millis().map(|ms| ms.div_ceil(1000)),
        outcome: word(record.outcome, outgoing).to_owned(),
    }
}

/// Whom one called: a person by address, else what one dialled.
fn called(record: &CallRecord) -> String {
    let person = record.callee.as_ref().filter(|party: &&Party| party.user.is_some());
    shown(person.map_or(record.dialled.reveal(), |party| party.address.reveal()))
}

/// A number without the domain it was dialled in, else the address.
fn shown(uri: &str) -> String {
    let bare = bare(uri);
    let user = bare.split('@').next().unwrap_or_default();
    let number = !user.is_empty() && user.chars().all(|c| c.is_ascii_digit() || "+*#".contains(c));
    if number { user.to_owned() } else { bare }
}

/// `user@domain` of a SIP URI, the number of a `tel:` one.
fn bare(uri: &str) -> String {
    let rest = ["sip:", "sips:", "tel:"].iter().find_map(|scheme| uri.strip_prefix(scheme)).unwrap_or(uri);
    rest.split([';', '?']).next().unwrap_or(rest).to_lowercase()
}

/// What became of it, for this side: a call that nobody took is missed by who was called.
fn word(outcome: Outcome, outgoing: bool) -> &'static str {
    match (outcome, outgoing) {
        (Outcome::Ringing, _) => "ringing",
        (Outcome::Answered, _) => "answered",
        (Outcome::Declined, _) | (Outcome::Busy, false) => "declined",
        (Outcome::Busy, true) => "busy",
        (_, false) => "missed",
        (Outcome::Cancelled, true) => "cancelled",
        (Outcome::NoAnswer, true) => "no-answer",
        (Outcome::Refused, true) => "refused",
        (Outcome::Unreachable | Outcome::Failed, true) => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_bare_and_people_by_address() {
        for (uri, expected) in [
            ("sip:Ben@Example.org;transport=tcp", "ben@example.org"),
            ("sip:+4930123@example.org;user=phone", "+4930123"),
            ("tel:+4930123", "+4930123"),
            ("sip:*21#@example.org", "*21#"),
        ] {
            assert_eq!(shown(uri), expected);
        }
    }

    #[test]
    fn who_was_called_missed_what_who_called_gave_up() {
        for (outcome, outgoing, incoming) in [
            (Outcome::Answered, "answered", "answered"),
            (Outcome::Cancelled, "cancelled", "missed"),
            (Outcome::NoAnswer, "no-answer", "missed"),
            (Outcome::Busy, "busy", "declined"),
            (Outcome::Declined, "declined", "declined"),
            (Outcome::Failed, "failed", "missed"),
        ] {
            assert_eq!((word(outcome, true), word(outcome, false)), (outgoing, incoming), "{outcome:?}");
        }
    }
}
