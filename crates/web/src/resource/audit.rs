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
            Ok(Page { items: lines.into_iter().map(entry).collect(), next })
        })
        .await
        .map(Json)
}

fn entry(line: AuditLine) -> AuditEntry {
    let json = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let mut changes = differences(json(&line.before).as_ref(), json(&line.after).as_ref());
    if line.version_before.is_some() || line.version_after.is_some() {
        changes.push(Difference {
            path: "version".to_owned(),
            before: line.version_before.map(|v| json!(v)),
            after: line.version_after.map(|v| json!(v)),
        });
    }
    AuditEntry { id: line.id, at: Timestamp(line.at.0), who: line.who, action: line.what, object: line.object, changes }
}
