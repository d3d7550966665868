//! Entries into lines, and lines into the journal.

use super::line::{self, Letter, Line};
use super::recent::{self, Block, wire_key};
use super::window::{SEGMENT_BYTES, Summary, Thread};
use super::{ConversationId, MAX_PARTICIPANTS, MessageEntry, MessageRef, NewMessage, Participant, fold};
use crate::error::StoreError;
use crate::sqlite::{Inner, Store};
use lyceum_sip::time::WallTime;
use lyceum_users::messages::MessageId;
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::HashMap;

/// Lines of one person in the journal at which that person's are folded by themselves.
const MANY_LINES: usize = 4_096;
/// Segments that are looked through for the message that a notice names.
const SEGMENTS_SEARCHED: usize = 64;
/// Segments that are looked through for all notices of a batch; what further ones name is taken for unknown.
const SEGMENTS_A_BATCH: usize = 1_024;
/// Of them, those for the notices of one person.
const SEGMENTS_A_PERSON: usize = 256;
/// Lists of conversations that are at hand while a batch is put together.
const LISTS: usize = 64;

impl Store {
    /// Writes these entries in one transaction, durable when it returns. The writer thread is the usual way.
    pub fn append_messages(&self, entries: &[MessageEntry]) -> Result<(), StoreError> {
        append(self, entries.iter())
    }
}

/// Writes entries in one transaction.
pub(super) fn append<'a>(store: &Store, entries: impl Iterator<Item = &'a MessageEntry>) -> Result<(), StoreError> {
    let inner = store.inner();
    let _order = inner.history.order();
    let (block, row) = inner.messages.write(inner.messages_epoch, |tx, epoch| {
        // The index is read before there is something in the journal that is not in it.
        inner.history.recent(tx, |_| ())?;
        let mut batch = Batch { inner, tx, block: Block::default(), searched: HashMap::new(), lists: HashMap::new() };
        for entry in entries {
            match batch.add(epoch, entry) {
                Err(error) if is_mark(entry) && fold::is_of_one_stream(&error) => {
                    tracing::error!(%error, "a mark is missing in a history that cannot be read");
                }
                done => done?,
            }
        }
        let block = batch.block;
        if block.is_empty() {
            return Ok::<_, StoreError>((block, 0));
        }
        tx.prepare_cached("INSERT INTO history_journal (block, epoch) VALUES (?1, ?2)")?
            .execute(params![block.bytes, epoch])?;
        Ok((block, tx.last_insert_rowid()))
    })?;
    if row == 0 {
        return Ok(());
    }
    let busy = inner.history.change(|recent| recent.add(row, block, MANY_LINES)).unwrap_or_default();
    if let Err(error) = fold::people(inner, &busy) {
        // What was asked for is written: a fold that fails is not the batch's business.
        tracing::error!(%error, "histories with many new lines could not be folded; it is tried again");
    }
    Ok(())
}

/// Marks look into what is there; messages do not.
fn is_mark(entry: &MessageEntry) -> bool {
    matches!(entry, MessageEntry::Mark { .. } | MessageEntry::ReadUpTo { .. })
}

struct Batch<'a> {
    inner: &'a Inner,
    tx: &'a Transaction<'a>,
    block: Block,
    /// Segments looked through for the notices of each person.
    searched: HashMap<String, usize>,
    /// Conversations of people, and how many lines of the block are in them.
    lists: HashMap<String, (Summary, usize)>,
}

