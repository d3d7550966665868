//! `/health`, `/status`, `/metrics`, `/openapi.json`, `/certificates`.

use crate::authorize::Actor;
use crate::extract::WhatIf;
use crate::refused::Refused;
use crate::{Web, metrics};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use lyceum_api::openapi;
use lyceum_api::server::{Certificate, Health, Status};

use crate::port::{Condition, Figure, FigureKind};

/// `GET /health`.
pub async fn health(State(web): State<Web>) -> Response {
    let condition = web.options().live.condition();
    let status = match condition {
        Condition::Ok => StatusCode::OK,
        Condition::Degraded | Condition::Draining => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(Health { status: condition.as_str().to_owned() })).into_response()
}

/// `GET /openapi.json`.
pub async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], openapi::text()).into_response()
}

/// `GET /status`.
pub async fn status(State(web): State<Web>) -> Result<Json<Status>, Refused> {
    web.clone()
        .blocking(move || {
            let (live, snapshot) = (&web.options().live, web.options().publisher.current());
            let named = |f: Figure| {
                let labels: Vec<String> = f.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
                let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
                (format!("{}{labels}", f.name), f.value)
            };
            Ok(Status {
                status: live.condition().as_str().to_owned(),
                node: live.node(),
                program: env!("CARGO_PKG_VERSION").to_owned(),
                pid: std::process::id(),
                started: web.started(),
                topology_version: snapshot.version,
                users: snapshot.directory().len() as u64,
                registered: live.registered(),
                calls: live.calls(),
                listeners: live.listeners(),
                certificates: live.certificates(),
                figures: live.figures().into_iter().map(named).collect(),
            })
        })
        .await
        .map(Json)
}

/// `GET /metrics`.
pub async fn metrics(State(web): State<Web>) -> Result<Response, Refused> {
    web.clone()
        .blocking(move || {
            let (live, snapshot) = (&web.options().live, web.options().publisher.current());
            let gauge = |name, help, value| Figure { name, help, kind: FigureKind::Gauge, labels: Vec::new(), value };
            let mut figures = live.figures();
            figures.push(gauge("users", "Users in the directory", snapshot.directory().len() as f64));
            figures.push(gauge("topology_version", "Version of the topology document", snapshot.version as f64));
            figures.push(gauge("registered", "Addresses with a registration", live.registered() as f64));
            figures.push(gauge("calls", "Calls up or being set up", live.calls() as f64));
            Ok(([(header::CONTENT_TYPE, metrics::MEDIA_TYPE)], metrics::text(figures)).into_response())
        })
        .await
}

/// `POST /certificates/reload`.
pub async fn reload_certificates(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
) -> Result<Json<Vec<Certificate>>, Refused> {
    web.clone()
        .blocking(move || {
            let certificates = web.options().live.reload_certificates(what_if)?;
            if !what_if {
                web.note(&actor, "certificates.reload", "certificates");
            }
            Ok(certificates)
        })
        .await
        .map(Json)
}
