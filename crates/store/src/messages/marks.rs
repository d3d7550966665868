//! What was delivered and read.

use super::{ConversationId, Mark, MessageRef};
use crate::error::StoreError;
use lyceum_sip::time::WallTime;
use lyceum_users::messages::MessageId;
use rusqlite::{OptionalExtension, Transaction, params};

/// Sets a mark; one about a message that is not kept here sets nothing.
pub(super) fn mark(
    tx: &Transaction<'_>,
    message: &MessageRef,
    user: &str,
    mark: Mark,
    at: WallTime,
) -> Result<(), StoreError> {
    let id: Option<[u8; 16]> = match message {
        MessageRef::Id(id) => Some(id.0),
        // The sender's name need not be unique: the newest of that name is meant.
        MessageRef::Wire { wire_id, sender } => tx
            .prepare_cached("SELECT id FROM message WHERE wire_id = ?1 AND sender = ?2 ORDER BY id DESC LIMIT 1")?
            .query_row(params![wire_id, sender], |row| row.get(0))
            .optional()?,
    };
    let Some(id) = id else { return Ok(()) };
    let sql = match mark {
        Mark::Delivered => {
            "UPDATE participant SET delivered = coalesce(delivered, ?3) WHERE user = ?1 AND id = ?2 AND role = 1"
        }
        Mark::Read => {
            "UPDATE participant SET delivered = coalesce(delivered, ?3), read = coalesce(read, ?3)
             WHERE user = ?1 AND id = ?2 AND role = 1"
        }
    };
    tx.prepare_cached(sql)?.execute(params![user, id, at.0])?;
    Ok(())
}

/// Marks everything unread of a conversation up to a message as read.
pub(super) fn read_up_to(
    tx: &Transaction<'_>,
    user: &str,
    conversation: ConversationId,
    upto: MessageId,
    at: WallTime,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE participant SET delivered = coalesce(delivered, ?4), read = ?4
         WHERE user = ?1 AND conversation = ?2 AND id <= ?3 AND role = 1 AND kept = 1 AND read IS NULL",
    )?
    .execute(params![user, conversation.0, upto.0, at.0])?;
    Ok(())
}
