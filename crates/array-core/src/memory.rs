//! An array in memory.

use std::sync::{Arc, PoisonError, RwLock};

use geometry::Window;

use crate::any_array::{AnyArray, AnyView, AnyViewMut, same_shape};
use crate::array::{Array, Visitor, WritableArray};
use crate::blocks::Block;
use crate::error::ArrayError;
use crate::info::ArrayInfo;

/// An array whose voxels lie in memory, and that can be written.
///
/// Reads see the voxels as they were when the read began: a write during a read copies them all first.
/// Many writes beside many reads are better made one after the other.
///
/// ```
/// use array_core::{ArrayExt, ArrayInfo, DType, MemoryArray};
/// use geometry::{Coordinate, Roi, VoxelGrid, VoxelSize};
///
/// let grid = VoxelGrid::new(Coordinate::from([0]), VoxelSize::new(Coordinate::from([4]))?)?;
/// let info = ArrayInfo::new(DType::U8, &["x"], &[3], grid)?;
/// let array = MemoryArray::new(info, ndarray::array![7_u8, 8, 9].into_dyn())?;
///
/// let last = Roi::new([8], [4])?;
/// array.write(&last, &ndarray::array![1_u8].view().into_dyn().into())?;
/// assert_eq!(array.data()?, ndarray::array![7_u8, 8, 1].into_dyn().into());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct MemoryArray {
    info: ArrayInfo,
    // Readers take a share of the voxels and let go of the lock at once, so that a read inside a
    // read cannot wait for a writer between them.
    voxels: RwLock<Arc<AnyArray>>,
}

impl MemoryArray {
    /// Places `voxels` where `info` says.
    ///
    /// # Errors
    ///
    /// [`ArrayError::DTypeMismatch`] or [`ArrayError::ShapeMismatch`] if the two do not agree.
    pub fn new(info: ArrayInfo, voxels: impl Into<AnyArray>) -> Result<Self, ArrayError> {
        let voxels = voxels.into();
        if info.dtype() != voxels.dtype() {
            let (expected, found) = (info.dtype(), voxels.dtype());
            return Err(ArrayError::DTypeMismatch { expected, found });
        }
        same_shape(info.shape(), voxels.shape())?;
        Ok(Self { info, voxels: RwLock::new(Arc::new(voxels)) })
    }

    fn voxels(&self) -> Arc<AnyArray> {
        // A panic while writing leaves some voxels unwritten, which is no reason to fail reads.
        Arc::clone(&self.voxels.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Array for MemoryArray {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        let voxels = self.voxels();
        let mut view = voxels.view();
        for (axis, (&start, &len)) in window.start().iter().zip(window.shape()).enumerate() {
            view = view.slice_axis(self.info.channel_dims().saturating_add(axis), start, len);
        }
        visitor(Block::Voxels(view))
    }

    fn kind(&self) -> &'static str {
        "an array in memory"
    }

    fn as_writable(&self) -> Option<&dyn WritableArray> {
        Some(self)
    }
}

impl WritableArray for MemoryArray {
    fn write_window(&self, window: &Window, data: &AnyView<'_>) -> Result<(), ArrayError> {
        let mut voxels = self.voxels.write().unwrap_or_else(PoisonError::into_inner);
        let voxels = Arc::make_mut(&mut voxels);
        let mut part: AnyViewMut<'_> = voxels.view_mut();
        for (axis, (&start, &len)) in window.start().iter().zip(window.shape()).enumerate() {
            part = part.slice_axis(self.info.channel_dims().saturating_add(axis), start, len);
        }
        part.assign(data)
    }
}
