//! `/topology`.

use super::documents::{Commit, Edit, differences, invalid, no_version};
use crate::Web;
use crate::authorize::Actor;
use crate::extract::{Name, Params, Payload, WhatIf};
use crate::refused::{Refused, fault, unavailable};
use axum::extract::State;
use axum::{Extension, Json};
use lyceum_api::topology::{Compare, Comparison, Publish, Rollback, Topology, Verdict, Version};
use lyceum_api::{Changed, Page, Paging, Refusal, Timestamp};
use lyceum_store::{Published, TopologyError};
use lyceum_topology::{Document, Snapshot};
use serde_json::{Value, json};

/// Versions that are looked through at most for a list.
const VERSIONS_MOST: u32 = 100_000;

/// A document from JSON, with the faults of its shape.
pub(super) fn read(value: Value) -> Result<Document, Refused> {
    Document::from_value(value).map_err(|problems| invalid(&problems))
}

fn refused(error: TopologyError) -> Refused {
    match error {
        TopologyError::NoVersion(version) => no_version(version),
        other => unavailable(&other),
    }
}

/// `GET /topology`.
pub async fn get(State(web): State<Web>) -> Result<Json<Topology>, Refused> {
    web.clone().blocking(move || web.document_of(web.options().publisher.current().version)).await.map(Json)
}

/// `GET /topology/versions/{version}`.
pub async fn version(State(web): State<Web>, Name(name): Name) -> Result<Json<Topology>, Refused> {
    let version = name
        .parse()
        .map_err(|_| Refused::new(Refusal::RequestMalformed, format!("'{name}' is no version number"), "version"))?;
    web.clone().blocking(move || web.document_of(version)).await.map(Json)
}

/// `GET /topology/versions`.
pub async fn versions(State(web): State<Web>, Params(paging): Params<Paging>) -> Result<Json<Page<Version>>, Refused> {
    web.clone()
        .blocking(move || {
            let current = web.options().publisher.current().version;
            let before = paging.after.as_deref().and_then(|v| v.parse().ok()).unwrap_or(u64::MAX);
            // Versions count from 1 without gaps, so so many of the newest lie at or above the page.
            let newer = current.saturating_sub(before.saturating_sub(1).min(current));
            let wanted = newer.saturating_add(paging.limit() as u64 + 1).min(u64::from(VERSIONS_MOST));
            let all = web.options().store.topology_versions(wanted as u32).map_err(refused)?;
            let mut items: Vec<Version> =
                all.into_iter().filter(|p| p.version < before).map(|p| shown(p, current)).collect();
            let more = items.len() > paging.limit();
            items.truncate(paging.limit());
            let next = items.last().filter(|_| more).map(|v| v.version.to_string());
            Ok(Page { items, next })
        })
        .await
        .map(Json)
}

fn shown(published: Published, current: u64) -> Version {
    Version {
        version: published.version,
        author: published.author,
        at: Timestamp(published.at.0),
        current: published.version == current,
        restored_from: published.restored_from,
    }
}

impl Web {
    fn document_of(&self, version: u64) -> Result<Topology, Refused> {
        let store = &self.options().store;
        let snapshot = self.options().publisher.current();
        let document = match snapshot.version == version {
            true => snapshot.document().clone(),
            false => store.topology_version(version).map_err(refused)?,
        };
        let newer = snapshot.version.saturating_sub(version).saturating_add(1).min(u64::from(VERSIONS_MOST));
        let versions = store.topology_versions(newer as u32).map_err(refused)?;
        let published = versions.into_iter().find(|p| p.version == version);
        let mut value = document.to_value();
        // The version stands beside the document; inside it would look like a field to set.
        value.as_object_mut().map(|o| o.remove("version"));
        Ok(Topology {
            version,
            author: published.as_ref().map(|p| p.author.clone()).unwrap_or_default(),
            at: Timestamp(published.map_or(0, |p| p.at.0)),
            document: value,
        })
    }
}

/// `PUT /topology`.
pub async fn publish(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Payload(wanted): Payload<Publish>,
) -> Result<Json<Changed>, Refused> {
    web.clone()
        .blocking(move || {
            let document = checked(wanted.document.clone())?;
            let edit = |_: &Snapshot| Ok(document.clone());
            let edit = Edit {
                action: "publish",
                kind: "topology",
                name: "document".to_owned(),
                expected: wanted.expected_version,
                commit: Commit::Publish,
                edit: &edit,
                object: &version_object,
            };
            web.edit_document(&actor, edit, what_if)
        })
        .await
        .map(Json)
}

fn version_object(snapshot: &Snapshot) -> Option<Value> {
    Some(json!({ "version": snapshot.version, "current": true }))
}

/// A document whose shape and sense are right.
fn checked(value: Value) -> Result<Document, Refused> {
    let document = read(value)?;
    let problems = document.validate();
    if problems.is_empty() { Ok(document) } else { Err(invalid(&problems)) }
}

/// `POST /topology/validate`: also against the directory.
pub async fn validate(State(web): State<Web>, Payload(value): Payload<Value>) -> Result<Json<Verdict>, Refused> {
    web.clone()
        .blocking(move || {
            let directory = web.options().publisher.current().directory().clone();
            let problems = match Document::from_value(value) {
                Err(problems) => problems,
                Ok(document) => Snapshot::compile(&document, directory).err().unwrap_or_default(),
            };
            Ok(Verdict { valid: problems.is_empty(), problems: problems.iter().map(fault).collect() })
        })
        .await
        .map(Json)
}

/// `POST /topology/diff`.
pub async fn diff(State(web): State<Web>, Payload(wanted): Payload<Compare>) -> Result<Json<Comparison>, Refused> {
    web.clone()
        .blocking(move || {
            let of = |version: Option<u64>| {
                let snapshot = web.options().publisher.current();
                match version.filter(|v| *v != snapshot.version) {
                    None => Ok(snapshot.document().clone()),
                    Some(version) => web.options().store.topology_version(version).map_err(refused),
                }
            };
            let from = of(wanted.from)?;
            let to = wanted.document.map_or_else(|| of(wanted.to), read)?;
            Ok(Comparison { changes: differences(&from, &to) })
        })
        .await
        .map(Json)
}

/// `POST /topology/rollback`.
pub async fn rollback(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Payload(wanted): Payload<Rollback>,
) -> Result<Json<Changed>, Refused> {
    web.clone()
        .blocking(move || {
            let old = web.options().store.topology_version(wanted.to).map_err(refused)?;
            let edit = |_: &Snapshot| Ok(old.clone());
            let edit = Edit {
                action: "rollback",
                kind: "topology",
                name: format!("to version {}", wanted.to),
                expected: wanted.expected_version,
                commit: Commit::Rollback(wanted.to),
                edit: &edit,
                object: &version_object,
            };
            web.edit_document(&actor, edit, what_if)
        })
        .await
        .map(Json)
}
