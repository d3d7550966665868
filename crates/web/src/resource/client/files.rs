//! `/client/files`: files from one person to another, through the server.
//!
//! A file is streamed to the blob folder, bounded by policy, looked through by the virus scanner if one is set up, and
//! then offered. It is served as an attachment that no browser shows as a page.

mod name;
mod places;
mod scan;
mod stream;

pub(crate) use places::Transfers;

use super::SignedIn;
use crate::Web;
use crate::extract::{Params, discard};
use crate::refused::{Refused, unavailable};
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use lyceum_api::client::{FileItem, FileItems};
use lyceum_api::{Refusal, Timestamp};
use lyceum_sip::WallTime;
use lyceum_store::{MessageId, NewTransfer, Transfer, TransferError, TransferState};
use lyceum_topology::UserRecord;
use lyceum_topology::policy::{FileRefusal, FileTransferPolicy};
use lyceum_users::presence::Relationship;
use places::Place;
use serde::Deserialize;
use stream::Download;

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

/// What may be sent, after everything was looked at that is known before its content.
struct Accepted {
    to: String,
    name: String,
    policy: FileTransferPolicy,
    place: Place,
}

/// `POST /client/files?to=…&name=…`, the content as body.
pub async fn send(
    State(web): State<Web>,
    Extension(who): Extension<SignedIn>,
    Params(offer): Params<Offer>,
    request: Request,
) -> Result<(StatusCode, Json<FileItem>), Refused> {
    let (parts, mut body) = request.into_parts();
    let sent = match web.accept(&who, offer, &parts.headers).await {
        Ok(accepted) => web.take(&who, accepted, &parts.headers, &mut body).await,
        Err(refused) => Err(refused),
    };
    if sent.is_err() {
        discard(&parts.headers, &mut body).await;
    }
    sent.map(|item| (StatusCode::CREATED, Json(item)))
}

impl Web {
    async fn accept(&self, who: &SignedIn, offer: Offer, headers: &HeaderMap) -> Result<Accepted, Refused> {
        let snapshot = self.options().publisher.current();
        let policy = snapshot.file_transfer_policy(&who.user).clone();
        let no_name = || {
            let what = "a file's name has 1 to 255 bytes, and no slash, colon or control character";
            Refused::new(Refusal::RequestMalformed, what, "name").fix("name the file otherwise")
        };
        let name = name::cleaned(&offer.name).ok_or_else(no_name)?.to_owned();
        let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        policy.check(&name, length.unwrap_or(0)).map_err(|refusal| not_allowed(&refusal))?;
        let to = offer.to.trim();
        let recipient = to.split_once('@').and_then(|(name, domain)| snapshot.user(name.as_bytes(), domain.as_bytes()));
        let Some(recipient) = recipient.cloned() else {
            return Err(Refused::new(Refusal::UserNotFound, format!("there is no user {}", to.escape_debug()), "to"));
        };
        // Who is blocked hears what everybody hears of somebody who is away for good.
        if !recipient.enabled || self.blocks(&recipient, who.address()).await? {
            let what = format!("{} cannot be sent files", recipient.address);
            return Err(Refused::new(Refusal::FileRefused, what, "to").fix("nothing: they cannot be reached"));
        }
        let place = self.transfers().place(who.user.id)?;
        Ok(Accepted { to: recipient.address.to_string(), name, policy, place })
    }

    async fn blocks(&self, recipient: &UserRecord, sender: &str) -> Result<bool, Refused> {
        let (people, of, sender) = (self.people()?, recipient.address.to_string(), sender.to_owned());
        let seen_as = self.for_people(move || Ok(people.contacts(&of)?.relationship_of(&sender, true))).await?;
        Ok(seen_as == Relationship::Blocked)
    }

    async fn take(
        &self,
        who: &SignedIn,
        accepted: Accepted,
        headers: &HeaderMap,
        body: &mut Body,
    ) -> Result<FileItem, Refused> {
        let Accepted { to, name, policy, place } = accepted;
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or("application/octet-stream").to_owned();
        let (blob, size) = stream::keep(self, body, u64::from(policy.max_file_mib) << 20).await?;
        let (options, now, sender) = (self.options().clone(), self.now(), who.address().to_owned());
        let offer = move || {
            // Before anybody can fetch it.
            let looked = scan::look(&options, &policy, blob);
            let new = NewTransfer {
                id: new_id(now)?,
                sender,
                recipient: to,
                name,
                content_type,
                size,
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
        };
        let outcome = self.transferring(offer).await;
        drop(place);
        outcome
    }
}

/// A name of its own: the same file goes to several people in one moment.
fn new_id(now: WallTime) -> Result<MessageId, Refused> {
    let mut id = MessageId::at(now);
    let fault = |_| Refused::new(Refusal::InternalFault, "the system gives no randomness", "/client/files");
    getrandom::fill(&mut id.0[8..]).map_err(fault)?;
    Ok(id)
}

/// `GET /client/files`: what one sent and was sent.
pub async fn list(State(web): State<Web>, Extension(who): Extension<SignedIn>) -> Result<Json<FileItems>, Refused> {
    let store = web.options().store.clone();
    let found =
        web.for_people(move || store.transfers(who.address(), None, FILES).map_err(|e| unavailable(&e))).await?;
    Ok(Json(FileItems { items: found.into_iter().map(item).collect() }))
}

/// `GET /client/files/{id}`: the content.
pub async fn fetch(
    State(web): State<Web>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let place = web.transfers().place(who.user.id)?;
    let (id, store) = (file_id(&id)?, web.options().store.clone());
    let (file, transfer) = web
        .for_people(move || {
            let transfer = store.transfer(id, who.address()).map_err(refused)?;
            let blob = transfer.blob.ok_or_else(|| refused(TransferError::Gone(transfer.state)))?;
            let file = store.blob_open(blob).map_err(|error| unavailable(&error))?;
            if transfer.recipient == who.address() {
                store.transfer_state(id, TransferState::Fetched).map_err(refused)?;
            }
            Ok((file, transfer))
        })
        .await?;
    let mut response = Body::new(Download::of(web, file, place)).into_response();
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
    web.for_people(move || {
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
    let code = match refusal {
        FileRefusal::TooLarge(_) => Refusal::RequestTooLarge,
        _ => Refusal::FileRefused,
    };
    Refused::new(code, what, "name").fix(Refusal::FileRefused.fix())
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
