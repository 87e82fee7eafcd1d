//! Reading in units: how large outputs are filled from small blocks.
//!
//! The blocks of a source are small cubes, and their rows lie far apart in an output: written block by
//! block, a row of 64 bytes costs several times what it costs as a part of a long run. So whole rows of
//! blocks, as many as fit into the caches of a core, are a *unit*: one thread turns its blocks into one
//! plane, and writes channel after channel from that.

use array_core::{Array, ArrayError, Block, BlockGrid, SplitSpatial, fold_blocks, walk_blocks};
use geometry::Window;

/// The size in bytes of the plane of a unit, unless a single block has more.
const UNIT_BYTES: usize = 2 << 20;

/// Runs `work` on the units of `window` in parallel, with planes of `bytes_per_voxel`; `out` is cut along.
pub(crate) fn for_each_unit<O: SplitSpatial>(
    window: &Window,
    blocks: &BlockGrid,
    bytes_per_voxel: usize,
    out: O,
    work: &(impl Fn(&Window, O) -> Result<(), ArrayError> + Sync),
) -> Result<(), ArrayError> {
    let max_voxels = UNIT_BYTES / bytes_per_voxel.max(1);
    let units = blocks.joined(window.stop(), max_voxels);
    fold_blocks(window, &units, out, work, &|(), ()| ())?;
    Ok(())
}

/// Turns the blocks of `window` into the parts of a plane, one after another in the calling thread. False if
/// nobody waits for `out`, where the plane goes, any more: the plane is not whole then.
pub(crate) fn read_plane<A: Array + ?Sized, O: SplitSpatial>(
    source: &A,
    window: &Window,
    plane: O,
    out: &impl SplitSpatial,
    fill: &(impl Fn(&Block<'_>, O) -> Result<(), ArrayError> + Sync),
) -> Result<bool, ArrayError> {
    walk_blocks(window, source.info().blocks(), plane, &mut |window, plane| {
        // A unit may have many blocks, and each of them may have to come from far away.
        if out.is_stopped() {
            return Ok(());
        }
        // The visitor is called once, but only the source knows that.
        let mut plane = Some(plane);
        source.visit(window, &mut |block| match plane.take() {
            Some(plane) => fill(&block, plane),
            None => Ok(()),
        })
    })?;
    Ok(!out.is_stopped())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn units_are_as_many_blocks_in_a_row_as_their_plane_has_place_for() {
        let window = Window::full(&[128, 128, 256]).unwrap();
        let blocks = BlockGrid::new(&[64, 64, 64]).unwrap();
        for (bytes, shape) in [(1, [64, 128, 256]), (2, [64, 64, 256]), (3, [64, 64, 128])] {
            let units = Mutex::new(BTreeMap::new());
            let work = |unit: &Window, ()| {
                *units.lock().unwrap().entry(unit.shape().to_vec()).or_insert(0) += 1;
                Ok(())
            };
            for_each_unit(&window, &blocks, bytes, (), &work).unwrap();
            let count = 128 * 128 * 256 / shape.iter().product::<usize>();
            assert_eq!(units.into_inner().unwrap(), [(shape.to_vec(), count)].into(), "{bytes}");
        }
    }
}
