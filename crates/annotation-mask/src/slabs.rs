//! From the plane of a slab to the channels of an output.

use array_core::{ArrayError, BlockGrid, Output, fold_blocks};
use geometry::Window;

use crate::planes::{len_of, plane};

/// The number of voxels that one thread writes to all channels before it goes on.
const PIECE_VOXELS: usize = 1 << 18;

/// Runs `work` on pieces of a slab of `shape`, in parallel: on a part of its plane, and the same part of
/// `out`, of shape `[channels, ..shape]`.
pub(crate) fn write_pieces<P: Sync>(
    shape: &[usize],
    entries: &[P],
    out: Output<'_>,
    work: &(impl Fn(&[P], Output<'_>) -> Result<(), ArrayError> + Sync),
) -> Result<(), ArrayError> {
    let mut piece = shape.to_vec();
    if let Some((layers, layer)) = piece.split_first_mut() {
        *layers = (PIECE_VOXELS / len_of(layer).max(1)).clamp(1, *layers);
    }
    let Some(pieces) = BlockGrid::new(&piece) else {
        // There are no voxels.
        return Ok(());
    };
    let write = |_: &Window, (part, out): (ndarray::ArrayViewD<'_, P>, Output<'_>)| {
        work(part.to_slice().expect("whole layers have no gaps"), out)
    };
    fold_blocks(
        &Window::full(shape)?,
        &pieces,
        (plane(shape, entries), out),
        &write,
        &|(), ()| (),
    )?;
    Ok(())
}
