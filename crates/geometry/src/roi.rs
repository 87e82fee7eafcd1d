//! Regions in world units.

mod blocks;
mod change;
mod sets;
mod text;

use crate::{
    Coordinate, GeometryError, PartialCoordinate, integer, interval::Interval, per_axis::PerAxis,
};

pub use self::blocks::RoiBlocks;
pub(crate) use self::text::{RegionText, write_bounds};
pub use crate::interval::Snap;

/// A box in world units: along each axis a half-open interval, or everything.
///
/// A region never has a negative shape, and its bounds and shape fit into 64 bits. An empty region
/// keeps its place; it is contained in every region, intersects none, and adds nothing to a union.
///
/// ```
/// use geometry::{Coordinate, Roi};
///
/// let roi = Roi::new([12, 805], [21, 29])?;
/// assert_eq!(roi.end()?, Coordinate::from([33, 834]));
/// assert!(roi.contains([12, 833])?);
/// assert!(!roi.contains([12, 834])?);
///
/// let other = Roi::from_bounds([0, 820], [20, 900])?;
/// assert_eq!(roi.intersect(&other)?, Roi::from_bounds([12, 820], [20, 834])?);
/// assert_eq!(roi.union(&other)?, Roi::from_bounds([0, 805], [33, 900])?);
///
/// assert_eq!(roi.to_string(), "[12:33, 805:834] (21, 29)");
/// assert_eq!("[12:33, 805:834]".parse(), Ok(roi));
/// # Ok::<_, geometry::GeometryError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Roi {
    // None where the region is unbounded.
    axes: PerAxis<Option<Interval>>,
}

impl Roi {
    /// Returns the region that begins at `offset` and has the extent `shape`.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`], [`GeometryError::NegativeShape`], and
    /// [`GeometryError::Overflow`] if the end does not fit into 64 bits.
    pub fn new(
        offset: impl Into<Coordinate>,
        shape: impl Into<Coordinate>,
    ) -> Result<Self, GeometryError> {
        Self::from_parts(offset.into(), shape.into())
    }

    /// Returns the region from `begin` up to, but not including, `end`.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`], [`GeometryError::NegativeShape`] if it ends before it begins,
    /// and [`GeometryError::Overflow`] if the shape does not fit into 64 bits.
    pub fn from_bounds(
        begin: impl Into<Coordinate>,
        end: impl Into<Coordinate>,
    ) -> Result<Self, GeometryError> {
        let begin = begin.into();
        let shape = end.into().checked_sub(begin)?;
        Self::new(begin, shape)
    }

    /// Returns the region that holds every coordinate.
    ///
    /// # Errors
    ///
    /// [`GeometryError::NumDims`] unless `dims` is 1 to [`MAX_DIMS`](crate::MAX_DIMS).
    pub fn unbounded(dims: usize) -> Result<Self, GeometryError> {
        Ok(Self { axes: Coordinate::zeros(dims)?.0.map(|_| None) })
    }

    /// Returns the region with this offset and shape; it is unbounded where `shape` has no number.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and [`GeometryError::AxisWithoutPlace`] where only `offset` has no number.
    ///
    /// ```
    /// use geometry::{PartialCoordinate, Roi};
    ///
    /// let offset = PartialCoordinate::new(&[None, Some(100)])?;
    /// let shape = PartialCoordinate::new(&[None, Some(40)])?;
    /// let roi = Roi::from_parts(offset, shape)?;
    /// assert_eq!(roi.to_string(), "[:, 100:140] (inf, 40)");
    /// assert!(roi.contains([-1_000_000, 139])?);
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    pub fn from_parts(
        offset: impl Into<PartialCoordinate>,
        shape: impl Into<PartialCoordinate>,
    ) -> Result<Self, GeometryError> {
        let (offset, shape) = (offset.into(), shape.into());
        offset.0.check_dims(shape.dims())?;
        if shape.iter().flatten().any(|length| *length < 0) {
            return Err(GeometryError::NegativeShape {
                offset: Box::new(offset),
                shape: Box::new(shape),
            });
        }
        let mut axis = 0_usize..;
        let axes = offset.0.try_zip(&shape.0, |begin, length| {
            let axis = axis.next().unwrap_or_default();
            match (begin, length) {
                (_, None) => Ok(None),
                (None, Some(size)) => Err(GeometryError::AxisWithoutPlace { axis, size }),
                (Some(begin), Some(length)) => {
                    Interval::new(begin.into(), integer::add(begin, length)?.into()).map(Some)
                }
            }
        })?;
        Ok(Self { axes })
    }

    /// Returns the number of axes.
    #[must_use]
    pub fn dims(&self) -> usize {
        self.axes.dims()
    }

    /// Returns the smallest coordinate of the region; the same as [`begin`](Self::begin).
    ///
    /// # Errors
    ///
    /// [`GeometryError::Unbounded`].
    pub fn offset(&self) -> Result<Coordinate, GeometryError> {
        self.partial_begin().to_coordinate()
    }

