//! Which starts are valid, counted exactly.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use array_core::{Array, ArrayError};
use geometry::Window;

use super::cells::Starts;
use super::count::count_known;
use super::table::Table;
use crate::error::MaskError;

/// The known values of each patch of `patch` voxels that begins at one of `starts`, in these channels.
///
/// # Errors
///
/// Those of the mask.
pub(super) fn known_of_patches<A: Array + ?Sized>(
    mask: &A,
    channels: &[usize],
    patch: &[usize],
    starts: &Starts,
) -> Result<Table, MaskError> {
    let axes = || patch.iter().zip(&starts.counts);
    // All patches together.
    let extents: Vec<usize> = axes().map(|(patch, count)| patch + count - 1).collect();
    let window = Window::new(&starts.begin, &extents).map_err(ArrayError::from)?;
    // What lies in the middle along an axis is in all patches, so that its sum is enough: a patch has no
    // more bins than there are starts.
    let lens: Vec<usize> = axes().map(|(&patch, &count)| patch.min(count)).collect();
    let shape = lens.iter().zip(&starts.counts).map(|(len, count)| len + count - 1);
    let shape: Vec<usize> = shape.collect();
    let bin_of = |axis: usize, voxel: usize| {
        let (patch, count) = (patch[axis], starts.counts[axis]);
        match voxel - starts.begin[axis] {
            before if before < count || patch <= count => before,
            inside if inside < patch => count - 1,
            behind => behind - patch + count,
        }
    };
    let mut known = count_known(mask, channels, &window, &shape, &bin_of)?;
    for (axis, &len) in lens.iter().enumerate() {
        known = known.window_sums(axis, len);
    }
    Ok(known)
}

/// Which starts of a cell are valid.
#[derive(Debug)]
pub(super) struct ValidStarts {
    // One bit for each start, in C order, the lowest bit first.
    bits: Vec<u64>,
    count: u64,
}

impl ValidStarts {
    /// Of patches with so many known values, those that have at least `threshold`.
    pub(super) fn new(known: &[u64], threshold: u64) -> Self {
        let mut bits = vec![0; known.len().div_ceil(64)];
        for (word, known) in bits.iter_mut().zip(known.chunks(64)) {
            for (bit, &known) in known.iter().enumerate() {
                *word |= u64::from(known >= threshold) << bit;
            }
        }
        let count = bits.iter().map(|word: &u64| u64::from(word.count_ones())).sum();
        Self { bits, count }
    }

    /// How many starts are valid.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Whether the start of this number is valid.
    pub(super) fn contains(&self, number: u64) -> bool {
        let word = usize::try_from(number / 64).ok().and_then(|word| self.bits.get(word));
        word.is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// The number of the valid start before which `rank` others are valid; none if there are fewer.
    pub(super) fn select(&self, mut rank: u64) -> Option<u64> {
        for (index, &word) in self.bits.iter().enumerate() {
            let ones = u64::from(word.count_ones());
            if rank >= ones {
                rank -= ones;
                continue;
            }
            let mut rest = word;
            for _ in 0..rank {
                rest &= rest - 1;
            }
            return Some(index as u64 * 64 + u64::from(rest.trailing_zeros()));
        }
        None
    }

    fn bytes(&self) -> usize {
        // The entry of the map and of the queue, roughly.
        size_of::<Self>() + self.bits.len() * size_of::<u64>() + 64
    }
}

/// The valid starts of the cells that were counted last, within a limit in bytes.
#[derive(Debug)]
pub(super) struct Kept {
    cells: HashMap<usize, Arc<ValidStarts>>,
    // The same cells, the oldest first.
    order: VecDeque<usize>,
    bytes: usize,
    max_bytes: usize,
}

impl Kept {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { cells: HashMap::new(), order: VecDeque::new(), bytes: 0, max_bytes }
    }

    pub(super) fn get(&self, cell: usize) -> Option<Arc<ValidStarts>> {
        self.cells.get(&cell).map(Arc::clone)
    }

    /// Keeps the starts of a cell that is not kept yet, and drops the oldest ones beyond the limit.
    pub(super) fn keep(&mut self, cell: usize, starts: &Arc<ValidStarts>) {
        self.bytes += starts.bytes();
        self.cells.insert(cell, Arc::clone(starts));
        self.order.push_back(cell);
        while self.bytes > self.max_bytes {
            let Some(oldest) = self.order.pop_front() else { break };
            let dropped = self.cells.remove(&oldest);
            self.bytes -= dropped.map_or(0, |starts| starts.bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_starts_are_found_by_number_and_by_rank() {
        let counts: Vec<u64> = (0..200).map(|number| number * 37 % 50).collect();
        let starts = ValidStarts::new(&counts, 30);
        let valid: Vec<u64> = (0..200).filter(|&number| number * 37 % 50 >= 30).collect();
        assert_eq!(starts.count(), valid.len() as u64);
        for number in 0..300 {
            assert_eq!(starts.contains(number), valid.contains(&number), "{number}");
        }
        let selected: Vec<u64> =
            (0..starts.count()).filter_map(|rank| starts.select(rank)).collect();
        assert_eq!(selected, valid);
        assert_eq!(starts.select(starts.count()), None);
    }

    #[test]
    fn what_is_kept_is_little_more_than_a_bit_for_each_start() {
        let bytes = ValidStarts::new(&[1; 6400], 1).bytes();
        assert!((800..1000).contains(&bytes), "{bytes}");
    }

    #[test]
    fn the_oldest_are_dropped_beyond_the_limit() {
        let starts = Arc::new(ValidStarts::new(&[1; 640], 1));
        let mut kept = Kept::new(3 * starts.bytes());
        for cell in 0..10 {
            kept.keep(cell, &starts);
        }
        let left: Vec<usize> = (0..10).filter(|&cell| kept.get(cell).is_some()).collect();
        assert_eq!(left, [7, 8, 9]);
        assert_eq!((kept.bytes, kept.order.len()), (3 * starts.bytes(), 3));
        let mut kept = Kept::new(0);
        kept.keep(0, &starts);
        assert!(kept.get(0).is_none());
    }
}
