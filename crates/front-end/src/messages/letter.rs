//! What a MESSAGE says of itself.

use lyceum_sip::{Message, Name};
use lyceum_users::messages::Stored;

use crate::calls::admit::Sender;
use crate::events::from_address;

/// Header lines that go with a message when it is delivered later.
const PASSED: [&[u8]; 9] = [
    b"Date",
    b"Subject",
    b"Message-ID",
    b"Disposition-Notification",
    b"Content-Disposition",
    b"Content-Language",
    b"User-Agent",
    b"Reply-To",
    b"Conversation-ID",
];

/// What kind of message it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Somebody's words.
    Words,
    /// Somebody is typing: of no use later.
    Typing,
    /// What became of a message.
    Notice,
}

pub(super) fn kind_of(message: &Message<'_>) -> Kind {
    let value = message.value(Name::ContentType).unwrap_or_default();
    let split = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
    let media = value[..split].trim_ascii();
    if media.eq_ignore_ascii_case(b"application/im-iscomposing+xml") {
        Kind::Typing
    } else if media.eq_ignore_ascii_case(b"message/imdn+xml") {
        Kind::Notice
    } else {
        Kind::Words
    }
}

pub(super) fn sender_of(sender: &Sender, message: &Message<'_>) -> String {
    match sender {
        Sender::User(sender) => sender.address.to_string(),
        _ => from_address(message).unwrap_or_default(),
    }
}

/// The block that an answer about a stored message waits for.
pub(super) fn block_of(stored: Stored) -> Option<u64> {
    match stored {
        Stored::New { wait_for } => Some(wait_for),
        Stored::Already { wait_for, .. } => wait_for,
    }
}

pub(super) fn passed_headers(message: &Message<'_>) -> Vec<u8> {
    let mut lines = Vec::new();
    for field in message.fields() {
        if PASSED.iter().any(|name| field.raw_name.eq_ignore_ascii_case(name)) {
            lines.extend_from_slice(field.raw_name);
            lines.extend_from_slice(b": ");
            lines.extend_from_slice(field.value);
            lines.extend_from_slice(b"\r\n");
        }
    }
    lines
}
