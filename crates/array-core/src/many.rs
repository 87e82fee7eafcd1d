//! Reading many regions at once.

use crate::any_array::{AnyArray, AnyViewMut, same_shape};
use crate::array::{Array, ArrayExt};
use crate::blocks::Output;
use crate::error::ArrayError;
use crate::in_this_thread::for_all;
use geometry::{Roi, Window};

/// See [`ArrayExt::read_many`].
pub(crate) fn read_many<A: Array + ?Sized>(
    array: &A,
    rois: &[Roi],
) -> Result<Vec<AnyArray>, ArrayError> {
    let windows = windows(array, rois)?;
    let shape = |window: &Window| [array.info().channel_shape(), window.shape()].concat();
    let elements = windows.iter().map(|window| elements(&shape(window)));
    let all = elements.fold(0_usize, usize::saturating_add);
    // Asks for the memory of all before anything is read, and gives it back untouched.
    drop(AnyArray::zeros(array.dtype(), &[all])?);
    let mut results = for_all(in_order_of_blocks(array, &windows), |index| {
        let shape = shape(&windows[index]);
        let mut out = AnyArray::zeros(array.dtype(), &shape)?;
        if !shape.contains(&0) {
            let place = Output::zeroed(out.view_mut());
            let read = array.read_into(&windows[index], place);
            read.map_err(|error| of_many(index, rois, error))?;
        }
        Ok::<_, ArrayError>((index, out))
    })?;
    results.sort_unstable_by_key(|&(index, _)| index);
    Ok(results.into_iter().map(|(_, out)| out).collect())
}

/// See [`ArrayExt::read_batch`].
pub(crate) fn read_batch<A: Array + ?Sized>(
    array: &A,
    rois: &[Roi],
) -> Result<AnyArray, ArrayError> {
    let windows = windows(array, rois)?;
    let mut out = AnyArray::zeros(array.dtype(), &batch_shape(array, rois, &windows)?)?;
    into_batch(array, rois, &windows, Output::zeroed(out.view_mut()))?;
    Ok(out)
}

/// See [`ArrayExt::read_batch_to`].
pub(crate) fn read_batch_to<A: Array + ?Sized>(
    array: &A,
    rois: &[Roi],
    out: AnyViewMut<'_>,
) -> Result<(), ArrayError> {
    let windows = windows(array, rois)?;
    if out.dtype() != array.dtype() {
        let (expected, found) = (array.dtype(), out.dtype());
        return Err(ArrayError::DTypeMismatch { expected, found });
    }
    same_shape(&batch_shape(array, rois, &windows)?, out.shape())?;
    into_batch(array, rois, &windows, Output::new(out))
}

/// Reads each window into its part of `out`, of shape `[windows, ..channels, ..window.shape()]`.
fn into_batch<A: Array + ?Sized>(
    array: &A,
    rois: &[Roi],
    windows: &[Window],
    out: Output<'_>,
) -> Result<(), ArrayError> {
    if out.shape().contains(&0) {
        return Ok(());
    }
    let mut places = Vec::with_capacity(windows.len());
    let mut rest = Some(out);
    for index in (0..windows.len()).rev() {
        let Some(out) = rest.take() else { break };
        let (front, place) = out.split_at(0, index);
        places.push(Some(place.index_axis(0, 0)));
        rest = Some(front);
    }
    places.reverse();
    let mut work = Vec::with_capacity(windows.len());
    for index in in_order_of_blocks(array, windows) {
        work.extend(places[index].take().map(|place| (index, place)));
    }
    for_all(work, |(index, place)| {
        array.read_into(&windows[index], place).map_err(|error| of_many(index, rois, error))
    })?;
    Ok(())
}

/// The windows of all regions, each checked.
fn windows<A: Array + ?Sized>(array: &A, rois: &[Roi]) -> Result<Vec<Window>, ArrayError> {
    let window = |(index, roi)| array.slices(roi).map_err(|error| of_many(index, rois, error));
    rois.iter().enumerate().map(window).collect()
}

fn of_many(index: usize, rois: &[Roi], error: ArrayError) -> ArrayError {
    let (number, count) = (index.saturating_add(1), rois.len());
    ArrayError::source(format!("region {number} of {count}, {}", rois[index]), error)
}

/// The shape of a batch of these windows, which must have one shape.
fn batch_shape<A: Array + ?Sized>(
    array: &A,
    rois: &[Roi],
    windows: &[Window],
) -> Result<Vec<usize>, ArrayError> {
    let first = windows.first().map_or(array.info().spatial_shape(), Window::shape);
    for (index, window) in windows.iter().enumerate() {
        same_shape(first, window.shape()).map_err(|error| of_many(index, rois, error))?;
    }
    Ok([&[windows.len()], array.info().channel_shape(), first].concat())
}

/// The indices of the windows, those that begin in one block one after another: threads take neighbours,
/// so that a block that several windows meet is used while it is in a cache.
fn in_order_of_blocks<A: Array + ?Sized>(array: &A, windows: &[Window]) -> Vec<usize> {
    let info = array.info();
    let mut order: Vec<usize> = (0..windows.len()).collect();
    order.sort_by_cached_key(|&index| {
        let start = windows[index].start().iter().enumerate();
        start.map(|(axis, &voxel)| info.blocks().index_of(axis, voxel)).collect::<Vec<_>>()
    });
    order
}

/// The number of elements of a shape; more than memory can hold where that overflows.
fn elements(shape: &[usize]) -> usize {
    shape.iter().fold(1, |all, &extent| all.saturating_mul(extent))
}
