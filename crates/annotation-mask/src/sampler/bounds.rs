//! What the counts of cells say about all patches that begin in one cell.

use std::ops::Range;

use super::cells::Cells;
use super::table::Table;

/// How many known values a patch has at least, and at most, whichever start of a cell it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) lower: u64,
    pub(super) upper: u64,
}

/// Along one axis, what the patches meet that begin in one cell.
#[derive(Debug)]
struct Span {
    /// The cells that some patch meets, and their voxels.
    touched: Range<usize>,
    touched_voxels: u64,
    /// The cells that lie in every patch, and their voxels.
    inside: Range<usize>,
    inside_voxels: u64,
}

/// Bounds for all cells of starts.
#[derive(Debug)]
pub(super) struct CellBounds<'a> {
    // One list for each axis, with an entry for each cell of starts.
    spans: Vec<Vec<Span>>,
    known: &'a Table,
    channels: u64,
    /// The values of a patch: voxels and channels.
    values: u64,
}

impl<'a> CellBounds<'a> {
    /// Bounds from the accumulated counts of all cells of voxels, over so many channels. The values of the
    /// whole array fit into 64 bits.
    pub(super) fn new(cells: &Cells, known: &'a Table, channels: u64) -> Self {
        let start_cells = cells.start_cells();
        let axis_spans = |axis: usize| (0..start_cells[axis]).map(move |i| span(cells, axis, i));
        Self {
            spans: (0..cells.dims()).map(|axis| axis_spans(axis).collect()).collect(),
            known,
            channels,
            values: cells.patch().iter().map(|&extent| extent as u64).product::<u64>() * channels,
        }
    }

    /// The bounds for the cell of starts of this number, counted in C order.
    pub(super) fn of(&self, cell: usize) -> Bounds {
        let mut places = [0; geometry::MAX_DIMS];
        let mut rest = cell;
        for (axis, spans) in self.spans.iter().enumerate().rev() {
            places[axis] = rest % spans.len();
            rest /= spans.len();
        }
        let span = |axis: usize| &self.spans[axis][places[axis]];
        let values = |voxels_of: fn(&Span) -> u64| {
            (0..self.spans.len()).map(|axis| voxels_of(span(axis))).product::<u64>() * self.channels
        };
        let touched = self.known.box_sum(|axis| span(axis).touched.clone());
        let inside_values = values(|span| span.inside_voxels);
        let inside = match inside_values {
            0 => 0,
            _ => self.known.box_sum(|axis| span(axis).inside.clone()),
        };
        // What is unknown around a patch may all lie in it, and what is unknown inside does.
        let unknown_touched = values(|span| span.touched_voxels) - touched;
        let unknown_inside = inside_values - inside;
        Bounds {
            lower: inside.max(self.values.saturating_sub(unknown_touched)),
            upper: touched.min(self.values - unknown_inside),
        }
    }
}

fn span(cells: &Cells, axis: usize, index: usize) -> Span {
    let (edge, extent, patch) = (cells.edges()[axis], cells.voxels()[axis], cells.patch()[axis]);
    let (begin, count) = cells.starts_along(axis, index);
    let last = begin + count - 1;
    // The last cell may end where the array does, before its own end.
    let voxels =
        |cells: &Range<usize>| ((cells.end * edge).min(extent) - cells.start * edge) as u64;
    let touched = index..(last + patch).div_ceil(edge);
    let end = if begin + patch == extent { extent.div_ceil(edge) } else { (begin + patch) / edge };
    let first = last.div_ceil(edge);
    let inside = first..end.max(first);
    let inside_voxels = if inside.is_empty() { 0 } else { voxels(&inside) };
    Span { touched_voxels: voxels(&touched), touched, inside, inside_voxels }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn, Slice};

    use super::*;
    use crate::planes::plane_mut;

    /// For each cell of starts, the bounds, and the least and the most known values of its patches, counted
    /// one by one.
    fn bounds(voxels: &ArrayD<u8>, patch: &[usize]) -> Vec<(Bounds, Bounds)> {
        let cells = Cells::new(voxels.shape(), patch, 1 << 20).unwrap();
        let mut known = Table::zeros(&cells.voxel_cells()).unwrap();
        let mut counts = plane_mut(&cells.voxel_cells(), known.values_mut());
        for (voxel, &value) in voxels.indexed_iter() {
            let cell = (0..cells.dims()).map(|axis| voxel[axis] / cells.edges()[axis]);
            counts[IxDyn(&cell.collect::<Vec<_>>())] += u64::from(value);
        }
        known.accumulate();
        let bounds = CellBounds::new(&cells, &known, 1);
        let known_at = |start: &[usize]| -> u64 {
            let patch = voxels.slice_each_axis(|axis| {
                let axis = axis.axis.index();
                Slice::from(start[axis]..start[axis] + patch[axis])
            });
            patch.iter().map(|&value| u64::from(value)).sum()
        };
        let of = |cell: usize| {
            let starts = cells.starts(cell);
            let counts: Vec<u64> = (0..starts.len()).map(|n| known_at(&starts.at(n))).collect();
            let (lower, upper) = (*counts.iter().min().unwrap(), *counts.iter().max().unwrap());
            (bounds.of(cell), Bounds { lower, upper })
        };
        (0..cells.start_cells().iter().product()).map(of).collect()
    }

    fn check(shape: &[usize], value: impl Fn(usize) -> u8, patch: &[usize]) {
        let len = shape.iter().product();
        let values: Vec<u8> = (0..len).map(value).collect();
        let is_constant = values.iter().all(|&value| value == values[0]);
        for (found, exact) in bounds(&ArrayD::from_shape_vec(shape, values).unwrap(), patch) {
            assert!(found.lower <= exact.lower, "{found:?} {exact:?}");
            assert!(found.upper >= exact.upper, "{found:?} {exact:?}");
            // What is the same everywhere leaves nothing open.
            assert!(!is_constant || found == exact, "{found:?} {exact:?}");
        }
    }

    #[test]
    fn bounds_hold_for_every_patch_of_a_cell() {
        let check = |shape: &[usize], patch: &[usize]| {
            check(shape, |v| u8::from(v * v % 7 > 3 || v > 100), patch);
            check(shape, |_| 0, patch);
            check(shape, |_| 1, patch);
        };
        for len in [1, 5, 63, 64, 65, 200, 300] {
            for patch in [1, 2, 5, 63, 64, 65, 130, 300] {
                if patch <= len {
                    check(&[len], &[patch]);
                }
            }
        }
        check(&[17, 40], &[9, 17]);
        check(&[9, 7, 12], &[9, 3, 8]);
    }

    #[test]
    fn bounds_leave_nothing_open_where_patches_lose_as_much_as_they_gain() {
        // Cells are 4 * 16 voxels large. In every patch that begins in the second one are columns 32 to 79,
        // and 16 of the 16 before and the 16 behind these.
        let columns = |inside: u8| {
            let value =
                |voxel: IxDyn| if (32..80).contains(&voxel[1]) { inside } else { 1 - inside };
            ArrayD::from_shape_fn([17, 128].as_slice(), value)
        };
        for (inside, known) in [(1, 17 * 48), (0, 17 * 16)] {
            let (found, exact) = bounds(&columns(inside), &[17, 64])[1];
            assert_eq!(exact, Bounds { lower: known, upper: known });
            assert_eq!(found, exact);
        }
    }
}
