//! `/edges`.

use crate::Web;
use crate::authorize::Actor;
use crate::extract::{Name, Payload, WhatIf};
use crate::port::Edges;
use crate::refused::Refused;
use axum::extract::State;
use axum::{Extension, Json};
use lyceum_api::change::{Changed, Difference};
use lyceum_api::edge::{Edge, EdgeToken, NewEdgeToken};
use lyceum_api::{Refusal, Timestamp};
use lyceum_sip::WallTime;
use serde_json::json;
use std::sync::Arc;

/// How long a token is good when nobody says, and at most, in minutes.
const USUAL: u32 = 60;
const MOST: u32 = 24 * 60;
/// Longest name: one label of DNS.
const NAME: usize = 63;

/// `GET /edges`.
pub async fn list(State(web): State<Web>) -> Result<Json<Vec<Edge>>, Refused> {
    let edges = edges(&web)?;
    web.blocking(move || edges.edges().map_err(Refused::from)).await.map(Json)
}

/// `POST /edges/tokens`.
pub async fn token(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Payload(wanted): Payload<NewEdgeToken>,
) -> Result<Json<EdgeToken>, Refused> {
    let edges = edges(&web)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if wanted.name.is_empty() || wanted.name.len() > NAME || !wanted.name.chars().all(plain) {
        return Err(Refused::new(Refusal::EdgeInvalid, format!("{:?} is no name for an Edge", wanted.name), "name"));
    }
    let minutes = wanted.minutes.unwrap_or(USUAL);
    if !(1..=MOST).contains(&minutes) {
        let what = format!("a token is good for 1 to {MOST} minutes, not {minutes}");
        return Err(Refused::new(Refusal::EdgeInvalid, what, "minutes"));
    }
    web.clone()
        .blocking(move || {
            let ends = WallTime(web.now().0 + u64::from(minutes) * 60_000);
            let expires = Timestamp(ends.0);
            let token = if what_if { String::new() } else { edges.token(&wanted.name, ends, web.by(&actor))? };
            Ok(EdgeToken { name: wanted.name, token, expires })
        })
        .await
        .map(Json)
}

/// `DELETE /edges/{name}`.
pub async fn remove(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    WhatIf(what_if): WhatIf,
    Name(name): Name,
) -> Result<Json<Changed>, Refused> {
    let edges = edges(&web)?;
    web.clone()
        .blocking(move || {
            let is_there = match what_if {
                true => edges.edges()?.iter().any(|edge| edge.name == name),
                false => edges.remove(&name, web.by(&actor))?,
            };
            if !is_there {
                return Err(Refused::new(Refusal::EdgeNotFound, format!("no Edge {name}"), format!("/edges/{name}")));
            }
            Ok(Changed {
                what_if,
                action: "remove".to_owned(),
                kind: "edge".to_owned(),
                changes: vec![Difference { path: "name".to_owned(), before: Some(json!(name)), after: None }],
                name,
                version: None,
                object: None,
            })
        })
        .await
        .map(Json)
}

fn edges(web: &Web) -> Result<Arc<dyn Edges>, Refused> {
    let found = web.options().edges.clone();
    found.ok_or_else(|| Refused::new(Refusal::EdgeInvalid, "links of Access Edges are not served here", "/edges"))
}
