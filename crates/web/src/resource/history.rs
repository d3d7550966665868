//! `/users/{address}/messages`: the history of a user's messages.

use crate::Web;
use crate::authorize::Actor;
use crate::extract::{Name, Params};
use crate::refused::{Refused, unavailable};
use axum::extract::State;
use axum::{Extension, Json};
use lyceum_api::message::{Content, Message, MessageQuery, Recipient};
use lyceum_api::page::DEFAULT_LIMIT;
use lyceum_api::{Page, Refusal, Timestamp};
use lyceum_sip::WallTime;
use lyceum_store::{ConversationId, HistoryQuery, HistoryRow, MessageId};

/// Messages of one page at most.
const MOST: usize = 500;

/// `GET /users/{address}/messages`.
pub async fn list(
    State(web): State<Web>,
    Extension(actor): Extension<Actor>,
    Name(address): Name,
    Params(query): Params<MessageQuery>,
) -> Result<Json<Page<Message>>, Refused> {
    web.clone().blocking(move || web.messages(&actor, &address, query)).await.map(Json)
}

impl Web {
    fn messages(&self, actor: &Actor, address: &str, query: MessageQuery) -> Result<Page<Message>, Refused> {
        let snapshot = self.options().publisher.current();
        let user = super::users::address(&snapshot, address)?.to_string();
        // Who looks into another's messages leaves a line; once per question, not per page.
        if query.after.is_none() {
            let noted = self.options().store.audit_note(self.by(actor), "message.history", &user, None);
            noted.map_err(|e| unavailable(&e))?;
        }
        let invalid = |place: &'static str| {
            Refused::new(
                Refusal::MessageNameInvalid,
                format!("'{place}' is not a name of 32 letters and digits"),
                place,
            )
        };
        let wanted = HistoryQuery {
            user,
            conversation: query
                .conversation
                .map(|name| ConversationId::parse(&name).ok_or_else(|| invalid("conversation")))
                .transpose()?,
            peer: query.peer.map(|peer| super::users::address(&snapshot, &peer).map_or(peer, |a| a.to_string())),
            from: query.from.map(|t| WallTime(t.0)),
            to: query.to.map(|t| WallTime(t.0.saturating_add(1))),
            text: query.text,
            before: query.after.map(|name| MessageId::parse(&name).ok_or_else(|| invalid("after"))).transpose()?,
            limit: query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MOST) as u32,
        };
        self.options().live.flush_messages();
        let page = self.options().store.history(&wanted).map_err(|e| unavailable(&e))?;
        Ok(Page { items: page.messages.into_iter().map(shown).collect(), next: page.next.map(|next| next.to_string()) })
    }
}

fn shown(row: HistoryRow) -> Message {
    let stamp = |time: Option<WallTime>| time.map(|t| Timestamp(t.0));
    let to = row.recipients.into_iter().map(|person| Recipient {
        address: person.address,
        delivered: stamp(person.delivered),
        read: stamp(person.read),
    });
    Message {
        id: row.id.to_string(),
        at: Timestamp(row.id.time().0),
        conversation: row.conversation.to_string(),
        from: row.sender,
        to: to.collect(),
        message_id: row.wire_id,
        content_type: row.content_type,
        content: Content::of(row.body.0),
        unread: row.unread,
    }
}
