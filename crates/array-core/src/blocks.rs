//! Reading block by block, in parallel.

use std::sync::atomic::{AtomicBool, Ordering};

use geometry::Window;

use crate::any_array::{AnyView, AnyViewMut, same_shape};
use crate::array::Array;
use crate::error::ArrayError;
use crate::hardware::Stores;
use crate::in_this_thread::join;
use crate::memory_limit::concurrent;
use crate::scalar::Scalar;

/// A volume of 100 000 voxels along each axis has fewer blocks of 64 voxels.
const MAX_BLOCKS: u64 = 1 << 32;

/// How an array is cut into blocks: its chunks, mostly.
///
/// ```
/// use array_core::BlockGrid;
///
/// // Chunks of 64 voxels, of which the first is cut off by 16 at its begin, as in a crop.
/// let blocks = BlockGrid::new(&[64]).and_then(|blocks| blocks.behind(&[16]));
/// assert_eq!(blocks.map(|blocks| blocks.index_of(0, 50)), Some(1));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockGrid {
    // Invariant: as many entries as `inside`, none zero.
    shape: Vec<usize>,
    // How far voxel 0 of the array lies inside the first block. Invariant: less than `shape`.
    inside: Vec<usize>,
    // What a thread that reads a block holds of it.
    bytes: u64,
}

impl BlockGrid {
    /// Blocks of `shape` voxels that begin at voxel 0; none if an entry is zero.
    #[must_use]
    pub fn new(shape: &[usize]) -> Option<Self> {
        let grid = Self { shape: shape.to_vec(), inside: vec![0; shape.len()], bytes: 0 };
        (!shape.contains(&0)).then_some(grid)
    }

    /// The same blocks, of which each takes so many bytes while it is read. Where those of several are beyond
    /// the [`memory limit`](crate::memory_limit()), fewer are read at once.
    #[must_use]
    pub fn taking(self, bytes: u64) -> Self {
        Self { bytes, ..self }
    }

    /// How many bytes a block takes while it is read.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The same blocks, as seen from voxel `start` on; none if `start` has other dims.
    #[must_use]
    pub fn behind(&self, start: &[usize]) -> Option<Self> {
        if start.len() != self.shape.len() {
            return None;
        }
        let axes = self.inside.iter().zip(start).zip(&self.shape);
        let inside = axes
            .map(|((&inside, &start), &extent)| {
                // Both are less than the extent, so that only the sum needs care.
                inside.checked_add(start.checked_rem(extent)?)?.checked_rem(extent)
            })
            .collect::<Option<_>>()?;
        Some(Self { shape: self.shape.clone(), inside, bytes: self.bytes })
    }

    /// The extent of a block along each spatial axis, in voxels.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// How far voxel 0 of the array lies inside the first block, along each axis.
    #[must_use]
    pub fn inside(&self) -> &[usize] {
        &self.inside
    }

    /// The index of the block that holds a voxel, along one axis.
    ///
    /// # Panics
    ///
    /// If there is no such axis.
    #[must_use]
    pub fn index_of(&self, axis: usize, voxel: usize) -> usize {
        // The extent is not zero.
        voxel.saturating_add(self.inside[axis]).checked_div(self.shape[axis]).unwrap_or(0)
    }

    /// How many blocks have a voxel of `window`.
    ///
    /// ```
    /// use array_core::BlockGrid;
    /// use geometry::Window;
    ///
    /// let blocks = BlockGrid::new(&[64, 64]).expect("the blocks have voxels");
    /// assert_eq!(blocks.num_blocks(&Window::new(&[0, 60], &[64, 8])?), 2);
    /// # Ok::<_, geometry::GeometryError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If the window has more dims than the blocks.
    #[must_use]
    pub fn num_blocks(&self, window: &Window) -> usize {
        if window.is_empty() {
            return 0;
        }
        let borders =
            |axis| self.border(window, axis).map_or(1, |(_, count)| count.saturating_add(1));
        (0..window.dims()).map(borders).fold(1, usize::saturating_mul)
    }

