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
    use super::*;

    /// Voxels along one axis, counted one by one.
    fn check(voxels: &[u8], patch: usize) {
        let cells = Cells::new(&[voxels.len()], &[patch], 1 << 20).unwrap();
        let edge = cells.edges()[0];
        let mut known = Table::zeros(&cells.voxel_cells()).unwrap();
        let chunks = voxels.chunks(edge).map(|cell| cell.iter().map(|&v| u64::from(v)).sum());
        known.values_mut().iter_mut().zip(chunks).for_each(|(known, count)| *known = count);
        known.accumulate();
        let bounds = CellBounds::new(&cells, &known, 1);
        for cell in 0..cells.start_cells()[0] {
            let (begin, count) = cells.starts_along(0, cell);
            let of = |start: usize| -> u64 {
                voxels[start..start + patch].iter().map(|&v| u64::from(v)).sum()
            };
            let counts: Vec<u64> = (begin..begin + count).map(of).collect();
            let found = bounds.of(cell);
            assert!(found.lower <= *counts.iter().min().unwrap(), "{found:?} {counts:?}");
            assert!(found.upper >= *counts.iter().max().unwrap(), "{found:?} {counts:?}");
            // What is the same everywhere leaves nothing open.
            if voxels.iter().all(|&v| v == voxels[0]) {
                let all = u64::from(voxels[0]) * patch as u64;
                assert_eq!(found, Bounds { lower: all, upper: all });
            }
        }
    }

    #[test]
    fn bounds_hold_for_every_patch_of_a_cell() {
        for len in [1, 5, 63, 64, 65, 200, 300] {
            for patch in [1, 2, 5, 63, 64, 65, 130, 300] {
                if patch > len {
                    continue;
                }
                let pattern = |v: usize| u8::from(v * v % 7 > 3 || v > 100);
                check(&(0..len).map(pattern).collect::<Vec<_>>(), patch);
                check(&vec![0; len], patch);
                check(&vec![1; len], patch);
            }
        }
    }
}
