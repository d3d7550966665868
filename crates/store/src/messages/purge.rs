//! Removing what is too old, or whose user is gone.

use super::fold;
use super::line::{Line, damaged};
use super::window::{Summary, Window};
use crate::error::StoreError;
use crate::sqlite::Store;
use lyceum_sip::time::WallTime;
use lyceum_users::messages::MessageId;
use rusqlite::{Transaction, params};

impl Store {
    /// Removes from each user's history what is older than `before` says for that user (`None` keeps all). `go_on` is
    /// asked between transactions. Tells how many messages of people's histories were removed. A history that cannot be
    /// read stays as it is, and the next is gone on with.
    pub fn purge_history(
        &self,
        mut before: impl FnMut(&str) -> Option<WallTime>,
        mut go_on: impl FnMut() -> bool,
    ) -> Result<u64, StoreError> {
        self.fold_all(&mut go_on)?;
        let mut removed = 0;
        let mut after = String::new();
        while go_on() {
            let Some(user) = self.next_user(&after)? else { break };
            if let Some(before) = before(&user) {
                match self.purge_user(&user, MessageId::at(before), &mut go_on) {
                    Ok(some) => removed += some,
                    Err(error) if fold::is_of_one_stream(&error) => {
                        tracing::error!(%user, %error, "what is too old was not removed from a user's history");
                    }
                    Err(error) => return Err(error),
                }
            }
            after = user;
        }
        Ok(removed)
    }

    /// Removes a user's whole history, as when the user is removed. What others keep stays with them. One that cannot be
    /// read goes uncounted.
    pub fn forget_history(&self, user: &str, mut go_on: impl FnMut() -> bool) -> Result<u64, StoreError> {
        let folded = {
            let inner = self.inner();
            let _order = inner.history.order();
            fold::people(inner, &[user.into()])
        };
        match folded.and_then(|()| self.purge_user(user, MessageId([0xff; 16]), &mut go_on)) {
            Err(error) if fold::is_of_one_stream(&error) => {
                tracing::error!(%user, %error, "a history that cannot be read is removed as it is");
                self.remove_unread(user).map(|()| 0)
            }
            done => done,
        }
    }

    /// Removes what is there without looking into it.
    fn remove_unread(&self, user: &str) -> Result<(), StoreError> {
        let inner = self.inner();
        let _order = inner.history.order();
        inner.messages.write(inner.messages_epoch, |tx, epoch| {
            tx.execute("DELETE FROM history_segment WHERE user = ?1", [user])?;
            let last = "SELECT coalesce(max(id), 0) FROM history_journal";
            let last = tx.query_row(last, [], |row| row.get(0))?;
            fold::set_person(tx, epoch, user, (last, &Summary::default()))
        })?;
        inner.history.change(|recent| drop(recent.people.remove(user)));
        Ok(())
    }

    /// Brings everything into segments.
    fn fold_all(&self, go_on: &mut dyn FnMut() -> bool) -> Result<(), StoreError> {
        let mut first = true;
        while go_on() && self.fold_step(first)? {
            first = false;
        }
        Ok(())
    }

    fn next_user(&self, after: &str) -> Result<Option<String>, StoreError> {
        self.inner().messages.read(|db| {
            Ok(db
                .prepare_cached("SELECT min(user) FROM history_person WHERE user > ?1")?
                .query_row([after], |row| row.get(0))?)
        })
    }

    fn purge_user(&self, user: &str, before: MessageId, go_on: &mut dyn FnMut() -> bool) -> Result<u64, StoreError> {
        let inner = self.inner();
        let mut removed = 0;
        while go_on() {
            let _order = inner.history.order();
            let gone = inner.messages.write(inner.messages_epoch, |tx, epoch| oldest(tx, epoch, user, before))?;
            let Some(gone) = gone else { break };
            removed += gone;
        }
        Ok(removed)
    }
}

/// Takes what is too old from the oldest segment. `None` when there was nothing, and the person's list is in order too.
fn oldest(tx: &Transaction<'_>, epoch: u64, user: &str, before: MessageId) -> Result<Option<u64>, StoreError> {
    let mut select = tx.prepare_cached(
        "SELECT first, block FROM history_segment WHERE user = ?1 AND first < ?2 ORDER BY first LIMIT 1",
    )?;
    let mut rows = select.query(params![user, before.0])?;
    let Some(row) = rows.next()? else {
        tidy_list(tx, epoch, user, before)?;
        return Ok(None);
    };
    let first = MessageId(row.get(0)?);
    let mut window = Window::of(Line::read_all(row.get_ref(1)?.as_blob().map_err(|_| damaged())?)?);
    let whole = window.messages.len();
    window.messages = window.messages.split_off(&before);
    // Nothing older is left that they could mark.
    window.older.clear();
    window.reads.clear();
    fold::remove_segment(tx, user, first)?;
    fold::write_segments(tx, epoch, user, &window)?;
    Ok(Some((whole - window.messages.len()) as u64))
}

/// Takes conversations that are gone from the person's list. Without any, the person is remembered until the journal
/// tells of them no more.
fn tidy_list(tx: &Transaction<'_>, epoch: u64, user: &str, before: MessageId) -> Result<(), StoreError> {
    let (upto, mut summary) = fold::person(tx, user)?;
    let known: Summary = summary.clone();
    summary.purge(before);
    if upto > 0 && summary != known {
        fold::set_person(tx, epoch, user, (upto, &summary))?;
    }
    Ok(())
}
