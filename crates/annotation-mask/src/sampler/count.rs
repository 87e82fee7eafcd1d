//! Counting the known values of a mask in bins, block by block.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use array_core::{Array, ArrayError, Block, Element, Scalar, fold_blocks, vectorized, walk_blocks};
use geometry::{MAX_DIMS, Window};
use ndarray::{ArrayViewD, ArrayViewMutD, Axis};

use super::table::Table;
use crate::error::MaskError;
use crate::planes::{len_of, plane_mut, with_scratch};

/// Small blocks are counted in rows and layers of so many voxels before their counts are added up.
const UNIT_VOXELS: usize = 1 << 18;

/// The largest sum of zeros and ones that a byte holds.
const MAX_SUM: usize = 255;

/// Counts the known values of some channels of a mask in `window` (in voxels), in bins: `bin_of` says for an
/// axis and a voxel in which bin of a table of `shape` it is. Neighbours are in the same bin or in
/// neighbouring ones, in order.
///
/// Blocks are read in parallel; beside the table, memory holds a block for each thread.
///
/// # Errors
///
/// [`MaskError::NotMask`] for a value that is neither 0 nor 1; those of the mask.
pub(super) fn count_known<A: Array + ?Sized>(
    mask: &A,
    channels: &[usize],
    window: &Window,
    shape: &[usize],
    bin_of: &(impl Fn(usize, usize) -> usize + Sync),
) -> Result<Table, MaskError> {
    let info = mask.info();
    let table = Mutex::new(Table::zeros(shape)?);
    let blocks = info.blocks();
    let work = |unit: &Window, ()| {
        let unit_bins = Bins::of_window(unit, bin_of);
        let extents: Vec<usize> = unit_bins.iter().map(|bins| bins.ends.len()).collect();
        let mut part = Table::zeros(&extents)?;
        walk_blocks(unit, blocks, (), &mut |block, ()| {
            let bins = Bins::of_window(block, bin_of);
            let axes = bins.iter().zip(&unit_bins);
            let place: Vec<usize> = axes.map(|(bins, unit)| bins.first - unit.first).collect();
            let mut counted = Ok(());
            mask.visit(block, &mut |voxels| {
                counted = count_block(&voxels, block.shape(), channels, &bins, &place, &mut part);
                Ok(())
            })?;
            counted
        })?;
        let place: Vec<usize> = unit_bins.iter().map(|bins| bins.first).collect();
        // Sums do not depend on the order in which threads get here.
        table.lock().unwrap_or_else(PoisonError::into_inner).add(&part, &place);
        Ok::<_, MaskError>(())
    };
    fold_blocks(window, &blocks.joined(window.stop(), UNIT_VOXELS), (), &work, &|(), ()| ())?;
    Ok(table.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// How the voxels of a window are put into bins along one axis.
struct Bins {
    /// The bin of the first voxel.
    first: usize,
    /// Where each bin ends, counted from the first voxel.
    ends: Vec<usize>,
}

impl Bins {
    fn of_window(window: &Window, bin_of: &impl Fn(usize, usize) -> usize) -> Vec<Self> {
        let axes = window.start().iter().zip(window.stop()).enumerate();
        axes.map(|(axis, (&start, &stop))| Self::new(start..stop, |v| bin_of(axis, v))).collect()
    }

    /// The bins of voxels, of which there is at least one.
    fn new(voxels: Range<usize>, bin_of: impl Fn(usize) -> usize) -> Self {
        let first = bin_of(voxels.start);
        let mut ends = Vec::new();
        for (index, voxel) in voxels.enumerate() {
            let bin = bin_of(voxel) - first;
            ends.resize(bin + 1, index);
            ends[bin] = index + 1;
        }
        Self { first, ends }
    }

    /// The voxels of each bin, counted from the first.
    fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        let begins = std::iter::once(&0).chain(&self.ends);
        begins.zip(&self.ends).map(|(&begin, &end)| begin..end)
    }
}

/// Adds the known values of a block to the part of `table` that begins at `place`.
fn count_block(
    block: &Block<'_>,
    shape: &[usize],
    channels: &[usize],
    bins: &[Bins],
    place: &[usize],
    table: &mut Table,
) -> Result<(), MaskError> {
    let view = match block {
        Block::Constant(value) => {
            if known(*value)? {
                add_ones(channels.len() as u64, bins, place, table)?;
            }
            return Ok(());
        }
        Block::Voxels(view) => view.typed::<u8>()?,
    };
    with_scratch(len_of(shape), |plane: &mut [u8]| {
        // Channel after channel in whole planes, which takes less time than their rows one by one.
        for channels in channels.chunks(MAX_SUM) {
            plane.fill(0);
            for &channel in channels {
                let channel = view.index_axis(Axis(0), channel);
                if add_to_plane(&channel, plane_mut(shape, plane)) > 1 {
                    let wrong = channel.iter().copied().find(|&value| value > 1);
                    return Err(not_known_or_unknown(wrong.unwrap_or(u8::MAX)));
                }
            }
            let strides = strides(shape);
            let plane =
                Plane { sums: plane, strides: &strides, max_rows: MAX_SUM / channels.len() };
            plane.count(&mut Boxes { bins, place, table, outer: bins.len() - 1 });
        }
        Ok(())
    })
}

/// Adds the values of a channel to sums of zeros and ones; all bits that any value has.
fn add_to_plane(channel: &ArrayViewD<'_, u8>, mut sums: ArrayViewMutD<'_, u8>) -> u8 {
    // Exact for zeros and ones; anything else is an error in the end.
    let add = |sum: &mut u8, value: u8| *sum = sum.wrapping_add(value);
    match (channel.as_slice(), sums.as_slice_mut()) {
        (Some(channel), Some(sums)) => vectorized(|| {
            // Bits of its own, which the compiler need not write back for each value.
            let mut seen = 0;
            for (sum, &value) in sums.iter_mut().zip(channel) {
                add(sum, value);
                seen |= value;
            }
            seen
        }),
        _ => {
            let mut seen = 0;
            sums.zip_mut_with(channel, |sum, &value| {
                add(sum, value);
                seen |= value;
            });
            seen
        }
    }
}

/// Adds the voxels of each bin, once for each channel.
fn add_ones(
    channels: u64,
    bins: &[Bins],
    place: &[usize],
    table: &mut Table,
) -> Result<(), ArrayError> {
    let widths: Vec<Vec<u64>> =
        bins.iter().map(|bins| bins.ranges().map(|range| range.len() as u64).collect()).collect();
    let shape: Vec<usize> = widths.iter().map(Vec::len).collect();
    let mut part = Table::zeros(&shape)?;
    for (index, known) in part.values_mut().iter_mut().enumerate() {
        let mut rest = index;
        *known = channels;
        for widths in widths.iter().rev() {
            *known *= widths[rest % widths.len()];
            rest /= widths.len();
        }
    }
    table.add(&part, place);
    Ok(())
}

/// Whether a value of a mask says that something is known.
fn known(value: Scalar) -> Result<bool, MaskError> {
    match value.get::<u8>() {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        Some(other) => Err(not_known_or_unknown(other)),
        None => {
            let (expected, found) = (u8::DTYPE, value.dtype());
            Err(ArrayError::DTypeMismatch { expected, found }.into())
        }
    }
}

fn not_known_or_unknown(value: u8) -> MaskError {
    let reason = format!("a voxel has the value {value}, where a mask has 0 or 1");
    MaskError::NotMask { reason }
}

/// How far neighbours along each axis lie apart in C order.
fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

/// The voxels of a block, each the sum of its channels, in C order.
struct Plane<'a> {
    sums: &'a [u8],
    strides: &'a [usize],
    /// So many of the sums fit into a byte.
    max_rows: usize,
}

