//! The jitter buffer: packets wait so that late ones are still in time; the wait follows the network.
//!
//! Frames are asked for by whoever plays (a mixer, a recorder) at its own pace. The wait aims at the delay under which
//! 95 of 100 recent packets stayed, within the given bounds; it grows at once and shrinks one frame at a time, and
//! only where nothing is lost by it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::Time;

/// Packets that wait at most; the oldest goes when there are more.
pub const MAX_PACKETS: usize = 64;
/// Recent delays that the aim is taken from.
const RECENT: usize = 100;
/// Frames that are played out too late before the aim may shrink again.
const CALM: u32 = 50;

/// Bounds and pace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// What a packet holds, as a rule 20 ms.
    pub frame: Duration,
    /// Wait at least.
    pub least: Duration,
    /// Wait at most.
    pub most: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        let ms = Duration::from_millis;
        Self { frame: ms(20), least: ms(20), most: ms(300) }
    }
}

/// What is there to be played.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Play {
    /// A packet's payload.
    Packet {
        /// Its payload type.
        payload_type: u8,
        /// Its payload.
        payload: Vec<u8>,
    },
    /// The packet is lost or late: conceal it.
    Missing,
    /// Nothing was ever there, or nobody sends.
    Empty,
}

/// What happened so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Packets played.
    pub played: u64,
    /// Packets that came after their turn.
    pub late: u64,
    /// Packets that never came in time.
    pub missing: u64,
    /// Packets thrown away because the buffer was full or ran behind.
    pub discarded: u64,
}

#[derive(Clone, Debug)]
struct Waiting {
    sequence: u32,
    payload_type: u8,
    payload: Vec<u8>,
}

/// One stream's buffer.
#[derive(Clone, Debug)]
pub struct JitterBuffer {
    bounds: Bounds,
    clock: u32,
    waiting: VecDeque<Waiting>,
    /// The sequence number, with its cycles, that is played next.
    next: Option<u32>,
    highest: u32,
    /// When the first packet came, and its timestamp: delays are measured against them.
    base: Option<(Time, u32)>,
    delays_us: VecDeque<i64>,
    /// Frames since the last one that was missing.
    calm: u32,
    counts: Counts,
}

impl JitterBuffer {
    /// A buffer for a stream whose timestamps run at `clock`.
    #[must_use]
    pub fn new(clock: u32, bounds: Bounds) -> Self {
        Self {
            bounds,
            clock: clock.max(1),
            waiting: VecDeque::with_capacity(MAX_PACKETS),
            next: None,
            highest: 0,
            base: None,
            delays_us: VecDeque::with_capacity(RECENT),
            calm: 0,
            counts: Counts::default(),
        }
    }

