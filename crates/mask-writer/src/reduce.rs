//! Making one voxel of several.

use array_core::{AnyView, ArrayError, Block, DType, Scalar};
use geometry::Window;
use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD, Axis, IxDyn, Slice};
use zarr_source::ZarrArray;

use crate::cells::cells;
use crate::error::WriteError;
use crate::unit::zeros;

/// About how many voxels are read at once along each axis.
const READ: usize = 128;

/// How one voxel comes of those that it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reduction {
    /// 1 if all are 1.
    All,
    /// 1 if any is 1.
    Any,
    /// 1 if more than half are 1.
    Mode,
    /// The share of those that are 1.
    Mean,
}

impl Reduction {
    /// Whether a level is made of the first level. The others come of the level before just as well, which
    /// takes less time; means do so exactly, because shares of powers of two are floats.
    pub(crate) const fn needs_first_level(self) -> bool {
        matches!(self, Self::Mode)
    }

    fn combine(self, sum: f64, count: f64) -> f64 {
        let is_one = |is_one: bool| if is_one { 1.0 } else { 0.0 };
        match self {
            Self::All => is_one(sum >= count),
            Self::Any => is_one(sum > 0.0),
            Self::Mode => is_one(2.0 * sum > count),
            Self::Mean => sum / count,
        }
    }
}

/// The voxels `window` of one channel of a level, as a chunk of `chunk_shape` stores them: each is made of
/// `factor` voxels of `source` along each spatial axis.
pub(crate) fn reduced_chunk(
    source: &ZarrArray,
    reduction: Reduction,
    factor: usize,
    channel: usize,
    window: &Window,
    chunk_shape: &[usize],
    dtype: DType,
) -> Result<Vec<u8>, WriteError> {
    let sums = sums(source, factor, channel, window)?;
    let count: f64 = window.shape().iter().map(|_| float(factor)).product();
    let value = |sum: &f64| reduction.combine(*sum, count);
    let inside = |axis: usize| Slice::from(0..window.shape()[axis]);
    let shape = IxDyn(chunk_shape);
    if dtype == DType::F32 {
        let mut chunk = zeros::<f32>(chunk_shape)?;
        if let Ok(mut view) = ArrayViewMutD::from_shape(shape, &mut chunk) {
            let mut view = view.slice_each_axis_mut(|axis| inside(axis.axis.index()));
            #[expect(clippy::cast_possible_truncation, reason = "a share, rounded to a float32")]
            view.zip_mut_with(&sums, |voxel, sum| *voxel = value(sum) as f32);
        }
        return Ok(bytemuck::cast_slice(&chunk).to_vec());
    }
    let mut chunk = zeros::<u8>(chunk_shape)?;
    if let Ok(mut view) = ArrayViewMutD::from_shape(shape, &mut chunk) {
        let mut view = view.slice_each_axis_mut(|axis| inside(axis.axis.index()));
        view.zip_mut_with(&sums, |voxel, sum| *voxel = u8::from(value(sum) > 0.0));
    }
    Ok(chunk)
}

/// For each voxel of `window`, the sum of the voxels of `source` that it covers.
fn sums(
    source: &ZarrArray,
    factor: usize,
    channel: usize,
    window: &Window,
) -> Result<ArrayD<f64>, WriteError> {
    // Sums of zeros and ones, and of shares of them, are exact in this type.
    let all = zeros::<f64>(window.shape())?;
    let mut all = ArrayD::from_shape_vec(IxDyn(window.shape()), all)
        .expect("as many zeros as the window has voxels");
    let part_shape = vec![(READ / factor).max(1); window.dims()];
    for part in cells(window, &part_shape)? {
        let scaled = |values: &[usize]| values.iter().map(|&value| value * factor).collect();
        let (start, shape): (Vec<usize>, Vec<usize>) =
            (scaled(part.window.start()), scaled(part.window.shape()));
        let covered =
            Window::new(&[&[channel], &start[..]].concat(), &[&[1], &shape[..]].concat())?;
        let inside = part.window.relative_to(window.start())?;
        let mut sums = all.slice_each_axis_mut(|axis| {
            let axis = axis.axis.index();
            Slice::from(inside.start()[axis]..inside.stop()[axis])
        });
        let count: f64 = shape.iter().map(|_| float(factor)).product();
        source.visit_box(&covered, &mut |block| match block {
            Block::Constant(value) => {
                sums += scalar(value)? * count;
                Ok(())
            }
            Block::Voxels(AnyView::U8(view)) => {
                add(&view.index_axis(Axis(0), 0), sums.view_mut(), factor);
                Ok(())
            }
            Block::Voxels(AnyView::F32(view)) => {
                add(&view.index_axis(Axis(0), 0), sums.view_mut(), factor);
                Ok(())
            }
            Block::Voxels(other) => Err(wrong_type(other.dtype())),
        })?;
    }
    Ok(all)
}

/// Adds each element to the sum that covers it.
fn add<T: Copy + Into<f64>>(
    voxels: &ArrayViewD<'_, T>,
    mut sums: ArrayViewMutD<'_, f64>,
    factor: usize,
) {
    if voxels.ndim() == 1 {
        for (sum, voxels) in sums.iter_mut().zip(voxels.axis_chunks_iter(Axis(0), factor)) {
            *sum += voxels.iter().map(|&voxel| voxel.into()).sum::<f64>();
        }
        return;
    }
    for (index, voxels) in voxels.axis_iter(Axis(0)).enumerate() {
        add(&voxels, sums.index_axis_mut(Axis(0), index / factor), factor);
    }
}

fn scalar(value: Scalar) -> Result<f64, ArrayError> {
    match value {
        Scalar::U8(value) => Ok(value.into()),
        Scalar::F32(value) => Ok(value.into()),
        other => Err(wrong_type(other.dtype())),
    }
}

fn wrong_type(found: DType) -> ArrayError {
    ArrayError::DTypeMismatch { expected: DType::U8, found }
}

#[expect(clippy::cast_precision_loss, reason = "a factor is a power of two")]
fn float(factor: usize) -> f64 {
    factor as f64
}
