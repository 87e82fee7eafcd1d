//! Whether any channel of an array is set.

use geometry::Window;
use ndarray::{ArrayViewD, ArrayViewMutD, Axis, Zip};

use crate::array::{Array, Visitor};
use crate::blocks::{Block, Output, fold_blocks};
use crate::computed::{visit_computed, visit_into};
use crate::dtype::{DType, Element};
use crate::error::ArrayError;
use crate::for_any;
use crate::info::ArrayInfo;
use crate::scalar::Scalar;
use crate::stored::StoredVisitor;

/// For each voxel, 1 where any channel of the source is not zero, 0 elsewhere.
///
/// uint8, without channels; a source without channels is one channel. Numbers are not kept: of 3 and 5,
/// the original would make 5.
///
/// ```
/// use array_core::{ArrayExt, ArrayInfo, DType, LogicalOrArray, MemoryArray};
/// use geometry::{Coordinate, VoxelGrid, VoxelSize};
///
/// let grid = VoxelGrid::new(Coordinate::from([0]), VoxelSize::new(Coordinate::from([4]))?)?;
/// let info = ArrayInfo::new(DType::U8, &["c", "x"], &[2, 3], grid)?;
/// let masks = MemoryArray::new(info, ndarray::array![[1_u8, 0, 0], [1, 0, 1]].into_dyn())?;
///
/// let any = LogicalOrArray::new(masks)?;
/// assert_eq!(any.read_as::<u8>(any.roi())?, ndarray::array![1_u8, 0, 1].into_dyn());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct LogicalOrArray<A> {
    source: A,
    info: ArrayInfo,
}

impl<A: Array> LogicalOrArray<A> {
    /// Whether any channel of `source` is set.
    ///
    /// # Errors
    ///
    /// Those of [`ArrayInfo::new`].
    pub fn new(source: A) -> Result<Self, ArrayError> {
        let of = source.info();
        let info = ArrayInfo::new(DType::U8, of.spatial_axes(), of.spatial_shape(), *of.grid())?
            .with_unit(of.unit())
            .with_blocks(of.blocks().clone())?
            .with_attrs(of.attrs().clone());
        Ok(Self { source, info })
    }

    /// The array whose channels are joined.
    pub fn source(&self) -> &A {
        &self.source
    }

    /// What a constant block becomes.
    fn constant(&self, value: Scalar) -> Scalar {
        let has_channels = !self.source.info().channel_shape().contains(&0);
        Scalar::U8(u8::from(has_channels && value != Scalar::zero(value.dtype())))
    }

    /// Writes a block of the source to `out`, of shape `[..block]`.
    fn write(&self, block: &Block<'_>, mut out: Output<'_>) -> Result<(), ArrayError> {
        match block {
            Block::Constant(value) => out.fill(self.constant(*value)),
            Block::Voxels(view) => {
                out.fill(Scalar::U8(0))?;
                let mut out = out.into_view().typed::<u8>()?;
                let channel_dims = self.source.info().channel_dims();
                for_any!(AnyView, view, |view| join(view.view(), channel_dims, &mut out));
                Ok(())
            }
        }
    }
}

/// Sets `out` wherever a channel of `view` is set.
fn join<T: Element>(view: ArrayViewD<'_, T>, channel_dims: usize, out: &mut ArrayViewMutD<'_, u8>) {
    match channel_dims.checked_sub(1) {
        Some(rest) => view.axis_iter(Axis(0)).for_each(|channel| join(channel, rest, out)),
        None => Zip::from(out).and(&view).for_each(|out, value| {
            *out |= u8::from(*value != T::default());
        }),
    }
}

impl<A: Array> Array for LogicalOrArray<A> {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        self.source.visit(window, &mut |block| match block {
            Block::Constant(value) => visitor(Block::Constant(self.constant(value))),
            block => visit_computed(&self.info, window, visitor, |out| self.write(&block, out)),
        })
    }

    fn read_into(&self, window: &Window, out: Output<'_>) -> Result<(), ArrayError> {
        let work = |window: &Window, out: Output<'_>| {
            visit_into(&self.source, window, out, &|block, out| self.write(block, out))
        };
        fold_blocks(window, self.info.blocks(), out, &work, &|(), ()| ())?;
        Ok(())
    }

    fn visit_stored(
        &self,
        window: &Window,
        visitor: &mut StoredVisitor<'_>,
    ) -> Result<(), ArrayError> {
        self.source.visit_stored(window, visitor)
    }

    fn kind(&self) -> &'static str {
        "a logical or"
    }

    fn is_virtual(&self) -> bool {
        true
    }
}
