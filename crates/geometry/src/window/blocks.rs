//! The blocks of a window.

use std::fmt;

use super::Window;
use crate::{
    GeometryError,
    blocks::{BlockWalk, Cuts},
    per_axis::PerAxis,
};

impl Window {
    /// Cuts the window at the borders of the array's blocks, in row-major order (the last axis runs fastest).
    ///
    /// The first block of the array begins at index 0. Blocks at the border are clipped to the
    /// window, so that they cover it exactly once. An empty window has no blocks.
    ///
    /// # Errors
    ///
    /// [`GeometryError::DimsMismatch`], and [`GeometryError::EmptyBlock`] if a block has no extent along some axis.
    ///
    /// ```
    /// use geometry::Window;
    ///
    /// let window = Window::new(&[10, 0], &[40, 8])?;
    /// let blocks: Vec<_> = window.blocks(&[32, 32])?.collect();
    /// assert_eq!(blocks, [Window::new(&[10, 0], &[22, 8])?, Window::new(&[32, 0], &[18, 8])?]);
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    pub fn blocks(&self, block_shape: &[usize]) -> Result<WindowBlocks, GeometryError> {
        let bounds = self.start.try_zip(&self.stop, |start, stop| Ok((wide(start), wide(stop))))?;
        let cuts = bounds.try_zip(&PerAxis::or_none(block_shape)?, |bounds, size| {
            if size == 0 {
                return Err(GeometryError::EmptyBlock { block_shape: block_shape.to_vec() });
            }
            Ok(Cuts::new(bounds, 0, wide(size)))
        })?;
        Ok(WindowBlocks { walk: BlockWalk::new(cuts) })
    }
}

/// The blocks of a window, made by [`Window::blocks`].
#[derive(Clone)]
pub struct WindowBlocks {
    walk: BlockWalk,
}

impl Iterator for WindowBlocks {
    type Item = Window;

    fn next(&mut self) -> Option<Window> {
        let bounds = self.walk.next()?;
        let narrow =
            |bound: i128| usize::try_from(bound).expect("a block lies inside a window of indices");
        let start = bounds.map(|(start, _)| narrow(start));
        let stop = bounds.map(|(_, stop)| narrow(stop));
        let shape = stop
            .try_zip(&start, |stop, start| Ok(stop.saturating_sub(start)))
            .expect("both have the same dims");
        Some(Window { start, shape, stop })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.walk.size_hint()
    }
}

impl fmt::Debug for WindowBlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WindowBlocks")
            .field("remaining", &self.size_hint().1)
            .finish_non_exhaustive()
    }
}

fn wide(index: usize) -> i128 {
    i128::try_from(index).expect("an index has at most 64 bits")
}
