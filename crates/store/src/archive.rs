//! The archive of messages: rows are added, exported and purged, never changed.

use crate::error::StoreError;
use crate::messages::ConversationId;
use crate::sqlite::{Store, from_json, to_json};
use lyceum_sip::time::WallTime;
use lyceum_users::messages::{MessageId, OwnedText};
use rusqlite::{Row, Transaction, params};

/// Most rows of one page.
const MOST_ROWS: u32 = 500;
/// Rows that one purge transaction removes.
const PURGE_ROWS: u32 = 1_000;

/// What an archived row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveKind {
    /// A message.
    Message,
    /// A file offered; the body is its name.
    File,
    /// Somebody was added to a conversation; the recipients are those who were added.
    Join,
    /// Somebody left a conversation.
    Leave,
}

impl ArchiveKind {
    const ALL: [Self; 4] = [Self::Message, Self::File, Self::Join, Self::Leave];

    /// The word in the row and in exports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::File => "file",
            Self::Join => "join",
            Self::Leave => "leave",
        }
    }

    fn parse(word: &str) -> Result<Self, StoreError> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == word);
        found.ok_or_else(|| StoreError::unreadable(format!("an archived row of the kind {word}")))
    }
}

/// One thing to archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveRow {
    /// When it happened.
    pub at: WallTime,
    /// The message's name.
    pub id: MessageId,
    /// The conversation it belongs to.
    pub conversation: ConversationId,
    /// What it is.
    pub kind: ArchiveKind,
    /// Who did it.
    pub sender: Box<str>,
    /// To whom.
    pub recipients: Vec<Box<str>>,
    /// The media type of the body.
    pub content_type: Box<str>,
    /// What was written.
    pub body: OwnedText,
}

/// One archived thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedRow {
    /// Its number, rising.
    pub seq: u64,
    /// What was archived.
    pub row: ArchiveRow,
    /// When it was exported last.
    pub exported: Option<WallTime>,
}

/// Which rows, in the order in which they were archived.
#[derive(Clone, Debug, Default)]
pub struct ArchiveQuery {
    /// With this person in it.
    pub user: Option<String>,
    /// Not before.
    pub from: Option<WallTime>,
    /// Before.
    pub to: Option<WallTime>,
    /// Only rows after this number, for the next page.
    pub after: u64,
    /// At most this many; 0 means the most there is.
    pub limit: u32,
}

/// One page of the archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchivePage {
    /// The rows.
    pub rows: Vec<ArchivedRow>,
    /// Where the next page begins; `None` when there is nothing more.
    pub next: Option<u64>,
    /// How many rows there are after the question's `after`, this page's included.
    pub left: u64,
}

/// What one step of a purge did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArchiveStep {
    /// Rows removed.
    pub removed: u64,
    /// Rows still to be removed.
    pub left: u64,
}

/// Adds a row inside the transaction of its batch.
pub(crate) fn add(tx: &Transaction<'_>, epoch: u64, row: &ArchiveRow) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO archive (at, id, conversation, kind, sender, recipients, content_type, body, epoch)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        row.at.0,
        row.id.0,
        row.conversation.0,
        row.kind.as_str(),
        row.sender,
        to_json(&row.recipients)?,
        row.content_type,
        row.body.0,
        epoch
    ])?;
    let seq = tx.last_insert_rowid();
    let mut insert =
        tx.prepare_cached("INSERT INTO archive_participant (user, seq) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
    for person in std::iter::once(&row.sender).chain(&row.recipients) {
        insert.execute(params![person, seq])?;
    }
    Ok(())
}

impl Store {
    /// Archives these rows, durable when it returns; all of them or none.
    pub fn archive_append(&self, rows: &[ArchiveRow]) -> Result<(), StoreError> {
        let inner = self.inner();
        inner.messages.write(inner.messages_epoch, |tx, epoch| rows.iter().try_for_each(|row| add(tx, epoch, row)))
    }

