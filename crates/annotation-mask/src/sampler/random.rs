//! Random numbers that are the same on every machine.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// `ChaCha8` with the seed as the first bytes of its key.
///
/// Its stream is a published standard; the ways in which `rand` picks a seed or an integer are left out,
/// since those may change between versions.
#[derive(Debug)]
pub(super) struct Random(ChaCha8Rng);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A number below `bound`, each equally often.
    ///
    /// # Panics
    ///
    /// If `bound` is zero.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        // Numbers from the last, incomplete round of `bound` are drawn again.
        let incomplete = (u64::MAX % bound + 1) % bound;
        loop {
            let number = self.0.next_u64();
            if number <= u64::MAX - incomplete {
                return number % bound;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_below_their_bound_and_each_comes_equally_often() {
        let mut random = Random::new(5);
        let mut counts = [0_u32; 3];
        for _ in 0..30_000 {
            counts[usize::try_from(random.below(3)).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| (9_600..10_400).contains(count)), "{counts:?}");
        // Of the numbers of 64 bits, a third would come twice as often if none were drawn again.
        let (bound, mut low) = (3 << 62, 0_u32);
        for _ in 0..30_000 {
            low += u32::from(random.below(bound) < 1 << 62);
        }
        assert!((9_600..10_400).contains(&low), "{low}");
        assert_eq!(random.below(1), 0);
    }

    #[test]
    fn no_number_is_drawn_again_where_all_rounds_are_complete() {
        let (mut random, mut stream) = (Random::new(5), Random::new(5).0);
        for _ in 0..50 {
            assert_eq!(random.below(1 << 63), stream.next_u64() % (1 << 63));
        }
    }
}
