//! Questions to the history.

use super::ConversationId;
use crate::error::StoreError;
use crate::sqlite::{Store, from_json};
use lyceum_sip::time::WallTime;
use lyceum_users::messages::{MessageId, OwnedText};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Most messages of one page.
const MOST_ROWS: u32 = 500;
/// Messages that a search by text looks through for one page.
const MOST_SEARCHED: u32 = 20_000;
/// Most conversations that one question is answered with.
const MOST_CONVERSATIONS: u32 = 1_000;

/// Which messages of one user, newest first.
#[derive(Clone, Debug, Default)]
pub struct HistoryQuery {
    /// The user whose history it is.
    pub user: String,
    /// In this conversation.
    pub conversation: Option<ConversationId>,
    /// With this person in it.
    pub peer: Option<String>,
    /// Not before.
    pub from: Option<WallTime>,
    /// Before.
    pub to: Option<WallTime>,
    /// With this text in it, letter case ignored.
    pub text: Option<String>,
    /// Only messages before this one, for the next page.
    pub before: Option<MessageId>,
    /// At most this many; 0 means the most there is.
    pub limit: u32,
}

/// One page of history, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryPage {
    /// The messages.
    pub messages: Vec<HistoryRow>,
    /// Where the next page begins; `None` when there is nothing more. A search by text may end a page early.
    pub next: Option<MessageId>,
}

/// One message as one user has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// Its name, and so its time.
    pub id: MessageId,
    /// The conversation.
    pub conversation: ConversationId,
    /// Who wrote it.
    pub sender: String,
    /// To whom, with what happened there.
    pub recipients: Vec<Person>,
    /// The sender's own name for it.
    pub wire_id: Option<String>,
    /// The media type.
    pub content_type: String,
    /// What was written.
    pub body: OwnedText,
    /// Whether the user whose history it is has not read it.
    pub unread: bool,
}

/// A recipient and what happened there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The address.
    pub address: String,
    /// When it was delivered.
    pub delivered: Option<WallTime>,
    /// When it was read.
    pub read: Option<WallTime>,
}

/// One conversation of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Its name.
    pub id: ConversationId,
    /// Everybody in it, the user too.
    pub members: Vec<String>,
    /// What it is called.
    pub subject: Option<String>,
    /// The last message.
    pub last: Option<HistoryRow>,
    /// How many messages the user has not read.
    pub unread: u32,
}

impl Store {
    /// A page of a user's history, newest first.
    pub fn history(&self, query: &HistoryQuery) -> Result<HistoryPage, StoreError> {
        let limit = if query.limit == 0 { MOST_ROWS } else { query.limit.min(MOST_ROWS) } as usize;
        let needle = query.text.as_ref().map(|text| text.to_lowercase());
        self.inner().messages.read(|db| {
            let mut page = HistoryPage::default();
            let mut select = db.prepare_cached(&range(query))?;
            let (from, to) = bounds(query);
            let conversation = query.conversation.map(|c| c.0);
            // One more than asked for tells whether there is another page.
            let most = if needle.is_some() { MOST_SEARCHED as usize } else { limit };
            let mut rows = select.query(params![query.user, from.0, to.0, conversation, query.peer, most + 1])?;
            let (mut looked, mut last) = (0, None);
            while let Some(row) = rows.next()? {
                let found = history_row(row)?;
                if looked == most || page.messages.len() == limit {
                    page.next = last;
                    break;
                }
                looked += 1;
                last = Some(found.id);
                if needle.as_ref().is_none_or(|needle| contains(&found, needle)) {
                    page.messages.push(found);
                }
            }
            for message in &mut page.messages {
                message.recipients = recipients(db, message.id)?;
            }
            Ok(page)
        })
    }

