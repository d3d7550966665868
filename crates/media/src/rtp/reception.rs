//! What a receiver counts of one source: extended sequence numbers, loss, jitter (RFC 3550 §6.4.1, A.1, A.3, A.8).

use crate::time::Time;

/// A jump forward beyond this is a new beginning, not a loss (RFC 3550 A.1).
const MAX_DROPOUT: u16 = 3000;
/// A step back beyond this is a new beginning, not a packet out of order.
const MAX_MISORDER: u16 = 100;

/// What a packet was, seen by its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrival {
    /// The first of its source, or of a source that began anew.
    First,
    /// The next, with so many missing before it.
    Next {
        /// Packets between the newest before and this one.
        missing: u16,
    },
    /// Older than the newest.
    Late,
    /// The newest once more.
    Duplicate,
    /// Far away: it counts when the next one follows it.
    Jump,
}

/// Counts of one source.
#[derive(Clone, Debug)]
pub struct Reception {
    clock: u32,
    base: u32,
    highest: u32,
    bad: Option<u16>,
    started: bool,
    received: u32,
    last_transit: Option<i64>,
    jitter_q4: u32,
    expected_prior: u32,
    received_prior: u32,
}

impl Reception {
    /// Counts a source whose timestamps run at `clock` hertz.
    #[must_use]
    pub fn new(clock: u32) -> Self {
        Self {
            clock: clock.max(1),
            base: 0,
            highest: 0,
            bad: None,
            started: false,
            received: 0,
            last_transit: None,
            jitter_q4: 0,
            expected_prior: 0,
            received_prior: 0,
        }
    }

    fn restart(&mut self, sequence: u16) {
        *self = Self::new(self.clock);
        (self.base, self.highest, self.started) = (u32::from(sequence), u32::from(sequence), true);
        self.received = 1;
    }

    /// Counts one packet.
    pub fn packet(&mut self, sequence: u16, timestamp: u32, now: Time) -> Arrival {
        let arrival = self.place(sequence);
        if matches!(arrival, Arrival::First | Arrival::Next { .. }) {
            self.transit(timestamp, now);
        }
        arrival
    }

    /// Counts one packet whose timestamp says nothing of when it was sent: a key event, comfort noise.
    pub fn numbered(&mut self, sequence: u16) -> Arrival {
        self.place(sequence)
    }

    fn place(&mut self, sequence: u16) -> Arrival {
        if !self.started {
            self.restart(sequence);
            return Arrival::First;
        }
        let ahead = sequence.wrapping_sub(self.highest as u16);
        if ahead == 0 {
            return Arrival::Duplicate;
        }
        if ahead < MAX_DROPOUT {
            self.highest = self.highest.wrapping_add(u32::from(ahead));
            self.received = self.received.wrapping_add(1);
            self.bad = None;
            return Arrival::Next { missing: ahead - 1 };
        }
        if ahead.wrapping_neg() < MAX_MISORDER {
            self.received = self.received.wrapping_add(1);
            return Arrival::Late;
        }
        if self.bad == Some(sequence) {
            self.restart(sequence);
            return Arrival::First;
        }
        self.bad = Some(sequence.wrapping_add(1));
        Arrival::Jump
    }

    fn transit(&mut self, timestamp: u32, now: Time) {
        let arrival = (u128::from(now.0) * u128::from(self.clock) / 1_000_000) as u64 as i64;
        let transit = arrival.wrapping_sub(i64::from(timestamp));
        if let Some(last) = self.last_transit.replace(transit) {
            // Both wrap at 2^32; what counts is the difference.
            let step = (transit.wrapping_sub(last) as i32).unsigned_abs();
            // RFC 3550 A.8 in sixteenths; a step of over ten seconds is a new clock, not jitter.
            if step < self.clock.saturating_mul(10) {
                let jitter = i64::from(self.jitter_q4);
                let next = jitter + i64::from(step) - ((jitter + 8) >> 4);
                self.jitter_q4 = u32::try_from(next.max(0)).unwrap_or(u32::MAX);
            }
        }
    }

    /// The highest sequence number with its cycles.
    #[must_use]
    pub fn highest(&self) -> u32 {
        self.highest
    }

