//! A part of one person's stream in memory: its messages in order, with what was marked, and what is for older parts.

use super::line::{Letter, Line};
use super::{ConversationId, Mark};
use lyceum_sip::time::WallTime;
use lyceum_users::messages::MessageId;
use std::collections::BTreeMap;

/// A segment being filled is closed at this size.
pub(super) const SEGMENT_BYTES: usize = 32 << 10;

#[derive(Default)]
pub(super) struct Window {
    pub messages: BTreeMap<MessageId, Letter>,
    /// Marks of messages that are older than all of these, oldest first.
    pub older: Vec<Line>,
    /// How far somebody read a conversation, which may concern older messages too.
    pub reads: Reads,
}

/// A segment as it is written.
pub(super) struct Segment {
    pub first: MessageId,
    pub last: MessageId,
    pub block: Vec<u8>,
}

impl Window {
    /// The window of these lines, in the order in which they were written.
    pub(super) fn of(lines: Vec<Line>) -> Window {
        let mut window = Window::default();
        lines.into_iter().for_each(|line| window.apply(line));
        window
    }

    /// The next line. A message that is there already is left as it is.
    pub(super) fn apply(&mut self, line: Line) {
        match line {
            Line::Message(letter) => {
                self.messages.entry(letter.id).or_insert(*letter);
            }
            line => {
                if !self.mark(&line) {
                    self.keep_for_older(line);
                }
            }
        }
    }

    /// Does here what a mark says; true if there is nothing left of it for older messages.
    pub(super) fn mark(&mut self, line: &Line) -> bool {
        match line {
            Line::Message(_) => true,
            Line::Mark { id, user, mark, at } => {
                let Some(letter) = self.messages.get_mut(id) else { return false };
                set(letter, user, *mark, *at);
                true
            }
            Line::ReadUpTo { user, conversation, upto, at } => {
                for (_, letter) in self.messages.range_mut(..=*upto) {
                    if letter.conversation == *conversation {
                        set(letter, user, Mark::Read, *at);
                    }
                }
                false
            }
        }
    }

    /// Of several that say how far somebody read, the furthest is enough.
    fn keep_for_older(&mut self, line: Line) {
        let Line::ReadUpTo { user, conversation, upto, at } = line else { return self.older.push(line) };
        let known = self.reads.entry((conversation, user)).or_insert((upto, at));
        if known.0 < upto {
            *known = (upto, at);
        }
    }

    /// Takes in an older part, and does there what is waiting for it.
    pub(super) fn merge(&mut self, mut older: Window) {
        let waiting = std::mem::take(&mut self.older);
        for line in waiting.into_iter().chain(read_lines(std::mem::take(&mut self.reads))) {
            if !older.mark(&line) {
                older.keep_for_older(line);
            }
        }
        for (id, letter) in std::mem::take(&mut self.messages) {
            older.messages.entry(id).or_insert(letter);
        }
        // Marks that came with the older part may be for messages of the newer one, which came late. How far somebody had
        // read then says nothing of messages that came later.
        let kept = std::mem::take(&mut older.older);
        *self = older;
        for line in kept {
            self.apply(line);
        }
    }

    /// Cuts it into segments; what is for older parts stands in the first of them. How far somebody read stands before
    /// the messages, because those that follow came later or know it already.
    pub(super) fn segments(&self) -> Vec<Segment> {
        let mut segments: Vec<Segment> = Vec::new();
        for (id, letter) in &self.messages {
            if segments.last().is_none_or(|open| open.block.len() >= SEGMENT_BYTES) {
                segments.push(Segment { first: *id, last: *id, block: Vec::new() });
            }
            let Some(open) = segments.last_mut() else { continue };
            Line::Message(Box::new(letter.clone())).write(&mut open.block);
            open.last = *id;
        }
        if let Some(first) = segments.first_mut() {
            let mut block = Vec::new();
            read_lines(self.reads.clone()).for_each(|line| line.write(&mut block));
            block.append(&mut first.block);
            self.older.iter().for_each(|line| line.write(&mut block));
            first.block = block;
        }
        segments
    }
}

type Reads = BTreeMap<(ConversationId, String), (MessageId, WallTime)>;

