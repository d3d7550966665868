//! The packed form of a [`Document`]: what is durable, and what memory holds of an idle user.
//!
//! ```text
//! document    = version:u8 flags:u8 [choice] [note] [out of office] [last active] [feed] [calendar] publication*
//! publication = len:varint etag:u64 expires:u32 received:u32 flags:u8 kind:u8 [device:u64] [statement] [texts] [last:u32]
//! ```
//! Moments are whole seconds since 1970 in four bytes.

use super::activity::Activity;
use super::calendar::{BusyInterval, BusyKind};
use super::choice::{Choice, UserChoice};
use super::document::{Document, FeedAddress, OutOfOffice, Publication};
use super::endpoint::DeviceKind;
use super::publish::ETag;
use crate::bytes::{Cursor, put_bytes, put_varint};
use lyceum_sip::time::WallTime;

const VERSION: u8 = 1;

const CHOICE: u8 = 1;
const NOTE: u8 = 2;
const OUT_OF_OFFICE: u8 = 4;
const LAST_ACTIVE: u8 = 8;
const FEED: u8 = 16;
const CALENDAR: u8 = 32;

const CLOSED: u8 = 1;
const IDLE: u8 = 2;
const DEVICE: u8 = 4;
const STATEMENT: u8 = 8;
const LABEL: u8 = 16;
const OWN_NOTE: u8 = 32;
const USED: u8 = 64;
const ALONE: u8 = 128;

/// A stored presence record that is damaged or written by a newer server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentDamaged {
    /// Whose record.
    pub aor: String,
}

impl std::fmt::Display for DocumentDamaged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the presence record of {} cannot be read; start the newer server, or restore a backup", self.aor)
    }
}

impl std::error::Error for DocumentDamaged {}

impl Document {
    /// Appends the packed form.
    pub fn pack(&self, out: &mut Vec<u8>) {
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        out.push(VERSION);
        out.push(
            flag(self.choice != Choice::default(), CHOICE)
                | flag(self.note.is_some(), NOTE)
                | flag(self.out_of_office.is_some(), OUT_OF_OFFICE)
                | flag(self.last_active.is_some(), LAST_ACTIVE)
                | flag(self.feed.is_some(), FEED)
                | flag(!self.calendar.is_empty(), CALENDAR),
        );
        if self.choice != Choice::default() {
            out.push(self.choice.choice as u8);
            put_text(out, self.choice.label.as_deref());
            put_time(out, self.choice.since);
            put_time(out, self.choice.until);
        }
        if let Some(note) = &self.note {
            put_bytes(out, note.as_bytes());
        }
        if let Some(oof) = &self.out_of_office {
            put_bytes(out, oof.note.as_bytes());
            put_time(out, oof.until);
        }
        if self.last_active.is_some() {
            put_time(out, self.last_active);
        }
        if let Some(feed) = &self.feed {
            put_bytes(out, feed.0.as_bytes());
        }
        if !self.calendar.is_empty() {
            put_varint(out, self.calendar.len() as u64);
            self.calendar.iter().for_each(|busy| pack_busy(busy, out));
        }
        let mut packed = Vec::new();
        for publication in &self.publications {
            packed.clear();
            publication.pack(&mut packed);
            put_bytes(out, &packed);
        }
    }

    /// Reads the packed form.
    pub fn unpack(packed: &[u8]) -> Option<Document> {
        let mut at = Cursor::new(packed);
        if at.byte()? != VERSION {
            return None;
        }
        let flags = at.byte()?;
        let mut document = Document::default();
        if flags & CHOICE != 0 {
            let choice = UserChoice::from_code(at.byte()?)?;
            document.choice = Choice { choice, label: text(&mut at)?, since: time(&mut at)?, until: time(&mut at)? };
        }
        if flags & NOTE != 0 {
            document.note = Some(string(&mut at)?);
        }
        if flags & OUT_OF_OFFICE != 0 {
            document.out_of_office = Some(OutOfOffice { note: string(&mut at)?, until: time(&mut at)? });
        }
        if flags & LAST_ACTIVE != 0 {
            document.last_active = time(&mut at)?;
        }
        if flags & FEED != 0 {
            document.feed = Some(FeedAddress(string(&mut at)?));
        }
        if flags & CALENDAR != 0 {
            for _ in 0..at.varint()? {
                document.calendar.push(unpack_busy(&mut at)?);
            }
        }
        while !at.is_empty() {
            document.publications.push(Publication::unpack(at.bytes()?)?);
        }
        Some(document)
    }
}

