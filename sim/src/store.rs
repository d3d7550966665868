//! The virtual store: what is handed to it becomes durable a while later, in batches, or fails, or the machine is
//! killed in between. It follows `lyceum_store::BindingWriter`: blocks that build on a failed one are refused.

use std::collections::VecDeque;
use std::time::Duration;

use lyceum_sip::time::{Now, Time};
use lyceum_users::{Block, Group};

use crate::dice::Dice;
use crate::plant::Fault;

/// Commits that meet a disk which begins to fail, of a thousand.
const FAILING: u64 = 8;
/// Blocks handed back because the queue is full, of a thousand.
const FULL: u64 = 3;
/// A slow disk takes so many milliseconds for a batch; a block may wait for the batch before its own, too.
const SLOW: u64 = 1500;
/// The longest that a block can take, in milliseconds.
pub const SLOWEST: u64 = 2 * SLOW + 10;

/// What the server is told of its blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Up to this block.
    pub upto: u64,
    /// Durable, or refused.
    pub ok: bool,
}

/// The disk and the writer in front of it.
pub struct Store {
    durable: Vec<Vec<u8>>,
    shadow: Vec<Group>,
    waiting: VecDeque<(u64, Block)>,
    writing: Vec<(u64, Block)>,
    least_generation: u32,
    away_until: Time,
    /// Blocks made durable and refused.
    pub counts: (u64, u64),
}

impl Default for Store {
    fn default() -> Self {
        Store {
            durable: Vec::new(),
            shadow: (0..=u8::MAX).map(Group::new).collect(),
            waiting: VecDeque::new(),
            writing: Vec::new(),
            least_generation: 0,
            away_until: Time::default(),
            counts: (0, 0),
        }
    }
}

impl Store {
    /// Takes a block. Gives when the disk will be through, if it was idle.
    ///
    /// # Errors
    /// The queue is full.
    pub fn submit(&mut self, now: Time, seq: u64, block: Block, dice: &mut Dice) -> Result<Option<Time>, ()> {
        if dice.below(1000) < FULL {
            return Err(());
        }
        self.waiting.push_back((seq, block));
        Ok(self.begin(now, dice))
    }

    fn begin(&mut self, now: Time, dice: &mut Dice) -> Option<Time> {
        if !self.writing.is_empty() || self.waiting.is_empty() {
            return None;
        }
        self.writing.extend(self.waiting.drain(..));
        let slow = dice.chance(5);
        Some(now + if slow { dice.millis(100, SLOW) } else { dice.millis(1, 40) })
    }

    /// The disk is through: reports in order, and when the next batch will be.
    pub fn disk_done(&mut self, now: Time, dice: &mut Dice) -> (Vec<Report>, Option<Time>) {
        if now >= self.away_until && dice.below(1000) < FAILING {
            self.away_until = now + dice.seconds(2, 15);
        }
        let away = now < self.away_until;
        let mut reports = Vec::new();
        for (seq, block) in std::mem::take(&mut self.writing) {
            let ok = !away && block.generation() >= self.least_generation;
            if ok {
                self.keep(block.bytes());
            } else {
                self.counts.1 += 1;
                self.least_generation = self.least_generation.max(block.generation() + 1);
            }
            reports.push(Report { upto: seq, ok });
        }
        (reports, self.begin(now, dice))
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.counts.0 += 1;
        for entry in Block::read(bytes) {
            if let Some(group) = self.shadow.get_mut(usize::from(entry.group)) {
                group.apply(entry.entry).expect("the core wrote this entry a moment ago");
            }
        }
        self.durable.push(bytes.to_vec());
    }

    /// The process is killed. What the disk was writing is there or not; nobody was told.
    pub fn crash(&mut self, dice: &mut Dice) {
        let written = dice.chance(50);
        for (_, block) in std::mem::take(&mut self.writing) {
            if written && block.generation() >= self.least_generation {
                self.keep(block.bytes());
            }
        }
        self.waiting.clear();
        self.least_generation = 0;
        self.away_until = Time::default();
    }

    /// Fills the groups of a new process from what is durable, and from nothing else.
    pub fn load(&self, groups: &mut [Group], plant: Option<Fault>) {
        let mut entries: Vec<(u8, &[u8])> = Vec::new();
        let read = |block: &'_ Vec<u8>| -> Vec<(u8, Vec<u8>)> {
            Block::read(block).map(|entry| (entry.group, entry.entry.to_vec())).collect()
        };
        let blocks: Vec<_> = self.durable.iter().map(read).collect();
        entries.extend(blocks.iter().flatten().map(|(group, entry)| (*group, entry.as_slice())));
        match plant {
            Some(Fault::LostEntry) => {
                entries.pop();
            }
            Some(Fault::WrongOrder) => entries.reverse(),
            _ => {}
        }
        for (group, entry) in entries {
            groups[usize::from(group)].apply(entry).expect("a durable entry can be read");
        }
    }

    /// The end of a binding as a restart would find it; `None` when there is no such live binding.
    pub fn holds(&self, now: Now, group: u8, aor: &str, uri: &[u8]) -> Option<u64> {
        end_of(&self.shadow[usize::from(group)], now, aor, uri)
    }

    /// The contacts of an address as a restart would find them.
    pub fn contacts(&self, now: Now, group: u8, aor: &str) -> Vec<Vec<u8>> {
        contacts(&self.shadow[usize::from(group)], now, aor)
    }

    /// Nothing waits and nothing is being written.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.writing.is_empty()
    }
}

/// When a binding ends, in milliseconds of the wall clock.
pub fn end_of(group: &Group, now: Now, aor: &str, uri: &[u8]) -> Option<u64> {
    group.bindings(now, aor).find(|binding| binding.uri() == uri).map(|binding| binding.expires_at().0)
}

/// Contacts of an address, sorted.
pub fn contacts(group: &Group, now: Now, aor: &str) -> Vec<Vec<u8>> {
    let mut list: Vec<_> = group.bindings(now, aor).map(|binding| binding.uri().to_vec()).collect();
    list.sort();
    list
}

/// How long after a report was made the worker hears of it.
pub fn report_delay(dice: &mut Dice) -> Duration {
    dice.millis(0, 3)
}
