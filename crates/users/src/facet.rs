//! Facets: small durable records of a group beside its bindings.
//!
//! What else a group must remember of its users (presence, contacts, subscriptions, waiting messages) is kept as opaque
//! values under a kind and a key. They go through the same journal, images and undo as bindings; what they mean is known
//! only to the module that writes them, which also builds its live structures from them at start.
//!
//! ```text
//! facet = kind:u8 key:bytes value
//! ```

use crate::bytes::{Cursor, hash64, put_bytes, varint_len};
use crate::entry::Entry;
use crate::group::Group;
use crate::journal::{Before, Journal, Undo};
use hashbrown::HashTable;
use lyceum_topology::UserId;

/// Longest key of a facet, in bytes.
pub const MAX_FACET_KEY: usize = 1024;
/// Longest value of a facet, in bytes: a message of the largest size that policy can allow a client, with its headers.
pub const MAX_FACET_VALUE: usize = 320 << 10;

/// What a facet is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FacetKind(pub u8);

/// The kinds in use. A number is never used again for something else.
pub mod facet_kind {
    use super::FacetKind;

    /// Presence of a user; the key is the address of record.
    pub const PRESENCE: FacetKind = FacetKind(1);
    /// Contacts and privacy relationships of a user; the key is the address of record.
    pub const CONTACTS: FacetKind = FacetKind(2);
    /// A subscription; the key is its dialog's identifier.
    pub const SUBSCRIPTION: FacetKind = FacetKind(3);
    /// A message that waits for a device; the key is the address of record, a zero byte and the message's number.
    pub const WAITING: FacetKind = FacetKind(4);
    /// A list of recipients; the key is its address.
    pub const LIST: FacetKind = FacetKind(5);
    /// The lists that a user made, the oldest first; the key is the address of record.
    pub const LISTS_MADE: FacetKind = FacetKind(6);
    /// The list that a subscription was given; the key is the subscription's.
    pub const SUBSCRIBED_LIST: FacetKind = FacetKind(7);
}

/// A key or value over its bound: nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FacetTooLarge {
    /// Over [`MAX_FACET_KEY`].
    Key,
    /// Over [`MAX_FACET_VALUE`].
    Value,
}

impl std::fmt::Display for FacetTooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FacetTooLarge::Key => write!(f, "a stored name is over {MAX_FACET_KEY} bytes; nothing was written"),
            FacetTooLarge::Value => write!(f, "a stored record is over {MAX_FACET_VALUE} bytes; nothing was written"),
        }
    }
}

impl std::error::Error for FacetTooLarge {}

/// A facet that an undo put back: what was built from it is to be built again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// What it is about.
    pub kind: FacetKind,
    /// Its key.
    pub key: Box<[u8]>,
}

/// What an undo put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undone {
    /// A facet.
    Facet(Touched),
    /// The bindings of this canonical address.
    Bindings(Box<str>),
}

impl Undone {
    /// The facet, if it is one.
    pub fn facet(self) -> Option<Touched> {
        match self {
            Undone::Facet(touched) => Some(touched),
            Undone::Bindings(_) => None,
        }
    }
}

/// A packed facet, viewed.
#[derive(Clone, Copy)]
pub(crate) struct Facet<'a>(pub &'a [u8]);

impl<'a> Facet<'a> {
    fn parts(self) -> Option<(u8, &'a [u8], &'a [u8])> {
        let mut at = Cursor::new(self.0);
        let (kind, key) = (at.byte()?, at.bytes()?);
        Some((kind, key, at.rest()))
    }

    pub(crate) fn kind(self) -> u8 {
        self.0.first().copied().unwrap_or(0)
    }

    fn key(self) -> &'a [u8] {
        self.parts().map_or(b"", |(_, key, _)| key)
    }

    fn value(self) -> &'a [u8] {
        self.parts().map_or(b"", |(_, _, value)| value)
    }

    pub(crate) fn is_valid(self) -> bool {
        self.parts().is_some_and(|(_, key, value)| key.len() <= MAX_FACET_KEY && value.len() <= MAX_FACET_VALUE)
    }
}

fn pack(kind: u8, key: &[u8], value: &[u8]) -> Box<[u8]> {
    let mut out = Vec::with_capacity(1 + varint_len(key.len() as u64) + key.len() + value.len());
    out.push(kind);
    put_bytes(&mut out, key);
    out.extend_from_slice(value);
    out.into_boxed_slice()
}

fn hash(kind: u8, key: &[u8]) -> u64 {
    hash64(key).wrapping_add(u64::from(kind).wrapping_mul(0xa076_1d64_78bd_642f))
}

fn hash_of(packed: &[u8]) -> u64 {
    hash(Facet(packed).kind(), Facet(packed).key())
}

