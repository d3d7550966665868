//! Lines of histories as bytes: what a person's stream is made of.
//!
//! ```text
//! journal row  = { length u32, count of people, people…, line } …
//! segment      = { line } …          how far was read, messages by name, marks for older segments
//! line         = kind u8, fields
//! ```
//! Numbers are LEB128, texts and bodies have their length before them.

use super::read::Person;
use super::{ConversationId, Mark, NewMessage};
use crate::error::StoreError;
use lyceum_sip::time::WallTime;
use lyceum_users::messages::{MessageId, OwnedText};

/// A message as everybody in it sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    pub id: MessageId,
    pub conversation: ConversationId,
    pub subject: Option<String>,
    pub sender: String,
    pub recipients: Vec<Person>,
    pub wire_id: Option<String>,
    pub content_type: String,
    pub body: OwnedText,
}

/// One entry of a person's stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Message(Box<Letter>),
    /// Of one recipient.
    Mark {
        id: MessageId,
        user: String,
        mark: Mark,
        at: WallTime,
    },
    /// Somebody read a conversation up to here.
    ReadUpTo {
        user: String,
        conversation: ConversationId,
        upto: MessageId,
        at: WallTime,
    },
}

const MESSAGE: u8 = 1;
const DELIVERED: u8 = 2;
const READ: u8 = 3;
const READ_UP_TO: u8 = 4;

impl Letter {
    /// How this person has it, if it was sent to them.
    pub(super) fn recipient_mut(&mut self, user: &str) -> Option<&mut Person> {
        self.recipients.iter_mut().find(|person| person.address == user)
    }

    /// Whether it is unread for this person.
    pub(super) fn is_unread(&self, user: &str) -> bool {
        let recipient = self.recipients.iter().find(|person| person.address == user);
        self.sender != user && recipient.is_some_and(|person| person.read.is_none())
    }
}

impl Line {
    /// Appends the line's bytes.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Line::Message(letter) => {
                let people = letter.recipients.iter().map(|p| (p.address.as_str(), p.delivered, p.read));
                let head = (letter.id, letter.conversation, letter.subject.as_deref(), letter.sender.as_str());
                write_head(out, head, people.len());
                people.for_each(|person| write_person(out, person));
                write_rest(out, letter.wire_id.as_deref(), &letter.content_type, &letter.body.0);
            }
            Line::Mark { id, user, mark, at } => {
                out.push(if *mark == Mark::Read { READ } else { DELIVERED });
                out.extend_from_slice(&id.0);
                bytes(out, user.as_bytes());
                number(out, at.0);
            }
            Line::ReadUpTo { user, conversation, upto, at } => {
                out.push(READ_UP_TO);
                out.extend_from_slice(&conversation.0);
                out.extend_from_slice(&upto.0);
                bytes(out, user.as_bytes());
                number(out, at.0);
            }
        }
    }

    /// Reads all lines of a segment.
    pub(super) fn read_all(block: &[u8]) -> Result<Vec<Line>, StoreError> {
        let mut reader = Reader(block);
        let mut lines = Vec::new();
        while !reader.0.is_empty() {
            lines.push(reader.line().ok_or_else(damaged)?);
        }
        Ok(lines)
    }

    /// Reads one line.
    pub(super) fn read(line: &[u8]) -> Result<Line, StoreError> {
        Reader(line).line().ok_or_else(damaged)
    }
}

/// A message that nobody has marked yet, but for `delivered`, which holds for all its recipients.
pub(super) fn write_new(out: &mut Vec<u8>, message: &NewMessage, people: usize, delivered: Option<WallTime>) {
    let recipients = &message.recipients[..message.recipients.len().min(people)];
    let conversation = message.conversation.unwrap_or_else(|| {
        let people = std::iter::once(&message.sender).chain(recipients);
        ConversationId::of(people.map(|person| &*person.address))
    });
    write_head(out, (message.id, conversation, message.subject.as_deref(), &message.sender.address), recipients.len());
    recipients.iter().for_each(|person| write_person(out, (&person.address, delivered, None)));
    write_rest(out, message.wire_id.as_deref(), &message.content_type, &message.body.0);
}

type Head<'a> = (MessageId, ConversationId, Option<&'a str>, &'a str);

fn write_head(out: &mut Vec<u8>, (id, conversation, subject, sender): Head<'_>, recipients: usize) {
    out.push(MESSAGE);
    out.extend_from_slice(&id.0);
    out.extend_from_slice(&conversation.0);
    optional(out, subject);
    bytes(out, sender.as_bytes());
    number(out, recipients as u64);
}

