//! The geometry of an array as attributes, in the spellings of all who read them.

use std::path::Path;

use array_core::ArrayInfo;
use geometry::{Decimal, GeometryError, LengthUnit};
use serde_json::{Map, Value, json};

use super::{array_name, object};
use crate::error::ZarrError;

/// Voxel size, corner and the centre of voxel 0 in the declared unit, for the spatial axes.
pub(super) struct Numbers {
    pub(super) voxel_size: Vec<Decimal>,
    pub(super) corner: Vec<Decimal>,
    pub(super) centre: Vec<Decimal>,
}

impl Numbers {
    pub(super) fn new(path: &Path, info: &ArrayInfo) -> Result<Self, ZarrError> {
        let failed = |source: GeometryError| ZarrError::Geometry { path: path.to_owned(), source };
        let unit = info.unit();
        let voxel_size = unit.decimals(info.grid().voxel_size().as_coordinate());
        let corner = unit.decimals(info.grid().offset());
        let centre = corner
            .iter()
            .zip(&voxel_size)
            .map(|(corner, size)| corner.checked_add(size.half()?))
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        Ok(Self { voxel_size, corner, centre })
    }
}

/// The attributes of an array: `attrs` and its geometry, for funlib.persistence (`voxel_size`,
/// `axis_names`) and for DaCapo (`resolution`, `axes`).
pub(super) fn of_array(
    path: &Path,
    info: &ArrayInfo,
    attrs: &Map<String, Value>,
) -> Result<Map<String, Value>, ZarrError> {
    let numbers = Numbers::new(path, info)?;
    let is_channel = |axis: usize| axis < info.channel_dims();
    let marked = |(axis, name): (usize, &String)| {
        if is_channel(axis) && !name.ends_with('^') { format!("{name}^") } else { name.clone() }
    };
    let axis_names: Vec<String> = info.axes().iter().enumerate().map(marked).collect();
    let mut attrs = attrs.clone();
    // Other places that would say something else about the same array.
    for key in ["scale", "transform", "pixelResolution", "types", "units", "order", "channel_names"]
    {
        attrs.shift_remove(key);
    }
    let mut own = object(json!({
        "voxel_size": numbers.voxel_size,
        "resolution": numbers.voxel_size,
        "offset": numbers.corner,
        "axis_names": axis_names,
        "axes": info.axes(),
    }));
    if let Some(unit) = known_unit(info) {
        own.insert("units".to_owned(), json!(vec![unit.symbol(); info.dims()]));
    }
    if let Some(names) = info.channel_names() {
        own.insert("channel_names".to_owned(), json!(names));
    }
    attrs.extend(own);
    Ok(attrs)
}

/// One entry of OME-NGFF `multiscales`, without its version. All levels have the axes of the first.
pub(super) fn multiscale(
    path: &Path,
    name: &str,
    levels: &[ArrayInfo],
) -> Result<Map<String, Value>, ZarrError> {
    let Some(info) = levels.first() else { return Ok(Map::new()) };
    let unit = known_unit(info);
    let axis = |(axis, name): (usize, &String)| {
        if axis < info.channel_dims() {
            return json!({"name": name, "type": "channel"});
        }
        match unit {
            Some(unit) => json!({"name": name, "type": "space", "unit": unit.name()}),
            None => json!({"name": name, "type": "space"}),
        }
    };
    let axes: Vec<Value> = info.axes().iter().enumerate().map(axis).collect();
    let all_axes = |channel: i64, spatial: &[Decimal]| {
        let channels = vec![Decimal::from(channel); info.channel_dims()];
        [&channels[..], spatial].concat()
    };
    let dataset = |(level, info): (usize, &ArrayInfo)| {
        let numbers = Numbers::new(path, info)?;
        Ok(json!({
            "path": array_name(level),
            "coordinateTransformations": [
                {"type": "scale", "scale": all_axes(1, &numbers.voxel_size)},
                {"type": "translation", "translation": all_axes(0, &numbers.centre)},
            ],
        }))
    };
    let datasets: Vec<Value> =
        levels.iter().enumerate().map(dataset).collect::<Result<_, ZarrError>>()?;
    Ok(object(json!({"name": name, "axes": axes, "datasets": datasets})))
}

/// The unit of an array, if it is known.
pub(super) fn known_unit(info: &ArrayInfo) -> Option<LengthUnit> {
    Some(info.unit().unit()).filter(|unit| *unit != LengthUnit::Unknown)
}
