//! The history of messages: who wrote what to whom, what was delivered and read.
//!
//! ```text
//! workers ── Batch ──► bounded queue ──► writer thread: one journal row a batch, one sync ──► MessagesCommitted
//!                                           │ where each line stands ──► index in memory (Recent)
//!                                           └ at 64 MiB: folded into segments and a summary for each person
//! ```
//! Everybody who keeps a history has a stream of lines of their own: messages (each named by its [`MessageId`], which rises
//! with time), marks, and how far somebody read. A message costs a few hundred appended bytes; sorting it into the
//! streams is put off until many lines of a person can be written at once (docs/decisions/0013). Who asks gets the
//! segments and what the journal has beyond them.

mod carry_over;
mod fold;
mod line;
mod purge;
mod read;
mod recent;
mod window;
mod write;
mod writer;

pub(crate) use carry_over::carry_over;
pub(crate) use recent::History;

pub use read::{Conversation, HistoryPage, HistoryQuery, HistoryRow, Person};
pub use writer::{MessageBatch, MessageWriter, MessageWriterOptions, MessagesCommitted};

use crate::archive::ArchiveRow;
use crate::key::{hex, sha256};
use lyceum_sip::time::WallTime;
use lyceum_users::messages::{MessageId, OwnedText};

/// Most people that one message is stored for.
pub const MAX_PARTICIPANTS: usize = 256;

/// The name of a conversation: the same people, whoever writes first, are the same conversation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConversationId(pub [u8; 16]);

impl ConversationId {
    /// The conversation of these people; letter case, order and repetitions do not matter.
    pub fn of<'a>(people: impl IntoIterator<Item = &'a str>) -> Self {
        let mut people: Vec<String> = people.into_iter().map(str::to_lowercase).collect();
        people.sort();
        people.dedup();
        let digest = sha256(people.join("\0").as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Self(id)
    }

    /// Reads 32 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        crate::key::from_hex(text).map(Self)
    }
}

impl std::fmt::Display for ConversationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl std::fmt::Debug for ConversationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Somebody in a message, and whether it is kept for them here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// The address, `anna@example.org`.
    pub address: Box<str>,
    /// Whether a history is kept for them: our own users, as their policy says.
    pub kept: bool,
}

/// A message for the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    /// Its name, and so its time.
    pub id: MessageId,
    /// The conversation; `None` for that of its people.
    pub conversation: Option<ConversationId>,
    /// What the conversation is called, if its first message says so.
    pub subject: Option<Box<str>>,
    /// Who wrote it.
    pub sender: Participant,
    /// To whom, at most [`MAX_PARTICIPANTS`] with the sender; further ones are left out.
    pub recipients: Vec<Participant>,
    /// The sender's own name for it: the `Message-ID` to which notices refer.
    pub wire_id: Option<Box<str>>,
    /// The media type.
    pub content_type: Box<str>,
    /// What was written.
    pub body: OwnedText,
}

/// Which message a mark is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageRef {
    /// By our name.
    Id {
        /// Our name.
        id: MessageId,
        /// Who wrote it.
        sender: Box<str>,
    },
    /// By the sender's name, as a notice tells it, and the sender.
    Wire {
        /// The sender's own name for it.
        wire_id: Box<str>,
        /// Who wrote it.
        sender: Box<str>,
    },
}

/// What happened to a message at one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A device took it.
    Delivered,
    /// It was shown; so it was delivered too.
    Read,
}

/// Something to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageEntry {
    /// A message for the history. One that is there already is left as it is.
    Message(Box<NewMessage>),
    /// A message that all its recipients have taken.
    Delivered {
        /// The message.
        message: Box<NewMessage>,
        /// When it was taken.
        at: WallTime,
    },
    /// A delivery or read mark of one person. The first of its kind counts.
    Mark {
        /// The message.
        message: MessageRef,
        /// The person it was delivered to.
        user: Box<str>,
        /// What happened.
        mark: Mark,
        /// When.
        at: WallTime,
    },
    /// Somebody read a conversation up to here.
    ReadUpTo {
        /// Who.
        user: Box<str>,
        /// What.
        conversation: ConversationId,
        /// The last message read.
        upto: MessageId,
        /// When.
        at: WallTime,
    },
    /// A message or an event for the archive.
    Archive(Box<ArchiveRow>),
}
