//! ChannelData (RFC 8656 §12.4), and how messages are cut out of a stream (§12.5).

use std::ops::{Range, RangeInclusive};

use crate::message::{COOKIE, HEADER, u16_at};

/// Numbers that a channel may have: up to 0x4fff (RFC 8656 §12), and what clients after RFC 5766 §11 still choose.
pub const CHANNELS: RangeInclusive<u16> = 0x4000..=0x7fff;
/// Bytes before the data.
pub(crate) const CHANNEL_HEADER: usize = 4;
/// Longest message that is taken from a stream; a connection that announces a longer one is closed.
pub const STREAM_MESSAGE_MAX: usize = 65_536 + HEADER;

/// Channel number and place of the data, if this is ChannelData.
pub(crate) fn channel_data(packet: &[u8]) -> Option<(u16, Range<usize>)> {
    if packet.len() < CHANNEL_HEADER {
        return None;
    }
    let (number, length) = (u16_at(packet, 0), usize::from(u16_at(packet, 2)));
    let whole = CHANNELS.contains(&number) && CHANNEL_HEADER + length <= packet.len();
    whole.then_some((number, CHANNEL_HEADER..CHANNEL_HEADER + length))
}

/// What stands at the front of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framed {
    /// Not yet a whole message.
    More,
    /// A message of `length` bytes, which takes `used` bytes of the stream.
    Message {
        /// Its length without padding.
        length: usize,
        /// With padding.
        used: usize,
    },
    /// Neither STUN nor ChannelData: the connection cannot be used any more.
    Garbage,
}

/// Looks for one message at the front of `bytes`.
pub fn frame(bytes: &[u8]) -> Framed {
    let Some(first) = bytes.first() else { return Framed::More };
    if first & 0xc0 > 0x40 {
        return Framed::Garbage;
    }
    if bytes.len() < CHANNEL_HEADER {
        return Framed::More;
    }
    let announced = usize::from(u16_at(bytes, 2));
    let (length, used) = match first & 0xc0 {
        0 => (HEADER + announced, HEADER + announced),
        _ => (CHANNEL_HEADER + announced, CHANNEL_HEADER + announced.next_multiple_of(4)),
    };
    let is_stun = first & 0xc0 == 0;
    let cookie_differs = is_stun && bytes.len() >= 8 && bytes[4..8] != COOKIE.to_be_bytes();
    if cookie_differs || (is_stun && !announced.is_multiple_of(4)) {
        return Framed::Garbage;
    }
    if bytes.len() < used { Framed::More } else { Framed::Message { length, used } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_lies_where_its_length_says() {
        assert_eq!(channel_data(&[0x40, 0, 0, 2, 9, 9]), Some((0x4000, 4..6)));
        assert_eq!(channel_data(&[0x40, 1, 0, 2, 9, 9, 0, 0]), Some((0x4001, 4..6)));
        assert_eq!(channel_data(&[0x40, 0, 0, 3, 9, 9]), None);
        assert_eq!(channel_data(&[0x80, 0, 0, 0]), None);
        assert_eq!(channel_data(&[0x40, 0, 0]), None);
    }

    #[test]
    fn streams_are_cut_at_message_ends() {
        assert_eq!(frame(&[]), Framed::More);
        assert_eq!(frame(&[0x40, 0, 0, 5, 1, 2, 3, 4, 5]), Framed::More);
        assert_eq!(frame(&[0x40, 0, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0, 7]), Framed::Message { length: 9, used: 12 });
        assert_eq!(frame(&[0x80]), Framed::Garbage);
        assert_eq!(frame(b"\x16\x03\x01\x02\x00\x01\x00\x01"), Framed::Garbage);
        let mut binding = vec![0, 1, 0, 0];
        binding.extend_from_slice(&COOKIE.to_be_bytes());
        binding.extend_from_slice(&[0; 12]);
        assert_eq!(frame(&binding[..19]), Framed::More);
        assert_eq!(frame(&binding), Framed::Message { length: 20, used: 20 });
    }
}
