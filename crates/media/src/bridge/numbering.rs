//! Sequence numbers and timestamps of a stream that we make ourselves.

use crate::rtp::Fields;

/// Where a stream of ours stands.
#[derive(Clone, Copy, Debug)]
pub struct Numbering {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    marker: bool,
}

impl Numbering {
    pub fn new((ssrc, (sequence, timestamp)): (u32, (u16, u32))) -> Self {
        Self { ssrc, sequence, timestamp, marker: true }
    }

    /// The header of the next packet of sound, whose `units` the clock then goes on by.
    pub fn sound(&mut self, payload_type: u8, units: u32) -> Fields {
        let fields = self.fields(payload_type, self.timestamp, self.marker);
        self.timestamp = self.timestamp.wrapping_add(units);
        self.marker = false;
        fields
    }

    /// The header of a packet that stands at a time of its own: an event, comfort noise.
    pub fn fields(&mut self, payload_type: u8, timestamp: u32, marker: bool) -> Fields {
        let fields = Fields { marker, payload_type, sequence: self.sequence, timestamp, ssrc: self.ssrc };
        self.sequence = self.sequence.wrapping_add(1);
        fields
    }

    /// Silence of so many units: the next packet of sound says that a new spurt begins.
    pub fn pause(&mut self, units: u32) {
        self.timestamp = self.timestamp.wrapping_add(units);
        self.marker = true;
    }

    /// The timestamp of the next packet of sound.
    pub fn timestamp(&self) -> u32 {
        self.timestamp
    }
}
