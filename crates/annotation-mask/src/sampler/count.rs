//! Counting the known values of a mask in bins, block by block.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use array_core::{Array, ArrayError, Block, Element, Scalar, fold_blocks, walk_blocks};
use geometry::{MAX_DIMS, Window};
use ndarray::{ArrayViewD, Axis};

use super::table::Table;
use crate::error::MaskError;
use crate::planes::{len_of, plane_mut, with_scratch};

/// Small blocks are counted in rows and layers of so many voxels before their counts are added up.
const UNIT_VOXELS: usize = 1 << 18;

/// So many zeros and ones can be summed in a byte.
const MAX_ROWS: u32 = 255;

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
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    let stride = len_of(shape);
    if let Some(voxels) = view.to_slice() {
        return Values { voxels, strides: &strides, stride }.count(channels, bins, place, table);
    }
    // Only the channels that count are put in order.
    with_scratch(len_of(&[channels.len(), stride]), |buffer: &mut [u8]| {
        for (part, &channel) in buffer.chunks_exact_mut(stride).zip(channels) {
            let channel: ArrayViewD<'_, u8> = view.index_axis(Axis(0), channel);
            plane_mut(shape, part).assign(&channel);
        }
        let all: Vec<usize> = (0..channels.len()).collect();
        Values { voxels: buffer, strides: &strides, stride }.count(&all, bins, place, table)
    })
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

/// The values of a block: rows without gaps.
struct Values<'a> {
    voxels: &'a [u8],
    /// How far neighbours lie apart along each spatial axis.
    strides: &'a [usize],
    /// How far channels lie apart.
    stride: usize,
}

impl Values<'_> {
    fn count(
        &self,
        channels: &[usize],
        bins: &[Bins],
        place: &[usize],
        table: &mut Table,
    ) -> Result<(), MaskError> {
        let width = bins.last().and_then(|bins| bins.ends.last()).copied().unwrap_or(0);
        let mut sums = Sums { columns: vec![0; width], rows: 0, seen: 0 };
        let outer = bins.len() - 1;
        self.count_boxes(
            &mut Boxes { channels, bins, place, table, outer },
            &mut sums,
            [(0, 0); MAX_DIMS],
            0,
            0,
        );
        match sums.seen {
            0 | 1 => Ok(()),
            _ => {
                let channels = channels.iter().map(|channel| channel * self.stride);
                let mut values =
                    channels.flat_map(|begin| &self.voxels[begin..begin + self.stride]);
                let wrong = values.find(|&&value| value > 1);
                Err(not_known_or_unknown(wrong.copied().unwrap_or(sums.seen)))
            }
        }
    }

    /// Goes through the bins of all axes but the last.
    fn count_boxes(
        &self,
        boxes: &mut Boxes<'_>,
        sums: &mut Sums,
        mut ranges: [(usize, usize); MAX_DIMS],
        axis: usize,
        index: usize,
    ) {
        let bins = boxes.bins;
        let index = index * boxes.table.shape()[axis] + boxes.place[axis];
        if axis == boxes.outer {
            for &channel in boxes.channels {
                self.add_rows(boxes, sums, &ranges, 0, channel * self.stride, index);
            }
            sums.flush(&bins[axis], &mut boxes.table.values_mut()[index..]);
            return;
        }
        for (bin, range) in bins[axis].ranges().enumerate() {
            ranges[axis] = (range.start, range.end);
            self.count_boxes(boxes, sums, ranges, axis + 1, index + bin);
        }
    }

    /// Sums up the rows of one channel in one bin of each axis but the last.
    fn add_rows(
        &self,
        boxes: &mut Boxes<'_>,
        sums: &mut Sums,
        ranges: &[(usize, usize); MAX_DIMS],
        axis: usize,
        begin: usize,
        index: usize,
    ) {
        if axis == boxes.outer {
            if sums.rows == MAX_ROWS {
                sums.flush(&boxes.bins[axis], &mut boxes.table.values_mut()[index..]);
            }
            return sums.add(&self.voxels[begin..]);
        }
        for voxel in ranges[axis].0..ranges[axis].1 {
            self.add_rows(boxes, sums, ranges, axis + 1, begin + voxel * self.strides[axis], index);
        }
    }
}

/// What is counted, and where.
struct Boxes<'a> {
    channels: &'a [usize],
    bins: &'a [Bins],
    place: &'a [usize],
    table: &'a mut Table,
    /// The number of axes but the last.
    outer: usize,
}

/// Rows that were summed up, column by column, in bytes: whole vectors of them at once.
struct Sums {
    columns: Vec<u8>,
    rows: u32,
    /// All bits that any value had.
    seen: u8,
}

impl Sums {
    /// Adds the row that `values` begins with.
    fn add(&mut self, values: &[u8]) {
        let mut seen = 0;
        for (sum, &value) in self.columns.iter_mut().zip(values) {
            // Exact for zeros and ones; anything else is an error in the end.
            *sum = sum.wrapping_add(value);
            seen |= value;
        }
        self.seen |= seen;
        self.rows += 1;
    }

    /// Adds the sums to a row of the table, bin by bin.
    fn flush(&mut self, bins: &Bins, row: &mut [u64]) {
        for (known, range) in row.iter_mut().zip(bins.ranges()) {
            *known += self.columns[range].iter().map(|&sum| u64::from(sum)).sum::<u64>();
        }
        self.columns.fill(0);
        self.rows = 0;
    }
}
