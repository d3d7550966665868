//! Questions to the history.

use super::ConversationId;
use super::line::{Letter, Line, damaged};
use super::window::{Summary, Thread, Window};
use super::{fold, recent};
use crate::error::StoreError;
use crate::sqlite::Store;
use lyceum_sip::time::WallTime;
use lyceum_users::messages::{MessageId, OwnedText};
use rusqlite::{Connection, OptionalExtension};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// Most messages of one page.
const MOST_ROWS: u32 = 500;
/// Messages that are looked through for one page, or for the last messages of conversations.
const MOST_SEARCHED: usize = 20_000;
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
    /// Where the next page begins; `None` when there is nothing more. A page may end early, even
    /// before its first message, when much had to be looked through.
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
        let (from, to) = bounds(query);
        let mut page = HistoryPage::default();
        if let Some(conversation) = query.conversation
            && !self.summary(&query.user)?.0.contains_key(&conversation)
        {
            return Ok(page);
        }
        let (mut looked, mut last) = (0, None);
        self.walk(&query.user, &mut |letter| {
            if letter.id < from {
                return ControlFlow::Break(());
            }
            if letter.id >= to {
                return ControlFlow::Continue(());
            }
            let is_asked_for = is_asked_for(query, letter);
            // One more than asked for tells whether there is another page.
            if looked == MOST_SEARCHED || (is_asked_for && page.messages.len() == limit) {
                page.next = last;
                return ControlFlow::Break(());
            }
            looked += 1;
            last = Some(letter.id);
            if is_asked_for && needle.as_ref().is_none_or(|needle| contains(letter, needle)) {
                page.messages.push(history_row(letter, &query.user));
            }
            ControlFlow::Continue(())
        })?;
        Ok(page)
    }

    /// The conversations of a user, the latest first.
    pub fn conversations(&self, user: &str, limit: u32) -> Result<Vec<Conversation>, StoreError> {
        let limit = if limit == 0 { MOST_CONVERSATIONS } else { limit.min(MOST_CONVERSATIONS) };
        let mut threads: Vec<(ConversationId, Thread)> = self.summary(user)?.0.into_iter().collect();
        threads.sort_unstable_by_key(|(_, thread)| std::cmp::Reverse(thread.last));
        threads.truncate(limit as usize);
        self.with_last(user, threads)
    }

    /// One conversation of a user, if the user is in it.
    pub fn conversation(&self, user: &str, id: ConversationId) -> Result<Option<Conversation>, StoreError> {
        let found = self.summary(user)?.0.remove(&id).map(|thread| (id, thread));
        Ok(self.with_last(user, Vec::from_iter(found))?.pop())
    }

    /// How many messages a user has not read, in all conversations.
    pub fn unread(&self, user: &str) -> Result<u32, StoreError> {
        Ok(self.summary(user)?.0.values().map(|thread| thread.unread.len() as u32).sum())
    }

    fn with_last(&self, user: &str, threads: Vec<(ConversationId, Thread)>) -> Result<Vec<Conversation>, StoreError> {
        let mut wanted: BTreeSet<MessageId> = threads.iter().map(|(_, thread)| thread.last).collect();
        let mut found = BTreeMap::new();
        let mut looked = 0;
        if !wanted.is_empty() {
            self.walk(user, &mut |letter| {
                looked += 1;
                if wanted.remove(&letter.id) {
                    found.insert(letter.id, history_row(letter, user));
                }
                let is_over = looked == MOST_SEARCHED || wanted.first().is_none_or(|oldest| letter.id < *oldest);
                if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
        }
        // Messages very far back are taken as their segments have them: a mark that came much later is not seen here.
        for id in wanted {
            found.extend(self.letter(user, id)?.map(|letter| (id, history_row(&letter, user))));
        }
        let conversation = |(id, thread): (ConversationId, Thread)| {
            let unread = thread.unread.len() as u32;
            let mut last = found.remove(&thread.last);
            if let Some(last) = &mut last {
                last.unread &= thread.unread.contains(&last.id);
            }
            Conversation { id, members: thread.members, subject: thread.subject, last, unread }
        };
        Ok(threads.into_iter().map(conversation).collect())
    }

    fn summary(&self, user: &str) -> Result<Summary, StoreError> {
        let inner = self.inner();
        inner.messages.read(|db| {
            // First where the lines stand, then the snapshot: what is folded in between is in both and counts once.
            let places = inner.history.of(db, user)?;
            let snapshot = db.unchecked_transaction()?;
            let (_, mut summary) = fold::person(&snapshot, user)?;
            recent::read(&snapshot, &places)?.iter().for_each(|line| summary.apply(user, line));
            Ok(summary)
        })
    }

    /// One message from its segment.
    fn letter(&self, user: &str, id: MessageId) -> Result<Option<Letter>, StoreError> {
        self.inner().messages.read(|db| {
            let block: Option<Vec<u8>> = db
                .prepare_cached(
                    "SELECT block FROM history_segment WHERE user = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1",
                )?
                .query_row(rusqlite::params![user, id.0], |row| row.get(0))
                .optional()?;
            let Some(block) = block else { return Ok(None) };
            Ok(Window::of(Line::read_all(&block)?).messages.remove(&id))
        })
    }

    /// Visits a user's messages, newest first, each with what was marked.
    fn walk(&self, user: &str, visit: Visit<'_>) -> Result<(), StoreError> {
        let inner = self.inner();
        inner.messages.read(|db| {
            let places = inner.history.of(db, user)?;
            let snapshot = db.unchecked_transaction()?;
            let window = Window::of(recent::read(&snapshot, &places)?);
            walk(&snapshot, user, window, visit)
        })
    }
}

type Visit<'a> = &'a mut dyn FnMut(&Letter) -> ControlFlow<()>;

/// Parts of the stream from the newest on; a part is shown when nothing older can belong between its messages.
fn walk(db: &Connection, user: &str, mut window: Window, visit: Visit<'_>) -> Result<(), StoreError> {
    let mut select =
        db.prepare_cached("SELECT last, block FROM history_segment WHERE user = ?1 ORDER BY first DESC")?;
    let mut rows = select.query([user])?;
    while let Some(row) = rows.next()? {
        let last = MessageId(row.get(0)?);
        let older = Window::of(Line::read_all(row.get_ref(1)?.as_blob().map_err(|_| damaged())?)?);
        if window.messages.first_key_value().is_some_and(|(oldest, _)| last < *oldest) {
            if show(&window, visit).is_break() {
                return Ok(());
            }
            window.messages.clear();
        }
        window.merge(older);
    }
    let _ = show(&window, visit);
    Ok(())
}

fn show(window: &Window, visit: Visit<'_>) -> ControlFlow<()> {
    window.messages.values().rev().try_for_each(visit)
}

fn bounds(query: &HistoryQuery) -> (MessageId, MessageId) {
    let from = query.from.map_or(MessageId([0; 16]), MessageId::at);
    let to = query.to.map_or(MessageId([0xff; 16]), MessageId::at);
    (from, query.before.map_or(to, |before| before.min(to)))
}

fn is_asked_for(query: &HistoryQuery, letter: &Letter) -> bool {
    let is_in = |person: &String| letter.sender == *person || letter.recipients.iter().any(|p| p.address == *person);
    query.conversation.is_none_or(|id| id == letter.conversation) && query.peer.as_ref().is_none_or(is_in)
}

fn history_row(letter: &Letter, user: &str) -> HistoryRow {
    let mut recipients = letter.recipients.clone();
    recipients.sort_unstable_by(|one, other| one.address.cmp(&other.address));
    HistoryRow {
        id: letter.id,
        conversation: letter.conversation,
        sender: letter.sender.clone(),
        recipients,
        wire_id: letter.wire_id.clone(),
        content_type: letter.content_type.clone(),
        body: letter.body.clone(),
        unread: letter.is_unread(user),
    }
}

fn contains(letter: &Letter, needle: &str) -> bool {
    letter.content_type.starts_with("text/") && String::from_utf8_lossy(&letter.body.0).to_lowercase().contains(needle)
}
