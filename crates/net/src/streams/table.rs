//! Where connections live: by index, with a generation so that an old flow never reaches a new connection.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use crate::Flow;
use crate::streams::conn::{Conn, PeerKey};

pub(crate) struct Table {
    worker: u8,
    slots: Vec<Option<Box<Conn>>>,
    free: Vec<u32>,
    generation: u32,
    count: usize,
    by_key: HashMap<PeerKey, u32>,
}

impl Table {
    pub(crate) fn new(worker: u8) -> Table {
        // A flow that was stored by an earlier run of the process must not fit any connection of this one.
        let generation = RandomState::new().hash_one(worker) as u32;
        Table { worker, slots: Vec::new(), free: Vec::new(), generation, count: 0, by_key: HashMap::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Reserves a place; the connection made for it must be [`put`](Table::put) there.
    pub(crate) fn reserve(&mut self) -> (u32, Flow) {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() as u32 - 1
        });
        // 0 is that of lasting names (`Flow::to_link`).
        self.generation = self.generation.wrapping_add(1).max(1);
        self.count += 1;
        (index, Flow::Stream { worker: self.worker, index, generation: self.generation })
    }

    pub(crate) fn release(&mut self, index: u32) {
        self.free.push(index);
        self.count -= 1;
    }

    /// Takes a connection out to work on it; [`put`](Table::put) it back or [`bury`](Table::bury) it.
    pub(crate) fn take(&mut self, index: u32) -> Option<Box<Conn>> {
        self.slots.get_mut(index as usize)?.take()
    }

    pub(crate) fn put(&mut self, conn: Box<Conn>) {
        let index = conn.index as usize;
        self.slots[index] = Some(conn);
    }

    /// Ends a connection that was taken out.
    pub(crate) fn bury(&mut self, conn: &Conn) {
        for key in &conn.keys {
            if self.by_key.get(key) == Some(&conn.index) {
                self.by_key.remove(key);
            }
        }
        self.release(conn.index);
    }

    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut Conn> {
        self.slots.get_mut(index as usize)?.as_deref_mut()
    }

    /// The place of a flow, if its connection still stands.
    pub(crate) fn find(&self, flow: Flow) -> Option<u32> {
        let Flow::Stream { index, .. } = flow else { return None };
        let conn = self.slots.get(index as usize)?.as_deref()?;
        (conn.flow == flow).then_some(index)
    }

    pub(crate) fn by_key(&self, key: &PeerKey) -> Option<u32> {
        self.by_key.get(key).copied()
    }

    /// Lets `key` lead to a connection; the newest wins.
    pub(crate) fn add_key(&mut self, index: u32, key: PeerKey) {
        if let Some(conn) = self.get_mut(index) {
            if !conn.keys.contains(&key) {
                conn.keys.push(key.clone());
            }
            self.by_key.insert(key, index);
        }
    }

    pub(crate) fn indexes(&self) -> impl Iterator<Item = u32> + use<> {
        0..self.slots.len() as u32
    }
}
