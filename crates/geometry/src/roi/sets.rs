//! What a region contains, and what it has in common with another.

use super::Roi;
use crate::{GeometryError, PartialCoordinate};

impl Roi {
    /// Returns true if `point` lies in the region.
    ///
    /// An axis along which `point` has no number stands for the whole axis, so that only a region
    /// which is unbounded there contains it.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`].
    pub fn contains(&self, point: impl Into<PartialCoordinate>) -> Result<bool, GeometryError> {
        let inside = self.axes.try_zip(&point.into().0, |interval, entry| {
            Ok(match (interval, entry) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(interval), Some(entry)) => interval.contains(entry),
            })
        })?;
        Ok(!inside.as_slice().contains(&false))
    }

    /// Returns true if every coordinate of `other` lies in the region. An empty region lies in every region.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`].
    ///
    /// ```
    /// use geometry::Roi;
    ///
    /// let crop = Roi::new([100, 100], [400, 400])?;
    /// assert!(crop.contains_roi(&Roi::new([100, 300], [400, 200])?)?);
    /// assert!(!crop.contains_roi(&Roi::new([100, 300], [400, 201])?)?);
    /// assert!(crop.contains_roi(&Roi::new([-7, -7], [0, 8])?)?);
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    pub fn contains_roi(&self, other: &Self) -> Result<bool, GeometryError> {
        let inside = self.axes.try_zip(&other.axes, |interval, other| {
            Ok(match (interval, other) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(interval), Some(other)) => interval.contains_interval(other),
            })
        })?;
        Ok(other.is_empty() || !inside.as_slice().contains(&false))
    }

    /// Returns true if the two regions have a coordinate in common.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`].
    pub fn intersects(&self, other: &Self) -> Result<bool, GeometryError> {
        Ok(!self.intersect(other)?.is_empty())
    }

    /// Returns what the two regions have in common.
    ///
    /// If that is nothing, the result is empty and begins, along each axis, at the later of the two begins.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`].
    pub fn intersect(&self, other: &Self) -> Result<Self, GeometryError> {
        let axes = self.axes.try_zip(&other.axes, |left, right| {
            Ok(match (left, right) {
                (Some(left), Some(right)) => Some(left.intersect(right)),
                (bounded, None) | (None, bounded) => bounded,
            })
        })?;
        Ok(Self { axes })
    }

    /// Returns the smallest region that contains both. An empty region adds nothing.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`], and [`GeometryError::Overflow`] if the shape does not fit into 64 bits.
    pub fn union(&self, other: &Self) -> Result<Self, GeometryError> {
        self.axes.check_dims(other.dims())?;
        if self.is_empty() {
            return Ok(*other);
        }
        if other.is_empty() {
            return Ok(*self);
        }
        let axes = self.axes.try_zip(&other.axes, |left, right| {
            left.zip(right).map(|(left, right)| left.hull(right)).transpose()
        })?;
        Ok(Self { axes })
    }
}