    /// Refuses a window with so many blocks that working through them, even if nothing is stored, would take
    /// days: metadata can say that there are 10^15 of them.
    ///
    /// # Errors
    ///
    /// [`ArrayError::TooManyBlocks`] if there are more than 2^32.
    ///
    /// # Panics
    ///
    /// If the window has more dims than the blocks.
    pub fn check_count(&self, window: &Window) -> Result<(), ArrayError> {
        let blocks = self.num_blocks(window);
        if u64::try_from(blocks).is_ok_and(|blocks| blocks <= MAX_BLOCKS) {
            return Ok(());
        }
        let (block_shape, most) = (self.shape.clone(), MAX_BLOCKS);
        Err(ArrayError::TooManyBlocks { blocks, block_shape, most })
    }

    /// Larger blocks, each of which is several of these: whole rows of blocks, whole layers of rows, as
    /// many as have at most `max_voxels` in an array of shape `extent`; these blocks if one has more.
    ///
    /// What is computed for rows of blocks lies in long runs in an array, where single blocks have short
    /// ones.
    ///
    /// ```
    /// use array_core::BlockGrid;
    ///
    /// let blocks = BlockGrid::new(&[64, 64, 64]).expect("the blocks have voxels");
    /// let joined = blocks.joined(&[512, 512, 512], 4 << 20);
    /// assert_eq!(joined.shape(), [64, 128, 512]);
    /// ```
    #[must_use]
    pub fn joined(&self, extent: &[usize], max_voxels: usize) -> Self {
        let mut joined = self.clone();
        for axis in (0..self.shape.len()).rev() {
            let voxels = joined.shape.iter().fold(1_usize, |all, &n| all.saturating_mul(n));
            let last = extent.get(axis).map_or(0, |&extent| extent.saturating_sub(1));
            let all = self.index_of(axis, last).saturating_add(1);
            // Where not all blocks fit along an axis, one of them at most fits along those before it.
            let count = max_voxels.checked_div(voxels).unwrap_or(1).clamp(1, all);
            joined.shape[axis] = self.shape[axis].saturating_mul(count);
        }
        joined
    }

    /// The block that holds the first voxel of `window`, as far as it lies in an array of shape `extent`,
    /// and its number among the blocks of the array, counted in C order; none if there are more blocks
    /// than can be numbered.
    pub(crate) fn around(&self, window: &Window, extent: &[usize]) -> (Option<usize>, Window) {
        let (mut number, mut start, mut shape) = (Some(0_usize), Vec::new(), Vec::new());
        for (axis, (&voxel, &extent)) in window.start().iter().zip(extent).enumerate() {
            let index = self.index_of(axis, voxel);
            let count = self.index_of(axis, extent.saturating_sub(1)).saturating_add(1);
            number = number.and_then(|number| number.checked_mul(count)?.checked_add(index));
            let begin = self.begin_of(axis, index);
            start.push(begin);
            let end = self.begin_of(axis, index.saturating_add(1)).min(extent);
            shape.push(end.saturating_sub(begin));
        }
        (number, Window::new(&start, &shape).expect("a part of the array is a valid window"))
    }

    /// The distance from the window's start of the block border nearest to its middle along one axis, and
    /// the number of borders.
    fn border(&self, window: &Window, axis: usize) -> Option<(usize, usize)> {
        let (start, stop) = (window.start()[axis], window.stop()[axis]);
        let first = self.index_of(axis, start);
        // The window has voxels, so that its stop is behind its start.
        let last = self.index_of(axis, stop.saturating_sub(1));
        let count = last.checked_sub(first).filter(|&count| count > 0)?;
        let middle = first.saturating_add(count.div_ceil(2));
        Some((self.begin_of(axis, middle).checked_sub(start)?, count))
    }

    /// The first voxel of a block, along one axis; 0 if the block begins before the array.
    fn begin_of(&self, axis: usize, index: usize) -> usize {
        index.saturating_mul(self.shape[axis]).saturating_sub(self.inside[axis])
    }
}

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
    stores: Stores,
    stop: Option<&'a AtomicBool>,
}

/// Places of this size do not stay in the caches until somebody reads them.
const PAST_CACHES: usize = 16 << 20;

impl<'a> Output<'a> {
    /// A place with any content.
    #[must_use]
    pub fn new(view: AnyViewMut<'a>) -> Self {
        let elements = view.shape().iter().fold(1_usize, |all, &n| all.saturating_mul(n));
        let is_large = elements.saturating_mul(view.dtype().size()) >= PAST_CACHES;
        let stores = if is_large { Stores::PastCaches } else { Stores::Cached };
        Self { view, zeroed: false, stores, stop: None }
    }

