//! One routing group of users: the registrar and its bindings.
//!
//! A [`Group`] holds the bindings of every user whose address hashes into one routing group. It is
//! a state machine without IO: a REGISTER becomes a [`RegisterIntent`], the clock is a parameter,
//! and what must survive a restart is appended to the worker's [`Journal`] as opaque bytes. The
//! executor above sends the 200 only after the journal's block is durable; when the store refuses
//! a block, [`Journal::failed`] puts every group back to what the store holds.
//!
//! ```
//! use lyceum_sip::time::{Now, Time, WallTime};
//! use lyceum_topology::{RegistrarPolicy, UserId};
//! use lyceum_users::{ContactIntent, Contacts, Group, Journal, RegisterIntent};
//!
//! let now = Now { mono: Time(0), wall: WallTime(1_000_000) };
//! let mut group = Group::new(7);
//! let mut journal = Journal::new();
//! let contacts = [ContactIntent::new(b"sip:ana@192.0.2.1:5060")];
//! let mut intent = RegisterIntent::new("ana@example.org", UserId(1), Contacts::List(&contacts));
//! intent.call_id = b"1@phone";
//! intent.cseq = 1;
//! group.register(now, &RegistrarPolicy::default(), &intent, &mut journal).unwrap();
//! let uris: Vec<_> = group.bindings(now, "ana@example.org").map(|b| b.uri().to_vec()).collect();
//! assert_eq!(uris, [b"sip:ana@192.0.2.1:5060".to_vec()]);
//! let (_seq, block) = journal.take().unwrap(); // goes to the store; then journal.committed(seq)
//! assert_eq!(block.entries(), 1);
//! ```

mod bytes;
pub mod contacts;
mod entry;
mod facet;
pub mod format;
mod group;
mod intent;
mod journal;
mod matching;
pub mod messages;
mod plan;
pub mod presence;
mod record;
mod refusal;
mod snapshot;
pub mod subscription;

pub use bytes::hash64;
pub use entry::EntryError;
pub use facet::{FacetKind, FacetTooLarge, MAX_FACET_KEY, MAX_FACET_VALUE, Touched, Undone, facet_kind};
pub use group::{Effect, Group, Outcome};
pub use intent::{ContactIntent, Contacts, RegisterIntent};
pub use journal::{Block, BlockEntry, Journal, Undo};
pub use record::{AorBindings, Binding, Bindings};
pub use refusal::{Field, RegisterRefusal};
pub use snapshot::ImageError;

/// Longest contact URI that is stored, in bytes.
pub const MAX_URI: usize = 1024;
/// Longest Path, all values joined, in bytes.
pub const MAX_PATH: usize = 2048;
/// Longest `+sip.instance` value, in bytes.
pub const MAX_INSTANCE: usize = 256;
/// Longest set of further contact parameters kept, in bytes.
pub const MAX_PARAMS: usize = 1024;
/// A longer User-Agent is cut here; it is only shown to people.
pub const MAX_USER_AGENT: usize = 96;
/// Longest flow token, in bytes.
pub const MAX_FLOW: usize = 24;
/// Most contacts in one REGISTER; the SIP parser's header limit comes first in practice.
pub const MAX_CONTACTS: usize = 64;
/// A group looks through all its records for expired ones at most this often.
pub const SWEEP_EVERY_MS: u64 = 5_000;