    /// What happened so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Frames that wait.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.waiting.len()
    }

    /// The wait that is aimed at.
    #[must_use]
    pub fn aim(&self) -> Duration {
        let mut delays: Vec<i64> = self.delays_us.iter().copied().collect();
        delays.sort_unstable();
        let first = delays.first().copied().unwrap_or(0);
        let high = delays.get(delays.len().saturating_sub(1) * 95 / 100).copied().unwrap_or(0);
        let spread = Duration::from_micros(u64::try_from(high - first).unwrap_or(0));
        (spread + self.bounds.frame).clamp(self.bounds.least, self.bounds.most)
    }

    fn aimed_frames(&self) -> usize {
        self.aim().as_micros().div_ceil(self.bounds.frame.as_micros().max(1)) as usize
    }

    /// Takes a packet.
    pub fn put(&mut self, now: Time, sequence: u16, timestamp: u32, payload_type: u8, payload: &[u8]) {
        let sequence = self.extended(sequence);
        self.measure(now, timestamp);
        if self.next.is_some_and(|next| sequence < next) {
            self.counts.late += 1;
            return;
        }
        let at = self.waiting.iter().rposition(|it| it.sequence <= sequence).map_or(0, |at| at + 1);
        if at > 0 && self.waiting[at - 1].sequence == sequence {
            return;
        }
        self.waiting.insert(at, Waiting { sequence, payload_type, payload: payload.to_vec() });
        if self.waiting.len() > MAX_PACKETS {
            self.drop_oldest();
        }
    }

    fn extended(&mut self, sequence: u16) -> u32 {
        if self.base.is_none() {
            // A round above zero, so that what comes out of order has a place.
            self.highest = 0x1_0000 | u32::from(sequence);
        }
        let step = sequence.wrapping_sub(self.highest as u16) as i16;
        let extended = self.highest.wrapping_add_signed(i32::from(step));
        self.highest = self.highest.max(extended);
        extended
    }

    fn measure(&mut self, now: Time, timestamp: u32) {
        let (start, first) = *self.base.get_or_insert((now, timestamp));
        let media = i64::from(timestamp.wrapping_sub(first) as i32) * 1_000_000 / i64::from(self.clock);
        let delay = now.0 as i64 - start.0 as i64 - media;
        // A stream that pauses without a timestamp for it begins anew.
        if delay.abs() > 10_000_000 {
            (self.base, self.delays_us) = (Some((now, timestamp)), VecDeque::with_capacity(RECENT));
            return;
        }
        if self.delays_us.len() == RECENT {
            self.delays_us.pop_front();
        }
        self.delays_us.push_back(delay);
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.waiting.pop_front() {
            self.next = Some(oldest.sequence + 1);
            self.counts.discarded += 1;
        }
    }

    /// The next frame to be played; asked for once in every frame's time.
    pub fn play(&mut self) -> Play {
        let aim = self.aimed_frames();
        let Some(first) = self.waiting.front().map(|it| it.sequence) else {
            // An empty buffer after a stream: wait until the aim is reached again.
            self.calm = 0;
            return if self.next.take().is_some() {
                self.counts.missing += 1;
                Play::Missing
            } else {
                Play::Empty
            };
        };
        let Some(next) = self.next else {
            if self.waiting.len() < aim {
                return Play::Empty;
            }
            self.next = Some(first);
            return self.take(first);
        };
        // Too much waits for a calm while: let one frame go.
        if self.waiting.len() > aim + 1 && self.calm >= CALM {
            self.calm = 0;
            self.drop_oldest();
            return self.play();
        }
        if first > next {
            self.calm = 0;
            self.counts.missing += 1;
            self.next = Some(next + 1);
            return Play::Missing;
        }
        self.take(first)
    }

    fn take(&mut self, sequence: u32) -> Play {
        let Some(packet) = self.waiting.pop_front() else { return Play::Empty };
        self.next = Some(sequence + 1);
        self.calm = self.calm.saturating_add(1);
        self.counts.played += 1;
        Play::Packet { payload_type: packet.payload_type, payload: packet.payload }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME_US: u64 = 20_000;

    fn put(buffer: &mut JitterBuffer, number: u16, late_us: u64) {
        let now = Time(1_000_000 + u64::from(number) * FRAME_US + late_us);
        buffer.put(now, number, u32::from(number) * 160, 8, &number.to_be_bytes());
    }

    fn played(buffer: &mut JitterBuffer) -> Option<u16> {
        match buffer.play() {
            Play::Packet { payload, .. } => Some(u16::from_be_bytes([payload[0], payload[1]])),
            _ => None,
        }
    }

    #[test]
    fn packets_are_played_in_order_without_copies() {
        let mut buffer = JitterBuffer::new(8000, Bounds::default());
        for number in [0, 2, 1, 1, 3] {
            put(&mut buffer, number, 0);
        }
        let order: Vec<_> = (0..5).map(|_| played(&mut buffer)).collect();
        assert_eq!(order, [Some(0), Some(1), Some(2), Some(3), None]);
        assert_eq!(buffer.counts(), Counts { played: 4, missing: 1, ..Counts::default() });
    }

    #[test]
    fn a_lost_packet_is_said_to_be_missing_and_a_late_one_is_dropped() {
        let mut buffer = JitterBuffer::new(8000, Bounds::default());
        [0, 1, 3].into_iter().for_each(|number| put(&mut buffer, number, 0));
        let order: Vec<_> = (0..4).map(|_| buffer.play()).collect();
        assert!(matches!(order[2], Play::Missing) && matches!(order[3], Play::Packet { .. }));
        put(&mut buffer, 2, 90_000);
        assert_eq!((buffer.counts().late, buffer.depth()), (1, 0));
    }

    #[test]
    fn numbers_wrap() {
        let mut buffer = JitterBuffer::new(8000, Bounds::default());
        for (at, number) in [65_534u16, 65_535, 0, 1].into_iter().enumerate() {
            buffer.put(Time(at as u64 * FRAME_US), number, at as u32 * 160, 8, &number.to_be_bytes());
        }
        let order: Vec<_> = (0..4).map(|_| played(&mut buffer)).collect();
        assert_eq!(order, [Some(65_534), Some(65_535), Some(0), Some(1)]);
    }

    /// Every fourth packet is 30 ms late: without a wait a quarter would be missing.
    #[test]
    fn the_wait_follows_the_jitter() {
        let mut buffer = JitterBuffer::new(8000, Bounds::default());
        let (mut missing, mut arrivals) = (0, Vec::new());
        for number in 0..500u16 {
            let late = if number % 4 == 0 { 30_000 } else { 0 };
            arrivals.push((1_000_000 + u64::from(number) * FRAME_US + late, number));
        }
        arrivals.sort_unstable();
        let mut arrivals = arrivals.into_iter().peekable();
        for tick in 0..500u64 {
            let now = 1_000_000 + tick * FRAME_US;
            while let Some((at, number)) = arrivals.next_if(|(at, _)| *at <= now) {
                buffer.put(Time(at), number, u32::from(number) * 160, 8, &number.to_be_bytes());
            }
            missing += u32::from(tick > 100 && buffer.play() == Play::Missing);
        }
        assert!(missing <= 2, "{missing} missing");
        assert!((40..=60).contains(&buffer.aim().as_millis()), "{:?}", buffer.aim());
    }

    #[test]
    fn a_flood_is_bounded() {
        let mut buffer = JitterBuffer::new(8000, Bounds::default());
        (0..1000).for_each(|number| put(&mut buffer, number, 0));
        assert_eq!((buffer.depth(), buffer.counts().discarded), (MAX_PACKETS, 1000 - MAX_PACKETS as u64));
    }
}