fn write_person(out: &mut Vec<u8>, (address, delivered, read): (&str, Option<WallTime>, Option<WallTime>)) {
    bytes(out, address.as_bytes());
    number(out, delivered.map_or(0, |at| at.0));
    number(out, read.map_or(0, |at| at.0));
}

fn write_rest(out: &mut Vec<u8>, wire_id: Option<&str>, content_type: &str, body: &[u8]) {
    optional(out, wire_id);
    bytes(out, content_type.as_bytes());
    bytes(out, body);
}

/// Appends a number.
pub(super) fn number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends bytes with their length.
pub(super) fn bytes(out: &mut Vec<u8>, value: &[u8]) {
    number(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// Appends a text, or that there is none.
pub(super) fn optional(out: &mut Vec<u8>, value: Option<&str>) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        bytes(out, value.as_bytes());
    }
}

/// What a block that cannot be read comes to.
pub(super) fn damaged() -> StoreError {
    StoreError::unreadable("a block of the message history ends early or holds what this build does not know")
}

/// Reads what the functions above wrote; `None` where the bytes are not of that form.
pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|taken| taken[0])
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let (mut value, mut shift) = (0u64, 0);
        loop {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
            shift += 7;
        }
    }

    pub(super) fn name(&mut self) -> Option<[u8; 16]> {
        self.take(16)?.try_into().ok()
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    pub(super) fn optional(&mut self) -> Option<Option<String>> {
        match self.byte()? {
            0 => Some(None),
            _ => Some(Some(self.text()?.to_owned())),
        }
    }

    fn time(&mut self) -> Option<Option<WallTime>> {
        let at = self.number()?;
        Some((at > 0).then_some(WallTime(at)))
    }

    fn line(&mut self) -> Option<Line> {
        let kind = self.byte()?;
        Some(match kind {
            MESSAGE => Line::Message(Box::new(self.letter()?)),
            DELIVERED | READ => {
                let mark = if kind == READ { Mark::Read } else { Mark::Delivered };
                let id = MessageId(self.name()?);
                Line::Mark { id, user: self.text()?.to_owned(), mark, at: WallTime(self.number()?) }
            }
            READ_UP_TO => {
                let (conversation, upto) = (ConversationId(self.name()?), MessageId(self.name()?));
                Line::ReadUpTo { user: self.text()?.to_owned(), conversation, upto, at: WallTime(self.number()?) }
            }
            _ => return None,
        })
    }

    fn letter(&mut self) -> Option<Letter> {
        let (id, conversation) = (MessageId(self.name()?), ConversationId(self.name()?));
        let (subject, sender) = (self.optional()?, self.text()?.to_owned());
        let count = usize::try_from(self.number()?).ok().filter(|count| *count <= self.0.len())?;
        let person = |reader: &mut Self| {
            Some(Person { address: reader.text()?.to_owned(), delivered: reader.time()?, read: reader.time()? })
        };
        let recipients = (0..count).map(|_| person(self)).collect::<Option<_>>()?;
        let (wire_id, content_type) = (self.optional()?, self.text()?.to_owned());
        let body = OwnedText(self.bytes()?.to_vec());
        Some(Letter { id, conversation, subject, sender, recipients, wire_id, content_type, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_a_cut_block_is_refused() {
        let letter = Letter {
            id: MessageId([1; 16]),
            conversation: ConversationId([2; 16]),
            subject: Some("Lunch".into()),
            sender: "anna@example.org".into(),
            recipients: vec![Person { address: "bob@example.org".into(), delivered: Some(WallTime(300)), read: None }],
            wire_id: None,
            content_type: "text/plain".into(),
            body: OwnedText(vec![b'x'; 300]),
        };
        let (id, user, at) = (MessageId([3; 16]), "bob@example.org".to_owned(), WallTime(1 << 40));
        let lines = vec![
            Line::Message(Box::new(letter)),
            Line::Mark { id, user: user.clone(), mark: Mark::Read, at },
            Line::ReadUpTo { user, conversation: ConversationId([4; 16]), upto: id, at },
        ];
        let mut block = Vec::new();
        lines.iter().for_each(|line| line.write(&mut block));
        assert_eq!(Line::read_all(&block).unwrap(), lines);
        let whole: Vec<usize> = (0..=block.len()).filter(|end| Line::read_all(&block[..*end]).is_ok()).collect();
        assert_eq!(whole.len(), 4, "a block may end after a line and nowhere else");
        assert!(Line::read_all(&[9]).is_err());
        assert!(Line::read_all(&[0xff; 64]).is_err());
    }
}
