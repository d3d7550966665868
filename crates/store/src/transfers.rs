//! Files on their way from one person to another. The content is a blob; the row says whose it is.

use crate::blobs::{BlobError, BlobId};
use crate::error::{StoreError, family};
use crate::sqlite::Store;
use lyceum_sip::time::WallTime;
use lyceum_users::messages::MessageId;
use rusqlite::{OptionalExtension, Row, Transaction, params};

/// Most rows that one question is answered with.
const MOST_ROWS: u32 = 500;
/// Rows that one transaction of a purge looks at.
const PURGE_ROWS: u32 = 200;

/// Where a file is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferState {
    /// It can be fetched.
    Offered,
    /// It was fetched, and can be again until it expires.
    Fetched,
    /// The recipient does not want it.
    Declined,
    /// The sender took it back.
    Withdrawn,
    /// The virus scanner stopped it.
    Infected,
    /// Its time is over.
    Expired,
}

impl TransferState {
    const ALL: [Self; 6] =
        [Self::Offered, Self::Fetched, Self::Declined, Self::Withdrawn, Self::Infected, Self::Expired];

    /// The word in the row and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Fetched => "fetched",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
            Self::Infected => "infected",
            Self::Expired => "expired",
        }
    }

    /// Whether the content is still there.
    pub fn has_content(self) -> bool {
        matches!(self, Self::Offered | Self::Fetched)
    }
}

/// A file to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTransfer {
    /// Its name, that of the message that offers it.
    pub id: MessageId,
    /// Who sends it.
    pub sender: String,
    /// To whom.
    pub recipient: String,
    /// The file's name.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its content, kept before.
    pub blob: BlobId,
    /// Until when it is kept.
    pub expires: WallTime,
    /// What the sender's files may take together, in bytes.
    pub most_stored: u64,
    /// Whether it is offered, or was stopped before: then it is noted without its content.
    pub state: TransferState,
}

/// A file on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Its name.
    pub id: MessageId,
    /// Who sends it.
    pub sender: String,
    /// To whom.
    pub recipient: String,
    /// The file's name.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its content, while it is there.
    pub blob: Option<BlobId>,
    /// Where it is on its way.
    pub state: TransferState,
    /// When it was sent.
    pub created: WallTime,
    /// Until when it is kept.
    pub expires: WallTime,
}

/// Why a file is not sent or not fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferError {
    /// There is none of this name for this person.
    NoTransfer,
    /// Its content is gone, because of this.
    Gone(TransferState),
    /// The sender's files take this much already, in bytes, and with this one it would be too much.
    Full {
        /// Bytes that they take.
        stored: u64,
        /// Bytes that they may take.
        most: u64,
    },
    /// The blob folder.
    Blob(BlobError),
    /// Disk or file.
    Store(StoreError),
}

family!(TransferError);

impl From<BlobError> for TransferError {
    fn from(error: BlobError) -> Self {
        Self::Blob(error)
    }
}