    /// Packets that came, late ones included.
    #[must_use]
    pub fn received(&self) -> u32 {
        self.received
    }

    /// Packets that should have come.
    #[must_use]
    pub fn expected(&self) -> u32 {
        if self.started { self.highest.wrapping_sub(self.base).wrapping_add(1) } else { 0 }
    }

    /// Packets lost so far; negative when some came twice.
    #[must_use]
    pub fn lost(&self) -> i32 {
        (i64::from(self.expected()) - i64::from(self.received())).clamp(-0x80_0000, 0x7F_FFFF) as i32
    }

    /// Interarrival jitter in units of the timestamp.
    #[must_use]
    pub fn jitter(&self) -> u32 {
        self.jitter_q4 >> 4
    }

    /// Interarrival jitter in microseconds.
    #[must_use]
    pub fn jitter_us(&self) -> u64 {
        u64::from(self.jitter()) * 1_000_000 / u64::from(self.clock)
    }

    /// The part lost since this was asked last, in 256ths (RFC 3550 A.3).
    pub fn fraction_lost(&mut self) -> u8 {
        let (expected, received) = (self.expected(), self.received);
        let wanted = expected.wrapping_sub(self.expected_prior);
        let came = received.wrapping_sub(self.received_prior);
        (self.expected_prior, self.received_prior) = (expected, received);
        match wanted.checked_sub(came) {
            Some(lost) if wanted > 0 && wanted < u32::MAX / 2 => {
                ((u64::from(lost) << 8) / u64::from(wanted)).min(255) as u8
            }
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(reception: &mut Reception, numbers: impl IntoIterator<Item = u16>) -> Vec<Arrival> {
        numbers.into_iter().map(|number| reception.packet(number, 0, Time(0))).collect()
    }

    #[test]
    fn numbers_run_on_past_65535() {
        let mut reception = Reception::new(8000);
        feed(&mut reception, [65_534, 65_535, 0, 1]);
        assert_eq!((reception.highest(), reception.expected(), reception.lost()), (65_537, 4, 0));
    }

    #[test]
    fn loss_order_and_copies_are_told_apart() {
        let mut reception = Reception::new(8000);
        let seen = feed(&mut reception, [10, 13, 11, 13, 14]);
        let next = |missing| Arrival::Next { missing };
        assert_eq!(seen, [Arrival::First, next(2), Arrival::Late, Arrival::Duplicate, next(0)]);
        assert_eq!((reception.expected(), reception.received(), reception.lost()), (5, 4, 1));
        assert_eq!(reception.fraction_lost(), 51);
        assert_eq!(reception.fraction_lost(), 0, "nothing came since");
    }

    #[test]
    fn a_jump_counts_when_the_next_follows_it() {
        let mut reception = Reception::new(8000);
        let seen = feed(&mut reception, [1, 2, 30_000, 3, 40_000, 40_001, 40_002]);
        let next = Arrival::Next { missing: 0 };
        assert_eq!(seen, [Arrival::First, next, Arrival::Jump, next, Arrival::Jump, Arrival::First, next]);
        assert_eq!(reception.expected(), 2);
    }

    #[test]
    fn jitter_follows_rfc_3550_a_8() {
        let mut reception = Reception::new(8000);
        // Every second packet is 5 ms late: a step of 40 units each time.
        for number in 0..200u16 {
            let late = if number % 2 == 0 { 0 } else { 5_000 };
            reception.packet(number, u32::from(number) * 160, Time(u64::from(number) * 20_000 + late));
        }
        assert!((38..=40).contains(&reception.jitter()), "{}", reception.jitter());
        assert!((4_750..=5_000).contains(&reception.jitter_us()));
    }

    #[test]
    fn jitter_survives_the_wrap_of_the_timestamp() {
        let mut reception = Reception::new(8000);
        for number in 0..10u16 {
            let timestamp = (u32::MAX - 500).wrapping_add(u32::from(number) * 160);
            reception.packet(number, timestamp, Time(u64::from(number) * 20_000));
        }
        assert_eq!(reception.jitter(), 0);
    }
}
