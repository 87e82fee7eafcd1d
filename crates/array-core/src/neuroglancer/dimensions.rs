//! The axes of an array as dimensions of Neuroglancer.

use serde_json::{Map, Value, json};

use crate::error::ArrayError;
use crate::info::ArrayInfo;
use crate::neuroglancer::check::refuse;

/// The name of a channel axis: one that ends in `'` is a dimension of a single layer.
pub(super) fn local_name(axis: &str) -> String {
    format!("{}'", axis.strip_suffix('^').unwrap_or(axis))
}

/// The channel axes, which belong to a layer, not to the whole view.
pub(super) fn local(info: &ArrayInfo) -> Map<String, Value> {
    let axes = info.axes().iter().take(info.channel_dims());
    axes.map(|axis| (local_name(axis), json!([1, ""]))).collect()
}

/// The spatial axes in the order x, y, z, each with the extent of a voxel and its unit.
///
/// Neuroglancer counts in meters. An unknown unit has no name.
pub(super) fn global(info: &ArrayInfo) -> Result<Map<String, Value>, ArrayError> {
    let unit = info.unit();
    let power = unit.unit().power_of_ten_to_meter();
    let name = if power.is_some() { "m" } else { "" };
    let exponent = power.unwrap_or(0).saturating_sub(i32::from(unit.exponent()));
    let axes = info.spatial_axes().iter().zip(info.grid().voxel_size().iter());
    axes.rev()
        .map(|(axis, voxel)| {
            // The text of a decimal is read as the nearest float; a product of floats is not.
            let text = format!("{voxel}e{exponent}");
            let extent: f64 = text.parse().map_err(|_| refuse(format!("{text} is no number")))?;
            Ok((axis.clone(), json!([extent, name])))
        })
        .collect()
}

/// The place of one channel, counted over all channel axes, along each of them.
///
/// # Errors
///
/// [`ArrayError::NotShowable`] if there are fewer channels.
pub(super) fn channel_position(info: &ArrayInfo, channel: usize) -> Result<Vec<usize>, ArrayError> {
    let channels = info.num_channels().unwrap_or(0);
    if channel >= channels {
        return Err(refuse(format!("it has {channels} channels, so none of index {channel}")));
    }
    let mut rest = channel;
    let mut position: Vec<usize> = info
        .channel_shape()
        .iter()
        .rev()
        .map(|extent| {
            let index = rest.checked_rem(*extent).unwrap_or(0);
            rest = rest.checked_div(*extent).unwrap_or(0);
            index
        })
        .collect();
    position.reverse();
    Ok(position)
}
