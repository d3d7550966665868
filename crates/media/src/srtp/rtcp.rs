//! SRTCP: one compound in place (RFC 3711 §3.4, RFC 7714 §9).

use super::transform::{GCM_TAG, Transform};
use super::{Protector, SrtpError, Unprotector, word};

/// Bytes that stay readable: the first header and its source.
const HEAD: usize = 8;
/// The bit that says "encrypted", before the index of 31 bits.
const ENCRYPTED: u32 = 1 << 31;

impl Protector {
    /// Protects the compound in the first `len` bytes of `buffer` and gives its new length.
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, SrtpError> {
        if len < HEAD || len > buffer.len() {
            return Err(SrtpError::Malformed);
        }
        let ssrc = word(buffer, 4);
        let source = self.sources.entry(ssrc)?;
        let index = source.sent_rtcp;
        if index >= ENCRYPTED {
            return Err(SrtpError::Spent);
        }
        let mark = (index | ENCRYPTED).to_be_bytes();
        let total = match &self.keys.rtcp {
            Transform::Cm(mode) => {
                let total = len + 4 + mode.tag_len();
                if buffer.len() < total {
                    return Err(SrtpError::NoRoom);
                }
                mode.apply(ssrc, u64::from(index), &mut buffer[HEAD..len]);
                buffer[len..len + 4].copy_from_slice(&mark);
                let tag = mode.tag([&buffer[..len + 4], &[]]);
                buffer[len + 4..total].copy_from_slice(&tag[..mode.tag_len()]);
                total
            }
            gcm => {
                let total = len + GCM_TAG + 4;
                let whole = buffer.get_mut(..total).ok_or(SrtpError::NoRoom)?;
                let (head, rest) = whole.split_at_mut(HEAD);
                let (text, trailer) = rest.split_at_mut(len - HEAD);
                let tag = gcm.seal(gcm.nonce(ssrc, u64::from(index)), &associated(head, mark), text);
                trailer[..GCM_TAG].copy_from_slice(&tag.ok_or(SrtpError::Malformed)?);
                trailer[GCM_TAG..].copy_from_slice(&mark);
                total
            }
        };
        source.sent_rtcp = index + 1;
        Ok(total)
    }
}

fn associated(head: &[u8], mark: [u8; 4]) -> [u8; HEAD + 4] {
    let mut whole = [0; HEAD + 4];
    whole[..HEAD].copy_from_slice(head);
    whole[HEAD..].copy_from_slice(&mark);
    whole
}

impl Unprotector {
    /// Checks and decrypts the compound in `packet`, in place, and gives its length without protection.
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let trailer = match &self.keys.rtcp {
            Transform::Cm(mode) => mode.tag_len() + 4,
            _ => GCM_TAG + 4,
        };
        let len = packet.len().checked_sub(trailer).filter(|len| *len >= HEAD).ok_or(SrtpError::Malformed)?;
        let ssrc = word(packet, 4);
        let mark_at = if matches!(self.keys.rtcp, Transform::Cm(_)) { len } else { len + GCM_TAG };
        let mark = word(packet, mark_at);
        let index = u64::from(mark & !ENCRYPTED);
        let window = self.sources.find(ssrc).map(|source| source.rtcp).unwrap_or_default();
        if !window.is_new(index) {
            return Err(SrtpError::Replayed);
        }
        self.open_rtcp(packet, len, mark, ssrc)?;
        self.sources.entry(ssrc)?.rtcp.take(index);
        Ok(len)
    }

    fn open_rtcp(&self, packet: &mut [u8], len: usize, mark: u32, ssrc: u32) -> Result<(), SrtpError> {
        let index = u64::from(mark & !ENCRYPTED);
        match &self.keys.rtcp {
            Transform::Cm(mode) => {
                let (signed, tag) = packet.split_at(len + 4);
                if !mode.is_signed([signed, &[]], tag) {
                    return Err(SrtpError::Forged);
                }
                if mark & ENCRYPTED != 0 {
                    mode.apply(ssrc, index, &mut packet[HEAD..len]);
                }
                Ok(())
            }
            // What is signed only (RFC 7714 §9.2) is not asked for by any description of ours.
            _ if mark & ENCRYPTED == 0 => Err(SrtpError::Forged),
            gcm => {
                let (head, rest) = packet.split_at_mut(HEAD);
                let (text, trailer) = rest.split_at_mut(len - HEAD);
                let tag = <[u8; GCM_TAG]>::try_from(&trailer[..GCM_TAG]).map_err(|_| SrtpError::Malformed)?;
                let opened = gcm.open(gcm.nonce(ssrc, index), &associated(head, mark.to_be_bytes()), text, tag);
                opened.then_some(()).ok_or(SrtpError::Forged)
            }
        }
    }
}
