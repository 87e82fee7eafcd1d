//! What is known about the mask: which cells may hold valid starts, and how many.

use std::cmp::Reverse;
use std::sync::Arc;

use array_core::{Array, ArrayError, DType};
use geometry::Window;

use super::bounds::CellBounds;
use super::cells::Cells;
use super::count::count_known;
use super::options::{Plan, SamplerOptions};
use super::random::Random;
use super::table::Table;
use super::valid::{Kept, ValidStarts, known_of_patches};
use super::weights::Weights;
use crate::error::MaskError;

/// What is known about the starts of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// None is valid: weight 0.
    Invalid,
    /// All are valid: each counts.
    Valid,
    /// Some are valid, and their number is the weight.
    Mixed,
    /// Nothing: each counts.
    Open,
}

/// Weights of cells of starts.
///
/// A draw takes a rank below the sum of all weights, which names a start: that of its rank among the starts
/// that the cell counts. If nothing is known about its cell, the cell is looked at, and the start is taken
/// if it is valid; otherwise the next rank is drawn.
///
/// Why each valid start is equally likely: the starts that count always contain every valid one, once, and
/// a draw names each of them with the same probability, so that, whatever is known when it is made, it takes
/// any two valid starts with the same probability or draws again. It ends, since a draw that takes nothing
/// has closed a cell, and `new` has seen that there is a valid start.
#[derive(Debug)]
pub(super) struct Index {
    cells: Cells,
    weights: Weights,
    states: Vec<State>,
    kept: Kept,
}

impl Index {
    /// Reads all of the mask once, and goes on until one valid start is known.
    ///
    /// # Errors
    ///
    /// [`MaskError::NothingValid`] if no start is valid; those of the mask.
    pub(super) fn new<A: Array>(
        mask: &A,
        plan: &Plan,
        options: &SamplerOptions,
    ) -> Result<Self, MaskError> {
        let voxels = mask.info().spatial_shape();
        let axes = voxels.iter().map(|&extent| extent as u64);
        if axes.chain([plan.channels.len() as u64]).try_fold(1, u64::checked_mul).is_none() {
            let shape = [&[plan.channels.len()], voxels].concat();
            return Err(ArrayError::TooLarge { dtype: DType::U8, shape }.into());
        }
        let half = options.max_bytes / 2;
        let cells = Cells::new(voxels, &plan.patch, half)?;
        let window = Window::full(voxels).map_err(ArrayError::from)?;
        let cell_of = |axis: usize, voxel: usize| voxel / cells.edges()[axis];
        let shape = cells.voxel_cells();
        let mut known = count_known(mask, &plan.channels, &window, &shape, &cell_of)?;
        known.accumulate();
        let bounds = CellBounds::new(&cells, &known, plan.channels.len() as u64);
        let count = cells.start_cells().iter().product();
        let mut weights = Table::zeros(&[count])?.into_values();
        let mut states = Vec::with_capacity(count);
        // The most known values of a patch that is not valid.
        let mut most = 0;
        for (cell, weight) in weights.iter_mut().enumerate() {
            let of_cell = bounds.of(cell);
            let state = if of_cell.upper < plan.threshold {
                most = most.max(of_cell.upper);
                State::Invalid
            } else {
                *weight = cells.starts(cell).len();
                let all_valid = of_cell.lower >= plan.threshold;
                if all_valid { State::Valid } else { State::Open }
            };
            states.push(state);
        }
        let kept = Kept::new(half);
        let mut index = Self { cells, weights: Weights::new(weights), states, kept };
        if index.states.contains(&State::Valid) {
            return Ok(index);
        }
        let mut open: Vec<usize> =
            (0..count).filter(|&cell| index.states[cell] == State::Open).collect();
        open.sort_unstable_by_key(|&cell| (Reverse(bounds.of(cell).upper), cell));
        for cell in open {
            if index.states[cell] != State::Open {
                continue;
            }
            let known = index.close_group(mask, plan, cell)?;
            if known >= plan.threshold {
                return Ok(index);
            }
            most = most.max(known);
        }
        Err(MaskError::NothingValid {
            shape: plan.patch.clone(),
            min_known: options.min_known,
            most,
            values: plan.values,
        })
    }

    /// A valid start.
    ///
    /// # Errors
    ///
    /// Those of the mask.
    pub(super) fn draw<A: Array>(
        &mut self,
        mask: &A,
        plan: &Plan,
        random: &mut Random,
    ) -> Result<Vec<usize>, MaskError> {
        loop {
            let total = self.weights.total();
            if total == 0 {
                return Err(has_changed());
            }
            let (cell, rank) = self.weights.find(random.below(total));
            let start = match self.states[cell] {
                State::Valid => Some(rank),
                State::Mixed => {
                    let starts = self.valid_starts(mask, plan, cell)?;
                    Some(starts.select(rank).ok_or_else(has_changed)?)
                }
                State::Open => {
                    let starts = self.read_cell(mask, plan, cell)?;
                    let is_valid = starts.contains(rank);
                    self.close(cell, &starts);
                    is_valid.then_some(rank)
                }
                State::Invalid => None,
            };
            if let Some(start) = start {
                return Ok(self.cells.starts(cell).at(start));
            }
        }
    }

