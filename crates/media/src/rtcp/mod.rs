//! RTCP (RFC 3550 §6): compound packets are walked, sender and receiver reports read and written, all else passes.

mod report;
mod write;

pub use report::{Block, Report, SenderInfo};
pub use write::{Outgoing, ask_picture, write};

/// Packets looked at within one compound; further ones pass unread.
pub const MAX_PARTS: usize = 16;

/// Sender report.
pub const SR: u8 = 200;
/// Receiver report.
pub const RR: u8 = 201;
/// Source description.
pub const SDES: u8 = 202;
/// Good-bye.
pub const BYE: u8 = 203;

/// One packet of a compound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part<'a> {
    /// A sender or receiver report.
    Report(Report<'a>),
    /// The name of a source (SDES CNAME).
    Cname {
        /// Whose.
        ssrc: u32,
        /// As sent.
        name: &'a [u8],
    },
    /// Sources that leave.
    Bye {
        /// The packed numbers.
        ssrcs: &'a [u8],
    },
    /// Anything else: feedback, extended reports, applications.
    Other {
        /// Packet type.
        kind: u8,
        /// Its count or format bits.
        count: u8,
        /// What follows the first four bytes.
        body: &'a [u8],
    },
}

/// Walks a compound packet; it stops where it is broken, after [`MAX_PARTS`] at the latest.
pub fn parts(bytes: &[u8]) -> impl Iterator<Item = Part<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (kind, count, body, next) = split(rest)?;
        rest = next;
        Some(part(kind, count, body))
    })
    .take(MAX_PARTS)
}

/// Whether the whole is a well-formed compound: version 2, a report first, lengths that fit (RFC 3550 A.2).
///
/// Feedback alone (RFC 5506) is taken too.
#[must_use]
pub fn is_well_formed(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    let mut count = 0;
    while !rest.is_empty() {
        let Some((kind, _, _, next)) = split(rest) else { return false };
        if count == 0 && !(SR..=207).contains(&kind) {
            return false;
        }
        (rest, count) = (next, count + 1);
    }
    count > 0
}

fn split(bytes: &[u8]) -> Option<(u8, u8, &[u8], &[u8])> {
    let head = bytes.get(..4)?;
    if head[0] >> 6 != 2 {
        return None;
    }
    let length = 4 * (usize::from(u16::from_be_bytes([head[2], head[3]])) + 1);
    let mut body = bytes.get(4..length)?;
    if head[0] & 0x20 != 0 {
        let padding = usize::from(*body.last()?);
        body = body.get(..body.len().checked_sub(padding)?)?;
    }
    Some((head[1], head[0] & 0x1F, body, &bytes[length..]))
}

fn part(kind: u8, count: u8, body: &[u8]) -> Part<'_> {
    let other = Part::Other { kind, count, body };
    match kind {
        SR | RR => Report::read(kind == SR, count, body).map_or(other, Part::Report),
        SDES if count > 0 => cname(body).unwrap_or(other),
        BYE => body.get(..4 * usize::from(count)).map_or(other, |ssrcs| Part::Bye { ssrcs }),
        _ => other,
    }
}

/// The first chunk's CNAME, which comes first by RFC 3550 §6.5.
fn cname(body: &[u8]) -> Option<Part<'_>> {
    let ssrc = u32::from_be_bytes(body.get(..4)?.try_into().ok()?);
    let (kind, length) = (*body.get(4)?, usize::from(*body.get(5)?));
    (kind == 1).then_some(())?;
    Some(Part::Cname { ssrc, name: body.get(6..6 + length)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;

    #[test]
    fn what_is_written_is_read() {
        let block = Block { ssrc: 7, fraction_lost: 12, lost: -3, highest: 70_000, jitter: 44, last_sr: 5, delay: 6 };
        let info = SenderInfo { ntp: Time(1_500_000).ntp(), timestamp: 960, packets: 10, octets: 1_600 };
        let mut out = [0; 200];
        let outgoing = Outgoing { ssrc: 9, info: Some(info), blocks: &[block], cname: "a@b", bye: true };
        let length = write(&mut out, &outgoing).expect("there is room");
        assert!(is_well_formed(&out[..length]));
        let parts: Vec<_> = parts(&out[..length]).collect();
        let [Part::Report(report), Part::Cname { ssrc: 9, name: b"a@b" }, Part::Bye { ssrcs }] = parts.as_slice()
        else {
            panic!("{parts:?}")
        };
        assert_eq!((report.ssrc, report.sender), (9, Some(info)));
        assert_eq!(report.blocks().collect::<Vec<_>>(), [block]);
        assert_eq!(*ssrcs, 9u32.to_be_bytes());
        assert_eq!(write(&mut [0; 20], &outgoing), None);
    }

    #[test]
    fn broken_compounds_end_early() {
        let cases: &[(&[u8], usize, bool)] = &[
            (&[], 0, false),
            (&[0x80, 201, 0, 1, 0, 0, 0, 1], 1, true),
            (&[0x80, 201, 0, 2, 0, 0, 0, 1], 0, false),
            (&[0x40, 201, 0, 1, 0, 0, 0, 1], 0, false),
            (&[0x81, 201, 0, 1, 0, 0, 0, 1], 1, true),
            (&[0x80, 201, 0, 1, 0, 0, 0, 1, 0x81, 203, 0, 1], 1, false),
            (&[0xA0, 201, 0, 1, 0, 0, 0, 9], 0, false),
        ];
        for (bytes, count, good) in cases {
            assert_eq!((parts(bytes).count(), is_well_formed(bytes)), (*count, *good), "{bytes:?}");
        }
    }
}
