//! `/calls`: call detail records.

use crate::Web;
use crate::extract::{Name, Params};
use crate::refused::{Refused, unavailable};
use axum::Json;
use axum::extract::State;
use lyceum_api::call::{Call, CallQuery, Step};
use lyceum_api::page::{DEFAULT_LIMIT, MAX_LIMIT};
use lyceum_api::{Page, Refusal, Timestamp};
use lyceum_monitoring::{CallRecord, DecisionStep};
use lyceum_sip::WallTime;
use lyceum_store::{CallRow, Store};

/// Rows that one question looks through: more than a page, because some are filtered out.
const SEARCHED: u32 = 10_000;

/// `GET /calls`.
pub async fn list(State(web): State<Web>, Params(query): Params<CallQuery>) -> Result<Json<Page<Call>>, Refused> {
    web.clone()
        .blocking(move || {
            web.options().live.flush_records();
            page(&web.options().store, &query, |user| {
                super::users::address(&web.options().publisher.current(), user).map(|a| a.to_string())
            })
        })
        .await
        .map(Json)
}

/// `GET /calls/{id}`.
pub async fn get(State(web): State<Web>, Name(id): Name) -> Result<Json<Call>, Refused> {
    web.clone()
        .blocking(move || {
            web.options().live.flush_records();
            let record = find(&web.options().store, &id)?;
            let record = record.ok_or_else(|| {
                Refused::new(Refusal::CallNotFound, format!("there is no record of call {id}"), format!("/calls/{id}"))
            })?;
            Ok(shown(&record, true))
        })
        .await
        .map(Json)
}

/// The record of a call by its identity, else the newest with this Call-ID.
pub(super) fn find(store: &Store, id: &str) -> Result<Option<CallRecord>, Refused> {
    if let Some(row) = store.call(id).map_err(|e| unavailable(&e))? {
        return Ok(read(&row));
    }
    let rows = store.calls(&lyceum_store::CallQuery { limit: SEARCHED, ..Default::default() });
    let rows = rows.map_err(|e| unavailable(&e))?;
    Ok(rows.iter().filter_map(read).find(|record| record.call_id == id))
}

/// A record that a newer or older server wrote differently is passed over, not an error of the list.
pub(crate) fn read(row: &CallRow) -> Option<CallRecord> {
    serde_json::from_slice(&row.record).ok()
}

fn page(
    store: &Store,
    query: &CallQuery,
    address: impl Fn(&str) -> Result<String, Refused>,
) -> Result<Page<Call>, Refused> {
    let user = query.user.as_deref().map(address).transpose()?;
    let (rows, next) = rows(store, query, user)?;
    Ok(Page { items: rows.iter().filter_map(read).map(|r| shown(&r, false)).collect(), next })
}

/// The rows of one page of a user's calls, or of everybody's, and where the next page begins.
pub(crate) fn rows(
    store: &Store,
    query: &CallQuery,
    user: Option<String>,
) -> Result<(Vec<CallRow>, Option<String>), Refused> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT / 2);
    // `after` is the last call of the page before: its time in milliseconds and its identity.
    let after = query.after.as_deref().and_then(|a| a.split_once('/')).and_then(|(t, id)| Some((t.parse().ok()?, id)));
    let to = after.map(|(t, _)| t).into_iter().chain(query.to.map(|t| t.0)).min();
    let wanted = lyceum_store::CallQuery {
        user,
        from: query.from.map(|t| WallTime(t.0)),
        to: to.map(WallTime),
        limit: if query.call_id.is_some() { SEARCHED } else { (limit * 2) as u32 + 1 },
    };
    let mut rows = store.calls(&wanted).map_err(|e| unavailable(&e))?;
    if let Some(at) = after.and_then(|(_, id)| rows.iter().position(|row| row.id == id)) {
        rows.drain(..=at);
    }
    rows.retain(|row| query.call_id.is_none() || read(row).is_some_and(|r| Some(&r.call_id) == query.call_id.as_ref()));
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| format!("{}/{}", row.started.0, row.id));
    Ok((rows, next))
}

fn shown(record: &CallRecord, with_decision: bool) -> Call {
    let answered_by = record.branches.iter().find(|b| (200..300).contains(&b.status));
    let outcome = serde_json::to_value(record.outcome).ok().and_then(|v| v.as_str().map(str::to_owned));
    Call {
        id: record.id.clone(),
        call_id: record.call_id.clone(),
        session_id: record.session_id.clone(),
        // The person asking is a named administrator; the question is in the audit trail of sessions.
        caller: record.caller.address.reveal().to_owned(),
        callee: record.dialled.reveal().to_owned(),
        answered_by: answered_by.map(|b| b.contact.reveal().to_owned()),
        started: Timestamp(record.started.0),
        answered: record.answered.map(|t| Timestamp(t.0)),
        ended: record.ended.map(|t| Timestamp(t.0)),
        seconds: record.talk_millis().map(|ms| ms.div_ceil(1000)),
        status: (record.status != 0).then_some(record.status),
        outcome: outcome.unwrap_or_default(),
        code: record.code.clone(),
        decision: if with_decision { record.decision.iter().map(step).collect() } else { Vec::new() },
    }
}

fn step(step: &DecisionStep) -> Step {
    let value = serde_json::to_value(step).unwrap_or_default();
    Step { step: value["step"].as_str().unwrap_or_default().replace('_', " "), result: step.sentence(), facts: value }
}
