//! A hashed timer wheel in three levels: setting and cancelling a deadline are a few stores,
//! whatever the number of live transactions, and an idle wheel costs nothing.
//!
//! A deadline is never early and at most one tick (8.192 ms) late.

use crate::time::Time;

const TICK_BITS: u32 = 13;
const SLOT_BITS: u32 = 8;
const SLOTS: usize = 1 << SLOT_BITS;
const LEVELS: usize = 3;
/// Farthest deadline that the wheel tells apart, about 38 hours; later ones are looked at then.
const HORIZON: u64 = 1 << (SLOT_BITS * 3);
const NONE: u32 = u32::MAX;
const IDLE: u16 = u16::MAX;

/// Deadlines by token; a token has at most one.
pub(super) struct Wheel {
    heads: Box<[u32; SLOTS * LEVELS]>,
    occupied: [[u64; SLOTS / 64]; LEVELS],
    nodes: Vec<Node>,
    /// The last tick that has been dealt with; every deadline lies after it.
    done: u64,
    len: usize,
}

#[derive(Clone, Copy)]
struct Node {
    tick: u64,
    next: u32,
    prev: u32,
    slot: u16,
}

const FREE: Node = Node { tick: 0, next: NONE, prev: NONE, slot: IDLE };

impl Wheel {
    pub(super) fn new() -> Wheel {
        Wheel {
            heads: Box::new([NONE; SLOTS * LEVELS]),
            occupied: [[0; SLOTS / 64]; LEVELS],
            nodes: Vec::new(),
            done: 0,
            len: 0,
        }
    }

    /// Sets the token's deadline, instead of the one it may have.
    pub(super) fn set(&mut self, now: Time, token: u32, at: Time) {
        let wanted = at.0.div_ceil(1 << TICK_BITS);
        let index = token as usize;
        if index >= self.nodes.len() {
            self.nodes.resize(index + 1, FREE);
        }
        let node = &self.nodes[index];
        if node.slot != IDLE && node.tick == wanted {
            return;
        }
        self.cancel(token);
        if self.len == 0 {
            // Nothing waits: skip the ticks nobody asked about.
            self.done = self.done.max(now.0 >> TICK_BITS);
        }
        self.nodes[index].tick = wanted.max(self.done + 1);
        self.len += 1;
        self.link(token);
    }

    /// Takes the token's deadline away, if it has one.
    pub(super) fn cancel(&mut self, token: u32) {
        let Some(node) = self.nodes.get(token as usize).copied() else { return };
        if node.slot == IDLE {
            return;
        }
        match node.prev {
            NONE => {
                self.heads[usize::from(node.slot)] = node.next;
                if node.next == NONE {
                    self.mark(node.slot, false);
                }
            }
            prev => self.nodes[prev as usize].next = node.next,
        }
        if node.next != NONE {
            self.nodes[node.next as usize].prev = node.prev;
        }
        self.nodes[token as usize].slot = IDLE;
        self.len -= 1;
    }

    /// No later than the earliest deadline: when to call [`Wheel::pop`] next.
    pub(super) fn next(&self) -> Option<Time> {
        let (tick, _) = self.event()?;
        Some(Time(tick << TICK_BITS))
    }

    /// Takes out one token whose deadline has come.
    pub(super) fn pop(&mut self, now: Time) -> Option<u32> {
        let target = now.0 >> TICK_BITS;
        loop {
            let Some((tick, level)) = self.event().filter(|&(tick, _)| tick <= target) else {
                self.done = self.done.max(target);
                return None;
            };
            self.done = tick - 1;
            let slot = Self::slot(tick, level);
            let first = self.heads[usize::from(slot)];
            if level == 0 {
                self.cancel(first);
                return Some(first);
            }
            self.spread(first, slot);
        }
    }

    /// Moves a list of an upper level down.
    fn spread(&mut self, first: u32, slot: u16) {
        self.heads[usize::from(slot)] = NONE;
        self.mark(slot, false);
        let mut token = first;
        while token != NONE {
            let next = self.nodes[token as usize].next;
            self.link(token);
            token = next;
        }
    }

    fn link(&mut self, token: u32) {
        let tick = self.nodes[token as usize].tick;
        let delta = tick - self.done;
        let level = match delta {
            // A slot is reached after 1 to 256 steps, so 256 still belongs to its level.
            0..=0x100 => 0,
            0x101..=0x1_0000 => 1,
            _ => 2,
        };
        let place = tick.min(self.done + HORIZON);
        let slot = Self::slot(place, level);
        let head = std::mem::replace(&mut self.heads[usize::from(slot)], token);
        let node = &mut self.nodes[token as usize];
        (node.slot, node.prev, node.next) = (slot, NONE, head);
        if head == NONE {
            self.mark(slot, true);
        } else {
            self.nodes[head as usize].prev = token;
        }
    }

