//! One RTP packet where it lies, and the few fields that a bridge changes in place.

use std::fmt;

/// Bytes of a header without sources and extension.
pub const HEADER_LEN: usize = 12;
/// The longest packet that is taken or made, SRTP's trailer included: an Ethernet frame's worth.
pub const MAX_PACKET: usize = 1500;

/// Why bytes are no RTP packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PacketError {
    /// Shorter than its header says.
    Short,
    /// Not version 2.
    Version,
    /// Its padding is longer than its payload.
    Padding,
}

impl fmt::Display for PacketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Short => "the packet ends within its header",
            Self::Version => "the packet is not of RTP version 2",
            Self::Padding => "the packet has more padding than payload",
        })
    }
}

impl std::error::Error for PacketError {}

/// A packet that was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet<'a> {
    bytes: &'a [u8],
    payload: usize,
    end: usize,
}

/// Whether a datagram on a shared port is RTCP (RFC 5761 §4): its second byte is 192 to 223.
#[must_use]
pub fn is_rtcp(bytes: &[u8]) -> bool {
    bytes.get(1).is_some_and(|kind| (192..=223).contains(kind))
}

impl<'a> Packet<'a> {
    /// Reads a packet.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PacketError> {
        let payload = header_len(bytes)?;
        let mut end = bytes.len();
        if bytes[0] & 0x20 != 0 {
            let padding = usize::from(*bytes.last().ok_or(PacketError::Short)?);
            end = end.checked_sub(padding).filter(|end| *end >= payload && padding > 0).ok_or(PacketError::Padding)?;
        }
        Ok(Self { bytes, payload, end })
    }

    /// The marker: the first packet after silence, the last of a picture.
    #[must_use]
    pub fn marker(&self) -> bool {
        self.bytes[1] & 0x80 != 0
    }

    /// The payload type.
    #[must_use]
    pub fn payload_type(&self) -> u8 {
        self.bytes[1] & 0x7F
    }

    /// The sequence number.
    #[must_use]
    pub fn sequence(&self) -> u16 {
        u16::from_be_bytes([self.bytes[2], self.bytes[3]])
    }

    /// The timestamp.
    #[must_use]
    pub fn timestamp(&self) -> u32 {
        word(self.bytes, 4)
    }

    /// Who sends.
    #[must_use]
    pub fn ssrc(&self) -> u32 {
        word(self.bytes, 8)
    }

    /// Who contributed.
    pub fn csrcs(&self) -> impl Iterator<Item = u32> + 'a {
        let (bytes, count) = (self.bytes, usize::from(self.bytes[0] & 0x0F));
        (0..count).map(move |at| word(bytes, HEADER_LEN + 4 * at))
    }

    /// The header extension: its profile and its bytes.
    #[must_use]
    pub fn extension(&self) -> Option<(u16, &'a [u8])> {
        if self.bytes[0] & 0x10 == 0 {
            return None;
        }
        let at = HEADER_LEN + 4 * usize::from(self.bytes[0] & 0x0F);
        let profile = u16::from_be_bytes([self.bytes[at], self.bytes[at + 1]]);
        Some((profile, &self.bytes[at + 4..self.payload]))
    }

    /// Bytes of the header with sources and extension.
    #[must_use]
    pub fn header_len(&self) -> usize {
        self.payload
    }

    /// The payload without padding.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        &self.bytes[self.payload..self.end]
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Bytes of the header with sources and extension, all of which are there.
pub(crate) fn header_len(bytes: &[u8]) -> Result<usize, PacketError> {
    if bytes.len() < HEADER_LEN {
        return Err(PacketError::Short);
    }
    if bytes[0] >> 6 != 2 {
        return Err(PacketError::Version);
    }
    let mut length = HEADER_LEN + 4 * usize::from(bytes[0] & 0x0F);
    if bytes[0] & 0x10 != 0 {
        let words = bytes.get(length + 2..length + 4).ok_or(PacketError::Short)?;
        length += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
    }
    if bytes.len() < length { Err(PacketError::Short) } else { Ok(length) }
}

