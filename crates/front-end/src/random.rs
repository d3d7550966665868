//! The worker's generator: seeded once from the operating system (or by the simulator), then a ChaCha8 stream.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Draws branches, tags and tie-breaks.
pub struct Random(ChaCha8Rng);

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Random {
    /// The same seed gives the same draws.
    pub fn new(seed: [u8; 32]) -> Self {
        Random(ChaCha8Rng::from_seed(seed))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Ten letters that no one can guess (60 bits), fit for branches and tags.
    pub fn letters(&mut self) -> [u8; 10] {
        let bits = self.bits();
        std::array::from_fn(|at| LETTERS[(bits >> (6 * at) & 63) as usize])
    }

    /// Sixteen random bytes, for a key of this process.
    pub fn bytes16(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// A number in `0..=most`.
    pub fn up_to(&mut self, most: u32) -> u32 {
        (self.bits() % (u64::from(most) + 1)) as u32
    }

    /// The generator itself, for engines that take one.
    pub fn rng(&mut self) -> &mut impl RngCore {
        &mut self.0
    }
}
