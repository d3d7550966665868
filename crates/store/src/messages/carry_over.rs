//! Histories of the first schema, one row for each person and message, become lines of the journal.

use super::ConversationId;
use super::line::{Letter, Line};
use super::read::Person;
use super::recent::Block;
use crate::error::StoreError;
use lyceum_sip::time::WallTime;
use lyceum_users::messages::{MessageId, OwnedText};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// Bytes of one journal row.
const BLOCK_BYTES: usize = 256 << 10;

/// Does it once, in one transaction; without the old tables it does nothing.
pub(crate) fn carry_over(db: &mut Connection) -> Result<(), StoreError> {
    let old = db
        .query_row("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'participant'", [], |_| Ok(()))
        .optional()?;
    if old.is_none() {
        return Ok(());
    }
    let tx = db.transaction()?;
    copy(&tx)?;
    tx.execute_batch("DROP TABLE participant; DROP TABLE thread; DROP TABLE message; DROP TABLE conversation;")?;
    tx.commit()?;
    Ok(())
}

fn copy(tx: &Transaction<'_>) -> Result<(), StoreError> {
    let mut messages = tx.prepare(
        "SELECT m.id, m.conversation, c.subject, m.sender, m.wire_id, m.content_type, m.body, m.epoch
         FROM message m LEFT JOIN conversation c ON c.id = m.conversation ORDER BY m.id",
    )?;
    let mut people = tx.prepare("SELECT user, role, kept, delivered, read FROM participant WHERE id = ?1")?;
    let mut rows = messages.query([])?;
    let (mut block, mut epoch) = (Block::default(), 0u64);
    while let Some(row) = rows.next()? {
        let id: [u8; 16] = row.get(0)?;
        let (mut keepers, mut recipients) = (Vec::new(), Vec::new());
        let mut found = people.query([id])?;
        while let Some(person) = found.next()? {
            let address: String = person.get(0)?;
            if person.get(2)? {
                keepers.push(address.clone());
            }
            if person.get::<_, u8>(1)? == 1 {
                let time = |at: Option<u64>| at.map(WallTime);
                recipients.push(Person { address, delivered: time(person.get(3)?), read: time(person.get(4)?) });
            }
        }
        let line = Line::Message(Box::new(Letter {
            id: MessageId(id),
            conversation: ConversationId(row.get(1)?),
            subject: row.get(2)?,
            sender: row.get(3)?,
            recipients,
            wire_id: row.get(4)?,
            content_type: row.get(5)?,
            body: OwnedText(row.get(6)?),
        }));
        epoch = row.get(7)?;
        block.add(keepers.iter().map(String::as_str), |out| line.write(out));
        if block.bytes.len() >= BLOCK_BYTES {
            insert(tx, &std::mem::take(&mut block), epoch)?;
        }
    }
    if block.is_empty() { Ok(()) } else { insert(tx, &block, epoch) }
}

fn insert(tx: &Transaction<'_>, block: &Block, epoch: u64) -> Result<(), StoreError> {
    tx.execute("INSERT INTO history_journal (block, epoch) VALUES (?1, ?2)", params![block.bytes, epoch])?;
    Ok(())
}
