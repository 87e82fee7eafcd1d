//! Cells: boxes of neighbouring positions, which are judged together.

use crate::error::MaskError;

/// The edge of a cell, as a part of the patch's.
const PARTS_OF_PATCH: usize = 8;

/// The longest edge of a cell, unless memory is short.
const MAX_EDGE: usize = 64;

/// Cells have at least so many voxels, so that what is kept of each is little beside its voxels.
const MIN_VOXELS: u128 = 64;

/// The most entries of a table in which patches are counted: 16 MiB.
const MAX_SLOTS: u128 = 1 << 21;

/// What is kept of each cell: its count, its weight, its state and its place among those to look at.
const BYTES_OF_CELL: u128 = 25;

/// How an array is cut into cells, for patches of one shape.
///
/// The cells are used twice: of voxels, to count the known ones, and of *starts*, the voxels at which a
/// patch can begin. Both have the same edges and begin at voxel 0.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    // Invariant: one entry for each axis; none zero, and no patch longer than the array.
    voxels: Vec<usize>,
    patch: Vec<usize>,
    edges: Vec<usize>,
    // How many cells are counted together along each axis, where many are. Invariant: none zero.
    group: Vec<usize>,
}

/// A box of starts: those of one cell, or of a group of cells.
#[derive(Debug)]
pub(super) struct Starts {
    /// The first of them along each axis.
    pub(super) begin: Vec<usize>,
    /// How many there are along each axis.
    pub(super) counts: Vec<usize>,
}

impl Starts {
    /// The number of starts.
    pub(super) fn len(&self) -> u64 {
        self.counts.iter().map(|&count| count as u64).product()
    }

    /// The start of this number, in C order.
    pub(super) fn at(&self, number: u64) -> Vec<usize> {
        let mut start = self.begin.clone();
        let mut rest = number;
        for (start, &count) in start.iter_mut().zip(&self.counts).rev() {
            let inside = rest % count as u64;
            rest /= count as u64;
            *start += usize::try_from(inside).expect("the rest is below the count");
        }
        start
    }
}

impl Cells {
    /// Cells for patches of `patch` voxels in an array of `voxels`, small enough to tell valid patches from
    /// others, and large enough that what is kept of them takes at most `max_bytes`.
    ///
    /// # Errors
    ///
    /// [`MaskError::SamplerOption`] if that is not possible.
    pub(super) fn new(
        voxels: &[usize],
        patch: &[usize],
        max_bytes: usize,
    ) -> Result<Self, MaskError> {
        let edge = |&patch: &usize| (patch / PARTS_OF_PATCH).clamp(1, MAX_EDGE);
        let mut cells = Self {
            voxels: voxels.to_vec(),
            patch: patch.to_vec(),
            edges: patch.iter().map(edge).collect(),
            group: vec![1; patch.len()],
        };
        // With many axes, short edges are enough for a large table.
        while cells.slots(&cells.edges) > MAX_SLOTS {
            let longest = cells.edges.iter_mut().max();
            longest.into_iter().for_each(|edge| *edge = edge.div_ceil(2));
        }
        loop {
            let bytes = cells.bytes();
            let is_too_large = bytes > max_bytes as u128;
            if !is_too_large && product(&cells.edges) >= MIN_VOXELS {
                return Ok(cells.grouped());
            }
            match cells.grown() {
                Some(grown) => cells = grown,
                None if is_too_large => {
                    return Err(MaskError::SamplerOption {
                        option: "max_bytes",
                        reason: format!(
                            "counts for patches of {patch:?} in {voxels:?} voxels need {bytes} bytes, \
                             more than half of what is allowed"
                        ),
                    });
                }
                None => return Ok(cells.grouped()),
            }
        }
    }

    /// The same with the edge doubled that is shortest beside the patch; none if no edge can be longer.
    fn grown(&self) -> Option<Self> {
        let slots = |edges: &[usize]| self.slots(edges);
        let edges = doubled(&self.edges, &self.patch, &self.voxels, slots)?;
        Some(Self { edges, ..self.clone() })
    }

    /// The same with as many cells counted together as a table has place for.
    fn grouped(self) -> Self {
        let starts_of = |group: &[usize]| -> Vec<usize> {
            group.iter().zip(&self.edges).map(|(group, edge)| group * edge).collect()
        };
        let slots = |group: &[usize]| self.slots(&starts_of(group));
        // The patch in cells, so that groups are like it in form.
        let axes = self.patch.iter().zip(&self.edges);
        let patch: Vec<usize> = axes.map(|(patch, &edge)| patch.div_ceil(edge)).collect();
        let limits = self.start_cells();
        let mut group = self.group.clone();
        while let Some(more) = doubled(&group, &patch, &limits, slots) {
            group = more;
        }
        Self { group, ..self }
    }

    /// The same with so many cells counted together, where few would do for a test.
    #[cfg(test)]
    pub(super) fn with_group(&self, group: Vec<usize>) -> Self {
        Self { group, ..self.clone() }
    }

