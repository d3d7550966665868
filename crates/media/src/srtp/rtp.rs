//! SRTP: one packet in place (RFC 3711 §3.3).

use super::transform::{GCM_TAG, Transform};
use super::{Protector, SrtpError, Unprotector, word};
use crate::rtp::packet::header_len;

/// The last index: the rollover counter has 32 bits.
const LAST: u64 = (1 << 48) - 1;

impl Protector {
    /// Protects the packet in the first `len` bytes of `buffer` and gives its new length.
    pub fn protect_rtp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, SrtpError> {
        let packet = buffer.get(..len).ok_or(SrtpError::Malformed)?;
        let head = header_len(packet).map_err(|_| SrtpError::Malformed)?;
        let (ssrc, sequence) = (word(packet, 8), u16::from_be_bytes([packet[2], packet[3]]));
        let window = &mut self.sources.entry(ssrc)?.rtp;
        let index = window.estimate(sequence);
        // Another text under a used number would give both away (RFC 3711 §9.1).
        if !window.is_new(index) {
            return Err(SrtpError::Replayed);
        }
        if index > LAST {
            return Err(SrtpError::Spent);
        }
        let rollover = ((index >> 16) as u32).to_be_bytes();
        let total = match &self.keys.rtp {
            Transform::Cm(mode) => {
                let total = len + mode.tag_len();
                if buffer.len() < total {
                    return Err(SrtpError::NoRoom);
                }
                mode.apply(ssrc, index, &mut buffer[head..len]);
                let tag = mode.tag([&buffer[..len], &rollover]);
                buffer[len..total].copy_from_slice(&tag[..mode.tag_len()]);
                total
            }
            gcm => {
                let total = len + GCM_TAG;
                let whole = buffer.get_mut(..total).ok_or(SrtpError::NoRoom)?;
                let (header, text) = whole.split_at_mut(head);
                let (text, place) = text.split_at_mut(len - head);
                let tag = gcm.seal(gcm.nonce(ssrc, index), header, text).ok_or(SrtpError::Malformed)?;
                place.copy_from_slice(&tag);
                total
            }
        };
        window.take(index);
        Ok(total)
    }
}

/// A packet that was let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unprotected {
    /// Its length without protection.
    pub len: usize,
    /// Whether no later packet of its source was here before: it is live, not an old one caught and sent again.
    pub newest: bool,
}

impl Unprotector {
    /// Checks and decrypts the packet in `packet`, in place.
    pub fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<Unprotected, SrtpError> {
        let head = header_len(packet).map_err(|_| SrtpError::Malformed)?;
        let (ssrc, sequence) = (word(packet, 8), u16::from_be_bytes([packet[2], packet[3]]));
        let window = self.sources.find(ssrc).map(|source| source.rtp).unwrap_or_default();
        let index = window.estimate(sequence);
        if !window.is_new(index) {
            return Err(SrtpError::Replayed);
        }
        let rollover = ((index >> 16) as u32).to_be_bytes();
        let tag_len = match &self.keys.rtp {
            Transform::Cm(mode) => mode.tag_len(),
            _ => GCM_TAG,
        };
        let len = packet.len().checked_sub(tag_len).filter(|len| *len >= head).ok_or(SrtpError::Malformed)?;
        match &self.keys.rtp {
            Transform::Cm(mode) => {
                if !mode.is_signed([&packet[..len], &rollover], &packet[len..]) {
                    return Err(SrtpError::Forged);
                }
                mode.apply(ssrc, index, &mut packet[head..len]);
            }
            gcm => {
                let (header, rest) = packet.split_at_mut(head);
                let (text, tag) = rest.split_at_mut(len - head);
                let tag = <[u8; GCM_TAG]>::try_from(&*tag).map_err(|_| SrtpError::Malformed)?;
                if !gcm.open(gcm.nonce(ssrc, index), header, text, tag) {
                    return Err(SrtpError::Forged);
                }
            }
        }
        // Only what proved itself makes a source.
        let newest = window.is_newest(index);
        self.sources.entry(ssrc)?.rtp.take(index);
        Ok(Unprotected { len, newest })
    }
}
