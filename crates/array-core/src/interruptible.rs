//! An array whose reads somebody may end.

use std::sync::atomic::AtomicBool;

use geometry::Window;

use crate::array::{Array, Visitor};
use crate::blocks::Output;
use crate::error::ArrayError;
use crate::info::ArrayInfo;
use crate::stored::StoredVisitor;

/// An array whose reads end early once a flag is set: after the blocks that have begun.
///
/// What such a read returns is a part of the voxels, for whoever set the flag to throw away.
///
/// ```
/// use std::sync::atomic::AtomicBool;
///
/// use array_core::{ArrayExt, ArrayInfo, DType, Interruptible, MemoryArray};
/// use geometry::{Coordinate, VoxelGrid, VoxelSize};
///
/// let grid = VoxelGrid::new(Coordinate::from([0]), VoxelSize::new(Coordinate::from([1]))?)?;
/// let info = ArrayInfo::new(DType::U8, &["x"], &[3], grid)?;
/// let array = MemoryArray::new(info, ndarray::array![7_u8, 7, 7].into_dyn())?;
///
/// let stop = AtomicBool::new(true);
/// let read = Interruptible::new(&array, &stop).read_as::<u8>(array.roi())?;
/// assert_eq!(read, ndarray::array![0, 0, 0].into_dyn());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Interruptible<'a, A> {
    array: A,
    stop: &'a AtomicBool,
}

impl<'a, A: Array> Interruptible<'a, A> {
    /// The array `array`, whose reads end early once `stop` is set.
    pub fn new(array: A, stop: &'a AtomicBool) -> Self {
        Self { array, stop }
    }
}

impl<A: Array> Array for Interruptible<'_, A> {
    fn info(&self) -> &ArrayInfo {
        self.array.info()
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        self.array.visit(window, visitor)
    }

    fn read_into(&self, window: &Window, out: Output<'_>) -> Result<(), ArrayError> {
        self.array.read_into(window, out.stopped_by(self.stop))
    }

    fn visit_stored(
        &self,
        window: &Window,
        visitor: &mut StoredVisitor<'_>,
    ) -> Result<(), ArrayError> {
        self.array.visit_stored(window, visitor)
    }

    fn kind(&self) -> &'static str {
        self.array.kind()
    }

    fn is_virtual(&self) -> bool {
        self.array.is_virtual()
    }
}
