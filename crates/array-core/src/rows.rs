//! Rows: the runs of voxels along the last axis.
//!
//! Working on whole rows, which are mostly slices, is several times faster than on the elements of a
//! view one by one.

use crate::hardware::vectorized;
use ndarray::{ArrayView1, ArrayViewD, ArrayViewMut1, ArrayViewMutD, Axis, Ix1, Ix2};

/// Calls `visit` with each row (the last axis) of `view`, in C order.
///
/// ```
/// use array_core::for_each_row;
///
/// let labels = ndarray::array![[1_u8, 1, 2], [3, 3, 3]].into_dyn();
/// let mut uniform = 0;
/// for_each_row(labels.view(), &mut |row| {
///     uniform += usize::from(row.iter().all(|&label| label == row[0]));
/// });
/// assert_eq!(uniform, 1);
/// ```
pub fn for_each_row<T>(view: ArrayViewD<'_, T>, visit: &mut impl FnMut(ArrayView1<'_, T>)) {
    match view.ndim() {
        0 => for_each_row(view.insert_axis(Axis(0)), visit),
        1 => visit(typed::<_, Ix1>(view)),
        2 => typed::<_, Ix2>(view).rows().into_iter().for_each(visit),
        _ => view.axis_iter(Axis(0)).for_each(|part| for_each_row(part, visit)),
    }
}

