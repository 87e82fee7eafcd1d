//! Reading block by block, in parallel.

use std::sync::atomic::{AtomicBool, Ordering};

use geometry::Window;

use crate::any_array::{AnyView, AnyViewMut, same_shape};
use crate::array::Array;
use crate::error::ArrayError;
use crate::scalar::Scalar;

/// The voxels of one window, as a source hands them out.
///
/// The shape is `[..channels, ..window.shape()]`.
#[derive(Clone, Debug)]
pub enum Block<'a> {
    /// Every voxel has this value; nothing was decoded.
    Constant(Scalar),
    /// The voxels, in any memory order.
    Voxels(AnyView<'a>),
}

/// Where a read puts its voxels, and whether zeros are there already.
///
/// Fresh memory comes from the system as zero pages: whoever knows that can leave constant zero
/// blocks alone, and pages that are never touched cost neither time nor memory.
#[derive(Debug)]
pub struct Output<'a> {
    view: AnyViewMut<'a>,
    zeroed: bool,
}

impl<'a> Output<'a> {
    /// A place with any content.
    #[must_use]
    pub fn new(view: AnyViewMut<'a>) -> Self {
        Self { view, zeroed: false }
    }

    /// A place in which every element is zero.
    #[must_use]
    pub fn zeroed(view: AnyViewMut<'a>) -> Self {
        Self { view, zeroed: true }
    }

    /// The extent along each axis.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        self.view.shape()
    }

    /// Whether every element is zero already.
    #[must_use]
    pub fn is_zeroed(&self) -> bool {
        self.zeroed
    }

    /// The place itself.
    #[must_use]
    pub fn into_view(self) -> AnyViewMut<'a> {
        self.view
    }

    /// The part with the indices `start..start + len` along `axis`.
    ///
    /// # Panics
    ///
    /// If the part reaches beyond the place.
    #[must_use]
    pub fn slice_axis(self, axis: usize, start: usize, len: usize) -> Self {
        Self { view: self.view.slice_axis(axis, start, len), zeroed: self.zeroed }
    }

    /// Sets every element to `value`; zeros that are there already are left alone.
    ///
    /// # Errors
    ///
    /// [`ArrayError::DTypeMismatch`] if `value` is of another type.
    pub fn fill(&mut self, value: Scalar) -> Result<(), ArrayError> {
        if self.zeroed && value == Scalar::zero(self.view.dtype()) {
            return Ok(());
        }
        self.zeroed = false;
        self.view.fill(value)
    }

    /// Sets every element to that of a block.
    ///
    /// # Errors
    ///
    /// [`ArrayError::DTypeMismatch`] or [`ArrayError::ShapeMismatch`] if the block does not fit.
    pub fn assign(&mut self, block: &Block<'_>) -> Result<(), ArrayError> {
        match block {
            Block::Constant(value) => self.fill(*value),
            Block::Voxels(voxels) => {
                self.zeroed = false;
                self.view.assign(voxels)
            }
        }
    }
}

/// An output that can be cut in two along a spatial axis, so that blocks are written in parallel.
///
/// The spatial axes are the last ones of the output. `()` is the output of work that has none.
pub trait SplitSpatial: Send + Sized {
    /// Cuts before `index` along spatial axis `axis` of `dims`.
    #[must_use]
    fn split_spatial(self, dims: usize, axis: usize, index: usize) -> (Self, Self);
}

impl SplitSpatial for () {
    fn split_spatial(self, _dims: usize, _axis: usize, _index: usize) -> (Self, Self) {
        ((), ())
    }
}

impl SplitSpatial for Output<'_> {
    fn split_spatial(self, dims: usize, axis: usize, index: usize) -> (Self, Self) {
        let channel_dims = self.shape().len().saturating_sub(dims);
        let (front, back) = self.view.split_at(channel_dims.saturating_add(axis), index);
        (Self { view: front, zeroed: self.zeroed }, Self { view: back, zeroed: self.zeroed })
    }
}

impl<T: Send> SplitSpatial for ndarray::ArrayViewMutD<'_, T> {
    fn split_spatial(self, dims: usize, axis: usize, index: usize) -> (Self, Self) {
        let channel_dims = self.ndim().saturating_sub(dims);
        self.split_at(ndarray::Axis(channel_dims.saturating_add(axis)), index)
    }
}

/// Runs `work` on each part of `window` that lies in one block, in parallel, and merges the results.
///
/// Blocks are the cells of `block_shape` counted from voxel 0 of the array (not of the window), so
/// that with the chunk shape of a source each chunk is touched once. `output` is cut along the same
/// borders: every call of `work` gets its own part. Merging follows the order of the blocks. After
/// the first error, blocks that have not begun are left out.
///
/// ```
/// use array_core::fold_blocks;
/// use geometry::Window;
///
/// let window = Window::new(&[3, 0], &[10, 4])?;
/// let count = fold_blocks(
///     &window,
///     &[8, 8],
///     (),
///     &|block: &Window, ()| Ok::<_, geometry::GeometryError>(block.shape()[0]),
///     &|a, b| a + b,
/// )?;
/// assert_eq!(count, Some(5 + 5)); // rows 3..8 and 8..13
/// # Ok::<_, geometry::GeometryError>(())
/// ```
///
/// The result is none if the window is empty.
///
/// # Errors
///
/// The error of the first block (in their order) among those that failed.
///
/// # Panics
///
/// If `block_shape` has other dims than the window or a zero, or `output` is smaller than the window.
pub fn fold_blocks<O, T, E>(
    window: &Window,
    block_shape: &[usize],
    output: O,
    work: &(impl Fn(&Window, O) -> Result<T, E> + Sync),
    merge: &(impl Fn(T, T) -> T + Sync),
) -> Result<Option<T>, E>
where
    O: SplitSpatial,
    T: Send,
    E: Send,
{
    assert_eq!(window.dims(), block_shape.len(), "a block has the dims of the window");
    assert!(!block_shape.contains(&0), "a block has voxels");
    if window.is_empty() {
        return Ok(None);
    }
    let stop = AtomicBool::new(false);
    Fold { block_shape, work, merge, stop: &stop }.run(window, output)
}

