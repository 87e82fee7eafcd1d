//! The walk over the blocks of a grid that meet a box.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "128 bits hold the sums and products of 64-bit bounds"
)]

use crate::{GeometryError, integer, per_axis::PerAxis};

/// How one axis of a box is cut into blocks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cuts {
    begin: i128,
    end: i128,
    origin: i128,
    size: i128,
    first: i128,
    stop: i128,
}

impl Cuts {
    /// Cuts `begin..end` at the multiples of `size` away from `origin`. The size is positive.
    pub(crate) fn new((begin, end): (i128, i128), origin: i128, size: i128) -> Self {
        let first = integer::floor(begin - origin, size);
        let stop = if begin < end { integer::ceil(end - origin, size) } else { first };
        Self { begin, end, origin, size, first, stop }
    }

    fn piece(&self, index: i128) -> (i128, i128) {
        let begin = self.origin + index * self.size;
        (begin.max(self.begin), (begin + self.size).min(self.end))
    }

    fn count(&self) -> Option<usize> {
        usize::try_from(self.stop - self.first).ok()
    }
}

/// Bounds of blocks in row-major order: the last axis runs fastest.
#[derive(Clone)]
pub(crate) struct BlockWalk {
    cuts: PerAxis<Cuts>,
    next: Option<PerAxis<i128>>,
    // None if there are more blocks than a usize can count.
    remaining: Option<usize>,
}

impl BlockWalk {
    pub(crate) fn new(cuts: PerAxis<Cuts>) -> Self {
        let is_empty = cuts.as_slice().iter().any(|cuts| cuts.first == cuts.stop);
        let count = || {
            cuts.as_slice()
                .iter()
                .try_fold(1_usize, |product, cuts| product.checked_mul(cuts.count()?))
        };
        Self {
            next: (!is_empty).then(|| cuts.map(|cuts| cuts.first)),
            remaining: if is_empty { Some(0) } else { count() },
            cuts,
        }
    }

    fn after(&self, mut index: PerAxis<i128>) -> Option<PerAxis<i128>> {
        for (entry, cuts) in index.as_mut_slice().iter_mut().zip(self.cuts.as_slice()).rev() {
            *entry += 1;
            if *entry < cuts.stop {
                return Some(index);
            }
            *entry = cuts.first;
        }
        None
    }

    fn bounds(&self, index: &PerAxis<i128>) -> Result<PerAxis<(i128, i128)>, GeometryError> {
        self.cuts.try_zip(index, |cuts, index| Ok(cuts.piece(index)))
    }
}

impl Iterator for BlockWalk {
    type Item = PerAxis<(i128, i128)>;

    fn next(&mut self) -> Option<Self::Item> {
        let index = self.next?;
        self.next = self.after(index);
        self.remaining = self.remaining.and_then(|remaining| remaining.checked_sub(1));
        Some(self.bounds(&index).expect("the index has the dims of the cuts"))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining.unwrap_or(usize::MAX), self.remaining)
    }
}
