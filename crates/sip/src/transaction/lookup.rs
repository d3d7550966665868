//! From fingerprint to slot. The low half of a keyed 128-bit fingerprint finds the slot; the
//! slot holds all of it and is compared by whoever asks.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Hands an already keyed and mixed number through.
#[derive(Default)]
pub(super) struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &b in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(b);
        }
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}

#[derive(Default)]
pub(super) struct Lookup {
    slots: HashMap<u64, u32, BuildHasherDefault<Mixed>>,
}

impl Lookup {
    pub(super) fn get(&self, fingerprint: u128) -> Option<u32> {
        self.slots.get(&(fingerprint as u64)).copied()
    }

    pub(super) fn insert(&mut self, fingerprint: u128, index: u32) {
        self.slots.insert(fingerprint as u64, index);
    }

    /// Removes the entry if it still means `index`.
    pub(super) fn remove(&mut self, fingerprint: u128, index: u32) {
        if self.get(fingerprint) == Some(index) {
            self.slots.remove(&(fingerprint as u64));
        }
    }
}
