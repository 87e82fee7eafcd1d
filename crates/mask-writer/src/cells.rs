//! Cutting windows along a regular grid.

use geometry::{GeometryError, Window};

/// A cell of a grid that begins at voxel 0, or the part of it that lies in a window.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// Which cell it is.
    pub(crate) index: Vec<usize>,
    /// Its voxels.
    pub(crate) window: Window,
}

/// The cells of `shape` voxels that `window` meets, in C order. No entry of `shape` is zero.
pub(crate) fn cells(window: &Window, shape: &[usize]) -> Result<Vec<Cell>, GeometryError> {
    let counts: Vec<(usize, usize)> = window
        .start()
        .iter()
        .zip(window.stop())
        .zip(shape)
        .map(|((&start, &stop), &extent)| {
            let first = start / extent;
            (first, stop.div_ceil(extent).saturating_sub(first))
        })
        .collect();
    let total = counts.iter().map(|&(_, count)| count).product::<usize>();
    (0..total)
        .map(|number| {
            let place = unravel(number, &counts.iter().map(|&(_, n)| n).collect::<Vec<_>>());
            let index: Vec<usize> =
                place.iter().zip(&counts).map(|(place, (first, _))| place + first).collect();
            let window = part(&index, window, shape)?;
            Ok(Cell { index, window })
        })
        .collect()
}

/// The number of cells along each axis that cover `extents` voxels.
pub(crate) fn counts(extents: &[usize], shape: &[usize]) -> Vec<usize> {
    extents.iter().zip(shape).map(|(&extent, &cell)| extent.div_ceil(cell)).collect()
}

/// The index of an element in C order.
pub(crate) fn unravel(mut number: usize, counts: &[usize]) -> Vec<usize> {
    let mut index = vec![0; counts.len()];
    for (place, &count) in index.iter_mut().zip(counts).rev() {
        *place = number % count.max(1);
        number /= count.max(1);
    }
    index
}

/// The part of a cell that lies in `bounds`.
pub(crate) fn part(
    index: &[usize],
    bounds: &Window,
    shape: &[usize],
) -> Result<Window, GeometryError> {
    let axes = index.iter().zip(shape).zip(bounds.start().iter().zip(bounds.stop()));
    let (start, extent): (Vec<usize>, Vec<usize>) = axes
        .map(|((&index, &extent), (&low, &high))| {
            let begin = index.saturating_mul(extent);
            let (start, stop) = (begin.max(low), begin.saturating_add(extent).min(high));
            (start, stop.saturating_sub(start))
        })
        .unzip();
    Window::new(&start, &extent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_cover_a_window_once_in_c_order() {
        let window = Window::new(&[4, 6], &[5, 3]).unwrap();
        let found = cells(&window, &[4, 4]).unwrap();
        let index: Vec<_> = found.iter().map(|cell| cell.index.clone()).collect();
        assert_eq!(index, [[1, 1], [1, 2], [2, 1], [2, 2]]);
        assert_eq!(found[0].window, Window::new(&[4, 6], &[4, 2]).unwrap());
        assert_eq!(found[3].window, Window::new(&[8, 8], &[1, 1]).unwrap());
        let voxels: usize = found.iter().map(|cell| cell.window.num_voxels().unwrap()).sum();
        assert_eq!(voxels, 15);
    }
}
