//! What was seen of a source: the highest index and which of the ones before it (RFC 3711 §3.3.1, §3.3.2).

/// Indices remembered behind the highest; RFC 3711 wants 64 at least.
const WIDTH: u64 = 128;

/// The replay window of one source.
#[derive(Clone, Copy, Default)]
pub struct Window {
    highest: u64,
    /// Bit n stands for `highest - n`.
    seen: u128,
}

impl Window {
    /// The index of the RTP packet `sequence`: the rollover counter that brings it nearest to the highest.
    pub fn estimate(&self, sequence: u16) -> u64 {
        if self.seen == 0 {
            return u64::from(sequence);
        }
        let rollover = self.highest >> 16;
        let last = self.highest as u16;
        let near = match (last, sequence) {
            (last, sequence) if last < 0x8000 && sequence > last && sequence - last > 0x8000 => rollover.checked_sub(1),
            (last, sequence) if last >= 0x8000 && last - 0x8000 > sequence => Some(rollover + 1),
            _ => Some(rollover),
        };
        // Before the first rollover there is nothing earlier: it is taken as of this round and fails or is late.
        near.unwrap_or(rollover) << 16 | u64::from(sequence)
    }

    /// Whether `index` is new.
    pub fn is_new(&self, index: u64) -> bool {
        match self.highest.checked_sub(index) {
            _ if self.seen == 0 => true,
            None => true,
            Some(age) => age < WIDTH && self.seen & (1 << age) == 0,
        }
    }

    /// Whether `index` lies beyond everything seen.
    pub fn is_newest(&self, index: u64) -> bool {
        self.seen == 0 || index > self.highest
    }

    /// Remembers `index`, which was new.
    pub fn take(&mut self, index: u64) {
        if self.seen == 0 {
            (self.highest, self.seen) = (index, 1);
        } else if index > self.highest {
            let step = index - self.highest;
            self.seen = if step < WIDTH { self.seen << step | 1 } else { 1 };
            self.highest = index;
        } else if self.highest - index < WIDTH {
            self.seen |= 1 << (self.highest - index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(index: u64) -> Window {
        let mut window = Window::default();
        window.take(index);
        window
    }

    #[test]
    fn the_rollover_counter_is_guessed() {
        let cases = [
            (0x0_FFFF, 0x0000, 0x1_0000),
            (0x0_FFFF, 0xFFFE, 0x0_FFFE),
            (0x1_0000, 0xFFFF, 0x0_FFFF),
            (0x1_0001, 0x0002, 0x1_0002),
            (0x5_9000, 0x0FFF, 0x6_0FFF),
            (0x5_9000, 0x1001, 0x5_1001),
            (0x0_0001, 0xFFFF, 0x0_FFFF),
        ];
        for (highest, sequence, index) in cases {
            assert_eq!(at(highest).estimate(sequence), index, "{highest:x} then {sequence:x}");
        }
        assert_eq!(Window::default().estimate(0xFFFF), 0xFFFF);
    }

    #[test]
    fn an_index_is_new_once() {
        let mut window = at(1000);
        for index in [1001, 999, 1000 - 126, 5000, 4999] {
            assert!(window.is_new(index), "{index}");
            window.take(index);
            assert!(!window.is_new(index), "{index} again");
        }
        assert!(!window.is_new(5000 - 128), "older than the window");
        assert!(window.is_new(5000 - 127));
        assert!(window.is_newest(5001) && !window.is_newest(4000));
    }
}
