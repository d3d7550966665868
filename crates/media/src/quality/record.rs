//! The quality record of a leg, each direction by itself.

use std::time::Duration;

use lyceum_sdp::Encoding;

use super::burst::{Bursts, Runs};
use super::emodel::{Impairment, mos, rating};
use crate::rtcp::Block;
use crate::time::Time;

/// Sender reports remembered for the round trip.
const SENT: usize = 4;
/// What a receiver's buffer adds to the delay, in mean deviations of the network.
const BUFFER_DEVIATIONS: f32 = 2.0;

/// One direction of one leg.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Flow {
    /// The codec, empty when nothing came.
    pub codec: String,
    /// Packets counted.
    pub packets: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Packets lost.
    pub lost: u64,
    /// Part of the packets lost.
    pub loss: f32,
    /// Interarrival jitter.
    pub jitter_us: u64,
    /// Worst jitter seen.
    pub jitter_max_us: u64,
    /// Bursts and gaps; only where we receive ourselves.
    pub bursts: Bursts,
    /// Mean opinion score by the E-model.
    pub mos: f32,
}

impl Flow {
    /// Fills in the score. `round_trip` is that of the leg, `packet_ms` what a packet holds.
    pub fn judge(&mut self, encoding: &Encoding, round_trip: Option<Duration>, packet_ms: u32) {
        let network = round_trip.map_or(0.0, |trip| trip.as_secs_f32() * 500.0);
        let buffer = self.jitter_us as f32 / 1000.0 * BUFFER_DEVIATIONS;
        let delay = network + buffer + packet_ms as f32;
        self.mos = mos(rating(Impairment::of(encoding), delay, self.loss, self.bursts.burst_ratio));
    }

    /// Takes the bursts from what was counted.
    pub fn count(&mut self, runs: &Runs, packet_ms: u32) {
        self.bursts = runs.bursts(packet_ms);
    }
}

/// A leg, as it was heard by us and by its endpoint.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LegRecord {
    /// From the endpoint to us, by our own count.
    pub received: Flow,
    /// From us to the endpoint, by its reports.
    pub sent: Flow,
    /// Between us and the endpoint.
    pub round_trip: Option<Duration>,
    /// Longest round trip.
    pub round_trip_max: Option<Duration>,
    /// Packets that were dropped as a stranger's, forged, replayed or not understood.
    pub refused: u64,
}

/// Sender reports that went to a leg, to know the round trip when its receiver reports come (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, Default)]
pub struct SentReports {
    sent: [(u32, Time); SENT],
    next: usize,
}

impl SentReports {
    /// A sender report with these middle bits went out.
    pub fn sent(&mut self, ntp_middle: u32, now: Time) {
        self.sent[self.next % SENT] = (ntp_middle, now);
        self.next = (self.next + 1) % SENT;
    }

    /// The round trip that a block tells of, when it answers a report we know.
    #[must_use]
    pub fn round_trip(&self, block: &Block, now: Time) -> Option<Duration> {
        if block.last_sr == 0 {
            return None;
        }
        let (_, sent) = self.sent.iter().find(|(middle, sent)| *middle == block.last_sr && *sent != Time(0))?;
        let held = Duration::from_micros(u64::from(block.delay) * 1_000_000 / 65_536);
        // A peer that rounds up may have held it longer than it was away.
        Some(now.since(*sent).saturating_sub(held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_round_trip_is_without_the_time_it_was_held() {
        let mut reports = SentReports::default();
        reports.sent(0xABCD_0000, Time(1_000_000));
        let block = Block { last_sr: 0xABCD_0000, delay: 65_536 / 2, ..Block::default() };
        assert_eq!(reports.round_trip(&block, Time(1_540_000)), Some(Duration::from_millis(40)));
        assert_eq!(reports.round_trip(&Block { last_sr: 7, ..block }, Time(2)), None);
        (1..=4).for_each(|middle| reports.sent(middle, Time(9)));
        assert_eq!(reports.round_trip(&block, Time(1_540_000)), None, "only the last four are remembered");
    }

    #[test]
    fn a_record_is_judged() {
        let mut flow = Flow { loss: 0.05, bursts: Bursts { burst_ratio: 1.0, ..Bursts::default() }, ..Flow::default() };
        flow.judge(&Encoding::Pcma, Some(Duration::from_millis(40)), 20);
        let clean = flow.mos;
        flow.judge(&Encoding::Pcma, Some(Duration::from_millis(800)), 20);
        assert!(clean > 3.5 && flow.mos < clean - 0.5, "{clean} and {}", flow.mos);
    }
}
