//! Regions made from a region: moved, scaled, grown, snapped.

use super::{Roi, Snap};
use crate::operand::panicking_operators;
use crate::{Coordinate, GeometryError, Operand, PartialCoordinate, VoxelSize};

impl Roi {
    /// Moves the region by a number, or by a coordinate axis by axis.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`], [`GeometryError::Overflow`], and
    /// [`GeometryError::AxisWithoutPlace`] where `by` has no number but the region has a size.
    pub fn shift(&self, by: impl Into<Operand<PartialCoordinate>>) -> Result<Self, GeometryError> {
        Self::from_parts(self.partial_begin().checked_add(by)?, self.partial_shape())
    }

    /// Moves the region by a number, or by a coordinate axis by axis; the same as [`shift`](Self::shift).
    ///
    /// # Errors
    ///
    /// As [`shift`](Self::shift).
    pub fn checked_add(
        &self,
        by: impl Into<Operand<PartialCoordinate>>,
    ) -> Result<Self, GeometryError> {
        self.shift(by)
    }

    /// Moves the region back by a number, or by a coordinate axis by axis.
    ///
    /// # Errors
    ///
    /// As [`shift`](Self::shift).
    pub fn checked_sub(
        &self,
        by: impl Into<Operand<PartialCoordinate>>,
    ) -> Result<Self, GeometryError> {
        Self::from_parts(self.partial_begin().checked_sub(by)?, self.partial_shape())
    }

    /// Multiplies offset and shape.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`], [`GeometryError::Overflow`], and
    /// [`GeometryError::NegativeShape`] for a negative factor.
    ///
    /// ```
    /// use geometry::Roi;
    ///
    /// let in_voxels = Roi::new([1, 2], [10, 10])?;
    /// assert_eq!(in_voxels.checked_mul([8, 4])?, Roi::new([8, 8], [80, 40])?);
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    pub fn checked_mul(
        &self,
        factor: impl Into<Operand<PartialCoordinate>>,
    ) -> Result<Self, GeometryError> {
        let factor = factor.into();
        Self::from_parts(
            self.partial_begin().checked_mul(factor)?,
            self.partial_shape().checked_mul(factor)?,
        )
    }

    /// Divides offset and shape, each on its own, and rounds toward zero.
    ///
    /// To go to voxels without rounding, use [`VoxelGrid`](crate::VoxelGrid).
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`], [`GeometryError::DivisionByZero`],
    /// [`GeometryError::Overflow`], and [`GeometryError::NegativeShape`] for a negative divisor.
    pub fn checked_div(
        &self,
        divisor: impl Into<Operand<PartialCoordinate>>,
    ) -> Result<Self, GeometryError> {
        let divisor = divisor.into();
        Self::from_parts(
            self.partial_begin().checked_div(divisor)?,
            self.partial_shape().checked_div(divisor)?,
        )
    }

    /// Divides offset and shape, each on its own, and rounds down.
    ///
    /// # Errors
    ///
    /// As [`checked_div`](Self::checked_div).
    pub fn floor_div(
        &self,
        divisor: impl Into<Operand<PartialCoordinate>>,
    ) -> Result<Self, GeometryError> {
        let divisor = divisor.into();
        Self::from_parts(
            self.partial_begin().floor_div(divisor)?,
            self.partial_shape().floor_div(divisor)?,
        )
    }

    /// Returns what [`floor_div`](Self::floor_div) leaves of offset and shape.
    ///
    /// # Errors
    ///
    /// As [`checked_div`](Self::checked_div).
    pub fn checked_rem(
        &self,
        divisor: impl Into<Operand<PartialCoordinate>>,
    ) -> Result<Self, GeometryError> {
        let divisor = divisor.into();
        Self::from_parts(
            self.partial_begin().checked_rem(divisor)?,
            self.partial_shape().checked_rem(divisor)?,
        )
    }

    /// Moves the begin down by `lower` and the end up by `upper`; negative amounts take away.
    ///
    /// An amount without a number makes the region unbounded along that axis.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`], [`GeometryError::Overflow`], and
    /// [`GeometryError::NegativeShape`] if more is taken away than there is.
    ///
    /// ```
    /// use geometry::Roi;
    ///
    /// // The context that a network needs around its output.
    /// let output = Roi::new([400, 400], [80, 80])?;
    /// assert_eq!(output.grow(40, [40, 8])?, Roi::new([360, 360], [160, 128])?);
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    pub fn grow(
        &self,
        lower: impl Into<Operand<PartialCoordinate>>,
        upper: impl Into<Operand<PartialCoordinate>>,
    ) -> Result<Self, GeometryError> {
        // Where one amount has no number the region has no bounds, however large the other is.
        let known = self.partial_shape().checked_mul(0)?;
        let (lower, upper) = (known.checked_add(lower)?, known.checked_add(upper)?);
        let known = lower.checked_mul(0)?.checked_add(upper.checked_mul(0)?)?;
        let begin = self.partial_begin().checked_sub(known.checked_add(lower)?)?;
        let end = self.partial_end().checked_add(known.checked_add(upper)?)?;
        Self::from_parts(begin, end.checked_sub(begin)?)
    }

    /// Moves the bounds to multiples of `voxel_size`.
    ///
    /// An empty region that lies between two borders grows to the voxel that it lies in. A region
    /// without a whole voxel shrinks to an empty one.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`], [`GeometryError::Overflow`].
    ///
    /// ```
    /// use geometry::{Roi, Snap, VoxelSize};
    ///
    /// let voxel_size = VoxelSize::new([8])?;
    /// let roi = Roi::from_bounds([-3], [21])?;
    /// assert_eq!(roi.snap_to_grid(&voxel_size, Snap::Grow)?, Roi::from_bounds([-8], [24])?);
    /// assert_eq!(roi.snap_to_grid(&voxel_size, Snap::Shrink)?, Roi::from_bounds([0], [16])?);
    /// assert_eq!(roi.snap_to_grid(&voxel_size, Snap::Closest)?, Roi::from_bounds([0], [24])?);
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    pub fn snap_to_grid(&self, voxel_size: &VoxelSize, mode: Snap) -> Result<Self, GeometryError> {
        self.snap_from(&voxel_size.checked_mul(0)?, voxel_size, mode)
    }

    /// Moves the bounds to multiples of `voxel_size` away from `corner`.
    pub(crate) fn snap_from(
        &self,
        corner: &Coordinate,
        voxel_size: &VoxelSize,
        mode: Snap,
    ) -> Result<Self, GeometryError> {
        let grid =
            corner.0.try_zip(&voxel_size.as_coordinate().0, |corner, size| Ok((corner, size)))?;
        let axes = self.axes.try_zip(&grid, |interval, (corner, size)| {
            interval.map(|interval| interval.snap(corner, size, mode)).transpose()
        })?;
        Ok(Self { axes })
    }
}

panicking_operators!(Roi, PartialCoordinate);
