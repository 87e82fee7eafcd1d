//! Walking slab by slab: how large outputs are filled from small blocks.
//!
//! The blocks of a source are small cubes, and their rows lie far apart in an output. Written block by
//! block, each row of 64 bytes costs about as much as several times its length, and a fresh page is
//! cleared long before it is full. So a reader of large outputs turns the blocks of a *slab*, whole
//! layers of them, into something that stays in the caches, and writes the output from that, in long runs.

use geometry::Window;

use crate::blocks::{BlockGrid, SplitSpatial, split_window};

/// What a reader keeps for a slab may have this many bytes, unless a single block has more.
const SLAB_BYTES: usize = 32 << 20;

/// Runs `work` on slabs of `window`, one after another, in their order; `out` is cut along.
///
/// A slab is a number of whole layers of blocks along the first axis, or a part of one layer if a layer
/// has too many voxels: what takes `bytes_per_voxel` for each voxel of a slab stays in the caches of the
/// machine, more or less.
///
/// # Errors
///
/// The first error of `work`.
///
/// # Panics
///
/// If `blocks` has other dims than the window, or `out` is smaller than the window.
pub fn for_each_slab<O: SplitSpatial, E>(
    window: &Window,
    blocks: &BlockGrid,
    bytes_per_voxel: usize,
    out: O,
    work: &mut impl FnMut(&Window, O) -> Result<(), E>,
) -> Result<(), E> {
    let voxels = window.shape().iter().fold(1_usize, |all, &extent| all.saturating_mul(extent));
    let is_large = voxels.saturating_mul(bytes_per_voxel) > SLAB_BYTES;
    let Some((axis, at)) = is_large.then(|| blocks.border_of_layers(window)).flatten() else {
        return work(window, out);
    };
    let (front, back) = split_window(window, axis, at);
    let (front_out, back_out) = out.split_spatial(window.dims(), axis, at);
    for_each_slab(&front, blocks, bytes_per_voxel, front_out, work)?;
    for_each_slab(&back, blocks, bytes_per_voxel, back_out, work)
}