impl std::fmt::Display for TransferError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoTransfer => f.write_str("there is no such file"),
            Self::Gone(state) => write!(f, "the file is no longer there ({}): ask for it again", state.as_str()),
            Self::Full { stored, most } => write!(
                f,
                "your files take {} MiB of {} MiB: wait until they are fetched, or take some back",
                stored >> 20,
                most >> 20
            ),
            Self::Blob(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl Store {
    /// Notes a file whose content was kept with [`Store::blob_put`]. When it is refused, the content is removed unless
    /// another file has the same.
    pub fn transfer_add(&self, new: &NewTransfer) -> Result<Transfer, TransferError> {
        let inner = self.inner();
        let added = inner.messages.write(inner.messages_epoch, |tx, epoch| {
            self.blob_open(new.blob)?;
            add(tx, epoch, new)
        });
        if added.is_err() || !new.state.has_content() {
            self.remove_unused(&[new.blob])?;
        }
        added
    }

    /// A file, for the person who sent it or whom it is for.
    pub fn transfer(&self, id: MessageId, user: &str) -> Result<Transfer, TransferError> {
        self.inner().messages.read(|db| {
            let sql = format!("SELECT {COLUMNS} FROM transfer WHERE id = ?1 AND (sender = ?2 OR recipient = ?2)");
            let mut select = db.prepare_cached(&sql)?;
            select.query_row(params![id.0, user], transfer).optional()?.ok_or(TransferError::NoTransfer)
        })
    }

    /// The files that a person sent or was sent, newest first; only those before this one, for the next page.
    pub fn transfers(&self, user: &str, before: Option<MessageId>, limit: u32) -> Result<Vec<Transfer>, StoreError> {
        let limit = if limit == 0 { MOST_ROWS } else { limit.min(MOST_ROWS) };
        let before = before.unwrap_or(MessageId([0xff; 16]));
        self.inner().messages.read(|db| {
            let by = |column: &str| {
                format!(
                    "SELECT * FROM (SELECT {COLUMNS} FROM transfer WHERE {column} = ?1 AND id < ?2
                     ORDER BY id DESC LIMIT ?3)"
                )
            };
            let sql = format!("{} UNION {} ORDER BY id DESC LIMIT ?3", by("sender"), by("recipient"));
            let mut select = db.prepare_cached(&sql)?;
            let rows = select.query_map(params![user, before.0, limit], transfer)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Moves a file on; what has no content afterwards loses it, unless another file has the same.
    pub fn transfer_state(&self, id: MessageId, state: TransferState) -> Result<Transfer, TransferError> {
        let inner = self.inner();
        let (moved, dropped) = inner.messages.write(inner.messages_epoch, |tx, _| {
            let sql = format!("SELECT {COLUMNS} FROM transfer WHERE id = ?1");
            let now = tx.prepare_cached(&sql)?.query_row([id.0], transfer).optional()?;
            let mut now = now.ok_or(TransferError::NoTransfer)?;
            if !now.state.has_content() {
                return Err(TransferError::Gone(now.state));
            }
            let dropped = if state.has_content() { None } else { now.blob.take() };
            now.state = state;
            tx.prepare_cached("UPDATE transfer SET state = ?2, blob = ?3 WHERE id = ?1")?.execute(params![
                id.0,
                state.as_str(),
                now.blob.map(|blob| blob.0)
            ])?;
            Ok((now, dropped))
        })?;
        self.remove_unused(dropped.as_slice())?;
        Ok(moved)
    }

    /// Ends files whose time is over and removes their content; rows are removed when they have been over for as long
    /// again as `forget_ms`. `go_on` is asked between transactions. Tells how many ended.
    pub fn purge_transfers(
        &self,
        now: WallTime,
        forget_ms: u64,
        mut go_on: impl FnMut() -> bool,
    ) -> Result<u64, TransferError> {
        let inner = self.inner();
        let mut ended = 0;
        while go_on() {
            let blobs = inner.messages.write(inner.messages_epoch, |tx, _| expire(tx, now, forget_ms))?;
            ended += blobs.len() as u64;
            self.remove_unused(&blobs)?;
            if blobs.len() < PURGE_ROWS as usize {
                break;
            }
        }
        Ok(ended)
    }

    /// Removes the files that somebody sent or was sent.
    pub(crate) fn forget_transfers(&self, user: &str) -> Result<(), TransferError> {
        let inner = self.inner();
        loop {
            let blobs = inner.messages.write(inner.messages_epoch, |tx, _| remove_of(tx, user))?;
            self.remove_unused(&blobs.iter().flatten().copied().collect::<Vec<_>>())?;
            if blobs.len() < PURGE_ROWS as usize {
                return Ok(());
            }
        }
    }

    /// Removes those of these blobs that no file refers to. The writer is held meanwhile, so that none is referred to
    /// by a file that is just being added.
    fn remove_unused(&self, blobs: &[BlobId]) -> Result<(), TransferError> {
        let inner = self.inner();
        for blob in blobs {
            inner.messages.write(inner.messages_epoch, |tx, _| {
                let mut select = tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM transfer WHERE blob = ?1)")?;
                let used: bool = select.query_row([blob.0], |row| row.get(0))?;
                if !used {
                    self.blob_remove(*blob)?;
                }
                Ok::<_, TransferError>(())
            })?;
        }
        Ok(())
    }
}

const COLUMNS: &str = "id, sender, recipient, name, content_type, size, blob, state, created, expires";

fn add(tx: &Transaction<'_>, epoch: u64, new: &NewTransfer) -> Result<Transfer, TransferError> {
    let stored: u64 = tx
        .prepare_cached("SELECT coalesce(sum(size), 0) FROM transfer WHERE sender = ?1 AND blob IS NOT NULL")?
        .query_row([&new.sender], |row| row.get(0))?;
    let kept = new.state.has_content().then_some(new.blob);
    if kept.is_some() && stored.saturating_add(new.size) > new.most_stored {
        return Err(TransferError::Full { stored, most: new.most_stored });
    }
    let created = new.id.time();
    tx.prepare_cached(
        "INSERT INTO transfer (id, sender, recipient, name, content_type, size, blob, state, created, expires, epoch)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        new.id.0,
        new.sender,
        new.recipient,
        new.name,
        new.content_type,
        new.size,
        kept.map(|blob| blob.0),
        new.state.as_str(),
        created.0,
        new.expires.0,
        epoch
    ])?;
    Ok(Transfer {
        id: new.id,
        sender: new.sender.clone(),
        recipient: new.recipient.clone(),
        name: new.name.clone(),
        content_type: new.content_type.clone(),
        size: new.size,
        blob: kept,
        state: new.state,
        created,
        expires: new.expires,
    })
}

fn expire(tx: &Transaction<'_>, now: WallTime, forget_ms: u64) -> Result<Vec<BlobId>, TransferError> {
    let mut select = tx.prepare_cached(
        "SELECT id, blob FROM transfer WHERE expires <= ?1 AND blob IS NOT NULL ORDER BY expires LIMIT ?2",
    )?;
    let rows: Vec<([u8; 16], [u8; 32])> = select
        .query_map(params![now.0, PURGE_ROWS], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (id, _) in &rows {
        tx.prepare_cached("UPDATE transfer SET state = ?2, blob = NULL WHERE id = ?1")?
            .execute(params![id, TransferState::Expired.as_str()])?;
    }
    tx.prepare_cached(
        "DELETE FROM transfer WHERE id IN
         (SELECT id FROM transfer WHERE expires <= ?1 AND blob IS NULL ORDER BY expires LIMIT ?2)",
    )?
    .execute(params![now.0.saturating_sub(forget_ms), PURGE_ROWS])?;
    Ok(rows.into_iter().map(|(_, blob)| BlobId(blob)).collect())
}

/// Removes some rows of a person's files; gives the content of each.
fn remove_of(tx: &Transaction<'_>, user: &str) -> Result<Vec<Option<BlobId>>, TransferError> {
    let mut select = tx.prepare_cached(
        "SELECT id, blob FROM transfer WHERE sender = ?1 UNION SELECT id, blob FROM transfer WHERE recipient = ?1 LIMIT ?2",
    )?;
    let rows: Vec<([u8; 16], Option<[u8; 32]>)> =
        select.query_map(params![user, PURGE_ROWS], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (id, _) in &rows {
        tx.prepare_cached("DELETE FROM transfer WHERE id = ?1")?.execute([id])?;
    }
    Ok(rows.into_iter().map(|(_, blob)| blob.map(BlobId)).collect())
}

fn transfer(row: &Row<'_>) -> rusqlite::Result<Transfer> {
    let word: String = row.get(7)?;
    let state = TransferState::ALL.into_iter().find(|state| state.as_str() == word);
    let unknown = || rusqlite::Error::InvalidColumnType(7, word.clone(), rusqlite::types::Type::Text);
    Ok(Transfer {
        id: MessageId(row.get(0)?),
        sender: row.get(1)?,
        recipient: row.get(2)?,
        name: row.get(3)?,
        content_type: row.get(4)?,
        size: row.get(5)?,
        blob: row.get::<_, Option<[u8; 32]>>(6)?.map(BlobId),
        state: state.ok_or_else(unknown)?,
        created: WallTime(row.get(8)?),
        expires: WallTime(row.get(9)?),
    })
}
