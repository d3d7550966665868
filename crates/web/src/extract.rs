//! Requests into types, with refusals that say what is wrong.

use crate::refused::Refused;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::{HeaderMap, header, request::Parts};
use lyceum_api::Refusal;
use lyceum_api::route::{Access, Route};
use serde::de::DeserializeOwned;
use std::pin::Pin;
use std::time::Duration;

/// Bytes of an administrator's JSON body at most: a topology document of thousands of sites fits.
const JSON_MOST: usize = 8 << 20;
/// Of a user's.
const USER_MOST: usize = 64 << 10;
/// Of a user's contact list.
const CONTACTS_MOST: usize = 1 << 20;
/// Of a stranger's, who signs in.
const OPEN_MOST: usize = 16 << 10;
/// How long a body may take: nobody must hold a connection open with one.
const BODY_PATIENCE: Duration = Duration::from_secs(60);
/// How long a stranger's may.
const OPEN_PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that are read of a body that nobody wants, so that its sender comes to read the answer.
const DISCARD_MOST: u64 = 64 << 20;
/// How long that may take.
const DISCARD_PATIENCE: Duration = Duration::from_secs(10);

/// How much of a body is read, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyBound {
    most: usize,
    patience: Duration,
}

impl BodyBound {
    /// What a route reads of its JSON.
    pub fn of(route: &Route) -> BodyBound {
        let most = match route.access {
            Access::Open => OPEN_MOST,
            Access::User if route.path == "/client/contacts" => CONTACTS_MOST,
            Access::User => USER_MOST,
            Access::Administrator | Access::Local => JSON_MOST,
        };
        BodyBound { most, patience: if route.access == Access::Open { OPEN_PATIENCE } else { BODY_PATIENCE } }
    }
}
/// Bytes of an import at most: a million lines.
const CSV_MOST: usize = 128 << 20;

/// A JSON body.
pub struct Payload<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Payload<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refused> {
        media(&request, "application/json")?;
        // Every route has passed the table; what has not is a stranger's.
        let open = BodyBound { most: OPEN_MOST, patience: OPEN_PATIENCE };
        let bound = request.extensions().get::<BodyBound>().copied().unwrap_or(open);
        let bytes = bounded(request, bound).await?;
        serde_json::from_slice(&bytes)
            .map(Payload)
            .map_err(|e| Refused::new(Refusal::RequestMalformed, format!("the body does not fit: {e}"), "body"))
    }
}

/// A CSV body.
pub struct Csv(pub String);

impl<S: Send + Sync> FromRequest<S> for Csv {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refused> {
        media(&request, "text/csv")?;
        let bytes = body(request, CSV_MOST).await?;
        String::from_utf8(bytes).map(Csv).map_err(|e| {
            let line = e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
            Refused::new(Refusal::RequestMalformed, "the text is not UTF-8", format!("line {line}"))
                .fix("save the file as UTF-8")
        })
    }
}

/// Bytes of a plan file at most: one of thousands of sites fits.
const PLAN_MOST: usize = 1 << 20;

/// A plan file, TOML.
pub struct PlanFile(pub String);

impl<S: Send + Sync> FromRequest<S> for PlanFile {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refused> {
        media(&request, "application/toml")?;
        let bytes = body(request, PLAN_MOST).await?;
        let malformed = |_| Refused::new(Refusal::RequestMalformed, "the text is not UTF-8", "body");
        String::from_utf8(bytes).map(PlanFile).map_err(malformed)
    }
}

/// A short form of a page.
pub struct Form<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refused> {
        media(&request, "application/x-www-form-urlencoded")?;
        let bytes = body(request, 16 * 1024).await?;
        serde_urlencoded::from_bytes(&bytes)
            .map(Form)
            .map_err(|e| Refused::new(Refusal::RequestMalformed, format!("the form does not fit: {e}"), "body"))
    }
}

fn media(request: &Request, wanted: &str) -> Result<(), Refused> {
    let given = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let bare = given.split(';').next().unwrap_or_default().trim();
    if bare.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    let what = format!("this route reads {wanted}, not '{bare}'");
    Err(Refused::new(Refusal::MediaTypeUnknown, what, "Content-Type").fix(format!("send Content-Type: {wanted}")))
}

pub(crate) async fn body(request: Request, most: usize) -> Result<Vec<u8>, Refused> {
    bounded(request, BodyBound { most, patience: BODY_PATIENCE }).await
}

async fn bounded(request: Request, bound: BodyBound) -> Result<Vec<u8>, Refused> {
    let BodyBound { most, patience } = bound;
    let what = || Refused::new(Refusal::RequestTooLarge, format!("the body is larger than {most} bytes"), "body");
    let (parts, mut body) = request.into_parts();
    if length(&parts.headers).is_some_and(|length| length > most as u64) {
        discard(&parts.headers, &mut body).await;
        return Err(what());
    }
    let read = tokio::time::timeout(patience, to_bytes(body, most)).await.map_err(|_| {
        let what = format!("the body did not arrive within {} s", patience.as_secs());
        Refused::new(Refusal::RequestMalformed, what, "body")
    })?;
    read.map(|b| b.to_vec()).map_err(|_| what())
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok())
}

/// Reads the rest of a body that is refused, within bounds: most programs read no answer before they have sent all.
pub(crate) async fn discard(headers: &HeaderMap, body: &mut Body) {
    // Who asks first sends nothing now; who sends more than we read finds the connection closed.
    if headers.contains_key(header::EXPECT) || length(headers).is_some_and(|length| length > DISCARD_MOST) {
        return;
    }
    let rest = async {
        let mut read = 0;
        while let Some(Ok(frame)) = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            read += frame.data_ref().map_or(0, |piece| piece.len() as u64);
            if read > DISCARD_MOST {
                break;
            }
        }
    };
    // What does not come in time is not waited for.
    tokio::time::timeout(DISCARD_PATIENCE, rest).await.ok();
}

/// The query, as a type.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        serde_urlencoded::from_str(parts.uri.query().unwrap_or_default())
            .map(Params)
            .map_err(|e| Refused::new(Refusal::RequestMalformed, format!("the query does not fit: {e}"), "query"))
    }
}

/// `?what_if=true`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WhatIf(pub bool);

impl<S: Send + Sync> FromRequestParts<S> for WhatIf {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        #[derive(serde::Deserialize)]
        struct Query {
            #[serde(default)]
            what_if: bool,
        }
        let Params(query) = Params::<Query>::from_request_parts(parts, state).await?;
        Ok(WhatIf(query.what_if))
    }
}

/// The one parameter of the path.
pub struct Name(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        names(parts, state).await?.into_iter().next().map(Name).ok_or_else(malformed)
    }
}

/// The two parameters of the path.
pub struct Names(pub String, pub String);

impl<S: Send + Sync> FromRequestParts<S> for Names {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let mut names = names(parts, state).await?.into_iter();
        names.next().zip(names.next()).map(|(a, b)| Names(a, b)).ok_or_else(malformed)
    }
}

async fn names<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<Vec<String>, Refused> {
    let found = RawPathParams::from_request_parts(parts, state).await.map_err(|_| malformed())?;
    Ok(found.iter().map(|(_, value)| value.to_owned()).collect())
}

fn malformed() -> Refused {
    Refused::new(Refusal::RequestMalformed, "the path is not well formed", "path")
}
