//! Sender and receiver reports (RFC 3550 §6.4).

/// What a sender tells of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SenderInfo {
    /// Its clock when it wrote.
    pub ntp: u64,
    /// The same moment on the stream's clock.
    pub timestamp: u32,
    /// Packets sent.
    pub packets: u32,
    /// Bytes of payload sent.
    pub octets: u32,
}

/// What a receiver tells of one source.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Block {
    /// The source.
    pub ssrc: u32,
    /// Lost since the last report, in 256ths.
    pub fraction_lost: u8,
    /// Lost in all; 24 bits, signed.
    pub lost: i32,
    /// Highest sequence number with its cycles.
    pub highest: u32,
    /// Jitter in units of the timestamp.
    pub jitter: u32,
    /// The middle of the NTP time of the last sender report that came.
    pub last_sr: u32,
    /// How long ago that was, in 65536ths of a second.
    pub delay: u32,
}

/// Bytes of a block.
pub(super) const BLOCK_LEN: usize = 24;

impl Block {
    fn read(bytes: &[u8]) -> Self {
        let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        // The sign of 24 bits is carried up by an arithmetic shift.
        let lost = (word(4) << 8) as i32 >> 8;
        Self {
            ssrc: word(0),
            fraction_lost: bytes[4],
            lost,
            highest: word(8),
            jitter: word(12),
            last_sr: word(16),
            delay: word(20),
        }
    }

    pub(super) fn write(&self, out: &mut [u8]) {
        let lost = self.lost.clamp(-0x80_0000, 0x7F_FFFF) as u32 & 0xFF_FFFF;
        let words = [
            self.ssrc,
            u32::from(self.fraction_lost) << 24 | lost,
            self.highest,
            self.jitter,
            self.last_sr,
            self.delay,
        ];
        out.chunks_exact_mut(4).zip(words).for_each(|(place, word)| place.copy_from_slice(&word.to_be_bytes()));
    }
}

/// A report as it lies in its packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report<'a> {
    /// Who reports.
    pub ssrc: u32,
    /// Of a sender report.
    pub sender: Option<SenderInfo>,
    blocks: &'a [u8],
}

impl<'a> Report<'a> {
    pub(super) fn read(sender: bool, count: u8, body: &'a [u8]) -> Option<Self> {
        let head = if sender { 24 } else { 4 };
        let word = |at: usize| Some(u32::from_be_bytes(body.get(at..at + 4)?.try_into().ok()?));
        let info = match sender {
            true => Some(SenderInfo {
                ntp: u64::from(word(4)?) << 32 | u64::from(word(8)?),
                timestamp: word(12)?,
                packets: word(16)?,
                octets: word(20)?,
            }),
            false => None,
        };
        let blocks = body.get(head..head + BLOCK_LEN * usize::from(count))?;
        Some(Self { ssrc: word(0)?, sender: info, blocks })
    }

    /// What it tells of each source.
    pub fn blocks(&self) -> impl Iterator<Item = Block> + 'a {
        self.blocks.chunks_exact(BLOCK_LEN).map(Block::read)
    }
}
