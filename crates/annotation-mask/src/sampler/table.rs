//! Tables of counts, and sums over boxes of them.

use std::ops::Range;

use array_core::{ArrayError, DType, check_memory};

use crate::planes::len_of;

/// Counts in C order.
#[derive(Debug)]
pub(super) struct Table {
    shape: Vec<usize>,
    // Invariant: one for each index of the shape.
    values: Vec<u64>,
}

impl Table {
    /// A table of zeros.
    ///
    /// # Errors
    ///
    /// [`ArrayError::TooLarge`] if there is no memory for it.
    pub(super) fn zeros(shape: &[usize]) -> Result<Self, ArrayError> {
        let len = len_of(shape);
        let bytes = len.saturating_mul(size_of::<u64>()) as u64;
        check_memory(Some(bytes), || format!("a table of {shape:?} counts"))?;
        let mut values = Vec::new();
        if values.try_reserve_exact(len).is_err() {
            return Err(ArrayError::TooLarge { dtype: DType::U64, shape: shape.to_vec() });
        }
        values.resize(len, 0);
        Ok(Self { shape: shape.to_vec(), values })
    }

    pub(super) fn shape(&self) -> &[usize] {
        &self.shape
    }

    pub(super) fn values(&self) -> &[u64] {
        &self.values
    }

    pub(super) fn into_values(self) -> Vec<u64> {
        self.values
    }

    pub(super) fn values_mut(&mut self) -> &mut [u64] {
        &mut self.values
    }

