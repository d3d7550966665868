//! Journal entries: what changed, absolute, so that replaying one twice changes nothing more.
//!
//! ```text
//! entry   = tag:u8 body           tag = version << 4 | kind
//! put     = record                the whole record of an address
//! remove  = aor                   no bindings left
//! refresh = aor:bytes identity:u64 stamp
//! put facet    = facet            from version 2
//! remove facet = kind:u8 key
//! ```

use crate::bytes::{Cursor, put_bytes, varint_len};
use crate::facet::{Facet, facet_kind};
use crate::record::{Record, STAMP, Stamp};

/// The newest version of the entry format that this build reads. An entry carries the version in which its kind came, so
/// that an older server says that it is too old.
const VERSION: u8 = 2;
const BINDINGS: u8 = 1;
const FACETS: u8 = 2;
const PUT: u8 = 1;
const REMOVE: u8 = 2;
const REFRESH: u8 = 3;
const PUT_FACET: u8 = 4;
const REMOVE_FACET: u8 = 5;

/// Why a journal entry cannot be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryError {
    /// Written by a newer version of the server.
    Version(u8),
    /// Not an entry: cut short or damaged.
    Damaged,
}

impl std::fmt::Display for EntryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            EntryError::Version(v) => {
                write!(f, "a journal entry has format {v}; this server reads up to {VERSION}: start the newer server")
            }
            EntryError::Damaged => write!(f, "a journal entry is damaged; restore a backup"),
        }
    }
}

impl std::error::Error for EntryError {}

/// An entry, read.
pub(crate) enum Entry<'a> {
    Put(&'a [u8]),
    Remove(&'a [u8]),
    Refresh { aor: &'a [u8], identity: u64, stamp: Stamp },
    PutFacet(&'a [u8]),
    RemoveFacet { kind: u8, key: &'a [u8] },
}

impl<'a> Entry<'a> {
    /// Tells of a user's presence and of nothing else.
    pub(crate) fn is_presence(&self) -> bool {
        match self {
            Entry::PutFacet(packed) => Facet(packed).kind() == facet_kind::PRESENCE.0,
            Entry::RemoveFacet { kind, .. } => *kind == facet_kind::PRESENCE.0,
            Entry::Put(_) | Entry::Remove(_) | Entry::Refresh { .. } => false,
        }
    }

    pub(crate) fn read(bytes: &'a [u8]) -> Result<Entry<'a>, EntryError> {
        let mut at = Cursor::new(bytes);
        let tag = at.byte().ok_or(EntryError::Damaged)?;
        if tag >> 4 > VERSION {
            return Err(EntryError::Version(tag >> 4));
        }
        match (tag >> 4, tag & 0x0f) {
            (BINDINGS, PUT) if Record(at.rest()).is_valid() => Ok(Entry::Put(at.rest())),
            (BINDINGS, REMOVE) => Ok(Entry::Remove(at.rest())),
            (BINDINGS, REFRESH) => read_refresh(at).ok_or(EntryError::Damaged),
            (FACETS, PUT_FACET) if Facet(at.rest()).is_valid() => Ok(Entry::PutFacet(at.rest())),
            (FACETS, REMOVE_FACET) => {
                let kind = at.byte().ok_or(EntryError::Damaged)?;
                Ok(Entry::RemoveFacet { kind, key: at.rest() })
            }
            _ => Err(EntryError::Damaged),
        }
    }

    /// Bytes that [`Entry::write`] appends.
    pub(crate) fn len(&self) -> usize {
        1 + match self {
            Entry::Put(record) => record.len(),
            Entry::Remove(aor) => aor.len(),
            Entry::Refresh { aor, .. } => varint_len(aor.len() as u64) + aor.len() + 8 + STAMP,
            Entry::PutFacet(packed) => packed.len(),
            Entry::RemoveFacet { key, .. } => 1 + key.len(),
        }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Entry::Put(record) => {
                out.push(BINDINGS << 4 | PUT);
                out.extend_from_slice(record);
            }
            Entry::Remove(aor) => {
                out.push(BINDINGS << 4 | REMOVE);
                out.extend_from_slice(aor);
            }
            Entry::Refresh { aor, identity, stamp } => {
                out.push(BINDINGS << 4 | REFRESH);
                put_bytes(out, aor);
                out.extend_from_slice(&identity.to_le_bytes());
                out.extend_from_slice(&stamp.encode());
            }
            Entry::PutFacet(packed) => {
                out.push(FACETS << 4 | PUT_FACET);
                out.extend_from_slice(packed);
            }
            Entry::RemoveFacet { kind, key } => {
                out.extend_from_slice(&[FACETS << 4 | REMOVE_FACET, *kind]);
                out.extend_from_slice(key);
            }
        }
    }
}

fn read_refresh<'a>(mut at: Cursor<'a>) -> Option<Entry<'a>> {
    let aor = at.bytes()?;
    let identity = u64::from_le_bytes(at.array()?);
    let stamp = Stamp::decode(&mut at)?;
    at.is_empty().then_some(Entry::Refresh { aor, identity, stamp })
}
