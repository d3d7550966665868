//! Durable state: SQLite today, one function per question.
//!
//! A [`Store`] is a cheap handle on one data folder. Four databases stand in it, so that a long
//! import never holds up the commit that a phone's 200 waits for:
//!
//! | File | Holds | Durability |
//! |---|---|---|
//! | `lyceum.db` | topology, directory, credentials, administrators, audit | every change before it is answered |
//! | `bindings.db` | registrations: a journal of blocks, folded into base images | batches, before the 200s |
//! | `records.db` | call records and traces | written at once, synced now and then |
//! | `messages.db` | history of messages, the archive, file transfers, photos | batches, before what waits for them |
//! | `blobs/` | content-addressed files | synced before they are named |
//!
//! All calls block; from async code they belong on a blocking thread. SQL stands in this crate
//! and nowhere else. Secrets are sealed under the [`MasterKey`], which lives outside the folder.
//!
//! ```
//! use lyceum_store::{MasterKey, Options, Store};
//! # let dir = tempfile::tempdir().unwrap();
//! let store = Store::open(dir.path(), MasterKey::generate(), &Options::node("node1")).unwrap();
//! assert_eq!(store.topology_versions(10).unwrap().len(), 0);
//! ```

mod accounts;
mod administrators;
mod archive;
mod audit;
mod backup;
mod bindings;
mod blobs;
mod calls;
mod container;
mod credentials;
mod directory;
mod edges;
mod error;
mod former;
mod fs;
mod import;
mod key;
mod lock;
mod messages;
mod migrate;
mod open;
mod ownership;
mod page_ends;
mod photos;
mod restore;
mod sessions;
mod sqlite;
mod topology;
mod traces;
mod transfers;
mod vouched;

pub use accounts::AccountChange;
pub use administrators::{Administrator, AdministratorError, Password};
pub use archive::{ArchiveKind, ArchivePage, ArchiveQuery, ArchiveRow, ArchiveStep, ArchivedRow};
pub use audit::{AuditLine, AuditQuery, By};
pub use backup::{BackupError, BackupProgress, BackupSummary};
pub use bindings::{BindingError, BindingWriter, BindingWriterOptions, Committed, LoadedGroup};
pub use blobs::{BlobError, BlobId, NewBlob};
pub use calls::{CallQuery, CallRow, Purged};
pub use credentials::CredentialError;
pub use directory::{DirectoryError, StoredDirectory};
pub use edges::EdgeRow;
pub use error::{Fault, StoreError};
pub use import::{ImportReport, ImportUser};
pub use key::{KeyError, MasterKey};
pub use lyceum_users::messages::{MessageId, OwnedText};
pub use messages::{
    Conversation, ConversationId, HistoryPage, HistoryQuery, HistoryRow, MAX_PARTICIPANTS, Mark, MessageBatch,
    MessageEntry, MessageRef, MessageWriter, MessageWriterOptions, MessagesCommitted, NewMessage, Participant, Person,
};
pub use open::{EpochPolicy, OpenError, Options};
pub use ownership::WHOLE;
pub use page_ends::PageEnd;
pub use photos::{Photo, PhotoError};
pub use restore::restore;
pub use sessions::{Secret, Session, SignInToken};
pub use sqlite::{Sqlite, Store};
pub use topology::{Published, TopologyError};
pub use traces::TraceRow;
pub use transfers::{NewTransfer, Transfer, TransferError, TransferState};
pub use vouched::Vouched;
