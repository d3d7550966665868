//! `/trace`: what SIP messages passed, and the ladder of a call.

use crate::Web;
use crate::authorize::Actor;
use crate::extract::{Name, Params, Payload, WhatIf};
use crate::refused::{Refused, unavailable};
use axum::extract::State;
use axum::{Extension, Json};
use lyceum_api::page::{DEFAULT_LIMIT, MAX_LIMIT};
use lyceum_api::trace::{Arrow, Ladder as Drawn, LadderQuery, TraceMessage, TraceQuery, TraceStart, TraceStatus};
use lyceum_api::{Page, Refusal, Timestamp};
use lyceum_monitoring::{Direction, Ladder, Lane, Rung, Style, TraceEntry, Verdict};
use lyceum_sip::WallTime;
use lyceum_store::TraceRow;

/// Longest trace, in minutes.
const MINUTES_MOST: u32 = 1440;
/// Rows read at a time while searching.
const ROWS: u32 = 10_000;

/// `GET /trace`.
pub async fn status(State(web): State<Web>) -> Result<Json<TraceStatus>, Refused> {
    let live = web.options().live.clone();
    web.blocking(move || Ok(live.trace_status())).await.map(Json)
}

/// `POST /trace/start`.
pub async fn start(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Payload(mut wanted): Payload<TraceStart>,
) -> Result<Json<TraceStatus>, Refused> {
    if wanted.minutes.is_some_and(|m| m == 0 || m > MINUTES_MOST) {
        let what = format!("a trace runs 1 to {MINUTES_MOST} minutes");
        return Err(Refused::new(Refusal::RequestMalformed, what, "minutes"));
    }
    web.clone()
        .blocking(move || {
            let live = &web.options().live;
            if let Some(user) = &wanted.user {
                let address = super::users::address(&web.options().publisher.current(), user)?;
                wanted.user = Some(address.to_string());
            }
            if what_if {
                let status = live.trace_status();
                if status.running {
                    return Err(Refused::new(Refusal::TraceRunning, "a trace runs already", "/trace"));
                }
                return Ok(TraceStatus { user: wanted.user, ..status });
            }
            let status = live.start_trace(&wanted)?;
            web.note(&actor, "trace.start", wanted.user.as_deref().unwrap_or("all"));
            Ok(status)
        })
        .await
        .map(Json)
}

/// `POST /trace/stop`.
pub async fn stop(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
) -> Result<Json<TraceStatus>, Refused> {
    web.clone()
        .blocking(move || {
            let live = &web.options().live;
            if what_if {
                return Ok(live.trace_status());
            }
            let status = live.stop_trace()?;
            web.note(&actor, "trace.stop", status.user.as_deref().unwrap_or("all"));
            Ok(status)
        })
        .await
        .map(Json)
}

pub(super) fn read(row: &TraceRow) -> Option<TraceEntry> {
    serde_json::from_slice(&row.record).ok()
}

/// `GET /trace/messages`, oldest first.
pub async fn search(
    State(web): State<Web>,
    Params(query): Params<TraceQuery>,
) -> Result<Json<Page<TraceMessage>>, Refused> {
    web.clone()
        .blocking(move || {
            web.options().live.flush_records();
            let user = query
                .user
                .as_deref()
                .map(|user| super::users::address(&web.options().publisher.current(), user).map(|a| a.to_string()));
            found(&web, &query, user.transpose()?.as_deref())
        })
        .await
        .map(Json)
}

fn found(web: &Web, query: &TraceQuery, user: Option<&str>) -> Result<Page<TraceMessage>, Refused> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    // `after` is a time and how many messages of that very millisecond were shown.
    let after = query.after.as_deref().and_then(|a| a.split_once('/'));
    let (from, skip) = after.and_then(|(t, n)| Some((t.parse().ok()?, n.parse().ok()?))).unwrap_or((0, 0));
    let from = WallTime(query.from.map_or(0, |t| t.0).max(from));
    let to = WallTime(query.to.map_or(i64::MAX as u64, |t| t.0));
    let store = &web.options().store;
    let rows = match &query.call_id {
        Some(call) => store.trace(call).map(|rows| rows.into_iter().filter(|r| r.at >= from && r.at <= to).collect()),
        None => store.traces(from, to, ROWS),
    };
    let rows: Vec<TraceRow> = rows.map_err(|e| unavailable(&e))?;
    let full = rows.len() >= ROWS as usize;
    let (mut items, mut next) = (Vec::new(), None);
    let (mut at, mut same) = (from, 0usize);
    for row in &rows {
        (at, same) = if row.at == at { (at, same + 1) } else { (row.at, 1) };
        if row.at == from && same <= skip {
            continue;
        }
        let Some(entry) = read(row).filter(|e| fits(e, query, user)) else { continue };
        if items.len() == limit {
            next = Some(format!("{}/{}", at.0, same - 1));
            break;
        }
        items.push(message(&entry, query.full.unwrap_or(false)));
    }
    if next.is_none() && full {
        next = Some(format!("{}/{same}", at.0));
    }
    Ok(Page { items, next })
}

