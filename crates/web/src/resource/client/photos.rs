//! `/client/photo` and `/client/photos/{address}`: one's own picture, and those of others.

use super::SignedIn;
use crate::Web;
use crate::extract::body;
use crate::refused::{Refused, unavailable};
use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lyceum_api::Refusal;
use lyceum_store::PhotoError;

/// The largest that any policy allows.
const PHOTO_MOST: usize = 1 << 20;

/// `GET /client/photos/{address}`.
pub async fn get(
    State(web): State<Web>,
    Extension(_): Extension<SignedIn>,
    Path(address): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let store = web.options().store.clone();
    let address = address.to_ascii_lowercase();
    let found = web.for_people(move || store.photo(&address).map_err(|e| unavailable(&e))).await?;
    let Some(photo) = found else { return Ok(StatusCode::NO_CONTENT.into_response()) };
    let tag = format!("\"{}\"", photo.digest);
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    let mut response = photo.image.into_response();
    for (name, value) in [(header::CONTENT_TYPE, photo.content_type), (header::ETAG, tag)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(response)
}

/// `PUT /client/photo`: JPEG, PNG, GIF or WebP, as large as policy allows.
pub async fn set(
    State(web): State<Web>,
    Extension(who): Extension<SignedIn>,
    request: Request,
) -> Result<StatusCode, Refused> {
    let image = body(request, PHOTO_MOST).await?;
    let most = web.options().publisher.current().file_transfer_policy(&who.user).max_photo_kib as usize * 1024;
    let (store, at) = (web.options().store.clone(), web.now());
    web.for_people(move || match store.photo_put(who.address(), &image, most, at) {
        Ok(_) => Ok(StatusCode::NO_CONTENT),
        Err(PhotoError::Store(error)) => Err(unavailable(&error)),
        Err(error @ (PhotoError::TooLarge(_) | PhotoError::TooManyPixels(_))) => {
            Err(Refused::new(Refusal::RequestTooLarge, error.to_string(), "body"))
        }
        Err(error @ PhotoError::Format) => Err(not_a_photo(Refusal::MediaTypeUnknown, &error)),
        Err(error @ PhotoError::Truncated) => Err(not_a_photo(Refusal::RequestMalformed, &error)),
    })
    .await
}

fn not_a_photo(refusal: Refusal, error: &PhotoError) -> Refused {
    Refused::new(refusal, error.to_string(), "body")
        .fix("send a JPEG, PNG, GIF or WebP image (image/jpeg, image/png …)")
}

/// `DELETE /client/photo`.
pub async fn remove(State(web): State<Web>, Extension(who): Extension<SignedIn>) -> Result<StatusCode, Refused> {
    let store = web.options().store.clone();
    web.for_people(move || store.photo_remove(who.address()).map_err(|e| unavailable(&e))).await?;
    Ok(StatusCode::NO_CONTENT)
}
