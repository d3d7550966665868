//! What a worker's groups changed and is not yet durable.

use crate::bytes::{Cursor, put_varint};
use crate::entry::Entry;
use crate::record::Stamp;
use lyceum_topology::UserId;
use std::collections::VecDeque;

/// Entries packed for one write: `(group:u8 epoch:varint len:varint entry)*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    bytes: Vec<u8>,
    entries: u32,
    /// Entries that somebody waits for.
    awaited: u32,
    generation: u32,
}

/// One entry of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockEntry<'a> {
    /// Routing group it belongs to.
    pub group: u8,
    /// Epoch under which the owner wrote it.
    pub epoch: u64,
    /// Opaque bytes for [`crate::Group::apply`].
    pub entry: &'a [u8],
}

impl Block {
    /// Number of entries.
    pub fn entries(&self) -> u32 {
        self.entries
    }

    /// True when all of it is presence, for which nobody waits as for a registration: the store may take a little longer
    /// over it.
    pub fn is_patient(&self) -> bool {
        self.awaited == 0
    }

    /// The packed bytes as they are stored.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How often the worker's writes had failed when the block was begun. After a failure the
    /// store refuses blocks of the old generation, because they build on what was undone.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Reads packed bytes; ends at the first byte that makes no sense.
    pub fn read(bytes: &[u8]) -> impl Iterator<Item = BlockEntry<'_>> {
        let mut at = Cursor::new(bytes);
        std::iter::from_fn(move || {
            let group = at.byte()?;
            let epoch = at.varint()?;
            Some(BlockEntry { group, epoch, entry: at.bytes()? })
        })
    }

    fn push(&mut self, group: u8, epoch: u64, entry: &Entry<'_>) {
        self.bytes.push(group);
        put_varint(&mut self.bytes, epoch);
        put_varint(&mut self.bytes, entry.len() as u64);
        entry.write(&mut self.bytes);
        self.entries += 1;
        self.awaited += u32::from(!entry.is_presence());
    }

    fn clear(&mut self) {
        self.bytes.clear();
        (self.entries, self.awaited) = (0, 0);
    }
}

/// How to put one address back to what the store holds; give it to [`crate::Group::undo`].
#[derive(Debug)]
pub struct Undo {
    pub(crate) group: u8,
    pub(crate) hash: u64,
    pub(crate) user: UserId,
    pub(crate) before: Before,
}

impl Undo {
    /// The group that it belongs to.
    pub fn group(&self) -> u8 {
        self.group
    }
}

#[derive(Debug)]
pub(crate) enum Before {
    Stamp {
        identity: u64,
        stamp: Stamp,
    },
    Record(Option<Box<[u8]>>),
    /// The facet as it was; without a value, and `existed` false, where there was none.
    Facet {
        packed: Box<[u8]>,
        existed: bool,
    },
}

/// The open block of one worker, and how to undo what is on its way to the store.
///
/// Usage: groups append while a batch of messages is handled; then [`Journal::take`] gives the
/// block to the store; later either [`Journal::committed`] or [`Journal::failed`] settles it.
#[derive(Debug)]
pub struct Journal {
    block: Block,
    seq: u64,
    /// Reports about blocks before this one are about what was undone already.
    valid_from: u64,
    undo: VecDeque<(u64, Undo)>,
    usual: usize,
}

impl Default for Journal {
    fn default() -> Self {
        Journal::new()
    }
}

impl Journal {
    /// An empty journal; its first block is number 1.
    pub fn new() -> Self {
        Journal { block: Block::default(), seq: 1, valid_from: 1, undo: VecDeque::new(), usual: 0 }
    }

    /// True when nothing waits to be taken.
    pub fn is_empty(&self) -> bool {
        self.block.entries == 0
    }

    /// Entries that wait to be taken.
    pub fn entries(&self) -> u32 {
        self.block.entries
    }

    /// Number of the open block: an answer that depends on a change just made waits for it.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Changes made and not yet settled.
    pub fn unsettled(&self) -> usize {
        self.undo.len()
    }

    /// Closes the open block; `None` when it is empty.
    pub fn take(&mut self) -> Option<(u64, Block)> {
        if self.is_empty() {
            return None;
        }
        let seq = self.seq;
        self.seq += 1;
        self.usual = (self.usual + self.block.bytes.len()).div_ceil(2);
        let bytes = Vec::with_capacity(self.usual);
        let next = Block { bytes, entries: 0, awaited: 0, generation: self.block.generation };
        Some((seq, std::mem::replace(&mut self.block, next)))
    }

    /// Every block up to `upto` is durable.
    pub fn committed(&mut self, upto: u64) {
        while self.undo.front().is_some_and(|(seq, _)| *seq <= upto) {
            self.undo.pop_front();
        }
    }

    /// The store's queue was full and handed block `seq` back, straight after [`Journal::take`]:
    /// its changes are to be undone in the order given. Blocks before it stand.
    pub fn handed_back(&mut self, seq: u64) -> Vec<Undo> {
        self.block.clear();
        let first = self.undo.partition_point(|(at, _)| *at < seq);
        self.undo.drain(first..).rev().map(|(_, undo)| undo).collect()
    }

    /// The store refused block `upto`: everything unsettled, the open block
    /// too, is to be undone in the order given ([`crate::Group::undo`]), and every answer that
    /// waits for a block becomes a 503. `None`: the block was undone with an earlier one.
    pub fn failed(&mut self, upto: u64) -> Option<Vec<Undo>> {
        if upto < self.valid_from {
            return None;
        }
        self.block.clear();
        self.block.generation += 1;
        self.seq += 1;
        self.valid_from = self.seq;
        Some(self.undo.drain(..).rev().map(|(_, undo)| undo).collect())
    }

    /// The newest block with unsettled changes: an answer that tells of them waits for it.
    pub fn last_unsettled(&self) -> Option<u64> {
        self.undo.back().map(|(seq, _)| *seq)
    }

    pub(crate) fn record(&mut self, epoch: u64, entry: &Entry<'_>, undo: Undo) {
        self.block.push(undo.group, epoch, entry);
        self.undo.push_back((self.seq, undo));
    }

    /// Completes the undo of the change just recorded.
    pub(crate) fn complete(&mut self, before: Before) {
        if let Some((_, undo)) = self.undo.back_mut() {
            undo.before = before;
        }
    }
}