impl Batch<'_> {
    fn add(&mut self, epoch: u64, entry: &MessageEntry) -> Result<(), StoreError> {
        match entry {
            MessageEntry::Message(message) => self.message(message, None),
            MessageEntry::Delivered { message, at } => self.message(message, Some(*at)),
            MessageEntry::Mark { message, user, mark, at } => {
                let found = match message {
                    MessageRef::Id { id, sender } => Some((*id, sender.clone())),
                    MessageRef::Wire { wire_id, sender } => {
                        self.named(wire_id, sender, user)?.map(|id| (id, sender.clone()))
                    }
                };
                let Some((id, sender)) = found else { return Ok(()) };
                let line = Line::Mark { id, user: user.to_string(), mark: *mark, at: *at };
                return self.tell([&*sender, &**user], &line);
            }
            MessageEntry::ReadUpTo { user, conversation, upto, at } => {
                // What is not there cannot be read: nothing may wait for messages that come later.
                let Some(thread) = self.thread(user, *conversation)? else { return Ok(()) };
                let (upto, mut members) = (thread.last.min(*upto), thread.members.clone());
                members.push(user.to_string());
                let line = Line::ReadUpTo { user: user.to_string(), conversation: *conversation, upto, at: *at };
                return self.tell(members.iter().map(String::as_str), &line);
            }
            MessageEntry::Archive(row) => return crate::archive::add(self.tx, epoch, row),
        }
        Ok(())
    }

    fn message(&mut self, message: &NewMessage, delivered: Option<WallTime>) {
        let recipients = &message.recipients[..message.recipients.len().min(MAX_PARTICIPANTS - 1)];
        let mut keepers: Vec<&str> = Vec::with_capacity(2);
        for Participant { address, kept } in std::iter::once(&message.sender).chain(recipients) {
            if *kept && !keepers.contains(&&**address) {
                keepers.push(address);
            }
        }
        if keepers.is_empty() {
            return;
        }
        if let Some(wire_id) = &message.wire_id {
            self.block.wires.push((wire_key(wire_id, &message.sender.address), message.id));
        }
        self.block.add(keepers.into_iter(), |out| line::write_new(out, message, MAX_PARTICIPANTS - 1, delivered));
    }

    /// Adds a line to the streams of those of these people who have one.
    fn tell<'p>(&mut self, people: impl IntoIterator<Item = &'p str>, line: &Line) -> Result<(), StoreError> {
        let mut keepers: Vec<&str> = Vec::new();
        for person in people {
            if !keepers.contains(&person) && self.has(person)? {
                keepers.push(person);
            }
        }
        if !keepers.is_empty() {
            self.block.add(keepers.into_iter(), |out| line.write(out));
        }
        Ok(())
    }

    /// Whether this person keeps a history.
    fn has(&self, user: &str) -> Result<bool, StoreError> {
        if self.block.concerns(user) || self.inner.history.recent(self.tx, |r| r.people.contains_key(user))? {
            return Ok(true);
        }
        let mut select = self.tx.prepare_cached("SELECT 1 FROM history_person WHERE user = ?1")?;
        Ok(select.query_row([user], |_| Ok(())).optional()?.is_some())
    }

    /// The message that its sender calls so: the newest, should there be several.
    fn named(&mut self, wire_id: &str, sender: &str, user: &str) -> Result<Option<MessageId>, StoreError> {
        let key = wire_key(wire_id, sender);
        if let Some((_, id)) = self.block.wires.iter().rev().find(|(known, _)| *known == key) {
            return Ok(Some(*id));
        }
        if let Some(id) = self.inner.history.recent(self.tx, |recent| recent.wires.get(&key).copied())? {
            return Ok(Some(id));
        }
        let is_it = |letter: &Letter| letter.wire_id.as_deref() == Some(wire_id) && letter.sender == sender;
        for owner in [user, sender] {
            if self.has(owner)? {
                return self.search(owner, user, is_it);
            }
        }
        Ok(None)
    }

    /// Looks through a person's lines for a message, at the expense of `notifier`.
    fn search(
        &mut self,
        owner: &str,
        notifier: &str,
        is_it: impl Fn(&Letter) -> bool,
    ) -> Result<Option<MessageId>, StoreError> {
        let of = |lines: Vec<Line>| {
            lines.into_iter().rev().find_map(|line| match line {
                Line::Message(letter) if is_it(&letter) => Some(letter.id),
                _ => None,
            })
        };
        let all: usize = self.searched.values().sum();
        let searched = self.searched.entry(notifier.to_owned()).or_default();
        let room = SEGMENTS_A_PERSON.saturating_sub(*searched).min(SEGMENTS_A_BATCH.saturating_sub(all));
        let places = self.inner.history.of(self.tx, owner)?;
        let journal = 1 + places.iter().map(|at| at.length as usize).sum::<usize>() / SEGMENT_BYTES;
        if journal > room {
            return Ok(None);
        }
        *searched += journal;
        if let Some(id) = of(recent::read(self.tx, &places)?) {
            return Ok(Some(id));
        }
        let mut select =
            self.tx.prepare_cached("SELECT block FROM history_segment WHERE user = ?1 ORDER BY first DESC LIMIT ?2")?;
        let mut rows = select.query(params![owner, SEGMENTS_SEARCHED.min(room - journal)])?;
        while let Some(row) = rows.next()? {
            *searched += 1;
            if let Some(id) = of(Line::read_all(row.get_ref(0)?.as_blob().map_err(|_| line::damaged())?)?) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// A conversation as this person has it with what this batch adds.
    fn thread(&mut self, user: &str, conversation: ConversationId) -> Result<Option<&Thread>, StoreError> {
        if !self.lists.contains_key(user) {
            if self.lists.len() >= LISTS {
                self.lists.clear();
            }
            let places = self.inner.history.of(self.tx, user)?;
            let (_, mut summary) = fold::person(self.tx, user)?;
            recent::read(self.tx, &places)?.iter().for_each(|line| summary.apply(user, line));
            self.lists.insert(user.to_owned(), (summary, 0));
        }
        let Some((summary, known)) = self.lists.get_mut(user) else { return Ok(None) };
        self.block.lines_of(user, *known)?.iter().for_each(|line| summary.apply(user, line));
        *known = self.block.len();
        Ok(summary.0.get(&conversation))
    }
}
