//! Where in the journal the lines of each person stand that are in no segment yet.

use super::line::{Line, Reader, damaged};
use crate::error::StoreError;
use lyceum_users::messages::MessageId;
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A line in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    pub row: i64,
    pub offset: u32,
    pub length: u32,
}

/// The index of the journal. It is built when the history is used first.
#[derive(Default)]
pub(super) struct Recent {
    pub people: HashMap<Box<str>, Vec<At>>,
    /// Bytes of the journal's rows.
    pub bytes: usize,
    /// Of them, those that the last fold had to leave: somebody's lines in them could not be folded.
    pub left: usize,
    /// Its last row.
    pub last: i64,
    /// Messages written of late, by what their senders call them.
    pub wires: HashMap<u64, MessageId>,
    pub folding: Option<super::fold::Folding>,
}

/// Names that senders gave which are remembered at most; beyond it all are forgotten and looked for in the lines.
const WIRES_MOST: usize = 65_536;

/// The key of a sender's own name for a message.
pub(super) fn wire_key(wire_id: &str, sender: &str) -> u64 {
    let digest = crate::key::sha256(&[wire_id.as_bytes(), b"\0", sender.as_bytes()].concat());
    digest.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// What the history keeps in memory.
#[derive(Default)]
pub(crate) struct History {
    /// Held while lines are written or folded, so that they come into the index in the journal's order.
    order: Mutex<()>,
    recent: Mutex<Option<Recent>>,
}

/// A block of lines on its way into the journal, and where in it each line stands.
#[derive(Default)]
pub(super) struct Block {
    pub bytes: Vec<u8>,
    /// Offset and length of each line, and whose it is: a range of `owners`.
    places: Vec<(u32, u32, u32, u32)>,
    owners: Vec<Box<str>>,
    /// Messages in it, by what their senders call them.
    pub wires: Vec<(u64, MessageId)>,
}

impl Block {
    /// Adds a line to the streams of these people; `write` appends its bytes.
    pub(super) fn add<'a>(&mut self, people: impl Iterator<Item = &'a str>, write: impl FnOnce(&mut Vec<u8>)) {
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        let first_owner = self.owners.len();
        self.owners.extend(people.map(Box::from));
        super::line::number(&mut self.bytes, (self.owners.len() - first_owner) as u64);
        for owner in &self.owners[first_owner..] {
            super::line::bytes(&mut self.bytes, owner.as_bytes());
        }
        let at = self.bytes.len();
        write(&mut self.bytes);
        let whole = (self.bytes.len() - begin - 4) as u32;
        self.bytes[begin..begin + 4].copy_from_slice(&whole.to_be_bytes());
        self.places.push((at as u32, (self.bytes.len() - at) as u32, first_owner as u32, self.owners.len() as u32));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether a line of this person is in it.
    pub(super) fn concerns(&self, user: &str) -> bool {
        self.owners.iter().any(|owner| **owner == *user)
    }

    /// How many lines are in it.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The lines of one person among those from `first` on.
    pub(super) fn lines_of(&self, user: &str, first: usize) -> Result<Vec<Line>, StoreError> {
        let mine = |(_, _, first, end): &&(u32, u32, u32, u32)| {
            self.owners[*first as usize..*end as usize].iter().any(|owner| **owner == *user)
        };
        let read =
            |(at, length, ..): &(u32, u32, u32, u32)| Line::read(&self.bytes[*at as usize..(*at + *length) as usize]);
        self.places[first..].iter().filter(mine).map(read).collect()
    }
}

impl Recent {
    /// Adds a block that is in the journal now. Gives the people who have many lines by now.
    pub(super) fn add(&mut self, row: i64, block: Block, many: usize) -> Vec<Box<str>> {
        self.bytes += block.bytes.len();
        self.last = row;
        if self.wires.len() + block.wires.len() > WIRES_MOST {
            self.wires.clear();
        }
        self.wires.extend(block.wires);
        let mut busy = Vec::new();
        let mut owners = block.owners.into_iter();
        for (offset, length, first, end) in block.places {
            for owner in owners.by_ref().take((end - first) as usize) {
                let at = At { row, offset, length };
                match self.people.get_mut(&owner) {
                    Some(places) => {
                        places.push(at);
                        // Again and again, should their fold fail.
                        if places.len() % many == 0 {
                            busy.push(owner);
                        }
                    }
                    None => drop(self.people.insert(owner, vec![at])),
                }
            }
        }
        busy
    }

    /// Remembers what its sender calls the message of this line, if it is one.
    fn know_wire(&mut self, line: &[u8]) {
        // A line that cannot be read is told of when its owner asks for it.
        if let Ok(Line::Message(letter)) = Line::read(line)
            && let Some(wire_id) = &letter.wire_id
        {
            if self.wires.len() >= WIRES_MOST {
                self.wires.clear();
            }
            self.wires.insert(wire_key(wire_id, &letter.sender), letter.id);
        }
    }

    /// Reads the journal after a start.
    fn load(db: &Connection) -> Result<Recent, StoreError> {
        let mut recent = Recent::default();
        let mut folded: HashMap<Box<str>, i64> = HashMap::new();
        let mut select = db.prepare("SELECT id, block FROM history_journal ORDER BY id")?;
        let mut upto = db.prepare("SELECT upto FROM history_person WHERE user = ?1")?;
        let mut rows = select.query([])?;
        while let Some(found) = rows.next()? {
            let (row, block) = (found.get::<_, i64>(0)?, found.get_ref(1)?.as_blob().map_err(|_| damaged())?);
            recent.bytes += block.len();
            recent.last = row;
            let mut reader = Reader(block);
            while !reader.0.is_empty() {
                let (owners, at) = entry(&mut reader, block.len(), row).ok_or_else(damaged)?;
                recent.know_wire(&block[at.offset as usize..(at.offset + at.length) as usize]);
                for owner in owners {
                    let known = match folded.get(owner) {
                        Some(known) => *known,
                        None => {
                            let known = upto.query_row([owner], |row| row.get(0)).optional()?.unwrap_or(0);
                            folded.insert(owner.into(), known);
                            known
                        }
                    };
                    if row > known {
                        recent.people.entry(owner.into()).or_default().push(at);
                    }
                }
            }
        }
        Ok(recent)
    }
}

/// One entry of a journal row: whose, and where its line stands.
fn entry<'a>(reader: &mut Reader<'a>, whole: usize, row: i64) -> Option<(Vec<&'a str>, At)> {
    let length = u32::from_be_bytes(reader.take(4)?.try_into().ok()?) as usize;
    let before = reader.0.len();
    let count = reader.number()?;
    let owners = (0..count).map(|_| reader.text()).collect::<Option<_>>()?;
    let offset = whole - reader.0.len();
    let length = length.checked_sub(before - reader.0.len())?;
    reader.take(length)?;
    Some((owners, At { row, offset: offset as u32, length: length as u32 }))
}

