//! `/audit`.

use crate::Web;
use crate::extract::Params;
use crate::refused::{Refused, unavailable};
use axum::Json;
use axum::extract::State;
use lyceum_api::audit::{AuditEntry, AuditQuery};
use lyceum_api::change::differences;
use lyceum_api::page::{DEFAULT_LIMIT, MAX_LIMIT};
use lyceum_api::{Difference, Page, Timestamp};
use lyceum_sip::WallTime;
use lyceum_store::AuditLine;
use lyceum_topology::Document;
use serde_json::json;

/// `GET /audit`.
pub async fn list(
    State(web): State<Web>,
    Params(query): Params<AuditQuery>,
) -> Result<Json<Page<AuditEntry>>, Refused> {
    web.clone()
        .blocking(move || {
            let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT - 1);
            let wanted = lyceum_store::AuditQuery {
                from: query.from.map(|t| WallTime(t.0)),
                to: query.to.map(|t| WallTime(t.0)),
                who: query.who,
                what: None,
                object: query.object,
                before_id: query.after.and_then(|id| id.parse().ok()),
                limit: limit as u32 + 1,
            };
            let mut lines = web.options().store.audit(&wanted).map_err(|e| unavailable(&e))?;
            let more = lines.len() > limit;
            lines.truncate(limit);
            let next = lines.last().filter(|_| more).map(|line| line.id.to_string());
            let documents = &mut Documents { web: &web, last: None };
            Ok(Page { items: lines.into_iter().map(|line| entry(line, documents)).collect(), next })
        })
        .await
        .map(Json)
}

/// Changes of the topology that one line names; who needs all of them compares the versions.
const CHANGES_MOST: usize = 20;

fn entry(line: AuditLine, documents: &mut Documents<'_>) -> AuditEntry {
    let json = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let mut changes = differences(json(&line.before).as_ref(), json(&line.after).as_ref());
    // An act that changes no row says in words what it was.
    if let Some(note) = line.after.as_ref().filter(|note| json(&line.after).is_none() && !note.is_empty()) {
        changes.push(Difference { path: "note".to_owned(), before: None, after: Some(json!(note)) });
    }
    if line.version_before.is_some() || line.version_after.is_some() {
        changes.push(Difference {
            path: "version".to_owned(),
            before: line.version_before.map(|v| json!(v)),
            after: line.version_after.map(|v| json!(v)),
        });
        if let (Some(before), Some(after)) = (line.version_before, line.version_after) {
            changes.extend(documents.changes(before, after));
        }
    }
    AuditEntry { id: line.id, at: Timestamp(line.at.0), who: line.who, action: line.what, object: line.object, changes }
}

/// The published documents, as far as lines ask for them.
struct Documents<'a> {
    web: &'a Web,
    /// The document before the last line's: the list goes backwards, so it is the next line's after.
    last: Option<(u64, Document)>,
}

impl Documents<'_> {
    fn changes(&mut self, before: u64, after: u64) -> Vec<Difference> {
        let Some(new) = self.version(after) else { return Vec::new() };
        let Some(old) = self.version(before) else { return Vec::new() };
        let mut changes = super::documents::differences(&old, &new);
        let left = changes.len().saturating_sub(CHANGES_MOST);
        if left > 0 {
            changes.truncate(CHANGES_MOST);
            let path = format!("{left} more: lyceum topology diff {before} {after}");
            changes.push(Difference { path, before: None, after: None });
        }
        self.last = Some((before, old));
        changes
    }

    fn version(&mut self, version: u64) -> Option<Document> {
        match self.last.take_if(|(number, _)| *number == version) {
            Some((_, document)) => Some(document),
            // A version that cannot be read must not hide the rest of the list.
            None => self.web.options().store.topology_version(version).ok(),
        }
    }
}
