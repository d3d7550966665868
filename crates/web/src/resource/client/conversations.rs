//! `/client/conversations`: what one wrote and got, on every device.

use super::SignedIn;
use crate::Web;
use crate::extract::{Params, Payload};
use crate::refused::{Refused, unavailable};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use lyceum_api::client::{
    ConversationSummary, HistoryItem, HistoryItems, LastMessage, NewConversation, ReadUpTo, Recipient,
};
use lyceum_api::message::Content;
use lyceum_api::{Refusal, Timestamp};
use lyceum_sip::WallTime;
use lyceum_store::{Conversation, ConversationId, HistoryQuery, HistoryRow, MessageEntry, MessageId, Store};
use lyceum_topology::AddressOfRecord;
use serde::Deserialize;
use serde_json::{Value, json};

/// Conversations of one answer.
const CONVERSATIONS: u32 = 200;
/// Messages of one page.
const PAGE: u32 = 50;
const PAGE_MOST: u32 = 200;

/// Which page.
#[derive(Deserialize)]
pub struct PageQuery {
    before: Option<String>,
    limit: Option<u32>,
}

/// `GET /client/conversations`.
pub async fn list(State(web): State<Web>, Extension(who): Extension<SignedIn>) -> Result<Json<Value>, Refused> {
    let (store, live) = (web.options().store.clone(), web.options().live.clone());
    let items = web
        .for_people(move || {
            live.flush_messages();
            let found = store.conversations(who.address(), CONVERSATIONS).map_err(|e| unavailable(&e))?;
            Ok(found.into_iter().map(|one| summary(one, &who)).collect::<Vec<_>>())
        })
        .await?;
    Ok(Json(json!({ "items": items })))
}

