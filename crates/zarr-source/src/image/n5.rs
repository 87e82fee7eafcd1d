//! Images as N5 has them: one document for how an array is stored and for its attributes.

use std::path::Path;

use array_core::{ArrayInfo, DType};
use geometry::{Decimal, LengthUnit};
use serde_json::{Map, Value, json};

use super::attributes::{Numbers, known_unit};
use super::{Compression, ImageOptions, array_name, object};
use crate::error::ZarrError;
use crate::n5::{ARRAY_KEYS, VERSION, VERSION_KEY};

/// `attributes.json` of an array: how it is stored, its geometry for COSEM (`transform`), n5-viewer and
/// Neuroglancer (`pixelResolution`) and funlib.persistence (`resolution`, `offset`), and `options.attrs`.
pub(super) fn array(
    path: &Path,
    info: &ArrayInfo,
    chunk_shape: &[usize],
    options: &ImageOptions,
) -> Result<Map<String, Value>, ZarrError> {
    if info.dtype() == DType::Bool {
        return Err(ZarrError::unsupported(path, "the element type bool, which N5 lacks,"));
    }
    let block_size: Result<Vec<i32>, _> =
        chunk_shape.iter().rev().map(|&extent| i32::try_from(extent)).collect();
    let Ok(block_size) = block_size else {
        let what = format!("the chunk shape {chunk_shape:?}, which N5 cannot write,");
        return Err(ZarrError::unsupported(path, what));
    };
    let mut attributes = object(json!({
        "dimensions": info.shape().iter().rev().collect::<Vec<_>>(),
        "blockSize": block_size,
        "dataType": info.dtype().name(),
        "compression": compression(options.compression),
    }));
    attributes.extend(
        super::attributes::of_array(path, info, &options.attrs)?
            .into_iter()
            .filter(|(key, _)| key != VERSION_KEY && !ARRAY_KEYS.contains(&key.as_str())),
    );
    // The keys of funlib.persistence from 0.5 on, which takes the same `offset` in another order.
    attributes.retain(|key, _| !["voxel_size", "axis_names"].contains(&key.as_str()));
    if info.channel_dims() > 0 {
        // TensorStore and Neuroglancer refuse an array whose lists of these names leave out an axis, and
        // funlib.persistence, whose lists are for the spatial axes, looks for `scale` next.
        attributes.shift_remove("units");
        let voxel_size = attributes.shift_remove("resolution").unwrap_or_default();
        attributes.insert("scale".to_owned(), voxel_size);
    }
    // Every list of the array itself counts x first.
    for key in ["resolution", "scale", "offset", "axes", "units"] {
        if let Some(Value::Array(list)) = attributes.get_mut(key) {
            list.reverse();
        }
    }
    let numbers = Numbers::new(path, info)?;
    attributes.insert("transform".to_owned(), transform(info, &numbers));
    let mut resolution = all_axes(info, 1, &numbers.voxel_size);
    resolution.reverse();
    let mut pixel_resolution = object(json!({"dimensions": resolution}));
    if let Some(unit) = known_unit(info) {
        pixel_resolution.insert("unit".to_owned(), json!(unit.symbol()));
    }
    attributes.insert("pixelResolution".to_owned(), Value::Object(pixel_resolution));
    Ok(attributes)
}

/// The `multiscales` of a group, in the first form of COSEM.
pub(super) fn multiscales(
    group: &Path,
    name: &str,
    levels: &[ArrayInfo],
) -> Result<Value, ZarrError> {
    let dataset = |(level, info): (usize, &ArrayInfo)| {
        let transform = transform(info, &Numbers::new(group, info)?);
        Ok(json!({"path": array_name(level), "transform": transform}))
    };
    let datasets: Vec<Value> =
        levels.iter().enumerate().map(dataset).collect::<Result<_, ZarrError>>()?;
    Ok(json!([{"name": name, "datasets": datasets}]))
}

/// `attributes.json` of a group. zarr-python wants the version in every group, others in the outermost.
pub(super) fn group(attrs: Map<String, Value>) -> Map<String, Value> {
    let mut attributes = object(json!({VERSION_KEY: VERSION}));
    attributes.extend(attrs.into_iter().filter(|(key, _)| key != VERSION_KEY));
    attributes
}

/// Readers of N5 know no Zstandard, so that gzip takes its place.
fn compression(compression: Compression) -> Value {
    match compression {
        Compression::None => json!({"type": "raw"}),
        Compression::Zstd { level } => {
            json!({"type": "gzip", "level": level.min(9), "useZlib": false})
        }
        Compression::Gzip { level } => json!({"type": "gzip", "level": level, "useZlib": false}),
        // Some writers add the number of threads, which TensorStore refuses.
        Compression::BloscLz4 { level } => json!({
            "type": "blosc", "cname": "lz4", "clevel": level, "shuffle": 1, "blocksize": 0,
        }),
    }
}

/// The `transform` of COSEM, in array order: where the centre of voxel 0 lies.
fn transform(info: &ArrayInfo, numbers: &Numbers) -> Value {
    let channels = vec![""; info.channel_dims()];
    let mut transform = object(json!({
        "axes": info.axes(),
        "scale": all_axes(info, 1, &numbers.voxel_size),
        "translate": all_axes(info, 0, &numbers.centre),
    }));
    if let Some(unit) = known_unit(info) {
        let units = vec![LengthUnit::symbol(unit); info.dims()];
        transform.insert("units".to_owned(), json!([channels, units].concat()));
    }
    Value::Object(transform)
}

fn all_axes(info: &ArrayInfo, channel: i64, spatial: &[Decimal]) -> Vec<Decimal> {
    let channels = vec![Decimal::from(channel); info.channel_dims()];
    [&channels[..], spatial].concat()
}