fn read_lines(reads: Reads) -> impl Iterator<Item = Line> {
    reads.into_iter().map(|((conversation, user), (upto, at))| Line::ReadUpTo { user, conversation, upto, at })
}

/// The first mark of its kind counts; what was read was delivered.
fn set(letter: &mut Letter, user: &str, mark: Mark, at: WallTime) {
    if letter.sender == user {
        return;
    }
    let Some(person) = letter.recipient_mut(user) else { return };
    person.delivered.get_or_insert(at);
    if mark == Mark::Read {
        person.read.get_or_insert(at);
    }
}

/// One conversation in a person's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Thread {
    pub members: Vec<String>,
    pub subject: Option<String>,
    pub last: MessageId,
    /// What the person has not read, oldest first.
    pub unread: Vec<MessageId>,
}

/// The conversations of one person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Summary(pub BTreeMap<ConversationId, Thread>);

/// Unread messages of one conversation that are counted; older ones pass for read.
const UNREAD_MOST: usize = 1_000;

impl Summary {
    /// The next line of this person's stream.
    pub(super) fn apply(&mut self, owner: &str, line: &Line) {
        match line {
            Line::Message(letter) => self.add(owner, letter),
            Line::Mark { id, user, mark: Mark::Read, .. } if user == owner => {
                self.0.values_mut().for_each(|thread| thread.unread.retain(|unread| unread != id));
            }
            Line::ReadUpTo { user, conversation, upto, .. } if user == owner => {
                if let Some(thread) = self.0.get_mut(conversation) {
                    thread.unread.retain(|unread| unread > upto);
                }
            }
            Line::Mark { .. } | Line::ReadUpTo { .. } => {}
        }
    }

    fn add(&mut self, owner: &str, letter: &Letter) {
        let thread = self.0.entry(letter.conversation).or_insert_with(|| Thread {
            members: Vec::new(),
            subject: None,
            last: letter.id,
            unread: Vec::new(),
        });
        let people = std::iter::once(&letter.sender).chain(letter.recipients.iter().map(|person| &person.address));
        for person in people {
            if let Err(at) = thread.members.binary_search(person) {
                thread.members.insert(at, person.clone());
            }
        }
        if thread.subject.is_none() {
            thread.subject.clone_from(&letter.subject);
        }
        thread.last = thread.last.max(letter.id);
        if letter.is_unread(owner)
            && let Err(at) = thread.unread.binary_search(&letter.id)
        {
            thread.unread.insert(at, letter.id);
            if thread.unread.len() > UNREAD_MOST {
                thread.unread.remove(0);
            }
        }
    }

    /// Takes away what is older.
    pub(super) fn purge(&mut self, before: MessageId) {
        self.0.retain(|_, thread| thread.last >= before);
        self.0.values_mut().for_each(|thread| thread.unread.retain(|id| *id >= before));
    }

    pub(super) fn write(&self) -> Vec<u8> {
        use super::line::{bytes, number, optional};
        let mut out = Vec::new();
        for (id, thread) in &self.0 {
            out.extend_from_slice(&id.0);
            out.extend_from_slice(&thread.last.0);
            optional(&mut out, thread.subject.as_deref());
            number(&mut out, thread.members.len() as u64);
            thread.members.iter().for_each(|member| bytes(&mut out, member.as_bytes()));
            number(&mut out, thread.unread.len() as u64);
            thread.unread.iter().for_each(|id| out.extend_from_slice(&id.0));
        }
        out
    }

    pub(super) fn read(block: &[u8]) -> Option<Summary> {
        let mut reader = super::line::Reader(block);
        let mut threads = BTreeMap::new();
        while !reader.0.is_empty() {
            let (id, last) = (ConversationId(reader.name()?), MessageId(reader.name()?));
            let subject = reader.optional()?;
            let count = reader.number()?;
            let members = (0..count).map(|_| reader.text().map(str::to_owned)).collect::<Option<_>>()?;
            let count = reader.number()?;
            let unread = (0..count).map(|_| reader.name().map(MessageId)).collect::<Option<_>>()?;
            threads.insert(id, Thread { members, subject, last, unread });
        }
        Some(Summary(threads))
    }
}
