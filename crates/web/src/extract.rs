//! Requests into types, with refusals that say what is wrong.

use crate::refused::Refused;
use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::{header, request::Parts};
use lyceum_api::Refusal;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Bytes of a JSON body at most: a topology document of thousands of sites fits.
const JSON_MOST: usize = 8 << 20;
/// How long a body may take: a stranger must not hold a connection open with one.
const BODY_PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of an import at most: a million lines.
const CSV_MOST: usize = 128 << 20;

/// A JSON body.
pub struct Payload<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Payload<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refused> {
        media(&request, "application/json")?;
        let bytes = body(request, JSON_MOST).await?;
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
    let what = || Refused::new(Refusal::RequestTooLarge, format!("the body is larger than {most} bytes"), "body");
    let told = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if told.is_some_and(|length| length > most) {
        return Err(what());
    }
    let read = to_bytes(request.into_body(), most);
    let read = tokio::time::timeout(BODY_PATIENCE, read).await.map_err(|_| {
        let what = format!("the body did not arrive within {} s", BODY_PATIENCE.as_secs());
        Refused::new(Refusal::RequestMalformed, what, "body")
    })?;
    read.map(|b| b.to_vec()).map_err(|_| what())
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