impl Publication {
    fn pack(&self, out: &mut Vec<u8>) {
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        out.extend_from_slice(&self.etag.0.to_le_bytes());
        put_time(out, Some(self.expires));
        put_time(out, Some(self.received));
        out.push(
            flag(self.closed, CLOSED)
                | flag(self.idle, IDLE)
                | flag(self.device != 0, DEVICE)
                | flag(self.statement.is_some(), STATEMENT)
                | flag(self.label.is_some(), LABEL)
                | flag(self.note.is_some(), OWN_NOTE)
                | flag(self.last_active.is_some(), USED)
                | flag(self.alone, ALONE),
        );
        out.push(self.kind as u8);
        if self.device != 0 {
            out.extend_from_slice(&self.device.to_le_bytes());
        }
        if let Some(statement) = self.statement {
            out.push(statement as u8);
        }
        for text in [&self.label, &self.note].into_iter().flatten() {
            put_bytes(out, text.as_bytes());
        }
        if self.last_active.is_some() {
            put_time(out, self.last_active);
        }
    }

    fn unpack(packed: &[u8]) -> Option<Publication> {
        let mut at = Cursor::new(packed);
        let etag = ETag(u64::from_le_bytes(at.array()?));
        let (expires, received) = (time(&mut at)??, time(&mut at)??);
        let (flags, kind) = (at.byte()?, DeviceKind::from_code(at.byte()?)?);
        let device = if flags & DEVICE != 0 { u64::from_le_bytes(at.array()?) } else { 0 };
        let statement = if flags & STATEMENT != 0 { Some(Activity::from_code(at.byte()?)?) } else { None };
        let label = if flags & LABEL != 0 { Some(string(&mut at)?) } else { None };
        let note = if flags & OWN_NOTE != 0 { Some(string(&mut at)?) } else { None };
        let last_active = if flags & USED != 0 { time(&mut at)? } else { None };
        let (closed, idle, alone) = (flags & CLOSED != 0, flags & IDLE != 0, flags & ALONE != 0);
        at.is_empty().then_some(Publication {
            etag,
            expires,
            received,
            device,
            kind,
            closed,
            idle,
            alone,
            statement,
            label,
            note,
            last_active,
        })
    }
}

fn pack_busy(busy: &BusyInterval, out: &mut Vec<u8>) {
    put_time(out, Some(busy.from));
    put_time(out, Some(busy.to));
    out.push(busy.kind as u8);
    put_text(out, busy.subject.as_deref());
    put_text(out, busy.location.as_deref());
}

fn unpack_busy(at: &mut Cursor<'_>) -> Option<BusyInterval> {
    let (from, to) = (time(at)??, time(at)??);
    let kind = BusyKind::from_code(at.byte()?)?;
    Some(BusyInterval { from, to, kind, subject: text(at)?, location: text(at)? })
}

/// Whole seconds, 0 for none.
fn put_time(out: &mut Vec<u8>, at: Option<WallTime>) {
    let seconds = at.map_or(0, |at| u32::try_from(at.seconds().max(1)).unwrap_or(u32::MAX));
    out.extend_from_slice(&seconds.to_le_bytes());
}

#[expect(clippy::option_option, reason = "the outer is a damaged record, the inner a moment that is not set")]
fn time(at: &mut Cursor<'_>) -> Option<Option<WallTime>> {
    let seconds = u32::from_le_bytes(at.array()?);
    Some((seconds != 0).then(|| WallTime(u64::from(seconds) * 1000)))
}

fn put_text(out: &mut Vec<u8>, text: Option<&str>) {
    put_bytes(out, text.unwrap_or_default().as_bytes());
}

/// A text that may be missing, as an empty one.
#[expect(clippy::option_option, reason = "the outer is a damaged record, the inner a text that is not set")]
fn text(at: &mut Cursor<'_>) -> Option<Option<Box<str>>> {
    let text = string(at)?;
    Some((!text.is_empty()).then_some(text))
}

fn string(at: &mut Cursor<'_>) -> Option<Box<str>> {
    std::str::from_utf8(at.bytes()?).ok().map(Into::into)
}