    /// The conversations of a user, the latest first.
    pub fn conversations(&self, user: &str, limit: u32) -> Result<Vec<Conversation>, StoreError> {
        let limit = if limit == 0 { MOST_CONVERSATIONS } else { limit.min(MOST_CONVERSATIONS) };
        self.inner().messages.read(|db| {
            let mut select = db.prepare_cached(
                "SELECT conversation.id, members, subject, thread.last FROM thread
                 JOIN conversation ON conversation.id = thread.conversation
                 WHERE user = ?1 ORDER BY last DESC LIMIT ?2",
            )?;
            let mut rows = select.query(params![user, limit])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(conversation(db, user, row)?);
            }
            Ok(found)
        })
    }

    /// One conversation of a user, if the user is in it.
    pub fn conversation(&self, user: &str, id: ConversationId) -> Result<Option<Conversation>, StoreError> {
        self.inner().messages.read(|db| {
            let mut select = db.prepare_cached(
                "SELECT conversation.id, members, subject, thread.last FROM thread
                 JOIN conversation ON conversation.id = thread.conversation WHERE user = ?1 AND conversation = ?2",
            )?;
            let mut rows = select.query(params![user, id.0])?;
            rows.next()?.map(|row| conversation(db, user, row)).transpose()
        })
    }

    /// How many messages a user has not read, in all conversations.
    pub fn unread(&self, user: &str) -> Result<u32, StoreError> {
        self.inner().messages.read(|db| {
            let mut select = db.prepare_cached(
                "SELECT count(*) FROM participant WHERE user = ?1 AND role = 1 AND kept = 1 AND read IS NULL",
            )?;
            Ok(select.query_row([user], |row| row.get(0))?)
        })
    }
}

/// A range of the user's rows, as an index gives them in order: of one conversation, or of all.
fn range(query: &HistoryQuery) -> String {
    let conversation = if query.conversation.is_some() { "AND p.conversation = ?4" } else { "AND ?4 IS NULL" };
    let peer = match &query.peer {
        Some(_) => "AND EXISTS (SELECT 1 FROM participant o WHERE o.user = ?5 AND o.id = p.id)",
        None => "AND ?5 IS NULL",
    };
    format!(
        "SELECT {COLUMNS} FROM participant p JOIN message m ON m.id = p.id
         WHERE p.user = ?1 AND p.id >= ?2 AND p.id < ?3 {conversation} {peer} AND p.kept = 1
         ORDER BY p.id DESC LIMIT ?6"
    )
}

const COLUMNS: &str = "m.id, m.conversation, m.sender, m.wire_id, m.content_type, m.body, p.role, p.read";

fn bounds(query: &HistoryQuery) -> (MessageId, MessageId) {
    let from = query.from.map_or(MessageId([0; 16]), MessageId::at);
    let to = query.to.map_or(MessageId([0xff; 16]), MessageId::at);
    (from, query.before.map_or(to, |before| before.min(to)))
}

fn history_row(row: &Row<'_>) -> rusqlite::Result<HistoryRow> {
    let (role, read): (u8, Option<u64>) = (row.get(6)?, row.get(7)?);
    Ok(HistoryRow {
        id: MessageId(row.get(0)?),
        conversation: ConversationId(row.get(1)?),
        sender: row.get(2)?,
        recipients: Vec::new(),
        wire_id: row.get(3)?,
        content_type: row.get(4)?,
        body: OwnedText(row.get(5)?),
        unread: role == 1 && read.is_none(),
    })
}

fn contains(row: &HistoryRow, needle: &str) -> bool {
    row.content_type.starts_with("text/") && String::from_utf8_lossy(&row.body.0).to_lowercase().contains(needle)
}

fn recipients(db: &Connection, id: MessageId) -> Result<Vec<Person>, StoreError> {
    let mut select =
        db.prepare_cached("SELECT user, delivered, read FROM participant WHERE id = ?1 AND role = 1 ORDER BY user")?;
    let people = select.query_map([id.0], |row| {
        Ok(Person {
            address: row.get(0)?,
            delivered: row.get::<_, Option<u64>>(1)?.map(WallTime),
            read: row.get::<_, Option<u64>>(2)?.map(WallTime),
        })
    })?;
    Ok(people.collect::<Result<_, _>>()?)
}

fn conversation(db: &Connection, user: &str, row: &Row<'_>) -> Result<Conversation, StoreError> {
    let id = ConversationId(row.get(0)?);
    let last: [u8; 16] = row.get(3)?;
    let mut select = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM participant p JOIN message m ON m.id = p.id WHERE p.user = ?1 AND p.id = ?2"
    ))?;
    let mut found = select.query_row(params![user, last], history_row).optional()?;
    if let Some(found) = &mut found {
        found.recipients = recipients(db, found.id)?;
    }
    let unread = db
        .prepare_cached(
            "SELECT count(*) FROM participant
             WHERE user = ?1 AND conversation = ?2 AND role = 1 AND kept = 1 AND read IS NULL",
        )?
        .query_row(params![user, id.0], |row| row.get(0))?;
    Ok(Conversation { id, members: from_json(&row.get::<_, String>(1)?)?, subject: row.get(2)?, last: found, unread })
}