    /// What is kept of all cells, in bytes.
    fn bytes(&self) -> u128 {
        product(&self.voxel_cells()).saturating_mul(BYTES_OF_CELL)
    }

    /// The entries of the table in which the patches of so many starts along each axis are counted.
    fn slots(&self, starts: &[usize]) -> u128 {
        let axes = starts.iter().zip(&self.patch);
        axes.map(|(&starts, &patch)| starts.min(patch) as u128 + starts as u128 - 1)
            .fold(1, u128::saturating_mul)
    }

    pub(super) fn dims(&self) -> usize {
        self.edges.len()
    }

    /// The extent of the array along each axis.
    pub(super) fn voxels(&self) -> &[usize] {
        &self.voxels
    }

    /// The extent of a patch along each axis.
    pub(super) fn patch(&self) -> &[usize] {
        &self.patch
    }

    /// The extent of a cell along each axis.
    pub(super) fn edges(&self) -> &[usize] {
        &self.edges
    }

    /// How many cells of voxels there are along each axis.
    pub(super) fn voxel_cells(&self) -> Vec<usize> {
        self.voxels.iter().zip(&self.edges).map(|(voxels, &edge)| voxels.div_ceil(edge)).collect()
    }

    /// How many cells of starts there are along each axis: no more than of voxels.
    pub(super) fn start_cells(&self) -> Vec<usize> {
        let axes = (0..self.dims()).map(|axis| self.num_starts(axis).div_ceil(self.edges[axis]));
        axes.collect()
    }

    /// The number of starts along an axis.
    fn num_starts(&self, axis: usize) -> usize {
        self.voxels[axis] - self.patch[axis] + 1
    }

    /// The first start of the cell of this index along an axis, and the number of its starts.
    pub(super) fn starts_along(&self, axis: usize, index: usize) -> (usize, usize) {
        let begin = index * self.edges[axis];
        (begin, self.edges[axis].min(self.num_starts(axis) - begin))
    }

    /// The starts of the cell of this number, counted in C order.
    pub(super) fn starts(&self, cell: usize) -> Starts {
        let places = self.places(cell);
        let axes = places.iter().enumerate().map(|(axis, &place)| self.starts_along(axis, place));
        let (begin, counts) = axes.unzip();
        Starts { begin, counts }
    }

    /// The cells that are counted together with the one of this number, and all of their starts.
    pub(super) fn group(&self, cell: usize) -> (Vec<usize>, Starts) {
        let all = self.start_cells();
        let axes = self.places(cell).into_iter().zip(&self.group);
        let first: Vec<usize> = axes.map(|(place, count)| place / count * count).collect();
        let counts = (0..self.dims()).map(|axis| self.group[axis].min(all[axis] - first[axis]));
        let shape: Vec<usize> = counts.collect();
        let number_of = |index: usize| {
            let (mut rest, mut number, mut stride) = (index, 0, 1);
            for axis in (0..self.dims()).rev() {
                number += (first[axis] + rest % shape[axis]) * stride;
                rest /= shape[axis];
                stride *= all[axis];
            }
            number
        };
        let cells = (0..shape.iter().product()).map(number_of).collect();
        let axes = (0..self.dims()).map(|axis| {
            let (begin, _) = self.starts_along(axis, first[axis]);
            let (last, count) = self.starts_along(axis, first[axis] + shape[axis] - 1);
            (begin, last + count - begin)
        });
        let (begin, counts) = axes.unzip();
        (cells, Starts { begin, counts })
    }

    /// The index of a cell of starts along each axis.
    fn places(&self, cell: usize) -> Vec<usize> {
        let (mut places, mut rest) = (vec![0; self.dims()], cell);
        for (axis, cells) in self.start_cells().into_iter().enumerate().rev() {
            places[axis] = rest % cells;
            rest /= cells;
        }
        places
    }
}

/// The same lengths with the one doubled, up to its limit, that is shortest beside its entry in `beside`,
/// among those that a table has place for; none if there is none.
fn doubled(
    lengths: &[usize],
    beside: &[usize],
    limits: &[usize],
    slots: impl Fn(&[usize]) -> u128,
) -> Option<Vec<usize>> {
    let mut axes: Vec<usize> = (0..lengths.len()).collect();
    axes.retain(|&axis| lengths[axis] < limits[axis]);
    // Fractions are compared by multiplying crosswise.
    let times = |one: usize, two: usize| lengths[one] as u128 * beside[two] as u128;
    axes.sort_by(|&one, &two| times(one, two).cmp(&times(two, one)));
    axes.into_iter().find_map(|axis| {
        let mut lengths = lengths.to_vec();
        lengths[axis] = lengths[axis].saturating_mul(2).min(limits[axis]);
        (slots(&lengths) <= MAX_SLOTS).then_some(lengths)
    })
}

