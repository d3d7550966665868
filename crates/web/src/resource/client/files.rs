//! `/client/files`: files from one person to another, through the server.
//!
//! A file is streamed to the blob folder, bounded by policy, looked through by the virus scanner if one is set up, and
//! then offered. It is served as an attachment that no browser shows as a page.

mod scan;
mod stream;

use super::SignedIn;
use crate::Web;
use crate::extract::Params;
use crate::refused::{Refused, unavailable};
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use lyceum_api::client::{FileItem, FileItems};
use lyceum_api::{Refusal, Timestamp};
use lyceum_sip::WallTime;
use lyceum_store::{BlobError, MessageId, NewTransfer, Transfer, TransferError, TransferState};
use lyceum_topology::policy::FileRefusal;
use serde::Deserialize;
use stream::{Content, Download};

/// Files of one list.
const FILES: u32 = 200;
/// Longest name of a file, in bytes.
const NAME_MOST: usize = 255;

/// To whom, and what it is called.
#[derive(Deserialize)]
pub struct Offer {
    to: String,
    name: String,
}

/// `POST /client/files?to=…&name=…`, the content as body.
pub async fn send(
    State(web): State<Web>,
    Extension(who): Extension<SignedIn>,
    Params(offer): Params<Offer>,
    request: Request,
) -> Result<(StatusCode, Json<FileItem>), Refused> {
    let snapshot = web.options().publisher.current();
    let policy = snapshot.file_transfer_policy(&who.user).clone();
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if offer.name.is_empty() || offer.name.len() > NAME_MOST || offer.name.contains(['/', '\\', '\0']) {
        return Err(Refused::new(Refusal::RequestMalformed, "a file's name has 1 to 255 bytes and no slash", "name"));
    }
    policy.check(&offer.name, length.unwrap_or(0)).map_err(|refusal| not_allowed(&refusal))?;
    let to = offer.to.trim().to_ascii_lowercase();
    let recipient = to.split_once('@').and_then(|(name, domain)| snapshot.user(name.as_bytes(), domain.as_bytes()));
    if recipient.is_none() {
        return Err(Refused::new(Refusal::UserNotFound, format!("there is no user {to}"), "to"));
    }
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or("application/octet-stream").to_owned();
    let most = u64::from(policy.max_file_mib) << 20;
    let (mut content, feed) = Content::of(request.into_body(), most);
    let (options, now) = (web.options().clone(), web.now());
    let outcome = web
        .blocking(move || {
            let blob = options.store.blob_put(&mut content).map_err(|error| not_kept(&error, &content))?;
            // Before anybody can fetch it.
            let looked = scan::look(&options, &policy, blob);
            let mut id = MessageId::at(now);
            // Two files of one moment differ in their content.
            id.0[8..].copy_from_slice(&blob.0[..8]);
            let new = NewTransfer {
                id,
                sender: who.address().to_owned(),
                recipient: to,
                name: offer.name,
                content_type,
                size: content.read(),
                blob,
                expires: WallTime(now.0 + u64::from(policy.keep_days) * 86_400_000),
                most_stored: u64::from(policy.max_stored_mib) << 20,
                state: match &looked {
                    Ok(()) => TransferState::Offered,
                    Err(fault) if fault.infected => TransferState::Infected,
                    Err(_) => TransferState::Withdrawn,
                },
            };
            let added = options.store.transfer_add(&new).map_err(refused)?;
            looked.map_err(|fault| fault.refused)?;
            Ok(item(added))
        })
        .await;
    feed.abort();
    outcome.map(|item| (StatusCode::CREATED, Json(item)))
}

/// `GET /client/files`: what one sent and was sent.
pub async fn list(State(web): State<Web>, Extension(who): Extension<SignedIn>) -> Result<Json<FileItems>, Refused> {
    let store = web.options().store.clone();
    let found = web.blocking(move || store.transfers(who.address(), None, FILES).map_err(|e| unavailable(&e))).await?;
    Ok(Json(FileItems { items: found.into_iter().map(item).collect() }))
}

/// `GET /client/files/{id}`: the content.
pub async fn fetch(
    State(web): State<Web>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let (id, store) = (file_id(&id)?, web.options().store.clone());
    let (file, transfer) = web
        .blocking(move || {
            let transfer = store.transfer(id, who.address()).map_err(refused)?;
            let blob = transfer.blob.ok_or_else(|| refused(TransferError::Gone(transfer.state)))?;
            let file = store.blob_open(blob).map_err(|error| unavailable(&error))?;
            if transfer.recipient == who.address() {
                store.transfer_state(id, TransferState::Fetched).map_err(refused)?;
            }
            Ok((file, transfer))
        })
        .await?;
    let mut response = Body::new(Download::of(file)).into_response();
    let name: String = transfer.name.chars().map(|c| if c.is_ascii_graphic() && c != '"' { c } else { '_' }).collect();
    let fixed = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, transfer.size.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'".to_owned()),
    ];
    for (header, value) in fixed {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(header, value);
        }
    }
    Ok(response)
}

/// `DELETE /client/files/{id}`: the recipient does not want it, or the sender takes it back.
pub async fn decline(
    State(web): State<Web>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
) -> Result<Json<FileItem>, Refused> {
    let (id, store) = (file_id(&id)?, web.options().store.clone());
    web.blocking(move || {
        let transfer = store.transfer(id, who.address()).map_err(refused)?;
        let own = transfer.sender == who.address();
        let state = if own { TransferState::Withdrawn } else { TransferState::Declined };
        Ok(Json(item(store.transfer_state(id, state).map_err(refused)?)))
    })
    .await
}

fn file_id(text: &str) -> Result<MessageId, Refused> {
    let invalid = || Refused::new(Refusal::MessageNameInvalid, "a file is named by 32 letters and digits", "id");
    MessageId::parse(text).ok_or_else(invalid)
}

fn not_allowed(refusal: &FileRefusal) -> Refused {
    let what = match refusal {
        FileRefusal::NotAllowed => "your policy does not let you send files".to_owned(),
        FileRefusal::AllBlocked => "files cannot be sent at present".to_owned(),
        FileRefusal::Extension(extension) => format!("files that end in {extension} cannot be sent"),
        FileRefusal::TooLarge(most) => format!("a file may have {} MiB", most >> 20),
    };
    Refused::new(Refusal::FileRefused, what, "name")
}

/// Why the content could not be kept: the sender's fault, or ours.
fn not_kept(error: &BlobError, content: &Content) -> Refused {
    match content.fault() {
        Some(stream::Fault::TooLarge(most)) => not_allowed(&FileRefusal::TooLarge(most)),
        Some(stream::Fault::Broken) => Refused::new(Refusal::RequestMalformed, "the upload broke off", "body"),
        None => unavailable(error),
    }
}

fn refused(error: TransferError) -> Refused {
    match error {
        TransferError::NoTransfer | TransferError::Gone(_) => {
            Refused::new(Refusal::FileNotFound, error.to_string(), "id")
        }
        TransferError::Full { .. } => Refused::new(Refusal::FileRefused, error.to_string(), "body"),
        TransferError::Blob(error) => unavailable(&error),
        TransferError::Store(error) => unavailable(&error),
    }
}

fn item(transfer: Transfer) -> FileItem {
    FileItem {
        id: transfer.id.to_string(),
        from: transfer.sender,
        to: transfer.recipient,
        name: transfer.name,
        size: transfer.size,
        content_type: transfer.content_type,
        state: transfer.state.as_str().to_owned(),
        expires: Timestamp(transfer.expires.0),
    }
}
