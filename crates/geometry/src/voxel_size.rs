//! The size of a voxel or block.

use std::{fmt, ops::Deref};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Coordinate, GeometryError};

/// The positive extent of one voxel (or block) along each axis, in world units.
///
/// ```
/// use geometry::{Coordinate, VoxelSize};
///
/// let voxel_size = VoxelSize::new([8, 4, 4])?;
/// assert_eq!(voxel_size[0], 8);
/// assert_eq!(voxel_size.checked_mul(2)?, Coordinate::from([16, 8, 8]));
/// assert!(VoxelSize::new([8, 0, 4]).is_err());
/// # Ok::<_, geometry::GeometryError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
// Invariant: every entry is greater than zero.
pub struct VoxelSize(Coordinate);

impl VoxelSize {
    /// Takes a coordinate whose entries are all positive.
    ///
    /// # Errors
    ///
    /// [`GeometryError::NotPositive`] if an entry is zero or negative.
    pub fn new(size: impl Into<Coordinate>) -> Result<Self, GeometryError> {
        let size = size.into();
        if size.iter().any(|length| *length <= 0) {
            return Err(GeometryError::NotPositive { size: Box::new(size) });
        }
        Ok(Self(size))
    }

    /// Returns the extents.
    #[must_use]
    pub fn as_coordinate(&self) -> &Coordinate {
        &self.0
    }

    /// Returns the number of axes.
    #[must_use]
    pub fn dims(&self) -> usize {
        self.0.dims()
    }
}

impl Deref for VoxelSize {
    type Target = Coordinate;

    fn deref(&self) -> &Coordinate {
        &self.0
    }
}

impl From<VoxelSize> for Coordinate {
    fn from(voxel_size: VoxelSize) -> Self {
        voxel_size.0
    }
}

impl From<&VoxelSize> for Coordinate {
    fn from(voxel_size: &VoxelSize) -> Self {
        voxel_size.0
    }
}

impl TryFrom<Coordinate> for VoxelSize {
    type Error = GeometryError;

    fn try_from(size: Coordinate) -> Result<Self, GeometryError> {
        Self::new(size)
    }
}

impl fmt::Display for VoxelSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for VoxelSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VoxelSize{self}")
    }
}

impl Serialize for VoxelSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for VoxelSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Coordinate::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
