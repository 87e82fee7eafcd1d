//! The grid that ties world units to array indices.

use std::fmt;

use crate::{Coordinate, GeometryError, Roi, Snap, VoxelSize, Window, integer, per_axis::PerAxis};

/// Where the voxels of an array lie in the world: the corner of voxel 0 and the voxel size, in world units.
///
/// Alignment is relative to the grid's own corner, never to world 0.
///
/// ```
/// use geometry::{Coordinate, Roi, VoxelGrid, VoxelSize, Window};
///
/// let grid = VoxelGrid::new([1, 200], VoxelSize::new([8, 4])?)?;
/// let roi = Roi::new([9, 208], [16, 40])?;
/// let window = grid.window(&roi)?;
/// assert_eq!(window, Window::new(&[1, 2], &[2, 10])?);
/// assert_eq!(grid.roi(&window)?, roi);
/// assert!(grid.window(&Roi::new([8, 208], [16, 40])?).is_err_and(|error| error.is_not_aligned()));
/// # Ok::<_, geometry::GeometryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VoxelGrid {
    offset: Coordinate,
    // Invariant: has the dims of the offset.
    voxel_size: VoxelSize,
}

impl VoxelGrid {
    /// Returns the grid whose voxel 0 has its corner at `offset`.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`].
    pub fn new(
        offset: impl Into<Coordinate>,
        voxel_size: VoxelSize,
    ) -> Result<Self, GeometryError> {
        let offset = offset.into();
        offset.0.check_dims(voxel_size.dims())?;
        Ok(Self { offset, voxel_size })
    }

    /// Returns the corner of voxel 0, in world units.
    #[must_use]
    pub fn offset(&self) -> &Coordinate {
        &self.offset
    }

    /// Returns the extent of a voxel, in world units.
    #[must_use]
    pub fn voxel_size(&self) -> &VoxelSize {
        &self.voxel_size
    }

    /// Returns the number of axes.
    #[must_use]
    pub fn dims(&self) -> usize {
        self.offset.dims()
    }

    /// Returns the same region counted in voxels from the grid's corner; before it, indices are negative.
    ///
    /// An unbounded axis stays unbounded. An empty region, too, must lie on the grid.
    ///
    /// # Errors
    ///
    /// [`GeometryError::NotAligned`] if a bound cuts through a voxel,
    /// [`GeometryError::DimsMismatch`], and [`GeometryError::Overflow`].
    ///
    /// ```
    /// use geometry::{Roi, VoxelGrid, VoxelSize};
    ///
    /// let grid = VoxelGrid::new([100], VoxelSize::new([8])?)?;
    /// assert_eq!(grid.voxels(&Roi::from_bounds([84], [108])?)?, Roi::from_bounds([-2], [1])?);
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    pub fn voxels(&self, roi: &Roi) -> Result<Roi, GeometryError> {
        let not_aligned = || GeometryError::NotAligned {
            roi: Box::new(*roi),
            voxel_size: Box::new(self.voxel_size),
            offset: Box::new(self.offset),
        };
        roi.map_bounds(&self.axes(), |bound, (corner, size)| {
            let distance = i128::from(bound).checked_sub(corner.into());
            let index = distance.and_then(|distance| {
                (distance.checked_rem(size.into()) == Some(0))
                    .then(|| distance.checked_div(size.into()))
                    .flatten()
            });
            integer::narrow(index.ok_or_else(not_aligned)?, || {
                format!("({bound} - {corner}) / {size}")
            })
        })
    }

    /// Returns the same region as array indices.
    ///
    /// Whether it ends inside the array is for the array to say; see [`array_roi`](Self::array_roi).
    ///
    /// # Errors
    ///
    /// As [`voxels`](Self::voxels), [`GeometryError::Unbounded`], and [`GeometryError::OutOfGrid`] if it
    /// begins before voxel 0.
    pub fn window(&self, roi: &Roi) -> Result<Window, GeometryError> {
        let voxels = self.voxels(roi)?;
        let (start, shape) = (voxels.begin()?, voxels.shape()?);
        if start.iter().any(|index| *index < 0) {
            return Err(GeometryError::OutOfGrid {
                roi: Box::new(*roi),
                offset: Box::new(self.offset),
            });
        }
        Window::new(&indices(&start)?, &indices(&shape)?)
    }

    /// Returns the world region that a window covers.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`], [`GeometryError::Overflow`].
    pub fn roi(&self, window: &Window) -> Result<Roi, GeometryError> {
        self.offset.0.check_dims(window.dims())?;
        let begin =
            self.voxel_size.checked_mul(coordinate(window.start())?)?.checked_add(self.offset)?;
        Roi::new(begin, self.voxel_size.checked_mul(coordinate(window.shape())?)?)
    }

    /// Returns the world region of an array with this many voxels along each axis.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`], [`GeometryError::Overflow`].
    ///
    /// ```
    /// use geometry::{Roi, VoxelGrid, VoxelSize};
    ///
    /// let grid = VoxelGrid::new([1, 200], VoxelSize::new([8, 4])?)?;
    /// assert_eq!(grid.array_roi(&[400, 400])?, Roi::new([1, 200], [3200, 1600])?);
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    pub fn array_roi(&self, shape_in_voxels: &[usize]) -> Result<Roi, GeometryError> {
        self.roi(&Window::full(shape_in_voxels)?)
    }

    /// Moves the bounds of a region to the borders of this grid's voxels.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`], [`GeometryError::Overflow`].
    pub fn snap(&self, roi: &Roi, mode: Snap) -> Result<Roi, GeometryError> {
        roi.snap_from(&self.offset, &self.voxel_size, mode)
    }

    fn axes(&self) -> PerAxis<(i64, i64)> {
        self.offset
            .0
            .try_zip(&self.voxel_size.as_coordinate().0, |corner, size| Ok((corner, size)))
            .expect("a grid has as many offsets as sizes")
    }
}

impl fmt::Display for VoxelGrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "voxels of {} from the corner {}", self.voxel_size, self.offset)
    }
}

fn indices(counts: &Coordinate) -> Result<Vec<usize>, GeometryError> {
    let index = |count: &i64| {
        usize::try_from(*count)
            .map_err(|_| GeometryError::Overflow { expression: format!("the index {count}") })
    };
    counts.iter().map(index).collect()
}

fn coordinate(indices: &[usize]) -> Result<Coordinate, GeometryError> {
    let count = |index: &usize| {
        i64::try_from(*index)
            .map_err(|_| GeometryError::Overflow { expression: format!("the index {index}") })
    };
    Coordinate::new(&indices.iter().map(count).collect::<Result<Vec<_>, _>>()?)
}
