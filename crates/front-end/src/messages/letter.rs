//! What a MESSAGE says of itself.

use lyceum_sip::{Message, Name, Scheme, Uri};
use lyceum_topology::UserRecord;
use lyceum_users::messages::cpim::{self, Cpim};
use lyceum_users::messages::{Stored, imdn, iscomposing, quiet};

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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Somebody's words.
    Words,
    /// Somebody is typing: of no use later.
    Typing,
    /// What became of a message.
    Notice,
}

/// A message to one user and what is known of it.
pub(super) struct Letter<'a> {
    pub(super) sender: String,
    pub(super) user: &'a UserRecord,
    pub(super) kind: Kind,
    /// What goes on instead of its body.
    pub(super) body: Option<Vec<u8>>,
}

impl Letter<'_> {
    /// Type and body as they go on.
    pub(super) fn said<'a>(&'a self, message: &Message<'a>) -> (&'a [u8], &'a [u8]) {
        let body = self.body.as_deref().unwrap_or(message.body());
        (message.value(Name::ContentType).unwrap_or(PLAIN), body)
    }
}

/// What a message says, without the wrapper (CPIM) that it may come in.
#[derive(Clone, Copy)]
pub(super) struct Content<'a> {
    pub(super) content_type: &'a [u8],
    pub(super) body: &'a [u8],
    /// The sender's own name for it.
    pub(super) message_id: Option<&'a [u8]>,
}

impl<'a> Content<'a> {
    /// What `body`, of this type, says.
    pub(super) fn in_type(message: &Message<'a>, content_type: &'a [u8], body: &'a [u8]) -> Content<'a> {
        let message_id = message.value_named(b"Message-ID");
        match wrapper(content_type, body) {
            Some(cpim) => Content {
                content_type: cpim.content_type(),
                body: cpim.body,
                message_id: cpim.message_id().or(message_id),
            },
            None => Content { content_type, body, message_id },
        }
    }
}

/// The type of a message that names none.
pub(super) const PLAIN: &[u8] = b"text/plain";

/// The wrapper that a message comes in.
pub(super) fn wrapper<'a>(content_type: &[u8], body: &'a [u8]) -> Option<Cpim<'a>> {
    media_type(content_type).eq_ignore_ascii_case(cpim::MEDIA_TYPE.as_bytes()).then(|| Cpim::parse(body)).flatten()
}

/// What kind of message this is: by what it holds, not by what it calls itself.
pub(super) fn kind_of(content_type: &[u8], body: &[u8]) -> Kind {
    let media = media_type(content_type);
    if media.eq_ignore_ascii_case(PLAIN) {
        return Kind::Words;
    }
    if let Some(cpim) = wrapper(content_type, body) {
        return bare_kind(media_type(cpim.content_type()), cpim.body);
    }
    bare_kind(media, body)
}

fn bare_kind(media: &[u8], body: &[u8]) -> Kind {
    if media.eq_ignore_ascii_case(iscomposing::MEDIA_TYPE.as_bytes()) && quiet::is_typing(body) {
        Kind::Typing
    } else if media.eq_ignore_ascii_case(imdn::MEDIA_TYPE.as_bytes()) && quiet::is_notice(body) {
        Kind::Notice
    } else {
        Kind::Words
    }
}

fn media_type(content_type: &[u8]) -> &[u8] {
    let split = content_type.iter().position(|byte| *byte == b';').unwrap_or(content_type.len());
    content_type[..split].trim_ascii()
}

/// Whether the From of a wrapper names this sender, or nobody (RFC 3323 §4.1).
pub(super) fn is_from(cpim: &Cpim<'_>, sender: &str) -> bool {
    let Some(from) = cpim.from() else { return true };
    let Some(address) = address_of(from) else { return false };
    address == sender || address == "anonymous@anonymous.invalid"
}

/// The address that a URI names, in small letters: of `sip:`, and of `im:` and its kin.
pub(crate) fn address_of(uri: &[u8]) -> Option<String> {
    let uri = Uri::parse(uri).ok()?;
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_ascii_lowercase);
    match uri.scheme() {
        Scheme::Sip | Scheme::Sips => Some(format!("{}@{}", text(&uri.user_unescaped()?)?, text(uri.host_text())?)),
        _ => text(uri.opaque().split(|byte| matches!(byte, b';' | b'?')).next()?),
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

/// What a message is called whose sender gave it no name: by its transaction, as its receiver knows it too.
pub(super) fn name_of(message: &Message<'_>) -> Box<str> {
    format!("{} {}", String::from_utf8_lossy(message.call_id()), message.cseq().number).into()
}

pub(super) fn passed_headers(message: &Message<'_>) -> Vec<u8> {
    let mut lines = Vec::new();
    for field in message.fields() {
        if PASSED.iter().any(|name| field.raw_name.eq_ignore_ascii_case(name)) {
            lines.extend_from_slice(field.raw_name);
            lines.extend_from_slice(b": ");
            // A folded value becomes one line: what follows a fold must not be taken for a header of its own.
            lines.extend(field.value.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }));
            lines.extend_from_slice(b"\r\n");
        }
    }
    lines
}
