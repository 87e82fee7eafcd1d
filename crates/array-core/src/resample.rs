//! An array with larger or smaller voxels.

mod downsampling;
mod factor;
mod reduce;

use std::ops::Range;

use geometry::{Coordinate, VoxelGrid, VoxelSize, Window};

use crate::array::{Array, Visitor};
use crate::blocks::{Block, BlockGrid, Output, fold_blocks};
use crate::computed::{visit_computed, visit_into};
use crate::error::ArrayError;
use crate::for_any;
use crate::info::ArrayInfo;
use crate::stored::StoredVisitor;
pub use downsampling::Downsampling;
use factor::{Factor, whole};
use reduce::{Reduce, reduce};

/// An array whose voxels are larger or smaller than those of its source, by a whole factor along each
/// axis.
///
/// Its first corner is that of the source. Upsampling repeats voxels; downsampling makes one voxel of
/// several as [`Downsampling`] says, and leaves out those at the end of an axis that do not fill one.
/// Shape, element type and attributes are otherwise those of the source.
///
/// ```
/// use array_core::{ArrayExt, ArrayInfo, Downsampling, DType, MemoryArray, ResampledArray};
/// use geometry::{Coordinate, Roi, VoxelGrid, VoxelSize};
///
/// let grid = VoxelGrid::new(Coordinate::from([40]), VoxelSize::new(Coordinate::from([4]))?)?;
/// let info = ArrayInfo::new(DType::U8, &["x"], &[5], grid)?;
/// let labels = MemoryArray::new(info, ndarray::array![1_u8, 1, 2, 3, 9].into_dyn())?;
///
/// let half = ResampledArray::new(labels, &[1], &[2], Downsampling::Nearest)?;
/// assert_eq!(half.roi(), &Roi::new([40], [16])?);
/// assert_eq!(half.read_as::<u8>(half.roi())?, ndarray::array![1_u8, 3].into_dyn());
///
/// let again = ResampledArray::new(half, &[2], &[1], Downsampling::Nearest)?;
/// assert_eq!(again.read_as::<u8>(again.roi())?, ndarray::array![1_u8, 1, 3, 3].into_dyn());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ResampledArray<A> {
    source: A,
    info: ArrayInfo,
    factors: Vec<Factor>,
    method: Downsampling,
}

impl<A: Array> ResampledArray<A> {
    /// Resamples each spatial axis of `source`: `upsample` voxels of one, or one of `downsample` voxels.
    ///
    /// # Errors
    ///
    /// [`ArrayError::BadFactors`] if there is not one factor of each kind for each spatial axis, if one is
    /// zero, if the two do not make a whole factor (2 up and 3 down; 2 up and 4 down is 2 down), if a voxel
    /// size in world units cannot be divided by `upsample`, or if nothing is left of an axis;
    /// [`ArrayError::Geometry`] if the array would end beyond the 64-bit world.
    pub fn new(
        source: A,
        upsample: &[usize],
        downsample: &[usize],
        method: Downsampling,
    ) -> Result<Self, ArrayError> {
        let of = source.info();
        for (what, factors) in [("upsample", upsample), ("downsample", downsample)] {
            if factors.len() != of.dims() {
                return Err(ArrayError::BadFactors {
                    axis: factors.len().min(of.dims()).to_string(),
                    reason: format!(
                        "{what} has {} factors, and the source the spatial axes {:?}",
                        factors.len(),
                        of.spatial_axes()
                    ),
                });
            }
        }
        let (mut factors, mut voxel_size, mut shape) = (Vec::new(), Vec::new(), Vec::new());
        for (axis, (&up, &down)) in upsample.iter().zip(downsample).enumerate() {
            let bad = |reason: String| ArrayError::BadFactors {
                axis: of.spatial_axes()[axis].clone(),
                reason,
            };
            let factor = Factor::new(up, down).map_err(bad)?;
            let (size, extent) = (of.grid().voxel_size()[axis], of.spatial_shape()[axis]);
            voxel_size.push(factor.voxel_size(size).map_err(bad)?);
            shape.push(factor.extent(extent).map_err(bad)?);
            factors.push(factor);
        }
        let voxel_size = VoxelSize::new(Coordinate::new(&voxel_size)?)?;
        let grid = VoxelGrid::new(*of.grid().offset(), voxel_size)?;
        let shape = [of.channel_shape(), &shape].concat();
        let mut info = ArrayInfo::new(of.dtype(), of.axes(), &shape, grid)?
            .with_unit(of.unit())
            .with_attrs(of.attrs().clone());
        if let Some(blocks) = blocks(of.blocks(), &factors) {
            info = info.with_blocks(blocks)?;
        }
        if let Some(names) = of.channel_names() {
            info = info.with_channel_names(names.to_vec())?;
        }
        Ok(Self { source, info, factors, method })
    }