impl History {
    /// One writer at a time.
    pub(super) fn order(&self) -> MutexGuard<'_, ()> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks or changes the index.
    pub(super) fn recent<T>(&self, db: &Connection, ask: impl FnOnce(&mut Recent) -> T) -> Result<T, StoreError> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.is_none() {
            *recent = Some(Recent::load(db)?);
        }
        Ok(ask(recent.get_or_insert_with(Recent::default)))
    }

    /// Changes the index, without a connection. An index that nobody has asked for yet needs no change: it is read from
    /// what is written.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Recent) -> T) -> Option<T> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(change)
    }

    /// Where the lines of a person stand.
    pub(super) fn of(&self, db: &Connection, user: &str) -> Result<Vec<At>, StoreError> {
        self.recent(db, |recent| recent.people.get(user).cloned().unwrap_or_default())
    }
}

/// Reads lines of the journal. Rows that are gone were folded meanwhile: the segments have them.
pub(super) fn read(db: &Connection, places: &[At]) -> Result<Vec<Line>, StoreError> {
    let mut lines = Vec::with_capacity(places.len());
    let mut select = db.prepare_cached("SELECT block FROM history_journal WHERE id = ?1")?;
    for of_row in places.chunk_by(|one, other| one.row == other.row) {
        let mut rows = select.query([of_row[0].row])?;
        let Some(row) = rows.next()? else { continue };
        let block = row.get_ref(0)?.as_blob().map_err(|_| damaged())?;
        for at in of_row {
            let line = block.get(at.offset as usize..(at.offset + at.length) as usize).ok_or_else(damaged)?;
            lines.push(Line::read(line)?);
        }
    }
    Ok(lines)
}