fn product(values: &[usize]) -> u128 {
    values.iter().fold(1, |product, &value| product.saturating_mul(value as u128))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(voxels: &[usize], patch: &[usize], max_bytes: usize) -> Vec<usize> {
        Cells::new(voxels, patch, max_bytes).unwrap().edges
    }

    #[test]
    fn what_is_kept_is_far_less_than_the_volume() {
        const MIB: usize = 1 << 20;
        let cells = Cells::new(&[512; 3], &[64; 3], 64 * MIB).unwrap();
        assert_eq!((&cells.edges[..], &cells.group[..]), (&[8; 3][..], &[8; 3][..]));
        // 6.6 MB for 134 million voxels, whatever the number of channels.
        assert_eq!(cells.bytes(), 64 * 64 * 64 * 25);
        // Small patches have small cells, of which many need memory.
        assert_eq!(edges(&[512; 3], &[4; 3], 512 * MIB), [4; 3]);
        assert_eq!(edges(&[4096; 3], &[64; 3], 64 * MIB), [32; 3]);
        assert_eq!(edges(&[100, 4000, 4000], &[1, 512, 512], 64 * MIB), [1, 64, 64]);
        for (voxels, patch) in [
            (vec![1024; 3], vec![8; 3]),
            (vec![16_384; 3], vec![64; 3]),
            (vec![100_000; 3], vec![1; 3]),
            (vec![64; 4], vec![64; 4]),
            (vec![100; 6], vec![50; 6]),
            (vec![1 << 40], vec![1 << 30]),
        ] {
            let Ok(cells) = Cells::new(&voxels, &patch, 64 * MIB) else {
                assert!(product(&voxels) > 1 << 39, "{voxels:?}");
                continue;
            };
            assert!(cells.bytes() <= 64 << 20, "{cells:?}");
            assert!(cells.bytes() * 2 <= product(&voxels), "{cells:?}");
            let axes = cells.group.iter().zip(&cells.edges);
            let together: Vec<usize> = axes.map(|(group, edge)| group * edge).collect();
            assert!(cells.slots(&together) <= MAX_SLOTS, "{cells:?}");
        }
        assert!(Cells::new(&[1 << 20; 3], &[64; 3], MIB).is_err());
    }

    #[test]
    fn the_edge_grows_that_is_shortest_beside_the_patch_as_far_as_there_is_place() {
        let doubled = |edges: [usize; 2], max_slots: usize| {
            let slots = |edges: &[usize]| {
                if edges.iter().sum::<usize>() > max_slots { u128::MAX } else { 0 }
            };
            doubled(&edges, &[10, 30], &[20, 7], slots)
        };
        assert_eq!(doubled([1, 4], 100), Some(vec![2, 4]));
        assert_eq!(doubled([2, 4], 100), Some(vec![2, 7]));
        assert_eq!(doubled([2, 4], 8), Some(vec![4, 4]));
        assert_eq!(doubled([2, 4], 7), None);
        assert_eq!(doubled([20, 7], 100), None);
    }

    #[test]
    fn a_table_has_an_entry_for_each_voxel_but_one_for_what_all_patches_share() {
        let slots = |starts| Cells::new(&[100], &[5], 1 << 20).unwrap().slots(&[starts]);
        // Patches of 5 voxels from 3 starts: 2 voxels, the one in the middle, and 2 more.
        assert_eq!([1, 3, 5, 8].map(slots), [1, 5, 9, 12]);
    }

    /// Holds all starts against all cells, and all cells against all groups.
    fn check_groups(cells: &Cells) {
        let (voxels, patch) = (cells.voxels(), cells.patch());
        let mut seen = std::collections::BTreeSet::new();
        for cell in 0..cells.start_cells().iter().product() {
            let starts = cells.starts(cell);
            for number in 0..starts.len() {
                let start = starts.at(number);
                let fits = |axis: usize| start[axis] + patch[axis] <= voxels[axis];
                assert!((0..voxels.len()).all(fits));
                assert!(seen.insert(start), "a start is in two cells");
            }
            let (together, starts) = cells.group(cell);
            assert!(together.contains(&cell));
            if together[0] != cell {
                continue;
            }
            assert!(together.iter().all(|&other| cells.group(other).0 == together));
            let sum: u64 = together.iter().map(|&cell| cells.starts(cell).len()).sum();
            assert_eq!((starts.len(), &starts.begin), (sum, &cells.starts(together[0]).begin));
        }
        let positions: usize = voxels.iter().zip(patch).map(|(v, p)| v - p + 1).product();
        assert_eq!(seen.len(), positions);
    }

    #[test]
    fn each_start_is_in_one_cell_and_each_cell_in_one_group() {
        for (voxels, patch) in [
            (vec![9], vec![3]),
            (vec![5, 30], vec![5, 16]),
            (vec![7, 6, 40], vec![2, 6, 33]),
            (vec![5, 50, 130], vec![1, 40, 64]),
        ] {
            let cells = Cells::new(&voxels, &patch, 1 << 20).unwrap();
            check_groups(&cells);
            for size in 1..4 {
                check_groups(&cells.with_group(vec![size; voxels.len()]));
            }
        }
    }
}