struct Fold<'a, W, M> {
    block_shape: &'a [usize],
    work: &'a W,
    merge: &'a M,
    stop: &'a AtomicBool,
}

impl<W, M> Fold<'_, W, M> {
    fn run<O, T, E>(&self, window: &Window, output: O) -> Result<Option<T>, E>
    where
        O: SplitSpatial,
        W: Fn(&Window, O) -> Result<T, E> + Sync,
        M: Fn(T, T) -> T + Sync,
        T: Send,
        E: Send,
    {
        let Some((axis, at)) = self.border(window) else {
            // Relaxed: a late look only costs one more block.
            if self.stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let result = (self.work)(window, output);
            if result.is_err() {
                self.stop.store(true, Ordering::Relaxed);
            }
            return result.map(Some);
        };
        let (front, back) = split_window(window, axis, at);
        let (front_output, back_output) = output.split_spatial(window.dims(), axis, at);
        let (front, back) =
            rayon::join(|| self.run(&front, front_output), || self.run(&back, back_output));
        Ok(match (front?, back?) {
            (Some(front), Some(back)) => Some((self.merge)(front, back)),
            (front, back) => front.or(back),
        })
    }

    /// The axis and distance from the window's start of the block border nearest to its middle, along
    /// the axis with the most blocks; the slowest of these, so that parts stay long in memory.
    fn border(&self, window: &Window) -> Option<(usize, usize)> {
        let mut best: Option<(usize, usize, usize)> = None;
        let axes = window.start().iter().zip(window.stop()).zip(self.block_shape).enumerate();
        for (axis, ((&start, stop), &extent)) in axes {
            // Neither can overflow or underflow: stop > start, extent > 0.
            let first = start.checked_div(extent)?;
            let last = stop.checked_sub(1)?.checked_div(extent)?;
            let blocks = last.checked_sub(first)?;
            if blocks > best.map_or(0, |(_, _, blocks)| blocks) {
                let middle = first.checked_add(blocks.div_ceil(2))?.checked_mul(extent)?;
                best = Some((axis, middle.checked_sub(start)?, blocks));
            }
        }
        best.map(|(axis, at, _)| (axis, at))
    }
}

/// Cuts a window `at` voxels behind its start.
fn split_window(window: &Window, axis: usize, at: usize) -> (Window, Window) {
    let (mut start, mut front, mut back) =
        (window.start().to_vec(), window.shape().to_vec(), window.shape().to_vec());
    start[axis] = start[axis].saturating_add(at);
    front[axis] = at;
    back[axis] = back[axis].saturating_sub(at);
    let part = |start: &[usize], shape: &[usize]| {
        Window::new(start, shape).expect("a part of a valid window is valid")
    };
    (part(window.start(), &front), part(&start, &back))
}

/// Reads `window` into `out` block by block: the plain way to read, for any array.
///
/// # Errors
///
/// Those of [`Array::visit`], and a dtype or shape of `out` that does not fit.
pub fn copy_blocks<A: Array + ?Sized>(
    array: &A,
    window: &Window,
    out: Output<'_>,
) -> Result<(), ArrayError> {
    let info = array.info();
    let shape = [info.channel_shape(), window.shape()].concat();
    same_shape(&shape, out.shape())?;
    let work =
        |block: &Window, mut out: Output<'_>| array.visit(block, &mut |voxels| out.assign(&voxels));
    fold_blocks(window, info.block_shape(), out, &work, &|(), ()| ())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn each_part_lies_in_one_block_and_the_parts_cover_the_window_in_order() {
        let window = Window::new(&[5, 0, 7], &[20, 3, 1]).unwrap();
        let seen = Mutex::new(0);
        let parts = fold_blocks(
            &window,
            &[8, 2, 4],
            (),
            &|part: &Window, ()| {
                *seen.lock().unwrap() += part.num_voxels().unwrap();
                Ok::<_, ()>(vec![part.start().to_vec()])
            },
            &|a, b| [a, b].concat(),
        );
        assert_eq!(*seen.lock().unwrap(), 60);
        let parts = parts.unwrap().unwrap();
        assert_eq!(parts.len(), 4 * 2);
        assert!(parts.is_sorted(), "{parts:?}");
    }

    #[test]
    fn an_error_ends_the_walk() {
        let window = Window::full(&[64]).unwrap();
        let work = |part: &Window, ()| if part.start()[0] == 3 { Err(3) } else { Ok(()) };
        assert_eq!(fold_blocks(&window, &[1], (), &work, &|(), ()| ()), Err(3));
    }
}