    /// Returns the smallest coordinate of the region.
    ///
    /// # Errors
    ///
    /// [`GeometryError::Unbounded`].
    pub fn begin(&self) -> Result<Coordinate, GeometryError> {
        self.offset()
    }

    /// Returns the smallest coordinate that is greater than all of the region along every axis.
    ///
    /// # Errors
    ///
    /// [`GeometryError::Unbounded`].
    pub fn end(&self) -> Result<Coordinate, GeometryError> {
        self.partial_end().to_coordinate()
    }

    /// Returns the extent of the region.
    ///
    /// # Errors
    ///
    /// [`GeometryError::Unbounded`].
    pub fn shape(&self) -> Result<Coordinate, GeometryError> {
        self.partial_shape().to_coordinate()
    }

    /// Returns the middle of the region, rounded down.
    ///
    /// # Errors
    ///
    /// [`GeometryError::Unbounded`].
    pub fn center(&self) -> Result<Coordinate, GeometryError> {
        self.partial_center().to_coordinate()
    }

    /// Returns [`begin`](Self::begin), without a number where the region is unbounded.
    #[must_use]
    pub fn partial_begin(&self) -> PartialCoordinate {
        self.partial(Interval::begin)
    }

    /// Returns [`end`](Self::end), without a number where the region is unbounded.
    #[must_use]
    pub fn partial_end(&self) -> PartialCoordinate {
        self.partial(Interval::end)
    }

    /// Returns [`shape`](Self::shape), without a number where the region is unbounded.
    #[must_use]
    pub fn partial_shape(&self) -> PartialCoordinate {
        self.partial(Interval::len)
    }

    /// Returns [`center`](Self::center), without a number where the region is unbounded.
    #[must_use]
    pub fn partial_center(&self) -> PartialCoordinate {
        self.partial(|interval| interval.center())
    }

    /// Returns true if the region holds no coordinate.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.axes.as_slice().iter().flatten().any(|interval| interval.is_empty())
    }

    /// Returns true if the region has no end along some axis.
    #[must_use]
    pub fn is_unbounded(&self) -> bool {
        self.axes.as_slice().contains(&None)
    }

    /// Returns the number of coordinates in the region.
    ///
    /// # Errors
    ///
    /// [`GeometryError::Unbounded`], also if the region is empty along another axis, and
    /// [`GeometryError::Overflow`].
    pub fn size(&self) -> Result<u64, GeometryError> {
        let shape = self.shape()?;
        if self.is_empty() {
            return Ok(0);
        }
        shape
            .iter()
            .try_fold(1_u64, |product, length| product.checked_mul(length.unsigned_abs()))
            .ok_or_else(|| GeometryError::Overflow {
                expression: format!("the number of coordinates in {self}"),
            })
    }

    /// Returns begin and end along each axis, in the manner of Python slices.
    ///
    /// An unbounded axis gives `(None, None)`. An empty one gives `(None, Some(0))`, which selects
    /// nothing from any array.
    ///
    /// ```
    /// use geometry::Roi;
    ///
    /// let roi = Roi::new([12, -5], [21, 0])?;
    /// assert_eq!(roi.to_slices(), [(Some(12), Some(33)), (None, Some(0))]);
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    #[must_use]
    pub fn to_slices(&self) -> Vec<(Option<i64>, Option<i64>)> {
        let slice = |axis: &Option<Interval>| match axis {
            None => (None, None),
            Some(interval) if interval.is_empty() => (None, Some(0)),
            Some(interval) => (Some(interval.begin()), Some(interval.end())),
        };
        self.axes.as_slice().iter().map(slice).collect()
    }

    /// Returns the region without `axis`.
    ///
    /// # Errors
    ///
    /// [`GeometryError::NoSuchAxis`], and [`GeometryError::NumDims`] if no axis would be left.
    pub fn squeeze(&self, axis: usize) -> Result<Self, GeometryError> {
        Ok(Self { axes: self.axes.squeeze(axis)? })
    }

    /// Replaces both bounds of every bounded axis, with what the grid says about that axis.
    ///
    /// `f` keeps the order of the bounds.
    pub(crate) fn map_bounds<T: Copy + Default>(
        &self,
        grid: &PerAxis<T>,
        f: impl Fn(i64, T) -> Result<i64, GeometryError>,
    ) -> Result<Self, GeometryError> {
        let axes = self.axes.try_zip(grid, |interval, axis| {
            let Some(interval) = interval else { return Ok(None) };
            Interval::new(f(interval.begin(), axis)?.into(), f(interval.end(), axis)?.into())
                .map(Some)
        })?;
        Ok(Self { axes })
    }

    fn partial(&self, number: impl Fn(Interval) -> i64) -> PartialCoordinate {
        PartialCoordinate(self.axes.map(|interval| interval.map(&number)))
    }
}