    /// A place in which every element is zero.
    #[must_use]
    pub fn zeroed(view: AnyViewMut<'a>) -> Self {
        Self { zeroed: true, ..Self::new(view) }
    }

    /// The same place, in which nothing more needs to be written once `stop` is set: blocks that have not
    /// begun are left out, and the read succeeds with a part of the voxels. Whoever sets it throws them away.
    #[must_use]
    pub fn stopped_by<'b>(self, stop: &'b AtomicBool) -> Output<'b>
    where
        'a: 'b,
    {
        let Self { view, zeroed, stores, stop: _ } = self;
        Output { view: view.shortened(), zeroed, stores, stop: Some(stop) }
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

    /// How to write it: past the caches if the whole place, of which this may be a part, is large.
    #[must_use]
    pub fn stores(&self) -> Stores {
        self.stores
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
        Self { view: self.view.slice_axis(axis, start, len), ..self }
    }

    /// Splits the place before `index` along `axis` into two that do not overlap.
    ///
    /// # Panics
    ///
    /// If `index` is beyond the end of the axis.
    #[must_use]
    pub fn split_at(self, axis: usize, index: usize) -> (Self, Self) {
        let (front, back) = self.view.split_at(axis, index);
        let (zeroed, stores, stop) = (self.zeroed, self.stores, self.stop);
        (Self { view: front, zeroed, stores, stop }, Self { view: back, zeroed, stores, stop })
    }

    /// The part with one index along `axis`, without that axis.
    ///
    /// # Panics
    ///
    /// If the index is beyond the end of the axis.
    #[must_use]
    pub fn index_axis(self, axis: usize, index: usize) -> Self {
        Self { view: self.view.index_axis(axis, index), ..self }
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
/// The spatial axes are the last ones of the output. `()` is the output of work that has none, a pair that
/// of work with two.
pub trait SplitSpatial: Send + Sized {
    /// Cuts before `index` along spatial axis `axis` of `dims`.
    #[must_use]
    fn split_spatial(self, dims: usize, axis: usize, index: usize) -> (Self, Self);

    /// Whether nobody needs what has not been written yet: see [`Output::stopped_by`].
    fn is_stopped(&self) -> bool {
        false
    }
}

impl SplitSpatial for () {
    fn split_spatial(self, _dims: usize, _axis: usize, _index: usize) -> (Self, Self) {
        ((), ())
    }
}

impl<A: SplitSpatial, B: SplitSpatial> SplitSpatial for (A, B) {
    fn split_spatial(self, dims: usize, axis: usize, index: usize) -> (Self, Self) {
        let (front, back) = self.0.split_spatial(dims, axis, index);
        let (other_front, other_back) = self.1.split_spatial(dims, axis, index);
        ((front, other_front), (back, other_back))
    }

    fn is_stopped(&self) -> bool {
        self.0.is_stopped() || self.1.is_stopped()
    }
}

impl SplitSpatial for Output<'_> {
    fn split_spatial(self, dims: usize, axis: usize, index: usize) -> (Self, Self) {
        let channel_dims = self.shape().len().saturating_sub(dims);
        self.split_at(channel_dims.saturating_add(axis), index)
    }

    fn is_stopped(&self) -> bool {
        // Relaxed: a late look only costs one more block.
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
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
/// With the blocks of a source, each of its chunks is touched once. `output` is cut along the same
/// borders: every call of `work` gets its own part. Merging follows the order of the blocks. After
/// the first error, blocks that have not begun are left out.
///
/// ```
/// use array_core::{BlockGrid, fold_blocks};
/// use geometry::Window;
///
/// let window = Window::new(&[3, 0], &[10, 4])?;
/// let blocks = BlockGrid::new(&[8, 8]).expect("the blocks have voxels");
/// let count = fold_blocks(
///     &window,
///     &blocks,
///     (),
///     &|block: &Window, ()| Ok::<_, geometry::GeometryError>(block.shape()[0]),
///     &|a, b| a + b,
/// )?;
/// assert_eq!(count, Some(5 + 5)); // rows 3..8 and 8..13
/// # Ok::<_, geometry::GeometryError>(())
/// ```
///
/// The result is none if the window is empty. Blocks that take much memory ([`BlockGrid::taking`]) are read by
/// fewer threads.
///
/// # Errors
///
/// The error of the first block (in their order) among those that failed.
///
/// # Panics
///
/// If `blocks` has other dims than the window, or `output` is smaller than the window.
pub fn fold_blocks<O, T, E>(
    window: &Window,
    blocks: &BlockGrid,
    output: O,
    work: &(impl Fn(&Window, O) -> Result<T, E> + Sync),
    merge: &(impl Fn(T, T) -> T + Sync),
) -> Result<Option<T>, E>
where
    O: SplitSpatial,
    T: Send,
    E: Send,
{
    assert_eq!(window.dims(), blocks.shape().len(), "a block has the dims of the window");
    if window.is_empty() {
        return Ok(None);
    }
    let stop = AtomicBool::new(false);
    Fold { blocks, work, merge, stop: &stop }.run(window, output, concurrent(blocks.bytes))
}

struct Fold<'a, W, M> {
    blocks: &'a BlockGrid,
    work: &'a W,
    merge: &'a M,
    stop: &'a AtomicBool,
}

impl<W, M> Fold<'_, W, M> {
    /// Works in at most so many threads as are `concurrent`.
    fn run<O, T, E>(&self, window: &Window, output: O, concurrent: usize) -> Result<Option<T>, E>
    where
        O: SplitSpatial,
        W: Fn(&Window, O) -> Result<T, E> + Sync,
        M: Fn(T, T) -> T + Sync,
        T: Send,
        E: Send,
    {
        // Before cutting, too: a grid can have more blocks than anybody can wait for. Relaxed: a late
        // look only costs one more block.
        if self.stop.load(Ordering::Relaxed) || output.is_stopped() {
            return Ok(None);
        }
        let Some((axis, at)) = self.border(window) else {
            let result = (self.work)(window, output);
            if result.is_err() {
                self.stop.store(true, Ordering::Relaxed);
            }
            return result.map(Some);
        };
        let (front, back) = split_window(window, axis, at);
        let (front_output, back_output) = output.split_spatial(window.dims(), axis, at);
        let in_front = || self.run(&front, front_output, concurrent.div_ceil(2));
        let behind = || self.run(&back, back_output, (concurrent / 2).max(1));
        let (front, back) =
            if concurrent > 1 { join(in_front, behind) } else { (in_front(), behind()) };
        Ok(match (front?, back?) {
            (Some(front), Some(back)) => Some((self.merge)(front, back)),
            (front, back) => front.or(back),
        })
    }

    /// The axis and distance from the window's start of the block border nearest to its middle, along
    /// the axis with the most blocks; the slowest of these, so that parts stay long in memory.
    fn border(&self, window: &Window) -> Option<(usize, usize)> {
        let mut best: Option<(usize, usize, usize)> = None;
        for axis in 0..window.dims() {
            let Some((at, count)) = self.blocks.border(window, axis) else { continue };
            if count > best.map_or(0, |(_, _, count)| count) {
                best = Some((axis, at, count));
            }
        }
        best.map(|(axis, at, _)| (axis, at))
    }
}

/// Runs `work` on each part of `window` that lies in one block, in C order, in the calling thread;
/// `output` is cut along.
///
/// # Errors
///
/// The first error of `work`.
///
/// # Panics
///
/// If `blocks` has other dims than the window, or `output` is smaller than the window.
pub fn walk_blocks<O: SplitSpatial, E>(
    window: &Window,
    blocks: &BlockGrid,
    output: O,
    work: &mut impl FnMut(&Window, O) -> Result<(), E>,
) -> Result<(), E> {
    assert_eq!(window.dims(), blocks.shape().len(), "a block has the dims of the window");
    if window.is_empty() {
        return Ok(());
    }
    let border = (0..window.dims()).find_map(|axis| Some((axis, blocks.border(window, axis)?.0)));
    let Some((axis, at)) = border else {
        return work(window, output);
    };
    let (front, back) = split_window(window, axis, at);
    let (front_output, back_output) = output.split_spatial(window.dims(), axis, at);
    walk_blocks(&front, blocks, front_output, work)?;
    walk_blocks(&back, blocks, back_output, work)
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
    fold_blocks(window, info.blocks(), out, &work, &|(), ()| ())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn blocks_that_nobody_can_work_through_are_refused_with_their_number() {
        let blocks = BlockGrid::new(&[1, 1, 2]).unwrap();
        let window = |edge| Window::new(&[0, 0, 0], &[1 << 16, edge, 2]).unwrap();
        blocks.check_count(&window(1 << 16)).unwrap();
        let error = blocks.check_count(&window((1 << 16) + 1)).unwrap_err();
        assert!(error.to_string().contains("4295032832 blocks of [1, 1, 2] voxels"), "{error}");
        let most = usize::try_from(i64::MAX).unwrap();
        let error = BlockGrid::new(&[1]).unwrap().check_count(&Window::full(&[most]).unwrap());
        assert!(error.unwrap_err().to_string().contains("9223372036854775807 blocks"));
    }

    #[test]
    fn each_part_lies_in_one_block_and_the_parts_cover_the_window_in_order() {
        let window = Window::new(&[5, 0, 7], &[20, 3, 1]).unwrap();
        let seen = Mutex::new(0);
        let parts = fold_blocks(
            &window,
            &BlockGrid::new(&[8, 2, 4]).unwrap(),
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
    fn joined_blocks_are_whole_blocks_and_each_block_has_its_number() {
        let extent = [23, 17];
        for (inside, max_voxels) in [([0, 0], 0), ([0, 0], 60), ([3, 4], 60), ([4, 1], 10_000)] {
            let blocks = BlockGrid::new(&[5, 6]).unwrap().behind(&inside).unwrap();
            let joined = blocks.joined(&extent, max_voxels);
            assert!(joined.shape().iter().product::<usize>() <= max_voxels.max(30), "{joined:?}");
            let mut known = std::collections::BTreeMap::new();
            let mut units = std::collections::BTreeMap::new();
            for (y, x) in (0..23).flat_map(|y| (0..17).map(move |x| (y, x))) {
                let voxel = Window::new(&[y, x], &[1, 1]).unwrap();
                let place = [(y + inside[0]) / 5, (x + inside[1]) / 6];
                let (number, block) = blocks.around(&voxel, &extent);
                assert!(block.contains(&voxel).unwrap());
                assert_eq!(known.entry(number).or_insert((place, block)), &(place, block));
                let (unit, _) = joined.around(&voxel, &extent);
                assert_eq!(units.entry(place).or_insert(unit), &unit, "a block was cut");
            }
            let count = |axis: usize, side: usize| (extent[axis] + inside[axis]).div_ceil(side);
            assert_eq!(known.len(), count(0, 5) * count(1, 6));
            let voxels = known.values().map(|(_, block)| block.num_voxels().unwrap());
            assert_eq!(voxels.sum::<usize>(), 23 * 17);
        }
    }

    #[test]
    fn a_place_says_whether_it_is_zeroed_and_a_pair_of_places_ends_with_either() {
        let (stop, go) = (AtomicBool::new(true), AtomicBool::new(false));
        let mut values =
            [[0_u8; 4]; 2].map(|row| ndarray::Array1::from_vec(row.to_vec()).into_dyn());
        let [first, second] = &mut values;
        let first = Output::zeroed(AnyViewMut::from(first.view_mut()));
        let second = Output::new(AnyViewMut::from(second.view_mut()));
        assert!(first.is_zeroed() && !second.is_zeroed());
        let pair = (first.stopped_by(&go), second);
        assert!(!pair.is_stopped());
        let pair = (pair.0, pair.1.stopped_by(&stop));
        assert!(pair.is_stopped() && (pair.1, pair.0).is_stopped());
    }

    #[test]
    fn an_error_ends_the_walk_of_a_grid_that_nobody_could_walk() {
        let window = Window::full(&[1 << 40, 1 << 20]).unwrap();
        let blocks = BlockGrid::new(&[1, 1]).unwrap();
        let work = |_: &Window, ()| Err::<(), _>("broken");
        assert_eq!(fold_blocks(&window, &blocks, (), &work, &|(), ()| ()), Err("broken"));
    }

    #[test]
    fn an_error_ends_the_walk() {
        let window = Window::full(&[64]).unwrap();
        let work = |part: &Window, ()| if part.start()[0] == 3 { Err(3) } else { Ok(()) };
        let blocks = BlockGrid::new(&[1]).unwrap();
        assert_eq!(fold_blocks(&window, &blocks, (), &work, &|(), ()| ()), Err(3));
    }
}
