//! The metadata that says how an image is stored.

use std::path::Path;

use array_core::{ArrayInfo, DType};
use serde_json::{Map, Value, json};

use super::{Compression, ImageOptions, Stored, object};
use crate::error::ZarrError;
use crate::node::ZarrFormat;

/// The shape of the chunks, checked.
pub(super) fn shape(
    array: &Path,
    info: &ArrayInfo,
    options: &ImageOptions,
) -> Result<Vec<usize>, ZarrError> {
    let Some(shape) = &options.chunk_shape else {
        let extents = info.spatial_shape().iter().map(|&extent| extent.max(1));
        let spatial =
            info.block_shape().iter().zip(extents).map(|(&block, extent)| block.min(extent));
        return Ok(vec![1; info.channel_dims()].into_iter().chain(spatial).collect());
    };
    if shape.len() != info.shape().len() || shape.contains(&0) {
        let axes = info.shape().len();
        let what = format!("the chunk shape {shape:?}, which is not {axes} positive numbers,");
        return Err(ZarrError::unsupported(array, what));
    }
    Ok(shape.clone())
}

/// Fails for a level that the codec does not have.
pub(super) fn check_level(array: &Path, compression: Compression) -> Result<(), ZarrError> {
    let (name, level, range) = match compression {
        Compression::None => return Ok(()),
        Compression::Zstd { level } => ("zstd", level, 1..=22),
        Compression::BloscLz4 { level } => ("blosc-lz4", level, 0..=9),
        Compression::Gzip { level } => ("gzip", level, 0..=9),
    };
    if range.contains(&level) {
        return Ok(());
    }
    let (least, most) = (range.start(), range.end());
    let what = format!("level {level} of {name}, which has the levels {least} to {most},");
    Err(ZarrError::unsupported(array, what))
}

/// The shape of the shards, checked; none without shards.
pub(super) fn shard_shape(
    array: &Path,
    chunk_shape: &[usize],
    options: &ImageOptions,
) -> Result<Option<Vec<usize>>, ZarrError> {
    let Some(shape) = &options.shard_shape else { return Ok(None) };
    if options.zarr_format != ZarrFormat::V3 {
        let what = "writing shards, which only version 3 of Zarr has,";
        return Err(ZarrError::unsupported(array, what));
    }
    let fits = |(&shard, &chunk): (&usize, &usize)| shard > 0 && shard.is_multiple_of(chunk);
    if shape.len() != chunk_shape.len() || !shape.iter().zip(chunk_shape).all(fits) {
        let what = format!(
            "the shard shape {shape:?}, which is not a multiple of the chunk shape {chunk_shape:?},"
        );
        return Err(ZarrError::unsupported(array, what));
    }
    Ok(Some(shape.clone()))
}

/// `.zarray`.
pub(super) fn v2(
    info: &ArrayInfo,
    chunk_shape: &[usize],
    options: &ImageOptions,
) -> Map<String, Value> {
    let compressor = match options.compression {
        Compression::None => Value::Null,
        Compression::Zstd { level } => json!({"id": "zstd", "level": level}),
        Compression::Gzip { level } => json!({"id": "gzip", "level": level}),
        Compression::BloscLz4 { level } => {
            json!({"id": "blosc", "cname": "lz4", "clevel": level, "shuffle": 1, "blocksize": 0})
        }
    };
    object(json!({
        "zarr_format": 2,
        "shape": info.shape(),
        "chunks": chunk_shape,
        "dtype": v2_dtype(info.dtype()),
        "compressor": compressor,
        "fill_value": zero(info.dtype()),
        "order": "C",
        "filters": null,
        "dimension_separator": "/",
    }))
}

/// `zarr.json`.
pub(super) fn v3(
    info: &ArrayInfo,
    stored: &Stored,
    options: &ImageOptions,
    attrs: Map<String, Value>,
) -> Map<String, Value> {
    // Always objects: some readers refuse codecs that are written as a bare name.
    let mut codecs = vec![match info.dtype().size() {
        1 => json!({"name": "bytes"}),
        _ => json!({"name": "bytes", "configuration": {"endian": "little"}}),
    }];
    match options.compression {
        Compression::None => {}
        Compression::Zstd { level } => codecs
            .push(json!({"name": "zstd", "configuration": {"level": level, "checksum": false}})),
        Compression::Gzip { level } => {
            codecs.push(json!({"name": "gzip", "configuration": {"level": level}}));
        }
        Compression::BloscLz4 { level } => codecs.push(json!({
            "name": "blosc",
            "configuration": {
                "cname": "lz4", "clevel": level, "shuffle": "shuffle",
                "typesize": info.dtype().size(), "blocksize": 0,
            },
        })),
    }
    let stored_shape = stored.shard_shape.as_ref().unwrap_or(&stored.chunk_shape);
    if stored.shard_shape.is_some() {
        codecs = vec![json!({
            "name": "sharding_indexed",
            "configuration": {
                "chunk_shape": stored.chunk_shape,
                "codecs": codecs,
                "index_codecs": [
                    {"name": "bytes", "configuration": {"endian": "little"}},
                    {"name": "crc32c"},
                ],
                "index_location": "end",
            },
        })];
    }
    object(json!({
        "zarr_format": 3,
        "node_type": "array",
        "shape": info.shape(),
        "data_type": info.dtype().name(),
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": stored_shape}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": zero(info.dtype()),
        "codecs": codecs,
        "dimension_names": info.axes(),
        "attributes": attrs,
    }))
}

fn v2_dtype(dtype: DType) -> &'static str {
    match dtype {
        DType::Bool => "|b1",
        DType::U8 => "|u1",
        DType::U16 => "<u2",
        DType::U32 => "<u4",
        DType::U64 => "<u8",
        DType::I8 => "|i1",
        DType::I16 => "<i2",
        DType::I32 => "<i4",
        DType::I64 => "<i8",
        DType::F32 => "<f4",
        DType::F64 => "<f8",
    }
}

fn zero(dtype: DType) -> Value {
    match dtype {
        DType::Bool => json!(false),
        DType::F32 | DType::F64 => json!(0.0),
        _ => json!(0),
    }
}
