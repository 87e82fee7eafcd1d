//! The first level: masks and targets of the labels themselves.

use annotation_mask::{BlockPair, ChannelCounts, GroundTruth};
use geometry::Window;
use ndarray::Slice;

use crate::cells::{Cell, cells};
use crate::error::WriteError;
use crate::images::Image;
use crate::observer::Observer;
use crate::plan::Plan;
use crate::unit::{Last, UnitWriter};

/// Writes one unit in all images, and counts its voxels.
pub(crate) fn write_unit(
    pair: &dyn GroundTruth,
    plan: &Plan,
    images: &[Image],
    unit: &Cell,
    observer: &dyn Observer,
) -> Result<ChannelCounts, WriteError> {
    let mut writers = images
        .iter()
        .map(|image| Ok((image, UnitWriter::new(&image.levels[0], plan, unit)?)))
        .collect::<Result<Vec<_>, WriteError>>()?;
    let mut counts = ChannelCounts::default();
    for tile in cells(&unit.window, &plan.levels[0].tile)? {
        if !observer.goes_on() {
            return Err(WriteError::Interrupted { percent: None });
        }
        let mut written: Result<(), WriteError> = Ok(());
        pair.visit_pair(&tile.window, &mut |block| {
            written = writers.iter_mut().try_for_each(|(image, writer)| {
                write_tile(plan, image, writer, &tile.window, &block)
            });
            counts = std::mem::take(&mut counts).merged(block.counts);
            Ok(())
        })?;
        written?;
        observer.advanced(tile.window.num_voxels()? as u64);
    }
    for (_, writer) in writers {
        writer.finish()?;
    }
    Ok(counts)
}

/// Writes the chunks of one image in a tile.
fn write_tile(
    plan: &Plan,
    image: &Image,
    writer: &mut UnitWriter<'_>,
    tile: &Window,
    block: &BlockPair<'_>,
) -> Result<(), WriteError> {
    let planes = image.planes(block);
    for chunk in cells(tile, &plan.chunk_shape)? {
        let inside = chunk.window.relative_to(tile.start())?;
        let mut last = Last::None;
        for channel in 0..planes.num_channels() {
            // Chunks of zeros are not stored.
            let Some(mut voxels) = planes.channel(channel) else { continue };
            voxels.slice_each_axis_inplace(|axis| {
                let axis = axis.axis.index();
                Slice::from(inside.start()[axis]..inside.stop()[axis])
            });
            let elements = writer.elements(voxels)?;
            writer.put(channel, &chunk.index, elements, &mut last)?;
        }
    }
    Ok(())
}