    /// The array that is resampled.
    pub fn source(&self) -> &A {
        &self.source
    }

    /// The window of the source from which a window comes.
    fn in_source(&self, window: &Window) -> Result<Window, ArrayError> {
        let bounds = window.start().iter().zip(window.stop()).zip(&self.factors);
        let (start, shape): (Vec<_>, Vec<_>) = bounds
            .map(|((&start, &stop), factor)| {
                let (start, stop) = (factor.begin(start), factor.end(stop));
                (start, stop.saturating_sub(start))
            })
            .unzip();
        Ok(Window::new(&start, &shape)?)
    }

    /// Writes a block of the source to `out`, both of `window` here, of shape `[..channels, ..window]`.
    fn write(
        &self,
        window: &Window,
        block: &Block<'_>,
        mut out: Output<'_>,
    ) -> Result<(), ArrayError> {
        let view = match block {
            Block::Constant(value) => return out.fill(*value),
            Block::Voxels(view) => view,
        };
        let channels = self.info.channel_shape().iter().map(|&extent| {
            (0..extent).map(|index| index..index.saturating_add(1)).collect::<Vec<_>>()
        });
        let spatial = self.factors.iter().zip(window.start().iter().zip(window.stop()));
        let spatial =
            spatial.map(|(factor, (&start, &stop))| factor.ranges(start, stop, self.method));
        let ranges: Vec<Vec<Range<usize>>> = channels.chain(spatial).collect();
        for_any!(AnyView, view, |view| {
            let out = out.into_view().typed()?;
            reduce(&[view.view()], out, &ranges, &mut self.combine());
            Ok(())
        })
    }

    /// How values become one.
    fn combine<T: Reduce>(&self) -> fn(&mut Vec<T>) -> T {
        match self.method {
            Downsampling::Nearest => |values| values.first().copied().unwrap_or_default(),
            Downsampling::Mode => |values| T::mode(values),
            Downsampling::Mean => |values| T::mean(values),
        }
    }
}

/// The most voxels of a block that upsampling makes of one of its source.
const MAX_BLOCK: usize = 1 << 24;

/// The blocks that come of blocks of the source: one of one, where that is possible and not too large.
fn blocks(source: &BlockGrid, factors: &[Factor]) -> Option<BlockGrid> {
    let axes = source.shape().iter().zip(source.inside()).zip(factors);
    let (mut shape, inside): (Vec<usize>, Vec<usize>) = axes
        .map(|((&extent, &inside), factor)| match *factor {
            Factor::Up(up) => (extent.saturating_mul(up), inside.saturating_mul(up)),
            Factor::Down(down) => match (whole(extent, down), whole(inside, down)) {
                (Some(extent), Some(inside)) => (extent, inside),
                _ => (extent.div_ceil(down), 0),
            },
        })
        .unzip();
    let voxels =
        |shape: &[usize]| shape.iter().fold(1_usize, |n, &extent| n.saturating_mul(extent));
    let most = MAX_BLOCK.max(voxels(source.shape()));
    while voxels(&shape) > most {
        let longest = shape.iter_mut().max()?;
        *longest = longest.div_ceil(2);
    }
    Some(BlockGrid::new(&shape)?.behind(&inside)?.taking(source.bytes()))
}

impl<A: Array> Array for ResampledArray<A> {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        self.source.visit(&self.in_source(window)?, &mut |block| match block {
            Block::Constant(value) => visitor(Block::Constant(value)),
            block => {
                visit_computed(&self.info, window, visitor, |out| self.write(window, &block, out))
            }
        })
    }

    fn read_into(&self, window: &Window, out: Output<'_>) -> Result<(), ArrayError> {
        let work = |window: &Window, out: Output<'_>| {
            let source = self.in_source(window)?;
            visit_into(&self.source, &source, out, &|block, out| self.write(window, block, out))
        };
        fold_blocks(window, self.info.blocks(), out, &work, &|(), ()| ())?;
        Ok(())
    }

    fn visit_stored(
        &self,
        window: &Window,
        visitor: &mut StoredVisitor<'_>,
    ) -> Result<(), ArrayError> {
        self.source.visit_stored(&self.in_source(window)?, visitor)
    }

    fn kind(&self) -> &'static str {
        "a resampled array"
    }

    fn is_virtual(&self) -> bool {
        true
    }
}
