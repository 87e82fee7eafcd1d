//! Making one value of several.

use std::ops::Range;

use ndarray::{ArrayView1, ArrayViewD, ArrayViewMutD, Axis, Ix1};

use crate::dtype::Element;

/// Fills `out`: each element comes from the elements of `views` whose indices lie, along each axis, in
/// the range that `ranges` gives for its index there.
///
/// `combine` gets these elements, which it may change, in no order that it can rely on.
pub(super) fn reduce<'a, T: Element>(
    views: &[ArrayViewD<'a, T>],
    mut out: ArrayViewMutD<'_, T>,
    ranges: &[Vec<Range<usize>>],
    combine: &mut impl FnMut(&mut Vec<T>) -> T,
) {
    let Some((first, rest)) = ranges.split_first() else { return };
    if !rest.is_empty() {
        for (part, range) in out.axis_iter_mut(Axis(0)).zip(first) {
            let parts = |view: &ArrayViewD<'a, T>| {
                let indices = range.clone();
                indices
                    .map(|index| view.clone().index_axis_move(Axis(0), index))
                    .collect::<Vec<_>>()
            };
            let views: Vec<_> = views.iter().flat_map(parts).collect();
            reduce(&views, part, rest, combine);
        }
        return;
    }
    // The last axis: whole rows, so that no view is made for a single element.
    let rows: Vec<ArrayView1<'_, T>> = views
        .iter()
        .map(|view| view.view().into_dimensionality::<Ix1>().expect("one axis is left"))
        .collect();
    let mut values = Vec::new();
    for (element, range) in out.iter_mut().zip(first) {
        values.clear();
        for row in &rows {
            values.extend(range.clone().map(|index| row[index]));
        }
        *element = combine(&mut values);
    }
}

/// An element type of which several become one. There is at least one value.
pub(super) trait Reduce: Element {
    /// The mean.
    fn mean(values: &[Self]) -> Self;

    /// The most frequent, of equally frequent ones the smallest. Changes the order of the values.
    fn mode(values: &mut [Self]) -> Self;
}

/// The longest run of a sorted list, of equally long ones the first.
fn longest_run<T: Element>(sorted: &[T]) -> T {
    let mut best = (0, T::default());
    for run in sorted.chunk_by(|left, right| left == right) {
        if run.len() > best.0 {
            best = (run.len(), run[0]);
        }
    }
    best.1
}

/// The mean of integers, rounded to the nearest, halves up.
fn integer_mean(values: impl ExactSizeIterator<Item = i128>) -> i128 {
    // A sum of 64-bit numbers stays far from 128 bits: that would take 2^63 of them.
    let twice = i128::try_from(values.len()).unwrap_or(i128::MAX).saturating_mul(2);
    let sum = values.fold(0_i128, i128::saturating_add);
    sum.saturating_mul(2).saturating_add(twice / 2).checked_div_euclid(twice).unwrap_or(0)
}

macro_rules! impl_reduce_for_integer {
    ($($type:ty),+) => {
        $(impl Reduce for $type {
            fn mean(values: &[Self]) -> Self {
                let mean = integer_mean(values.iter().map(|&value| i128::from(value)));
                Self::try_from(mean).expect("a mean lies between the smallest and the largest")
            }

            fn mode(values: &mut [Self]) -> Self {
                values.sort_unstable();
                longest_run(values)
            }
        })+
    };
}
impl_reduce_for_integer!(u8, u16, u32, u64, i8, i16, i32, i64);

impl Reduce for bool {
    fn mean(values: &[Self]) -> Self {
        integer_mean(values.iter().map(|&value| i128::from(value))) > 0
    }

    fn mode(values: &mut [Self]) -> Self {
        values.sort_unstable();
        longest_run(values)
    }
}

macro_rules! impl_reduce_for_float {
    ($type:ty, |$mean:ident| $rounded:expr) => {
        impl Reduce for $type {
            fn mean(values: &[Self]) -> Self {
                let first = values[0];
                // Exactly so, or a constant block would differ from the same voxels one by one.
                if values.iter().all(|value| *value == first) {
                    return first;
                }
                let sum: f64 = values.iter().map(|&value| f64::from(value)).sum();
                #[expect(clippy::cast_precision_loss, reason = "a factor is far below 2^53")]
                let $mean = sum / values.len() as f64;
                $rounded
            }

            fn mode(values: &mut [Self]) -> Self {
                values.sort_unstable_by(Self::total_cmp);
                longest_run(values)
            }
        }
    };
}
impl_reduce_for_float!(f64, |mean| mean);
impl_reduce_for_float!(f32, |mean| {
    #[expect(clippy::cast_possible_truncation, reason = "a mean of floats is one of them, rounded")]
    let mean = mean as f32;
    mean
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integer_means_are_rounded_to_the_nearest_and_halves_go_up() {
        assert_eq!(u8::mean(&[1, 2]), 2);
        assert_eq!(u8::mean(&[1, 1, 2]), 1);
        assert_eq!(i8::mean(&[-1, -2]), -1);
        assert_eq!(i8::mean(&[-1, -1, -2]), -1);
        assert_eq!(u64::mean(&[u64::MAX; 8]), u64::MAX);
        assert_eq!(i64::mean(&[i64::MIN; 8]), i64::MIN);
        assert!(bool::mean(&[true, false]));
        assert!(!bool::mean(&[true, false, false]));
    }

    #[test]
    fn the_mode_is_the_smallest_of_the_most_frequent() {
        assert_eq!(u16::mode(&mut [7, 3, 7, 3, 300]), 3);
        assert_eq!(i16::mode(&mut [5, -1, 5]), 5);
        assert!((f32::mode(&mut [0.5, 2.0, 0.5]) - 0.5).abs() < f32::EPSILON);
    }

    #[test]
    fn a_mean_of_equal_floats_is_that_float() {
        assert_eq!(f64::mean(&[0.1; 3]).to_bits(), 0.1_f64.to_bits());
        assert_eq!(f32::mean(&[f32::INFINITY; 2]).to_bits(), f32::INFINITY.to_bits());
        assert_eq!(f32::mean(&[1.0, 2.0]).to_bits(), 1.5_f32.to_bits());
    }
}
