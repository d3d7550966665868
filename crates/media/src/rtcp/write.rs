//! Writing a compound packet: report, name, good-bye.

use super::report::{BLOCK_LEN, Block, SenderInfo};
use super::{BYE, RR, SDES, SR};

/// Blocks of one report; the format has room for 31, two legs need one.
const MAX_BLOCKS: usize = 31;
/// Bytes of a name.
const MAX_CNAME: usize = 255;

/// A compound packet of ours.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Who reports.
    pub ssrc: u32,
    /// When we send media ourselves.
    pub info: Option<SenderInfo>,
    /// What we receive.
    pub blocks: &'a [Block],
    /// Our name; every compound carries one.
    pub cname: &'a str,
    /// Whether we leave.
    pub bye: bool,
}

/// Writes `packet` into `out` and gives its length; `None` when there is no room.
pub fn write(out: &mut [u8], packet: &Outgoing<'_>) -> Option<usize> {
    let blocks = &packet.blocks[..packet.blocks.len().min(MAX_BLOCKS)];
    let mut at = report(out, packet, blocks)?;
    at += description(out.get_mut(at..)?, packet)?;
    if packet.bye {
        let place = out.get_mut(at..at + 8)?;
        head(place, BYE, 1);
        place[4..8].copy_from_slice(&packet.ssrc.to_be_bytes());
        at += 8;
    }
    Some(at)
}

fn report(out: &mut [u8], packet: &Outgoing<'_>, blocks: &[Block]) -> Option<usize> {
    let fixed = if packet.info.is_some() { 28 } else { 8 };
    let place = out.get_mut(..fixed + BLOCK_LEN * blocks.len())?;
    head(place, if packet.info.is_some() { SR } else { RR }, blocks.len() as u8);
    place[4..8].copy_from_slice(&packet.ssrc.to_be_bytes());
    if let Some(info) = packet.info {
        place[8..16].copy_from_slice(&info.ntp.to_be_bytes());
        let words = [info.timestamp, info.packets, info.octets];
        place[16..28].chunks_exact_mut(4).zip(words).for_each(|(to, word)| to.copy_from_slice(&word.to_be_bytes()));
    }
    place[fixed..].chunks_exact_mut(BLOCK_LEN).zip(blocks).for_each(|(to, block)| block.write(to));
    Some(place.len())
}

fn description(out: &mut [u8], packet: &Outgoing<'_>) -> Option<usize> {
    let name = &packet.cname.as_bytes()[..packet.cname.len().min(MAX_CNAME)];
    // Source, kind, length, name, and at least one zero up to a whole word.
    let length = 4 + (4 + 2 + name.len() + 1).next_multiple_of(4);
    let place = out.get_mut(..length)?;
    place.fill(0);
    head(place, SDES, 1);
    place[4..8].copy_from_slice(&packet.ssrc.to_be_bytes());
    place[8] = 1;
    place[9] = name.len() as u8;
    place[10..10 + name.len()].copy_from_slice(name);
    Some(length)
}

fn head(place: &mut [u8], kind: u8, count: u8) {
    let words = (place.len() / 4 - 1) as u16;
    place[0] = 0x80 | count;
    place[1] = kind;
    place[2..4].copy_from_slice(&words.to_be_bytes());
}

/// Payload-specific feedback (RFC 4585 §6.3).
const PSFB: u8 = 206;

/// Writes "a picture that stands by itself, please" (picture loss indication, RFC 4585 §6.3.1) with the report that every
/// compound begins with, and gives its length; `None` when there is no room.
pub fn ask_picture(out: &mut [u8], packet: &Outgoing<'_>, of: u32) -> Option<usize> {
    let at = write(out, packet)?;
    let place = out.get_mut(at..at + 12)?;
    // Format 1 stands where a report has its count.
    head(place, PSFB, 1);
    place[4..8].copy_from_slice(&packet.ssrc.to_be_bytes());
    place[8..12].copy_from_slice(&of.to_be_bytes());
    Some(at + 12)
}