/// What is counted, and where.
struct Boxes<'a> {
    bins: &'a [Bins],
    place: &'a [usize],
    table: &'a mut Table,
    /// The number of axes but the last.
    outer: usize,
}

/// Along each axis but the last, the first voxel of a bin and the one behind it.
type Ranges = [(usize, usize); MAX_DIMS];

impl Plane<'_> {
    fn count(&self, boxes: &mut Boxes<'_>) {
        let width = boxes.bins[boxes.outer].ends.last().copied().unwrap_or(0);
        let mut columns = Columns { sums: vec![0; width], rows: 0 };
        self.count_boxes(boxes, &mut columns, Ranges::default(), 0, 0);
    }

    /// Goes through the bins of all axes but the last.
    fn count_boxes(
        &self,
        boxes: &mut Boxes<'_>,
        columns: &mut Columns,
        mut ranges: Ranges,
        axis: usize,
        index: usize,
    ) {
        let bins = boxes.bins;
        let index = index * boxes.table.shape()[axis] + boxes.place[axis];
        if axis == boxes.outer {
            self.add_rows(boxes, columns, &ranges, 0, 0, index);
            columns.flush(&bins[axis], &mut boxes.table.values_mut()[index..]);
            return;
        }
        for (bin, range) in bins[axis].ranges().enumerate() {
            ranges[axis] = (range.start, range.end);
            self.count_boxes(boxes, columns, ranges, axis + 1, index + bin);
        }
    }

    /// Sums up the rows in one bin of each axis but the last.
    fn add_rows(
        &self,
        boxes: &mut Boxes<'_>,
        columns: &mut Columns,
        ranges: &Ranges,
        axis: usize,
        begin: usize,
        index: usize,
    ) {
        if axis == boxes.outer {
            if columns.rows == self.max_rows {
                columns.flush(&boxes.bins[axis], &mut boxes.table.values_mut()[index..]);
            }
            return columns.add(&self.sums[begin..]);
        }
        for voxel in ranges[axis].0..ranges[axis].1 {
            let begin = begin + voxel * self.strides[axis];
            self.add_rows(boxes, columns, ranges, axis + 1, begin, index);
        }
    }
}

/// Sums of rows, column by column, in bytes: whole vectors of them at once.
struct Columns {
    sums: Vec<u8>,
    rows: usize,
}

impl Columns {
    /// Adds the row that `values` begins with.
    fn add(&mut self, values: &[u8]) {
        let values = &values[..self.sums.len()];
        self.sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        self.rows += 1;
    }

    /// Adds the sums to a row of the table, bin by bin.
    fn flush(&mut self, bins: &Bins, row: &mut [u64]) {
        for (known, range) in row.iter_mut().zip(bins.ranges()) {
            *known += self.sums[range].iter().map(|&sum| u64::from(sum)).sum::<u64>();
        }
        self.sums.fill(0);
        self.rows = 0;
    }
}