    fn slot(tick: u64, level: usize) -> u16 {
        let within = (tick >> (SLOT_BITS * level as u32)) as usize % SLOTS;
        (level * SLOTS + within) as u16
    }

    fn mark(&mut self, slot: u16, taken: bool) {
        let (level, within) = (usize::from(slot) / SLOTS, usize::from(slot) % SLOTS);
        let bit = 1 << (within % 64);
        let word = &mut self.occupied[level][within / 64];
        *word = if taken { *word | bit } else { *word & !bit };
    }

    /// The next tick at which something happens and the level it happens on. On equal ticks
    /// the upper level goes first: it may hold what is due.
    fn event(&self) -> Option<(u64, usize)> {
        if self.len == 0 {
            return None;
        }
        (0..LEVELS)
            .rev()
            .filter_map(|level| {
                let shift = SLOT_BITS * level as u32;
                let here = self.done >> shift;
                let steps = self.distance(level, here as usize % SLOTS)?;
                Some(((here + steps) << shift, level))
            })
            .min_by_key(|&(tick, _)| tick)
    }

    /// Steps, 1 to 256, from slot `from` to the next one taken.
    fn distance(&self, level: usize, from: usize) -> Option<u64> {
        let words = &self.occupied[level];
        let first = (from + 1) % SLOTS;
        for i in 0..=words.len() {
            let at = (first / 64 + i) % words.len();
            let mut word = words[at];
            if i == 0 {
                word &= u64::MAX << (first % 64);
            } else if i == words.len() {
                word &= !(u64::MAX << (first % 64));
            }
            if word != 0 {
                let found = at * 64 + word.trailing_zeros() as usize;
                return Some(((found + SLOTS - first) % SLOTS) as u64 + 1);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const TICK: u64 = 1 << TICK_BITS;

    struct Random(u64);

    impl Random {
        fn below(&mut self, n: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.0 >> 33) % n
        }
    }

    /// Against a sorted map: never early, at most one tick late, nothing lost, nothing twice.
    #[test]
    fn behaves_like_a_sorted_map() {
        for seed in 0..40 {
            let mut random = Random(seed);
            let (mut wheel, mut model) = (Wheel::new(), BTreeMap::new());
            let mut now = Time(random.below(1 << 40));
            for _ in 0..3_000 {
                let token = random.below(60) as u32;
                match random.below(4) {
                    0 | 1 => {
                        let spans = [TICK * 3, 600_000, 33_000_000, 1_000_000_000, 200_000_000_000];
                        let span = spans[random.below(5) as usize];
                        let at = Time(now.0 + random.below(span));
                        wheel.set(now, token, at);
                        model.insert(token, at);
                    }
                    2 => {
                        wheel.cancel(token);
                        model.remove(&token);
                    }
                    _ => {
                        let spans = [TICK, 2_000_000, 40_000_000, 3_000_000_000];
                        let span = spans[random.below(4) as usize];
                        now.0 += random.below(span);
                        while let Some(token) = wheel.pop(now) {
                            let at = model.remove(&token).expect("popped once");
                            assert!(at <= now, "early");
                        }
                        for at in model.values() {
                            assert!(at.0 + TICK > now.0, "late by {}", now.0 - at.0);
                        }
                    }
                }
                assert_eq!(wheel.len, model.len());
                let soonest = model.values().min();
                assert_eq!(wheel.next().is_none(), soonest.is_none());
                if let (Some(next), Some(at)) = (wheel.next(), soonest) {
                    assert!(next.0 < at.0.max(now.0) + 2 * TICK, "would oversleep");
                }
            }
        }
    }

    #[test]
    fn waking_when_told_reaches_every_deadline() {
        let mut wheel = Wheel::new();
        for token in 0..200 {
            wheel.set(Time(0), token, Time(u64::from(token) * 977_777));
        }
        let (mut seen, mut wakes) = (0, 0);
        while let Some(next) = wheel.next() {
            wakes += 1;
            while let Some(token) = wheel.pop(next) {
                assert!(u64::from(token) * 977_777 <= next.0);
                seen += 1;
            }
        }
        assert_eq!(seen, 200);
        assert!(wakes < 400, "{wakes} wake-ups for 200 deadlines");
    }
}