fn fits(entry: &TraceEntry, query: &TraceQuery, user: Option<&str>) -> bool {
    let text = entry.message.reveal();
    query.text.as_deref().is_none_or(|wanted| text.contains(wanted))
        && user.is_none_or(|user| text.to_ascii_lowercase().contains(user))
}

fn message(entry: &TraceEntry, full: bool) -> TraceMessage {
    let (remote, ours) = (entry.remote.to_string(), "server".to_owned());
    let (from, to) = match entry.direction {
        Direction::Received => (remote, ours),
        Direction::Sent => (ours, remote),
    };
    TraceMessage {
        at: Timestamp(entry.time.0),
        call_id: entry.call_id.clone(),
        from,
        to,
        transport: entry.transport.as_str().to_ascii_lowercase(),
        summary: entry.first_line.reveal().to_owned(),
        message: full.then(|| entry.message.reveal().to_owned()),
    }
}

/// `GET /trace/calls/{id}`.
pub async fn show(
    State(web): State<Web>,
    Name(id): Name,
    Params(query): Params<LadderQuery>,
) -> Result<Json<Drawn>, Refused> {
    web.clone()
        .blocking(move || {
            web.options().live.flush_records();
            let rows = rows_of(&web, &id)?;
            let mut entries: Vec<TraceEntry> = rows.iter().filter_map(read).collect();
            once(&mut entries);
            if entries.is_empty() {
                let what = format!("nothing was captured of call {id}");
                return Err(Refused::new(Refusal::TraceNotFound, what, format!("/trace/calls/{id}")));
            }
            Ok(drawn(&Ladder::build(entries), query.full.unwrap_or(false)))
        })
        .await
        .map(Json)
}

/// A failed call that was traced as well has each message twice.
fn once(entries: &mut Vec<TraceEntry>) {
    let mut seen: Vec<(u64, Direction, String)> = Vec::new();
    entries.retain(|entry| {
        let this = (entry.time.0, entry.direction, entry.message.reveal().to_owned());
        let is_new = !seen.contains(&this);
        seen.push(this);
        is_new
    });
}

/// The captured messages of a call, named by its record's identity or by its Call-ID.
fn rows_of(web: &Web, id: &str) -> Result<Vec<TraceRow>, Refused> {
    let store = &web.options().store;
    let rows = store.trace(id).map_err(|e| unavailable(&e))?;
    if !rows.is_empty() {
        return Ok(rows);
    }
    let Some(record) = super::calls::find(store, id)? else { return Ok(rows) };
    let other = if record.id == id { &record.call_id } else { &record.id };
    store.trace(other).map_err(|e| unavailable(&e))
}

fn drawn(ladder: &Ladder, full: bool) -> Drawn {
    let explanation = ladder.explain();
    let failing = explanation.transaction.filter(|_| explanation.verdict == Verdict::Failed);
    let arrow = |rung: &Rung| Arrow {
        at: Timestamp(rung.entry.time.0),
        from: rung.from,
        to: rung.to,
        summary: rung.entry.first_line.reveal().to_owned(),
        transaction: rung.transaction + 1,
        failed: failing == Some(rung.transaction),
        repeated: rung.again,
        message: full.then(|| rung.entry.message.reveal().to_owned()),
    };
    Drawn {
        call_id: ladder.rungs.first().map(|r| r.entry.call_id.clone()).unwrap_or_default(),
        parties: ladder.lanes.iter().map(Lane::who).collect(),
        arrows: ladder.rungs.iter().map(arrow).collect(),
        code: explanation.code.to_owned(),
        verdict: explanation.sentence.clone(),
        hint: explanation.hint.clone(),
        drawing: ladder.render(Style::default()),
    }
}
