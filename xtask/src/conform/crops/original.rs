//! What the original must read from a crop, where that differs from what is read here.

use geometry::{Roi, Snap, VoxelSize};

/// A region as the numbers that the original computes with.
pub(super) struct Place<'a> {
    pub(super) roi: &'a Roi,
    pub(super) voxel_size: &'a [i64],
}

impl Place<'_> {
    /// What `snap_to_grid` leaves of the region, and by how much that moves the data.
    pub(super) fn snapped(&self, grid: &[i64]) -> anyhow::Result<(Roi, Vec<i64>)> {
        let grid = VoxelSize::new(geometry::Coordinate::new(grid)?)?;
        let snapped = self.roi.snap_to_grid(&grid, Snap::Shrink)?;
        let moved = snapped.offset()?.checked_sub(self.roi.offset()?)?;
        Ok((snapped, moved.as_slice().to_vec()))
    }

    /// The region that a Python slice reads for an offset and a shape, of which a negative end counts
    /// from the end of the array; none if it is not aligned.
    pub(super) fn slice(
        &self,
        offset: &[Option<i64>],
        shape: &[Option<i64>],
    ) -> anyhow::Result<Option<Roi>> {
        let (begin, extent) = (self.roi.offset()?, self.roi.shape()?);
        let (mut offsets, mut shapes) = (Vec::new(), Vec::new());
        let axes = begin.as_slice().iter().zip(extent.as_slice()).zip(self.voxel_size);
        for ((offset, shape), ((begin, extent), size)) in offset.iter().zip(shape).zip(axes) {
            let (Some(offset), Some(shape)) = (offset, shape) else { return Ok(None) };
            let (from, length) = (offset - begin, *shape);
            if from % size != 0 || length % size != 0 {
                return Ok(None);
            }
            let voxels = extent / size;
            let index = |index: i64| {
                let index = if index < 0 { index + voxels } else { index };
                index.clamp(0, voxels)
            };
            let start = if length == 0 { 0 } else { index(from / size) };
            let stop = if length == 0 { 0 } else { index((from + length) / size) };
            offsets.push(begin + start * size);
            shapes.push((stop - start).max(0) * size);
        }
        Ok(Some(Roi::new(
            geometry::Coordinate::new(&offsets)?,
            geometry::Coordinate::new(&shapes)?,
        )?))
    }

    /// Whether the original finds a region without voxels inside: its first corner has to be.
    pub(super) fn holds_corner(&self, offset: &[Option<i64>]) -> anyhow::Result<bool> {
        let (begin, end) = (self.roi.begin()?, self.roi.end()?);
        let bounds = begin.as_slice().iter().zip(end.as_slice());
        let inside = |(offset, (begin, end)): (&Option<i64>, (&i64, &i64))| {
            offset.is_some_and(|offset| offset >= *begin && offset < *end)
        };
        Ok(offset.len() == self.voxel_size.len() && offset.iter().zip(bounds).all(inside))
    }
}

/// The target of labels: how many of the ids of each group a voxel is, in eight bits.
pub(super) fn target(labels: &[i128], groups: &[Vec<i128>], background: i128) -> Vec<i128> {
    let of_group = |ids: &Vec<i128>, label: i128| match ids.len() {
        0 => i128::from(label != background),
        _ => ids.iter().fold(0, |count, id| (count + i128::from(*id == label)) % 256),
    };
    groups.iter().flat_map(|ids| labels.iter().map(move |label| of_group(ids, *label))).collect()
}