    /// A page of the archive, in order.
    pub fn archive(&self, query: &ArchiveQuery) -> Result<ArchivePage, StoreError> {
        let limit = if query.limit == 0 { MOST_ROWS } else { query.limit.min(MOST_ROWS) };
        self.inner().messages.read(|db| {
            let sql = format!(
                "SELECT seq, at, id, conversation, kind, sender, recipients, content_type, body, exported {} {}
                 ORDER BY seq LIMIT ?5",
                from(query),
                RANGE
            );
            let mut select = db.prepare_cached(&sql)?;
            let (first, last) = bounds(query);
            let mut rows = select.query(params![query.after, first, last, query.user, limit + 1])?;
            let mut page = ArchivePage::default();
            while let Some(row) = rows.next()? {
                if page.rows.len() == limit as usize {
                    page.next = page.rows.last().map(|row| row.seq);
                    break;
                }
                page.rows.push(archived(row)?);
            }
            let count = format!("SELECT count(*) {} {RANGE}", from(query));
            page.left = db
                .prepare_cached(&count)?
                .query_row(params![query.after, first, last, query.user], |row| row.get(0))?;
            Ok(page)
        })
    }

    /// Notes that the rows of a question were exported, up to and including this number. Tells how many.
    pub fn archive_exported(&self, query: &ArchiveQuery, upto: u64, at: WallTime) -> Result<u64, StoreError> {
        let inner = self.inner();
        inner.messages.write(inner.messages_epoch, |tx, _| {
            let sql = format!(
                "UPDATE archive SET exported = ?6 WHERE seq IN (SELECT seq {} {RANGE} AND seq <= ?5)",
                from(query)
            );
            let (first, last) = bounds(query);
            let count = tx.prepare_cached(&sql)?.execute(params![query.after, first, last, query.user, upto, at.0])?;
            Ok(count as u64)
        })
    }

    /// Removes some of the rows that happened before this time, of exported ones only if so wanted; to be called until
    /// nothing is left.
    pub fn purge_archive(&self, before: WallTime, exported_only: bool) -> Result<ArchiveStep, StoreError> {
        let inner = self.inner();
        let old = "FROM archive WHERE at < ?1 AND (?2 = 0 OR exported IS NOT NULL)";
        inner.messages.write(inner.messages_epoch, |tx, _| {
            let removed = tx
                .prepare_cached(&format!("DELETE FROM archive WHERE seq IN (SELECT seq {old} ORDER BY at LIMIT ?3)"))?
                .execute(params![before.0, exported_only, PURGE_ROWS])?;
            let left = tx
                .prepare_cached(&format!("SELECT count(*) {old}"))?
                .query_row(params![before.0, exported_only], |row| row.get(0))?;
            Ok(ArchiveStep { removed: removed as u64, left })
        })
    }

    /// How many rows a purge would remove.
    pub fn archive_purgeable(&self, before: WallTime, exported_only: bool) -> Result<u64, StoreError> {
        self.inner().messages.read(|db| {
            let mut count =
                db.prepare_cached("SELECT count(*) FROM archive WHERE at < ?1 AND (?2 = 0 OR exported IS NOT NULL)")?;
            Ok(count.query_row(params![before.0, exported_only], |row| row.get(0))?)
        })
    }
}

const RANGE: &str = "AND seq > ?1 AND at >= ?2 AND at < ?3";

/// The rows of one person by their index, or all.
fn from(query: &ArchiveQuery) -> &'static str {
    match query.user {
        Some(_) => "FROM archive_participant p JOIN archive USING (seq) WHERE p.user = ?4",
        None => "FROM archive WHERE ?4 IS NULL",
    }
}

fn bounds(query: &ArchiveQuery) -> (u64, u64) {
    (query.from.map_or(0, |t| t.0), query.to.map_or(i64::MAX as u64, |t| t.0))
}

fn archived(row: &Row<'_>) -> Result<ArchivedRow, StoreError> {
    let kind: String = row.get(4)?;
    Ok(ArchivedRow {
        seq: row.get(0)?,
        row: ArchiveRow {
            at: WallTime(row.get(1)?),
            id: MessageId(row.get(2)?),
            conversation: ConversationId(row.get(3)?),
            kind: ArchiveKind::parse(&kind)?,
            sender: row.get(5)?,
            recipients: from_json(&row.get::<_, String>(6)?)?,
            content_type: row.get(7)?,
            body: OwnedText(row.get(8)?),
        },
        exported: row.get::<_, Option<u64>>(9)?.map(WallTime),
    })
}
