//! Numbers that are the same in every run.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// Random numbers from a fixed seed.
pub(super) struct Random(ChaCha8Rng);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `bound`, which is above 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        // That some numbers come more often, by one in 2^32, does not matter here.
        let number = self.0.next_u64() % u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(number).unwrap_or(0)
    }
}
