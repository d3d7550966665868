//! Removing what is too old, or whose user is gone.

use crate::error::StoreError;
use crate::sqlite::Store;
use lyceum_sip::time::WallTime;
use lyceum_users::messages::MessageId;
use rusqlite::{Transaction, params};
use std::collections::BTreeSet;

/// Messages that one transaction removes, so that writing is never held up for long.
const PURGE_ROWS: usize = 1_000;

impl Store {
    /// Removes from each user's history what is older than `before` says for that user (`None` keeps all). `go_on` is
    /// asked between transactions. Tells how many entries of people's histories were removed.
    pub fn purge_history(
        &self,
        mut before: impl FnMut(&str) -> Option<WallTime>,
        mut go_on: impl FnMut() -> bool,
    ) -> Result<u64, StoreError> {
        let mut removed = 0;
        let mut after = String::new();
        while go_on() {
            let Some(user) = self.next_user(&after)? else { break };
            if let Some(before) = before(&user) {
                removed += self.purge_user(&user, MessageId::at(before), &mut go_on)?;
            }
            after = user;
        }
        Ok(removed)
    }

    /// Removes a user's whole history, as when the user is removed. What others keep stays with them.
    pub fn forget_history(&self, user: &str, mut go_on: impl FnMut() -> bool) -> Result<u64, StoreError> {
        self.purge_user(user, MessageId([0xff; 16]), &mut go_on)
    }

    fn next_user(&self, after: &str) -> Result<Option<String>, StoreError> {
        self.inner().messages.read(|db| {
            Ok(db
                .prepare_cached("SELECT min(user) FROM participant WHERE user > ?1")?
                .query_row([after], |row| row.get(0))?)
        })
    }

    fn purge_user(&self, user: &str, before: MessageId, go_on: &mut dyn FnMut() -> bool) -> Result<u64, StoreError> {
        let inner = self.inner();
        let mut removed = 0;
        while go_on() {
            let gone = inner.messages.write(inner.messages_epoch, |tx, _| some(tx, user, before))?;
            removed += gone as u64;
            if gone < PURGE_ROWS {
                break;
            }
        }
        Ok(removed)
    }
}

fn some(tx: &Transaction<'_>, user: &str, before: MessageId) -> Result<usize, StoreError> {
    let mut select =
        tx.prepare_cached("SELECT id, conversation FROM participant WHERE user = ?1 AND id < ?2 ORDER BY id LIMIT ?3")?;
    let rows: Vec<([u8; 16], [u8; 16])> = select
        .query_map(params![user, before.0, PURGE_ROWS], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let conversations: BTreeSet<[u8; 16]> = rows.iter().map(|(_, conversation)| *conversation).collect();
    for (id, _) in &rows {
        remove(tx, user, id)?;
    }
    for conversation in &conversations {
        close(tx, user, conversation)?;
    }
    Ok(rows.len())
}

/// Takes a message from one person's history. The last who keeps it takes it from the store, and with it the rows of
/// people who keep nothing.
fn remove(tx: &Transaction<'_>, user: &str, id: &[u8; 16]) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM participant WHERE user = ?1 AND id = ?2")?.execute(params![user, id])?;
    let kept: bool = tx
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM participant WHERE id = ?1 AND kept = 1)")?
        .query_row([id], |row| row.get(0))?;
    if !kept {
        tx.prepare_cached("DELETE FROM participant WHERE id = ?1")?.execute([id])?;
        tx.prepare_cached("DELETE FROM message WHERE id = ?1")?.execute([id])?;
    }
    Ok(())
}

/// Takes an empty conversation from one person's list, and from the store when it is in nobody's.
fn close(tx: &Transaction<'_>, user: &str, conversation: &[u8; 16]) -> Result<(), StoreError> {
    tx.prepare_cached(
        "DELETE FROM thread WHERE user = ?1 AND conversation = ?2 AND NOT EXISTS
         (SELECT 1 FROM participant WHERE user = ?1 AND conversation = ?2)",
    )?
    .execute(params![user, conversation])?;
    tx.prepare_cached(
        "DELETE FROM conversation WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM thread WHERE conversation = ?1)",
    )?
    .execute([conversation])?;
    Ok(())
}
