//! People and their messages.

use lyceum_sip::time::WallTime;
use lyceum_store::{HistoryQuery, MessageEntry, NewMessage, Participant, Store};
use lyceum_users::messages::{MessageId, MessageIds, OwnedText};

pub const ANNA: &str = "anna@example.org";
pub const BOB: &str = "bob@example.org";
pub const CARLA: &str = "carla@example.org";
pub const PARTNER: &str = "pat@partner.example";
pub const DAY_MS: u64 = 86_400_000;

pub fn id(at: u64) -> MessageId {
    MessageIds::default().next(WallTime(at), at.to_be_bytes())
}

pub fn person(address: &str) -> Participant {
    Participant { address: address.into(), kept: address.ends_with("@example.org") }
}

pub fn message(at: u64, sender: &str, recipients: &[&str], text: &str) -> NewMessage {
    NewMessage {
        id: id(at),
        conversation: None,
        subject: None,
        sender: person(sender),
        recipients: recipients.iter().map(|address| person(address)).collect(),
        wire_id: Some(format!("wire-{at}").into()),
        content_type: "text/plain".into(),
        body: OwnedText(text.as_bytes().to_vec()),
    }
}

pub fn add(store: &Store, messages: &[NewMessage]) {
    let entries: Vec<MessageEntry> = messages.iter().cloned().map(|m| MessageEntry::Message(Box::new(m))).collect();
    store.append_messages(&entries).unwrap();
}

pub fn texts(store: &Store, query: &HistoryQuery) -> Vec<String> {
    let page = store.history(query).unwrap();
    page.messages.into_iter().map(|row| String::from_utf8(row.body.0).unwrap()).collect()
}

pub fn of(user: &str) -> HistoryQuery {
    HistoryQuery { user: user.to_owned(), ..HistoryQuery::default() }
}
