//! The later levels, made of what was written before.

use std::borrow::Cow;

use array_core::Array;

use crate::cells::{Cell, cells};
use crate::error::WriteError;
use crate::images::Image;
use crate::observer::Observer;
use crate::plan::Plan;
use crate::reduce::reduced_chunk;
use crate::unit::{Last, UnitWriter};

/// Writes one unit of the level `level`, at least 1, in all images.
pub(crate) fn write_unit(
    plan: &Plan,
    images: &[Image],
    level: usize,
    unit: &Cell,
    observer: &dyn Observer,
) -> Result<(), WriteError> {
    for image in images {
        let array = &image.levels[level];
        let (source, factor) = if image.reduction.needs_first_level() {
            // The plan has checked that the extents of all levels are numbers.
            (&image.levels[0], 1 << level)
        } else {
            (&image.levels[level - 1], 2)
        };
        let mut writer = UnitWriter::new(array, plan, unit)?;
        for chunk in cells(&unit.window, &plan.chunk_shape)? {
            let mut last = Last::None;
            for channel in 0..array.info().channel_shape()[0] {
                if !observer.goes_on() {
                    return Err(WriteError::Interrupted { percent: None });
                }
                let elements = reduced_chunk(
                    source,
                    image.reduction,
                    factor,
                    channel,
                    &chunk.window,
                    &plan.chunk_shape,
                    array.info().dtype(),
                )?;
                writer.put(channel, &chunk.index, Cow::Owned(elements), &mut last)?;
            }
        }
        writer.finish()?;
    }
    observer.advanced(unit.window.num_voxels()? as u64);
    Ok(())
}