/// The facets of one group.
#[derive(Default)]
pub(crate) struct Facets {
    table: HashTable<Box<[u8]>>,
    /// How many of each kind, for the kinds that there are.
    counts: Vec<(u8, usize)>,
}

impl Facets {
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    pub(crate) fn packed(&self) -> impl Iterator<Item = &[u8]> {
        self.table.iter().map(|packed| &**packed)
    }

    fn find(&self, kind: u8, key: &[u8]) -> Option<&[u8]> {
        let found = self.table.find(hash(kind, key), |p| Facet(p).kind() == kind && Facet(p).key() == key);
        found.map(|packed| &**packed)
    }

    fn count(&mut self, kind: u8) -> &mut usize {
        let at = self.counts.iter().position(|(k, _)| *k == kind).unwrap_or_else(|| {
            self.counts.push((kind, 0));
            self.counts.len() - 1
        });
        &mut self.counts[at].1
    }

    /// Puts a packed facet in; returns the one that it replaces.
    pub(crate) fn insert(&mut self, packed: Box<[u8]>) -> Option<Box<[u8]>> {
        let (kind, key, _) = Facet(&packed).parts()?;
        let hash = hash(kind, key);
        let before = self.table.find_mut(hash, |p| Facet(p).kind() == kind && Facet(p).key() == key);
        if let Some(before) = before {
            return Some(std::mem::replace(before, packed));
        }
        *self.count(kind) += 1;
        self.table.insert_unique(hash, packed, |p| hash_of(p));
        None
    }

    pub(crate) fn remove(&mut self, kind: u8, key: &[u8]) -> Option<Box<[u8]>> {
        let found = self.table.find_entry(hash(kind, key), |p| Facet(p).kind() == kind && Facet(p).key() == key);
        let (packed, _) = found.ok()?.remove();
        *self.count(kind) -= 1;
        if self.table.len() < self.table.capacity() / 4 {
            self.table.shrink_to(self.table.len() * 2, |p| hash_of(p));
        }
        Some(packed)
    }

    /// Puts back what an undo holds: a whole facet, or one that was not there.
    pub(crate) fn restore(&mut self, before: Box<[u8]>, existed: bool) -> Option<Touched> {
        let (kind, key, _) = Facet(&before).parts()?;
        let touched = Touched { kind: FacetKind(kind), key: key.into() };
        if existed {
            self.insert(before);
        } else {
            self.remove(kind, &touched.key);
        }
        Some(touched)
    }
}

impl Group {
    /// The value of a facet.
    pub fn facet(&self, kind: FacetKind, key: &[u8]) -> Option<&[u8]> {
        self.facets.find(kind.0, key).map(|packed| Facet(packed).value())
    }

    /// Writes a facet, whether it is new or not; returns the number of the journal block to wait for.
    pub fn put_facet(
        &mut self,
        kind: FacetKind,
        key: &[u8],
        value: &[u8],
        journal: &mut Journal,
    ) -> Result<u64, FacetTooLarge> {
        if key.len() > MAX_FACET_KEY {
            return Err(FacetTooLarge::Key);
        }
        if value.len() > MAX_FACET_VALUE {
            return Err(FacetTooLarge::Value);
        }
        let packed = pack(kind.0, key, value);
        let seq = journal.seq();
        self.journal_facet(&Entry::PutFacet(&packed), journal);
        let before = match self.facets.insert(packed) {
            Some(before) => Before::Facet { packed: before, existed: true },
            None => Before::Facet { packed: pack(kind.0, key, b""), existed: false },
        };
        journal.complete(before);
        Ok(seq)
    }

    /// Removes a facet; returns the number of the journal block to wait for, or `None` when there was none.
    pub fn remove_facet(&mut self, kind: FacetKind, key: &[u8], journal: &mut Journal) -> Option<u64> {
        let before = self.facets.remove(kind.0, key)?;
        let seq = journal.seq();
        self.journal_facet(&Entry::RemoveFacet { kind: kind.0, key }, journal);
        journal.complete(Before::Facet { packed: before, existed: true });
        Some(seq)
    }

    /// Every facet of one kind as key and value, in no order: for start, when live structures are built from them.
    pub fn facets(&self, kind: FacetKind) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.facets.packed().filter_map(move |packed| {
            let (is, key, value) = Facet(packed).parts()?;
            (is == kind.0).then_some((key, value))
        })
    }

    /// How many facets there are of one kind.
    pub fn facet_count(&self, kind: FacetKind) -> usize {
        self.facets.counts.iter().find(|(k, _)| *k == kind.0).map_or(0, |(_, count)| *count)
    }

    fn journal_facet(&self, entry: &Entry<'_>, journal: &mut Journal) {
        let nothing = Before::Facet { packed: Box::default(), existed: false };
        journal.record(self.epoch, entry, Undo { group: self.id, hash: 0, user: UserId(0), before: nothing });
    }
}
