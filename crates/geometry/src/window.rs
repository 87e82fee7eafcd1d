//! Regions in array indices.

mod blocks;

use std::fmt;

use crate::{GeometryError, per_axis::PerAxis};

pub use self::blocks::WindowBlocks;

/// A box of array indices: `start` up to, but not including, `start + shape`. It has 0 to
/// [`MAX_DIMS`](crate::MAX_DIMS) dims.
///
/// ```
/// use geometry::Window;
///
/// let window = Window::new(&[0, 10], &[64, 10])?;
/// assert_eq!(window.stop(), [64, 20]);
/// assert_eq!(window.num_voxels()?, 640);
/// assert!(Window::full(&[64, 64])?.contains(&window)?);
/// assert_eq!(window.to_string(), "[0:64, 10:20]");
/// # Ok::<_, geometry::GeometryError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    start: PerAxis<usize>,
    shape: PerAxis<usize>,
    // Invariant: start + shape.
    stop: PerAxis<usize>,
}

impl Window {
    /// Returns the window that begins at `start` and has the extent `shape`.
    ///
    /// # Errors
    ///
    /// [`GeometryError::NumDims`], [`GeometryError::DimsMismatch`], and
    /// [`GeometryError::Overflow`] if the last index does not fit.
    pub fn new(start: &[usize], shape: &[usize]) -> Result<Self, GeometryError> {
        Self::from_parts(PerAxis::or_none(start)?, PerAxis::or_none(shape)?)
    }

    /// Returns the window over all of an array.
    ///
    /// # Errors
    ///
    /// [`GeometryError::NumDims`].
    pub fn full(shape: &[usize]) -> Result<Self, GeometryError> {
        let shape = PerAxis::or_none(shape)?;
        Self::from_parts(shape.map(|_| 0), shape)
    }

    /// Returns the number of axes.
    #[must_use]
    pub fn dims(&self) -> usize {
        self.start.dims()
    }

    /// Returns the first index along each axis.
    #[must_use]
    pub fn start(&self) -> &[usize] {
        self.start.as_slice()
    }

    /// Returns the number of indices along each axis.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        self.shape.as_slice()
    }

    /// Returns the first index after the window along each axis.
    #[must_use]
    pub fn stop(&self) -> &[usize] {
        self.stop.as_slice()
    }

    /// Returns true if the window holds no voxel.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shape().contains(&0)
    }

    /// Returns the number of voxels.
    ///
    /// # Errors
    ///
    /// [`GeometryError::Overflow`].
    pub fn num_voxels(&self) -> Result<usize, GeometryError> {
        if self.is_empty() {
            return Ok(0);
        }
        self.shape()
            .iter()
            .try_fold(1_usize, |product, length| product.checked_mul(*length))
            .ok_or_else(|| GeometryError::Overflow {
                expression: format!("the number of voxels in {self}"),
            })
    }

    /// Returns true if every voxel of `other` lies in the window. An empty window lies in every window.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`].
    pub fn contains(&self, other: &Self) -> Result<bool, GeometryError> {
        self.start.check_dims(other.dims())?;
        let within = |axis: usize| {
            self.start()[axis] <= other.start()[axis] && other.stop()[axis] <= self.stop()[axis]
        };
        Ok(other.is_empty() || (0..self.dims()).all(within))
    }

    /// Returns what two windows have in common, or `None` if that is nothing.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`].
    ///
    /// ```
    /// use geometry::Window;
    ///
    /// let chunk = Window::new(&[64, 0], &[64, 64])?;
    /// let patch = Window::new(&[100, 10], &[100, 10])?;
    /// assert_eq!(chunk.intersect(&patch)?, Some(Window::new(&[100, 10], &[28, 10])?));
    /// assert_eq!(chunk.intersect(&Window::new(&[128, 0], &[1, 1])?)?, None);
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    pub fn intersect(&self, other: &Self) -> Result<Option<Self>, GeometryError> {
        let start = self.start.try_zip(&other.start, |left, right| Ok(left.max(right)))?;
        let stop = self.stop.try_zip(&other.stop, |left, right| Ok(left.min(right)))?;
        let shape = stop.try_zip(&start, |stop, start| Ok(stop.saturating_sub(start)))?;
        let common = Self::from_parts(start, shape)?;
        Ok((!common.is_empty()).then_some(common))
    }

    /// Returns the same window counted from `start`.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`], and [`GeometryError::WindowBefore`] if the window begins before `start`.
    ///
    /// ```
    /// use geometry::Window;
    ///
    /// let window = Window::new(&[100, 10], &[28, 10])?;
    /// assert_eq!(window.relative_to(&[64, 0])?, Window::new(&[36, 10], &[28, 10])?);
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    pub fn relative_to(&self, start: &[usize]) -> Result<Self, GeometryError> {
        let before =
            || GeometryError::WindowBefore { window: Box::new(*self), start: start.to_vec() };
        let moved = self.start.try_zip(&PerAxis::or_none(start)?, |own, start| {
            own.checked_sub(start).ok_or_else(before)
        })?;
        Self::from_parts(moved, self.shape)
    }

    fn from_parts(start: PerAxis<usize>, shape: PerAxis<usize>) -> Result<Self, GeometryError> {
        let stop = start.try_zip(&shape, |start, length| {
            start.checked_add(length).ok_or_else(|| GeometryError::Overflow {
                expression: format!("{start} + {length}"),
            })
        })?;
        Ok(Self { start, shape, stop })
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bounds: Vec<_> = self.start().iter().zip(self.stop()).map(Some).collect();
        crate::roi::write_bounds(f, &bounds)
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Window{self}")
    }
}