/// `POST /client/conversations`: the conversation with these people.
pub async fn new(
    State(web): State<Web>,
    Extension(who): Extension<SignedIn>,
    Payload(wanted): Payload<NewConversation>,
) -> Result<(StatusCode, Json<ConversationSummary>), Refused> {
    let mut members = wanted.with.iter().map(|one| member(one)).collect::<Result<Vec<String>, _>>()?;
    members.push(who.address().to_owned());
    members.sort();
    members.dedup();
    if members.len() < 2 {
        return Err(Refused::new(Refusal::RequestMalformed, "name somebody to talk with", "with"));
    }
    let policy = web.options().publisher.current().message_policy(&who.user).max_recipients as usize;
    if members.len() > policy + 1 {
        let what = format!("{} people; the message policy allows {policy} besides yourself", members.len() - 1);
        return Err(Refused::new(Refusal::RequestTooLarge, what, "with"));
    }
    let people = web.people()?;
    let store = web.options().store.clone();
    let made = web
        .for_people(move || {
            let id = ConversationId::of(members.iter().map(String::as_str));
            let several = members.len() > 2;
            let domain = who.user.address.domain();
            let uri = if several { Some(people.make_conversation(who.address(), &members, domain)?) } else { None };
            let known = store.conversation(who.address(), id).map_err(|e| unavailable(&e))?;
            Ok(match known {
                Some(known) => ConversationSummary { uri: uri.map(|uri| format!("sip:{uri}")), ..summary(known, &who) },
                None => ConversationSummary {
                    id: id.to_string(),
                    with: members.into_iter().filter(|one| one != who.address()).collect(),
                    title: wanted.subject,
                    uri: uri.map(|uri| format!("sip:{uri}")),
                    last: None,
                    unread: 0,
                },
            })
        })
        .await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// An address as conversations hold it.
fn member(written: &str) -> Result<String, Refused> {
    let read = AddressOfRecord::parse(written.trim()).ok().filter(|address| !address.user().contains(','));
    read.map(String::from).ok_or_else(|| {
        let what = format!("'{}' is no address of a person", written.escape_debug());
        Refused::new(Refusal::AddressInvalid, what, "with").fix("write user@domain")
    })
}

/// `GET /client/conversations/{id}/messages`, newest first.
pub async fn messages(
    State(web): State<Web>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
    Params(page): Params<PageQuery>,
) -> Result<Json<HistoryItems>, Refused> {
    let conversation = conversation_id(&id)?;
    let before = page.before.map(|name| MessageId::parse(&name).ok_or_else(|| not_a_name("before"))).transpose()?;
    let query = HistoryQuery {
        user: who.address().to_owned(),
        conversation: Some(conversation),
        before,
        limit: page.limit.unwrap_or(PAGE).clamp(1, PAGE_MOST),
        ..HistoryQuery::default()
    };
    let store = web.options().store.clone();
    let live = web.options().live.clone();
    let found = web
        .for_people(move || {
            live.flush_messages();
            store.history(&query).map_err(|e| unavailable(&e))
        })
        .await?;
    let items = found.messages.into_iter().map(item).collect();
    Ok(Json(HistoryItems { items, next: found.next.map(|next| next.to_string()) }))
}

/// `POST /client/conversations/{id}/read`: read up to a message, by our name for it or its sender's.
pub async fn read(
    State(web): State<Web>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
    Payload(wanted): Payload<ReadUpTo>,
) -> Result<StatusCode, Refused> {
    let conversation = conversation_id(&id)?;
    let (store, live, at) = (web.options().store.clone(), web.options().live.clone(), web.now());
    web.for_people(move || {
        let upto = match MessageId::parse(&wanted.upto) {
            Some(id) => id,
            None => {
                live.flush_messages();
                let found = sent_as(&store, who.address(), conversation, &wanted.upto)?;
                let Some(id) = found else { return Ok(()) };
                id
            }
        };
        let entry = MessageEntry::ReadUpTo { user: who.address().into(), conversation, upto, at };
        let full = || Refused::new(Refusal::StoreUnavailable, "too much waits to be written", "store");
        live.write_message(entry).then_some(()).ok_or_else(full)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The message that its sender gave this name, among the newest.
fn sent_as(store: &Store, user: &str, conversation: ConversationId, name: &str) -> Result<Option<MessageId>, Refused> {
    let query = HistoryQuery {
        user: user.to_owned(),
        conversation: Some(conversation),
        limit: PAGE_MOST,
        ..HistoryQuery::default()
    };
    let page = store.history(&query).map_err(|e| unavailable(&e))?;
    Ok(page.messages.into_iter().find(|row| row.wire_id.as_deref() == Some(name)).map(|row| row.id))
}

fn not_a_name(place: &'static str) -> Refused {
    Refused::new(Refusal::MessageNameInvalid, format!("'{place}' is not a name of 32 letters and digits"), place)
}

fn conversation_id(text: &str) -> Result<ConversationId, Refused> {
    ConversationId::parse(text).ok_or_else(|| not_a_name("id"))
}

fn text_of(row: &HistoryRow) -> String {
    Content::of(row.body.0.clone()).text.unwrap_or_default()
}

fn summary(one: Conversation, who: &SignedIn) -> ConversationSummary {
    let several = one.members.len() > 2;
    let domain = who.user.address.domain();
    ConversationSummary {
        id: one.id.to_string(),
        uri: several.then(|| format!("sip:conversation-{}@{domain}", one.id)),
        with: one.members.into_iter().filter(|member| member != who.address()).collect(),
        title: one.subject,
        last: one.last.as_ref().map(|row| LastMessage {
            from: row.sender.clone(),
            text: text_of(row),
            at: Timestamp(row.id.time().0),
        }),
        unread: one.unread,
    }
}

fn item(row: HistoryRow) -> HistoryItem {
    let stamp = |time: Option<WallTime>| time.map(|at| Timestamp(at.0));
    let text = text_of(&row);
    HistoryItem {
        id: row.id.to_string(),
        message_id: row.wire_id,
        from: row.sender,
        text,
        at: Timestamp(row.id.time().0),
        to: row
            .recipients
            .into_iter()
            .map(|one| Recipient { address: one.address, delivered: stamp(one.delivered), read: stamp(one.read) })
            .collect(),
    }
}
