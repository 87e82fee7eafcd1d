//! One value in the place of another array.

use geometry::Window;

use crate::array::{Array, Visitor};
use crate::blocks::{Block, Output};
use crate::error::ArrayError;
use crate::info::ArrayInfo;
use crate::scalar::Scalar;

/// One value everywhere: the place, the channels and the attributes of a source, of which no voxel is
/// read.
///
/// ```
/// use array_core::{ArrayExt, ArrayInfo, ConstantArray, DType, MemoryArray};
/// use geometry::{Coordinate, VoxelGrid, VoxelSize};
///
/// let grid = VoxelGrid::new(Coordinate::from([40]), VoxelSize::new(Coordinate::from([4]))?)?;
/// let info = ArrayInfo::new(DType::U16, &["x"], &[3], grid)?;
/// let labels = MemoryArray::new(info, ndarray::array![0_u16, 7, 300].into_dyn())?;
///
/// let ones = ConstantArray::ones(labels);
/// assert_eq!(ones.read_as::<u8>(ones.roi())?, ndarray::array![1_u8, 1, 1].into_dyn());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ConstantArray<A> {
    source: A,
    info: ArrayInfo,
    value: Scalar,
}

impl<A: Array> ConstantArray<A> {
    /// `value` in every voxel of `source`; the element type is that of the value.
    pub fn new(source: A, value: impl Into<Scalar>) -> Self {
        let value = value.into();
        let info = source.info().clone().with_dtype(value.dtype());
        Self { source, info, value }
    }

    /// A one (uint8, as in a mask) in every voxel of `source`.
    pub fn ones(source: A) -> Self {
        Self::new(source, 1_u8)
    }

    /// The array whose place this one has.
    pub fn source(&self) -> &A {
        &self.source
    }

    /// The value of every voxel.
    pub fn value(&self) -> Scalar {
        self.value
    }
}

impl<A: Array> Array for ConstantArray<A> {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn visit(&self, _window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        visitor(Block::Constant(self.value))
    }

    fn read_into(&self, _window: &Window, mut out: Output<'_>) -> Result<(), ArrayError> {
        out.fill(self.value)
    }

    fn kind(&self) -> &'static str {
        "a constant array"
    }

    fn is_virtual(&self) -> bool {
        true
    }
}
