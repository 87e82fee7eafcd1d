//! The blocks of a region.

use std::fmt;

use super::Roi;
use crate::{
    Coordinate, GeometryError, VoxelSize,
    blocks::{BlockWalk, Cuts},
    interval::Interval,
};

impl Roi {
    /// Cuts the region into the blocks of a grid, in row-major order (the last axis runs fastest).
    ///
    /// The grid has a corner at `origin`. Blocks at the border are clipped to the region, so that
    /// they cover it exactly once. An empty region has no blocks.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`], [`GeometryError::Unbounded`].
    ///
    /// ```
    /// use geometry::{Coordinate, Roi, VoxelSize};
    ///
    /// let roi = Roi::from_bounds([10, 0], [50, 8])?;
    /// let blocks = roi.blocks(&VoxelSize::new([32, 32])?, &Coordinate::from([0, 0]))?;
    /// assert_eq!(
    ///     blocks.collect::<Vec<_>>(),
    ///     [Roi::from_bounds([10, 0], [32, 8])?, Roi::from_bounds([32, 0], [50, 8])?],
    /// );
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    pub fn blocks(
        &self,
        block_shape: &VoxelSize,
        origin: &Coordinate,
    ) -> Result<RoiBlocks, GeometryError> {
        let grid =
            origin.0.try_zip(&block_shape.as_coordinate().0, |origin, size| Ok((origin, size)))?;
        let cuts = self.axes.bounded()?.try_zip(&grid, |interval, (origin, size)| {
            Ok(Cuts::new(
                (interval.begin().into(), interval.end().into()),
                origin.into(),
                size.into(),
            ))
        })?;
        Ok(RoiBlocks { walk: BlockWalk::new(cuts) })
    }
}

/// The blocks of a region, made by [`Roi::blocks`].
#[derive(Clone)]
pub struct RoiBlocks {
    walk: BlockWalk,
}

impl Iterator for RoiBlocks {
    type Item = Roi;

    fn next(&mut self) -> Option<Roi> {
        let axes = self.walk.next()?.try_map(|(begin, end)| Interval::new(begin, end).map(Some));
        Some(Roi { axes: axes.expect("a block lies inside a region whose bounds fit") })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.walk.size_hint()
    }
}

impl fmt::Debug for RoiBlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoiBlocks").field("remaining", &self.size_hint().1).finish_non_exhaustive()
    }
}
