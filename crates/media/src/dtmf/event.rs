//! Telephone events (RFC 4733 §2): four bytes, sent while a key is held and three times at its end.

use std::time::Duration;

/// How often the end is sent (RFC 4733 §2.5.1.4).
const ENDS: u8 = 3;

/// One payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// Its number: 0 to 15 are the keypad.
    pub code: u8,
    /// Whether the key was let go.
    pub end: bool,
    /// Strength below 0 dBm0, 0 to 63.
    pub volume: u8,
    /// How long so far, in units of the timestamp.
    pub duration: u16,
}

impl Event {
    /// Reads a payload.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let [code, flags, high, low, ..] = *payload else { return None };
        let duration = u16::from_be_bytes([high, low]);
        Some(Self { code, end: flags & 0x80 != 0, volume: flags & 0x3F, duration })
    }

    /// The payload.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        [self.code, u8::from(self.end) << 7 | self.volume & 0x3F, high, low]
    }
}

/// Makes of the packets of a stream one word for each key: said when the event begins, and again when it ends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Receiver {
    current: Option<(u32, u8)>,
    ended: bool,
}

/// What a packet told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// A key was pressed.
    Begin(u8),
    /// It was let go after so many units of the timestamp.
    End(u8, u16),
}

impl Receiver {
    /// Takes one packet; repetitions tell nothing new. An event whose beginning was lost is told by any of its packets.
    pub fn packet(&mut self, timestamp: u32, event: Event) -> [Option<Heard>; 2] {
        let fresh = self.current != Some((timestamp, event.code));
        if fresh {
            // A packet of an older event, out of order, is none of a new one.
            if self.current.is_some_and(|(newest, _)| timestamp.wrapping_sub(newest) > u32::MAX / 2) {
                return [None, None];
            }
            (self.current, self.ended) = (Some((timestamp, event.code)), false);
        }
        let begin = fresh.then_some(Heard::Begin(event.code));
        let end = (event.end && !self.ended).then_some(Heard::End(event.code, event.duration));
        self.ended |= event.end;
        [begin, end]
    }
}

/// A key that we press: its packets come out one by one, one for every packet time.
#[derive(Clone, Debug)]
pub struct Sender {
    code: u8,
    volume: u8,
    step: u16,
    length: u16,
    so_far: u16,
    ends: u8,
}

impl Sender {
    /// Holds `code` for `length` with a packet every `step`, on a clock of `clock` hertz.
    ///
    /// Lengths are bounded by what 16 bits can say: 8 s at 8000 Hz.
    #[must_use]
    pub fn new(code: u8, length: Duration, step: Duration, clock: u32) -> Self {
        let units = |time: Duration| (time.as_millis() * u128::from(clock) / 1000).clamp(1, 0xFFFF) as u16;
        Self { code, volume: 10, step: units(step), length: units(length), so_far: 0, ends: 0 }
    }

    /// The next payload, and whether it is the first (which carries the marker).
    pub fn next_event(&mut self) -> Option<(Event, bool)> {
        if self.ends >= ENDS {
            return None;
        }
        let first = self.so_far == 0;
        if self.ends == 0 {
            self.so_far = self.so_far.saturating_add(self.step).min(self.length);
        }
        let end = self.so_far >= self.length;
        self.ends += u8::from(end);
        Some((Event { code: self.code, end, volume: self.volume, duration: self.so_far }, first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_goes_there_and_back() {
        let event = Event { code: 11, end: true, volume: 10, duration: 1600 };
        assert_eq!(event.to_bytes(), [11, 0x8A, 6, 64]);
        assert_eq!(Event::parse(&event.to_bytes()), Some(event));
        assert_eq!(Event::parse(&[1, 2, 3]), None);
    }

    #[test]
    fn what_is_sent_is_heard_once() {
        let mut sender = Sender::new(5, Duration::from_millis(100), Duration::from_millis(20), 8000);
        let mut receiver = Receiver::default();
        let (mut heard, mut count) = (Vec::new(), 0);
        while let Some((event, first)) = sender.next_event() {
            assert_eq!(first, count == 0);
            count += 1;
            heard.extend(receiver.packet(160, event).into_iter().flatten());
        }
        assert_eq!(count, 7, "five packets of 20 ms, the last one three times");
        assert_eq!(heard, [Heard::Begin(5), Heard::End(5, 800)]);
    }

    #[test]
    fn lost_packets_and_old_ones_change_nothing() {
        let of = |code, end| Event { code, end, volume: 0, duration: 400 };
        let mut receiver = Receiver::default();
        let mut hear = |timestamp, event| receiver.packet(timestamp, event).into_iter().flatten().collect::<Vec<_>>();
        assert_eq!(hear(1000, of(1, true)), [Heard::Begin(1), Heard::End(1, 400)], "only the end arrived");
        assert_eq!(hear(2000, of(1, false)), [Heard::Begin(1)], "the same key again");
        assert_eq!(hear(1000, of(1, true)), [], "a late repetition");
        assert_eq!(hear(2000, of(1, true)), [Heard::End(1, 400)]);
    }
}