    /// The number of valid starts, for which all cells are looked at about which nothing is known.
    ///
    /// # Errors
    ///
    /// Those of the mask.
    pub(super) fn count<A: Array>(&mut self, mask: &A, plan: &Plan) -> Result<u64, MaskError> {
        for cell in 0..self.states.len() {
            if self.states[cell] == State::Open {
                self.close_group(mask, plan, cell)?;
            }
        }
        Ok(self.weights.total())
    }

    /// The valid starts of a cell of which that is known, but may not be kept.
    fn valid_starts<A: Array>(
        &mut self,
        mask: &A,
        plan: &Plan,
        cell: usize,
    ) -> Result<Arc<ValidStarts>, MaskError> {
        if let Some(starts) = self.kept.get(cell) {
            return Ok(starts);
        }
        let starts = self.read_cell(mask, plan, cell)?;
        self.kept.keep(cell, &starts);
        Ok(starts)
    }

    fn read_cell<A: Array>(
        &self,
        mask: &A,
        plan: &Plan,
        cell: usize,
    ) -> Result<Arc<ValidStarts>, MaskError> {
        let starts = self.cells.starts(cell);
        let known = known_of_patches(mask, &plan.channels, &plan.patch, &starts)?;
        Ok(Arc::new(ValidStarts::new(known.values(), plan.threshold)))
    }

    /// Looks at a cell and its neighbours together, which takes a fraction of the time for each, and closes
    /// those that are open; tells the most known values that a patch of them has.
    fn close_group<A: Array>(
        &mut self,
        mask: &A,
        plan: &Plan,
        cell: usize,
    ) -> Result<u64, MaskError> {
        let (cells, all) = self.cells.group(cell);
        let known = known_of_patches(mask, &plan.channels, &plan.patch, &all)?;
        for cell in cells {
            if self.states[cell] == State::Open {
                let starts = self.cells.starts(cell);
                let axes = starts.begin.iter().zip(&all.begin);
                let place: Vec<usize> = axes.map(|(begin, first)| begin - first).collect();
                let known = known.part(&starts.counts, &place);
                self.close(cell, &Arc::new(ValidStarts::new(&known, plan.threshold)));
            }
        }
        Ok(known.values().iter().copied().max().unwrap_or(0))
    }

    /// Notes which starts of an open cell are valid.
    fn close(&mut self, cell: usize, valid: &Arc<ValidStarts>) {
        let all = self.cells.starts(cell).len();
        self.weights.lower(cell, all - valid.count());
        self.states[cell] = match valid.count() {
            0 => State::Invalid,
            count if count == all => State::Valid,
            _ => {
                self.kept.keep(cell, valid);
                State::Mixed
            }
        };
    }
}

/// The error for a mask that is another one than at first.
fn has_changed() -> MaskError {
    let reason = "its voxels have changed since the sampler was made";
    MaskError::NotMask { reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use array_core::{ArrayInfo, MemoryArray};
    use geometry::{Coordinate, VoxelGrid, VoxelSize};
    use ndarray::Array2;

    use super::*;

    #[test]
    fn every_group_of_cells_is_counted_and_each_cell_at_its_place() {
        // Behind the ones, 48 of 64 voxels are known everywhere, so that each cell must be looked at.
        let values =
            Array2::from_shape_fn((1, 1000), |(_, x)| u8::from(x < 200 || x % 64 < 48)).into_dyn();
        let known = |start: usize| (start..start + 64).filter(|&x| values[[0, x]] == 1).count();
        let grid =
            VoxelGrid::new(Coordinate::from([0]), VoxelSize::new(Coordinate::from([4])).unwrap());
        let info = ArrayInfo::new(DType::U8, &["c", "x"], &[1, 1000], grid.unwrap()).unwrap();
        let mask = MemoryArray::new(info, values.clone()).unwrap();
        for (min_known, least) in [(0.7, 45), (0.75, 48), (0.8, 52)] {
            let options = SamplerOptions { min_known, ..SamplerOptions::new(&[64]) };
            let plan = Plan::new(mask.info(), &options).unwrap();
            let mut index = Index::new(&mask, &plan, &options).unwrap();
            index.cells = index.cells.with_group(vec![2]);
            let valid = (0..=936).filter(|&start| known(start) >= least).count() as u64;
            assert_eq!(index.count(&mask, &plan).unwrap(), valid);
        }
    }
}