/// The fields of a packet that we make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fields {
    /// The marker.
    pub marker: bool,
    /// The payload type.
    pub payload_type: u8,
    /// The sequence number.
    pub sequence: u16,
    /// The timestamp.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
}

/// Writes a header into the first twelve bytes of `out`; false when there is no room.
pub fn write(out: &mut [u8], fields: &Fields) -> bool {
    let Some(header) = out.get_mut(..HEADER_LEN) else { return false };
    header[0] = 0x80;
    header[1] = u8::from(fields.marker) << 7 | fields.payload_type & 0x7F;
    header[2..4].copy_from_slice(&fields.sequence.to_be_bytes());
    header[4..8].copy_from_slice(&fields.timestamp.to_be_bytes());
    header[8..12].copy_from_slice(&fields.ssrc.to_be_bytes());
    true
}

/// Gives a packet that was read another payload type.
pub fn set_payload_type(bytes: &mut [u8], payload_type: u8) {
    if let Some(byte) = bytes.get_mut(1) {
        *byte = *byte & 0x80 | payload_type & 0x7F;
    }
}

/// Gives a packet that was read another place in another stream.
pub fn set_place(bytes: &mut [u8], sequence: u16, timestamp: u32, ssrc: u32) {
    if bytes.len() >= HEADER_LEN {
        bytes[2..4].copy_from_slice(&sequence.to_be_bytes());
        bytes[4..8].copy_from_slice(&timestamp.to_be_bytes());
        bytes[8..12].copy_from_slice(&ssrc.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_written_and_read() {
        let fields = Fields { marker: true, payload_type: 8, sequence: 0xFFFE, timestamp: 160, ssrc: 0xDEAD_BEEF };
        let mut bytes = [0xAA; 20];
        assert!(write(&mut bytes, &fields));
        let packet = Packet::parse(&bytes).expect("a packet");
        let read = Fields {
            marker: packet.marker(),
            payload_type: packet.payload_type(),
            sequence: packet.sequence(),
            timestamp: packet.timestamp(),
            ssrc: packet.ssrc(),
        };
        assert_eq!((read, packet.payload()), (fields, &[0xAA; 8][..]));
        set_payload_type(&mut bytes, 101);
        let packet = Packet::parse(&bytes).expect("a packet");
        assert!(packet.marker() && packet.payload_type() == 101);
        assert!(!write(&mut [0; 11], &fields));
    }

    #[test]
    fn sources_extension_and_padding_are_taken_apart() {
        let mut bytes = vec![0xB1, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 9];
        bytes.extend([0xBE, 0xDE, 0, 1, 0x10, 0x55, 0, 0]);
        bytes.extend([1, 2, 3, 0, 0, 3]);
        let packet = Packet::parse(&bytes).expect("a packet");
        assert_eq!(packet.csrcs().collect::<Vec<_>>(), [9]);
        assert_eq!(packet.extension(), Some((0xBEDE, &[0x10, 0x55, 0, 0][..])));
        assert_eq!(packet.payload(), [1, 2, 3]);
    }

    #[test]
    fn broken_packets_are_refused() {
        let good = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let with = |at: usize, byte: u8| {
            let mut bytes = good;
            bytes[at] = byte;
            bytes
        };
        let cases = [
            (&good[..11], PacketError::Short),
            (&with(0, 0x40)[..], PacketError::Version),
            (&with(0, 0x81)[..], PacketError::Short),
            (&with(0, 0x90)[..], PacketError::Short),
            (&with(0, 0xA0)[..], PacketError::Padding),
        ];
        for (bytes, error) in cases {
            assert_eq!(Packet::parse(bytes), Err(error));
        }
    }

    #[test]
    fn rtcp_is_told_by_its_second_byte() {
        assert!(is_rtcp(&[0x80, 200]) && is_rtcp(&[0x80, 206]));
        assert!(!is_rtcp(&[0x80, 0]) && !is_rtcp(&[0x80, 0x80 | 8]) && !is_rtcp(&[0x80]));
    }
}
