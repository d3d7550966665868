//! Entries into rows.

use super::{ConversationId, MAX_PARTICIPANTS, MessageEntry, NewMessage, Participant};
use crate::error::StoreError;
use crate::sqlite::{Store, to_json};
use rusqlite::{OptionalExtension, Transaction, params};

impl Store {
    /// Writes these entries in one transaction, durable when it returns. The writer thread is the usual way.
    pub fn append_messages(&self, entries: &[MessageEntry]) -> Result<(), StoreError> {
        let inner = self.inner();
        inner.messages.write(inner.messages_epoch, |tx, epoch| entries.iter().try_for_each(|e| write(tx, epoch, e)))
    }
}

/// Writes one entry inside the transaction of its batch.
pub(super) fn write(tx: &Transaction<'_>, epoch: u64, entry: &MessageEntry) -> Result<(), StoreError> {
    match entry {
        MessageEntry::Message(message) => add(tx, epoch, message),
        MessageEntry::Mark { message, user, mark, at } => super::marks::mark(tx, message, user, *mark, *at),
        MessageEntry::ReadUpTo { user, conversation, upto, at } => {
            super::marks::read_up_to(tx, user, *conversation, *upto, *at)
        }
        MessageEntry::Archive(row) => crate::archive::add(tx, epoch, row),
    }
}

fn add(tx: &Transaction<'_>, epoch: u64, message: &NewMessage) -> Result<(), StoreError> {
    let recipients = &message.recipients[..message.recipients.len().min(MAX_PARTICIPANTS - 1)];
    let people = || std::iter::once(&message.sender).chain(recipients);
    if !people().any(|person| person.kept) {
        return Ok(());
    }
    let conversation =
        message.conversation.unwrap_or_else(|| ConversationId::of(people().map(|person| &*person.address)));
    let added = tx
        .prepare_cached(
            "INSERT INTO message (id, conversation, sender, wire_id, content_type, body, epoch)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![
            message.id.0,
            conversation.0,
            message.sender.address,
            message.wire_id,
            message.content_type,
            message.body.0,
            epoch
        ])?;
    if added == 0 {
        return Ok(());
    }
    begin(tx, epoch, message, conversation, people())?;
    for person in people() {
        let role = u8::from(person.address != message.sender.address);
        join(tx, epoch, message, conversation, person, role)?;
    }
    Ok(())
}

/// Notes the conversation when this is its first message.
fn begin<'a>(
    tx: &Transaction<'_>,
    epoch: u64,
    message: &NewMessage,
    conversation: ConversationId,
    people: impl Iterator<Item = &'a Participant>,
) -> Result<(), StoreError> {
    let known = tx
        .prepare_cached("SELECT 1 FROM conversation WHERE id = ?1")?
        .query_row([conversation.0], |_| Ok(()))
        .optional()?;
    if known.is_some() {
        return Ok(());
    }
    let mut members: Vec<&str> = people.map(|person| &*person.address).collect();
    members.sort_unstable();
    members.dedup();
    tx.prepare_cached("INSERT INTO conversation (id, members, subject, began, epoch) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![conversation.0, to_json(&members)?, message.subject, message.id.time().0, epoch])?;
    Ok(())
}

fn join(
    tx: &Transaction<'_>,
    epoch: u64,
    message: &NewMessage,
    conversation: ConversationId,
    person: &Participant,
    role: u8,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO participant (user, id, conversation, role, kept, epoch)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
    )?
    .execute(params![person.address, message.id.0, conversation.0, role, person.kept, epoch])?;
    if person.kept {
        tx.prepare_cached(
            "INSERT INTO thread (user, conversation, last, epoch) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (user, conversation) DO UPDATE SET last = max(last, excluded.last)",
        )?
        .execute(params![person.address, conversation.0, message.id.0, epoch])?;
    }
    Ok(())
}
