//! `/backup`.

use crate::Web;
use crate::authorize::Actor;
use crate::extract::{Payload, WhatIf};
use crate::refused::Refused;
use axum::extract::State;
use axum::{Extension, Json};
use lyceum_api::server::{BackupRequest, BackupStatus};
use lyceum_api::{Refusal, Timestamp};
use std::path::{Path, PathBuf};

/// `GET /backup`.
pub async fn status(State(web): State<Web>) -> Json<BackupStatus> {
    Json(web.backup().clone())
}

/// `POST /backup`.
pub async fn start(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Payload(request): Payload<BackupRequest>,
) -> Result<Json<BackupStatus>, Refused> {
    if request.file.is_some() && !actor.local {
        let what = "a file on the server can be named on the server only";
        return Err(Refused::new(Refusal::LocalOnly, what, "file"));
    }
    let file = match request.file {
        Some(file) => named(PathBuf::from(file))?,
        None => web.options().backup_dir.join(dated(Timestamp(web.now().0))),
    };
    if file.exists() {
        let what = format!("{} is there already", file.display());
        return Err(Refused::new(Refusal::BackupFailed, what, "file").fix("give another name, or remove it"));
    }
    let running =
        BackupStatus { state: "running".to_owned(), file: Some(file.display().to_string()), ..Default::default() };
    if what_if {
        return Ok(Json(BackupStatus { state: "what-if".to_owned(), ..running }));
    }
    {
        let mut status = web.backup();
        if status.state == "running" {
            return Err(Refused::new(Refusal::BackupRunning, "a backup is being written", "/backup"));
        }
        *status = running.clone();
    }
    // Ends by itself; the status tells how. At shutdown the runtime waits for it as for every blocking task.
    tokio::task::spawn_blocking(move || web.run_backup(&actor, &file));
    Ok(Json(running))
}

/// A path that somebody named: a slip of the pen must not become a folder.
fn named(file: PathBuf) -> Result<PathBuf, Refused> {
    if !file.is_absolute() {
        return Err(Refused::new(Refusal::RequestMalformed, "the path of the file is not absolute", "file"));
    }
    match file.parent().filter(|folder| !folder.is_dir()) {
        None => Ok(file),
        Some(folder) => {
            let what = format!("the folder {} is not there", folder.display());
            Err(Refused::new(Refusal::BackupFailed, what, "file").fix("name a folder that is there, or make it first"))
        }
    }
}

/// `lyceum-2026-01-31T080509Z.backup`.
fn dated(now: Timestamp) -> String {
    let text = now.to_string();
    format!("lyceum-{}Z.backup", text[..19].replace(':', ""))
}

impl Web {
    fn run_backup(&self, actor: &Actor, file: &Path) {
        let made = file.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(|e| e.to_string());
        let written = made.and_then(|()| {
            let mut progress = |p: lyceum_store::BackupProgress<'_>| {
                let mut status = self.backup();
                (status.done, status.total) = (p.done, p.total);
            };
            self.options().store.backup(file, self.now(), &mut progress).map_err(|e| e.to_string())
        });
        let note = match &written {
            Ok(_) => format!("written to {}", file.display()),
            Err(why) => format!("failed: {why}"),
        };
        // A line that cannot be written must not turn a good backup into a bad one.
        self.options().store.audit_note(self.by(actor), "server.backup", "backup", Some(&note)).ok();
        let mut status = self.backup();
        match written {
            Ok(_) => status.state = "done".to_owned(),
            Err(why) => {
                tracing::error!(file = %file.display(), why, "backup failed");
                status.state = "failed".to_owned();
                status.error = Some(why);
            }
        }
    }
}
