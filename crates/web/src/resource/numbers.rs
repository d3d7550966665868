//! `/numbers`: the numbers the organisation holds, and whom they reach.

use super::users::{number, store_refused};
use crate::Web;
use crate::authorize::Actor;
use crate::extract::{Name, Params, Payload, WhatIf};
use crate::refused::Refused;
use axum::extract::State;
use axum::{Extension, Json};
use lyceum_api::change::differences;
use lyceum_api::directory::Number;
use lyceum_api::page::{DEFAULT_LIMIT, MAX_LIMIT};
use lyceum_api::{Changed, Page, Refusal};
use lyceum_topology::{LineUri, NumberRecord, Snapshot};
use std::collections::BTreeMap;

/// Which records a list shows.
#[derive(Debug, Default, serde::Deserialize)]
pub struct Query {
    pub(super) user: Option<String>,
    pub(super) limit: Option<usize>,
    pub(super) after: Option<String>,
}

impl Query {
    /// The page of records sorted by key.
    pub(super) fn page<T>(&self, records: BTreeMap<String, T>) -> Page<T> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
        let mut keys = Vec::new();
        let mut items = Vec::new();
        let after = self.after.as_deref().unwrap_or_default();
        let mut rest = records.into_iter().filter(|(key, _)| key.as_str() > after);
        for (key, record) in rest.by_ref().take(limit) {
            keys.push(key);
            items.push(record);
        }
        let more = rest.next().is_some();
        Page { items, next: keys.pop().filter(|_| more) }
    }
}

/// `GET /numbers`: records, and numbers of users that have none.
pub async fn list(State(web): State<Web>, Params(query): Params<Query>) -> Result<Json<Page<Number>>, Refused> {
    let snapshot = web.options().publisher.current();
    web.blocking(move || {
        let directory = snapshot.directory();
        let mut found = BTreeMap::new();
        let held = directory.numbers().map(|record| record.number);
        for line in held.chain(directory.users().flat_map(|user| user.numbers.iter().copied())) {
            found.entry(line.plain()).or_insert_with(|| shown(&snapshot, line));
        }
        if let Some(user) = &query.user {
            let address = super::users::address(&snapshot, user)?.to_string();
            found.retain(|_, number| number.user.as_deref() == Some(&address));
        }
        Ok(query.page(found))
    })
    .await
    .map(Json)
}

/// `GET /numbers/{number}`.
pub async fn get(State(web): State<Web>, Name(text): Name) -> Result<Json<Number>, Refused> {
    let line = number(&text)?;
    let snapshot = web.options().publisher.current();
    if snapshot.directory().number(line).is_none() && snapshot.directory().by_number(line).is_none() {
        return Err(missing(line));
    }
    Ok(Json(shown(&snapshot, line)))
}

/// `PUT /numbers/{number}`.
pub async fn set(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Name(text): Name,
    Payload(wanted): Payload<Number>,
) -> Result<Json<Changed>, Refused> {
    let line = number(&text)?;
    if number(&wanted.number)? != line {
        return Err(Refused::new(Refusal::RequestMalformed, "path and body name different numbers", "number"));
    }
    let record = NumberRecord {
        number: line,
        site: wanted.site.filter(|s| !s.is_empty()).map(Into::into),
        reserved: wanted.reserved,
        note: (!wanted.note.is_empty()).then(|| wanted.note.into()),
    };
    web.clone().blocking(move || web.put_number(&actor, &record, what_if)).await.map(Json)
}

/// `DELETE /numbers/{number}`.
pub async fn remove(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Name(text): Name,
) -> Result<Json<Changed>, Refused> {
    let line = number(&text)?;
    web.clone().blocking(move || web.remove_number(&actor, line, what_if)).await.map(Json)
}

fn missing(line: LineUri) -> Refused {
    let plain = line.plain();
    Refused::new(Refusal::NumberNotFound, format!("there is no record of {plain}"), format!("/numbers/{plain}"))
}

fn shown(snapshot: &Snapshot, line: LineUri) -> Number {
    let record = snapshot.directory().number(line);
    Number {
        number: line.plain(),
        user: snapshot.directory().by_number(line).map(|user| user.address.to_string()),
        site: record.and_then(|r| r.site.as_deref()).map(str::to_owned),
        reserved: record.is_some_and(|r| r.reserved),
        note: record.and_then(|r| r.note.as_deref()).unwrap_or_default().to_owned(),
    }
}

impl Web {
    fn put_number(&self, actor: &Actor, record: &NumberRecord, what_if: bool) -> Result<Changed, Refused> {
        let _turn = self.turn();
        let before = self.options().publisher.current();
        if let Some(site) = &record.site
            && !before.document().sites.iter().any(|s| s.name == **site)
        {
            return Err(Refused::new(Refusal::NumberInvalid, format!("there is no site {site}"), "site")
                .fix("list the sites with 'lyceum topology get'"));
        }
        let old = before.directory().number(record.number).map(|_| shown(&before, record.number));
        let mut directory = before.directory().clone();
        directory.insert_number(record.clone());
        let next = super::users::next(&before, directory)?;
        let new = shown(&next, record.number);
        let changed = change(what_if, "set", old.as_ref(), Some(&new));
        if !what_if && !changed.changes.is_empty() {
            self.options().store.number_put(record, self.by(actor)).map_err(store_refused)?;
            self.options().publisher.publish(next);
        }
        Ok(changed)
    }

    fn remove_number(&self, actor: &Actor, line: LineUri, what_if: bool) -> Result<Changed, Refused> {
        let _turn = self.turn();
        let before = self.options().publisher.current();
        if before.directory().number(line).is_none() {
            return Err(missing(line));
        }
        let old = shown(&before, line);
        let mut directory = before.directory().clone();
        directory.remove_number(line);
        let next = super::users::next(&before, directory)?;
        if !what_if {
            self.options().store.number_remove(line, self.by(actor)).map_err(store_refused)?;
            self.options().publisher.publish(next);
        }
        Ok(change(what_if, "remove", Some(&old), None))
    }
}

fn change(what_if: bool, action: &str, old: Option<&Number>, new: Option<&Number>) -> Changed {
    let json = |n: Option<&Number>| n.map(|n| serde_json::to_value(n).unwrap_or_default());
    let name = new.or(old).map_or_else(String::new, |n| n.number.clone());
    Changed {
        what_if,
        action: action.to_owned(),
        kind: "number".to_owned(),
        name,
        changes: differences(json(old).as_ref(), json(new).as_ref()),
        version: None,
        object: json(new),
    }
}