    /// Adds a smaller table to the part of this one that begins at `place`.
    pub(super) fn add(&mut self, part: &Self, place: &[usize]) {
        let width = part.shape.last().copied().unwrap_or(1).max(1);
        let begins = self.row_begins(&part.shape, place);
        for (begin, row) in begins.into_iter().zip(part.values.chunks_exact(width)) {
            let sums = &mut self.values[begin..begin + width];
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
    }

    /// The values in the part of this table that begins at `place`, in C order.
    pub(super) fn part(&self, shape: &[usize], place: &[usize]) -> Vec<u64> {
        let width = shape.last().copied().unwrap_or(1);
        let begins = self.row_begins(shape, place).into_iter();
        begins.flat_map(|begin| &self.values[begin..begin + width]).copied().collect()
    }

    /// Where the rows of a part begin, in C order.
    fn row_begins(&self, shape: &[usize], place: &[usize]) -> Vec<usize> {
        let last = shape.len() - 1;
        let begin_of = |row: usize| {
            let (mut rest, mut begin, mut stride) = (row, place[last], self.shape[last]);
            for axis in (0..last).rev() {
                begin += (place[axis] + rest % shape[axis]) * stride;
                rest /= shape[axis];
                stride *= self.shape[axis];
            }
            begin
        };
        (0..shape[..last].iter().product()).map(begin_of).collect()
    }

    /// The sums of `len` neighbours along an axis, for each place where so many fit.
    pub(super) fn window_sums(&self, axis: usize, len: usize) -> Self {
        let inner = self.inner(axis);
        let (extent, count) = (self.shape[axis], self.shape[axis] + 1 - len);
        let mut sums = Vec::with_capacity(self.values.len() / extent.max(1) * count);
        let mut running = vec![0; inner];
        for slab in self.values.chunks_exact((inner * extent).max(1)) {
            running.fill(0);
            let (first, rest) = slab.split_at(len * inner);
            for line in first.chunks_exact(inner) {
                running.iter_mut().zip(line).for_each(|(sum, value)| *sum += value);
            }
            sums.extend_from_slice(&running);
            for (old, new) in slab.chunks_exact(inner).zip(rest.chunks_exact(inner)) {
                for ((sum, old), new) in running.iter_mut().zip(old).zip(new) {
                    *sum = *sum + new - old;
                }
                sums.extend_from_slice(&running);
            }
        }
        let mut shape = self.shape.clone();
        shape[axis] = count;
        Self { shape, values: sums }
    }

    /// Turns each entry into the sum of all that do not lie behind it along any axis, as
    /// [`Table::box_sum`] needs it.
    pub(super) fn accumulate(&mut self) {
        for axis in 0..self.shape.len() {
            let inner = self.inner(axis);
            let slab = (inner * self.shape[axis]).max(1);
            for slab in self.values.chunks_exact_mut(slab) {
                for index in inner..slab.len() {
                    slab[index] += slab[index - inner];
                }
            }
        }
    }

    /// The sum over a box of what was in the table before [`Table::accumulate`].
    pub(super) fn box_sum(&self, range_of: impl Fn(usize) -> Range<usize>) -> u64 {
        let dims = self.shape.len();
        let mut sum = 0_u64;
        'corners: for corner in 0..1_usize << dims {
            let (mut index, mut is_negative) = (0, false);
            for axis in 0..dims {
                let range = range_of(axis);
                let is_low = corner >> axis & 1 == 1;
                is_negative ^= is_low;
                let behind = if is_low { range.start } else { range.end };
                let Some(last) = behind.checked_sub(1) else { continue 'corners };
                index = index * self.shape[axis] + last;
            }
            // The sum of all corners is right whatever happens to 64 bits in between.
            let value = self.values[index];
            sum = if is_negative { sum.wrapping_sub(value) } else { sum.wrapping_add(value) };
        }
        sum
    }

    /// How far neighbours along an axis lie apart.
    fn inner(&self, axis: usize) -> usize {
        self.shape[axis + 1..].iter().product()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, ArrayViewD, Slice};

    use super::*;

    fn counted(shape: &[usize]) -> Table {
        let mut table = Table::zeros(shape).unwrap();
        let values = table.values_mut().iter_mut().enumerate();
        values.for_each(|(index, value)| *value = (index as u64 * 31 + 7) % 101);
        table
    }

    fn array(table: &Table) -> ArrayD<u64> {
        ArrayViewD::from_shape(table.shape(), table.values()).unwrap().to_owned()
    }

    fn part(array: &ArrayD<u64>, ranges: &[Range<usize>]) -> ArrayD<u64> {
        let slice = |axis: ndarray::AxisDescription| Slice::from(ranges[axis.axis.index()].clone());
        array.slice_each_axis(slice).to_owned()
    }

    #[test]
    fn sums_of_windows_and_boxes_are_those_of_adding_up() {
        for shape in [vec![7], vec![3, 5], vec![4, 1, 6], vec![2, 3, 2, 4]] {
            let (table, dims) = (counted(&shape), shape.len());
            let all = array(&table);
            for axis in 0..dims {
                for len in 1..=shape[axis] {
                    let sums = array(&table.window_sums(axis, len));
                    assert_eq!(sums.shape()[axis], shape[axis] + 1 - len);
                    for (index, &sum) in sums.indexed_iter() {
                        let mut ranges: Vec<_> =
                            (0..dims).map(|a| index[a]..index[a] + 1).collect();
                        ranges[axis] = index[axis]..index[axis] + len;
                        assert_eq!(sum, part(&all, &ranges).sum());
                    }
                }
            }
            let mut sums = counted(&shape);
            sums.accumulate();
            for (low, _) in all.indexed_iter() {
                for (high, _) in all.indexed_iter() {
                    let ranges: Vec<_> =
                        (0..dims).map(|a| low[a]..(high[a] + 1).max(low[a])).collect();
                    let expected = part(&all, &ranges).sum();
                    assert_eq!(sums.box_sum(|axis| ranges[axis].clone()), expected, "{ranges:?}");
                }
            }
        }
    }

    #[test]
    fn a_part_is_added_and_read_at_its_place() {
        for (shape, small, place) in
            [(vec![5], vec![2], vec![3]), (vec![4, 3, 5], vec![2, 3, 2], vec![1, 0, 3])]
        {
            let (mut table, part_table) = (counted(&shape), counted(&small));
            let mut expected = array(&table);
            let slice = |axis: ndarray::AxisDescription| {
                let axis = axis.axis.index();
                Slice::from(place[axis]..place[axis] + small[axis])
            };
            let mut place_in_it = expected.slice_each_axis_mut(slice);
            place_in_it += &array(&part_table);
            table.add(&part_table, &place);
            assert_eq!(array(&table), expected);
            let found = table.part(&small, &place);
            let ranges: Vec<_> = place.iter().zip(&small).map(|(&p, &n)| p..p + n).collect();
            assert_eq!(found, part(&expected, &ranges).into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_table_beyond_the_machine_is_an_error() {
        let error = Table::zeros(&[1 << 40, 1 << 40]).unwrap_err();
        assert!(matches!(error, ArrayError::OverMemoryLimit { .. }), "{error}");
    }
}
