//! Chance for one transport, from a seed that its owner drew.

use aws_lc_rs::digest::{Context, SHA256};

/// A stream of numbers that cannot be guessed without the seed.
pub(super) struct Chance {
    seed: [u8; 32],
    count: u64,
}

impl Chance {
    pub fn new(seed: [u8; 32]) -> Self {
        Self { seed, count: 0 }
    }

    pub fn number(&mut self) -> u64 {
        self.count += 1;
        let mut context = Context::new(&SHA256);
        context.update(&self.seed);
        context.update(&self.count.to_be_bytes());
        let mut number = [0; 8];
        number.copy_from_slice(&context.finish().as_ref()[..8]);
        u64::from_be_bytes(number)
    }
}
