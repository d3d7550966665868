//! `/archive`: reading for an export, and purging.

use crate::Web;
use crate::authorize::Actor;
use crate::extract::{Params, Payload, WhatIf};
use crate::refused::{Refused, unavailable};
use axum::extract::State;
use axum::{Extension, Json};
use lyceum_api::archive::{ArchiveDone, ArchiveExported, ArchivePage, ArchivePurge, ArchiveQuery, Archived};
use lyceum_api::message::Content;
use lyceum_api::{Refusal, Timestamp};
use lyceum_sip::WallTime;
use lyceum_store::ArchivedRow;

/// Transactions of one call of a purge: some seconds at most.
const STEPS: usize = 20;

/// `GET /archive`.
pub async fn list(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    Params(query): Params<ArchiveQuery>,
) -> Result<Json<ArchivePage>, Refused> {
    web.clone().blocking(move || web.archived(&actor, query)).await.map(Json)
}

/// `POST /archive/exported`.
pub async fn exported(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Payload(wanted): Payload<ArchiveExported>,
) -> Result<Json<ArchiveDone>, Refused> {
    web.clone().blocking(move || web.archive_exported(&actor, what_if, wanted)).await.map(Json)
}

/// `POST /archive/purge`.
pub async fn purge(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Payload(wanted): Payload<ArchivePurge>,
) -> Result<Json<ArchiveDone>, Refused> {
    web.clone().blocking(move || web.purge_archive(&actor, what_if, &wanted)).await.map(Json)
}

impl Web {
    /// The rows of a person and a period; `to` is the last moment that counts.
    fn rows_of(
        &self,
        user: Option<String>,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> lyceum_store::ArchiveQuery {
        let snapshot = self.options().publisher.current();
        lyceum_store::ArchiveQuery {
            // A person of another organisation, or one who is gone, is asked for as written.
            user: user.map(|user| super::users::address(&snapshot, &user).map_or(user, |a| a.to_string())),
            from: from.map(|t| WallTime(t.0)),
            to: to.map(|t| WallTime(t.0.saturating_add(1))),
            ..Default::default()
        }
    }

    fn archived(&self, actor: &Actor, query: ArchiveQuery) -> Result<ArchivePage, Refused> {
        let mut wanted = self.rows_of(query.user, query.from, query.to);
        wanted.limit = query.limit.unwrap_or(0).try_into().unwrap_or(u32::MAX);
        if let Some(after) = &query.after {
            let what = "'after' is not the 'next' of a page";
            wanted.after = after.parse().map_err(|_| Refused::new(Refusal::RequestMalformed, what, "after"))?;
        }
        self.options().live.flush_messages();
        let page = self.options().store.archive(&wanted).map_err(|e| unavailable(&e))?;
        if query.after.is_none() {
            // Who reads the archive leaves a line; once per question, not per page.
            let object = wanted.user.as_deref().unwrap_or("archive");
            let more = if page.next.is_some() { " and more" } else { "" };
            let note = format!("{} rows{more} of {}", page.rows.len(), period(query.from, query.to));
            let noted = self.options().store.audit_note(self.by(actor), "archive.read", object, Some(&note));
            noted.map_err(|e| unavailable(&e))?;
        }
        Ok(ArchivePage {
            items: page.rows.into_iter().map(shown).collect(),
            next: page.next.map(|next| next.to_string()),
            left: page.left,
        })
    }

    fn archive_exported(&self, actor: &Actor, what_if: bool, wanted: ArchiveExported) -> Result<ArchiveDone, Refused> {
        let upto = wanted.upto;
        let query = self.rows_of(wanted.user, wanted.from, wanted.to);
        if what_if {
            let page = self.options().store.archive(&query).map_err(|e| unavailable(&e))?;
            return Ok(ArchiveDone { rows: 0, left: page.left });
        }
        let store = &self.options().store;
        let rows = store.archive_exported(&query, upto, self.now()).map_err(|e| unavailable(&e))?;
        let object = query.user.as_deref().unwrap_or("archive");
        let note = format!("{rows} rows of {}", period(wanted.from, wanted.to));
        store.audit_note(self.by(actor), "archive.export", object, Some(&note)).map_err(|e| unavailable(&e))?;
        Ok(ArchiveDone { rows, left: 0 })
    }

    fn purge_archive(&self, actor: &Actor, what_if: bool, wanted: &ArchivePurge) -> Result<ArchiveDone, Refused> {
        let store = &self.options().store;
        let before = WallTime(wanted.before.0);
        if what_if {
            let left = store.archive_purgeable(before, wanted.exported_only).map_err(|e| unavailable(&e))?;
            return Ok(ArchiveDone { rows: 0, left });
        }
        let mut done = ArchiveDone { rows: 0, left: 0 };
        for _ in 0..STEPS {
            let step = store.purge_archive(before, wanted.exported_only).map_err(|e| unavailable(&e))?;
            done = ArchiveDone { rows: done.rows + step.removed, left: step.left };
            if step.left == 0 {
                break;
            }
        }
        let exported = if wanted.exported_only { "exported rows" } else { "rows" };
        let note = format!("{} {exported} of everybody before {}", done.rows, wanted.before);
        store.audit_note(self.by(actor), "archive.purge", "archive", Some(&note)).map_err(|e| unavailable(&e))?;
        Ok(done)
    }
}

/// A period in words.
fn period(from: Option<Timestamp>, to: Option<Timestamp>) -> String {
    match (from, to) {
        (None, None) => "all times".to_owned(),
        (Some(from), None) => format!("{from} and later"),
        (None, Some(to)) => format!("{to} and earlier"),
        (Some(from), Some(to)) => format!("{from} to {to}"),
    }
}

fn shown(archived: ArchivedRow) -> Archived {
    let row = archived.row;
    Archived {
        seq: archived.seq,
        at: Timestamp(row.at.0),
        id: row.id.to_string(),
        conversation: row.conversation.to_string(),
        kind: row.kind.as_str().to_owned(),
        from: row.sender.into(),
        to: row.recipients.into_iter().map(Into::into).collect(),
        content_type: row.content_type.into(),
        content: Content::of(row.body.0),
        exported: archived.exported.map(|t| Timestamp(t.0)),
    }
}