/// Elements that follow one another in C order.
pub(crate) enum Run<'a, T> {
    /// Neighbours in memory, as many as there are.
    Slice(&'a mut [T]),
    /// A row with gaps.
    Strided(ArrayViewMut1<'a, T>),
}

/// Calls `visit` with the elements of `view` in C order, in runs as long as its memory order allows.
#[inline]
pub(crate) fn for_each_run_mut<T>(
    mut view: ArrayViewMutD<'_, T>,
    visit: &mut impl FnMut(Run<'_, T>),
) {
    if let Some(run) = view.as_slice_mut() {
        return visit(Run::Slice(run));
    }
    match view.ndim() {
        0 => unreachable!("a single element has no gaps"),
        1 => visit(Run::Strided(typed::<_, Ix1>(view))),
        2 => {
            for mut row in typed::<_, Ix2>(view).axis_iter_mut(Axis(0)) {
                match row.as_slice_mut() {
                    Some(run) => visit(Run::Slice(run)),
                    None => visit(Run::Strided(row)),
                }
            }
        }
        _ => view.axis_iter_mut(Axis(0)).for_each(|part| for_each_run_mut(part, visit)),
    }
}

/// Calls `visit` with each row (the last axis) of `view` and the row of `out` at the same place, in C
/// order; `out` has the same shape, and rows without gaps.
///
/// Where `visit` is inlined, it is compiled for the vectors that the machine has.
///
/// # Panics
///
/// If the shapes differ, or the elements of a row of `out` are not neighbours in memory.
pub fn for_each_row_pair<T, P>(
    view: ArrayViewD<'_, T>,
    mut out: ArrayViewMutD<'_, P>,
    visit: &mut impl FnMut(ArrayView1<'_, T>, &mut [P]),
) {
    const GAPS: &str = "the caller's rows have no gaps";
    assert_eq!(view.shape(), out.shape(), "rows are paired by their place");
    match (view.ndim(), view.to_slice(), out.as_slice_mut()) {
        // Without gaps on both sides, all rows are one.
        (_, Some(view), Some(out)) => vectorized(|| visit(view.into(), out)),
        (0, ..) => unreachable!("a single element has no gaps"),
        (1, ..) => visit(typed::<_, Ix1>(view), typed::<_, Ix1>(out).into_slice().expect(GAPS)),
        (2, ..) => {
            let (rows, mut outs) = (typed::<_, Ix2>(view), typed::<_, Ix2>(out));
            vectorized(|| {
                for (row, out) in rows.outer_iter().zip(outs.axis_iter_mut(Axis(0))) {
                    visit(row, out.into_slice().expect(GAPS));
                }
            });
        }
        _ => {
            for (view, out) in view.outer_iter().zip(out.outer_iter_mut()) {
                for_each_row_pair(view, out, visit);
            }
        }
    }
}

/// Sets every element, run by run.
pub fn fill_rows<T: Copy>(view: ArrayViewMutD<'_, T>, value: T) {
    for_each_run_mut(view, &mut |run| match run {
        Run::Slice(run) => run.fill(value),
        Run::Strided(mut run) => run.fill(value),
    });
}

/// A view whose number of axes was just looked at.
fn typed<S: ndarray::RawData, D: ndarray::Dimension>(
    view: ndarray::ArrayBase<S, ndarray::IxDyn>,
) -> ndarray::ArrayBase<S, D> {
    view.into_dimensionality().expect("the number of axes was looked at")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_in_c_order_whatever_the_memory_order() {
        let values: Vec<u16> = (0..24).collect();
        for shape in [vec![24], vec![4, 6], vec![2, 3, 4], vec![2, 2, 2, 3]] {
            let c_order = ndarray::ArrayD::from_shape_vec(shape, values.clone()).unwrap();
            let mut f_order = c_order.t().as_standard_layout().into_owned();
            f_order = f_order.reversed_axes();
            for array in [&c_order, &f_order] {
                let mut seen = Vec::new();
                for_each_row(array.view(), &mut |row| seen.extend(row.iter().copied()));
                assert_eq!(seen, values);
            }
        }
    }

    #[test]
    fn a_single_element_is_a_row() {
        let mut seen = Vec::new();
        for_each_row(ndarray::arr0(7).into_dyn().view(), &mut |row| seen.push(row.to_vec()));
        assert_eq!(seen, [[7]]);
        let mut out = ndarray::arr0(0).into_dyn();
        let mut pairs = 0;
        for_each_row_pair(ndarray::arr0(7).into_dyn().view(), out.view_mut(), &mut |row, out| {
            pairs += 1;
            out.copy_from_slice(row.as_slice().unwrap());
        });
        assert_eq!((pairs, out), (1, ndarray::arr0(7).into_dyn()));
    }

    #[test]
    fn runs_are_as_long_as_the_memory_allows() {
        let runs = |view: ArrayViewMutD<'_, i32>| {
            let mut lens = Vec::new();
            for_each_run_mut(view, &mut |run| {
                lens.push(match run {
                    Run::Slice(run) => (run.len(), true),
                    Run::Strided(run) => (run.len(), false),
                });
            });
            lens
        };
        let mut values = ndarray::Array3::<i32>::zeros((2, 3, 4));
        assert_eq!(runs(values.view_mut().into_dyn()), [(24, true)]);
        assert_eq!(runs(values.slice_mut(ndarray::s![.., .., 1..]).into_dyn()), [(3, true); 6]);
        assert_eq!(runs(values.slice_mut(ndarray::s![.., 0, ..;2]).into_dyn()), [(2, false); 2]);
        assert_eq!(runs(values.slice_mut(ndarray::s![1, .., 1]).into_dyn()), [(3, false)]);
    }

    #[test]
    fn rows_come_with_the_rows_at_the_same_place() {
        let pairs = |view: ArrayViewD<'_, u16>| {
            let mut out = ndarray::ArrayD::zeros(view.shape());
            let mut lens = Vec::new();
            for_each_row_pair(view.view(), out.view_mut(), &mut |row, out: &mut [u16]| {
                lens.push(out.len());
                row.iter().zip(out).for_each(|(value, out)| *out = *value);
            });
            assert_eq!(out, view);
            lens
        };
        let values: Vec<u16> = (0..24).collect();
        let values = ndarray::Array3::from_shape_vec((2, 3, 4), values).unwrap();
        assert_eq!(pairs(values.view().into_dyn()), [24]);
        assert_eq!(pairs(values.slice(ndarray::s![.., .., 1..]).into_dyn()), [3; 6]);
        assert_eq!(pairs(values.slice(ndarray::s![.., 0, ..;2]).into_dyn()), [2; 2]);
        assert_eq!(pairs(values.slice(ndarray::s![1, .., 1]).into_dyn()), [3]);
    }
}
