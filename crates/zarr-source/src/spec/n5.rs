//! `attributes.json` of N5 as a metadata document of version 3.

use array_core::DType;
use serde_json::{Map, Value, json};
use zarrs::array::ArrayMetadata;
use zarrs::metadata::v3::{ArrayMetadataV3, MetadataV3};

use super::normalise::{Fields, Normalised};
use crate::codecs::{n5_block, n5_keys};
use crate::error::ZarrError;
use crate::json::short;

/// The array of version 3 that reads and writes the same blocks. Its axes are in array order: N5 lists x
/// first.
pub(super) fn normalise(fields: &Fields<'_>) -> Result<Normalised, ZarrError> {
    let (mut shape, mut chunks) = (fields.extents("dimensions")?, fields.extents("blockSize")?);
    fields.chunk_shape(&shape, &chunks)?;
    if chunks.iter().any(|&extent| u32::try_from(extent).is_err()) {
        let reason = format!("blockSize {chunks:?} has an extent beyond 32 bits");
        return Err(ZarrError::malformed(fields.file, reason));
    }
    shape.reverse();
    chunks.reverse();
    let dtype = dtype(fields)?;
    let mut settings = Map::new();
    if let Some(codec) = compression(fields, dtype)? {
        let metadata = serde_json::from_value::<MetadataV3>(codec.clone())
            .map_err(|error| fields.unsupported(&format!("the compression ({error})"), &codec))?;
        fields.check_codec(metadata.name(), &metadata)?;
        settings.insert(n5_block::COMPRESSION.to_owned(), codec);
    }
    let metadata = json!({
        "zarr_format": 3,
        "node_type": "array",
        "shape": shape,
        "data_type": dtype.name(),
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunks}},
        "chunk_key_encoding": {"name": n5_keys::NAME},
        "fill_value": match dtype {
            DType::F32 | DType::F64 => json!(0.0),
            _ => json!(0),
        },
        "codecs": [{"name": n5_block::NAME, "configuration": settings}],
    });
    let metadata = serde_json::from_value::<ArrayMetadataV3>(metadata)
        .map_err(|error| ZarrError::malformed(fields.file, error.to_string()))?;
    Ok(Normalised { metadata: ArrayMetadata::V3(metadata), dtype, warnings: Vec::new() })
}

fn dtype(fields: &Fields<'_>) -> Result<DType, ZarrError> {
    let value = fields.required("dataType")?;
    let parsed = value.as_str().and_then(|name| name.parse::<DType>().ok());
    // N5 has no bool.
    let known = parsed.filter(|dtype| *dtype != DType::Bool);
    known.ok_or_else(|| fields.unsupported("the element type", value))
}

/// The codec that compresses blocks, as version 3 calls it; none if they are not compressed.
fn compression(fields: &Fields<'_>, dtype: DType) -> Result<Option<Value>, ZarrError> {
    let expected = "an object with a type";
    let object = match (fields.object.get("compression"), fields.object.get("compressionType")) {
        (Some(Value::Object(object)), _) => object.clone(),
        // The spelling of the first version of N5.
        (None, Some(name @ Value::String(_))) | (Some(name @ Value::String(_)), _) => {
            Map::from_iter([("type".to_owned(), name.clone())])
        }
        (None, Some(other)) => return Err(fields.wrong("compressionType", "a name", other)),
        (Some(other), _) => return Err(fields.wrong("compression", expected, other)),
        (None, None) => return Err(ZarrError::malformed(fields.file, "compression is missing")),
    };
    let Some(name) = object.get("type").and_then(Value::as_str) else {
        return Err(fields.wrong("compression", expected, &Value::Object(object)));
    };
    // Levels only matter to writers, and some mean "default", such as -1.
    let level = |key: &str, levels: std::ops::RangeInclusive<i64>, default: i64| {
        let level = object.get(key).and_then(Value::as_i64);
        level.filter(|level| levels.contains(level)).unwrap_or(default)
    };
    Ok(Some(match name {
        "raw" => return Ok(None),
        "gzip" if object.get("useZlib").and_then(Value::as_bool) == Some(true) => {
            json!({"name": "numcodecs.zlib", "configuration": {"level": level("level", 0..=9, 6)}})
        }
        "gzip" => json!({"name": "gzip", "configuration": {"level": level("level", 0..=9, 6)}}),
        "bzip2" => json!({"name": "numcodecs.bz2", "configuration": {
            "level": level("blockSize", 1..=9, 9),
        }}),
        "zstd" => json!({"name": "zstd", "configuration": {
            "level": level("level", -131_072..=22, 3), "checksum": false,
        }}),
        "blosc" => json!({"name": "blosc", "configuration": {
            "cname": blosc_compressor(fields, object.get("cname"))?,
            "clevel": level("clevel", 0..=9, 5),
            "shuffle": match object.get("shuffle").and_then(Value::as_i64) {
                Some(0) => "noshuffle",
                Some(2) => "bitshuffle",
                _ => "shuffle",
            },
            "typesize": dtype.size(),
            "blocksize": level("blocksize", 0..=i64::from(u32::MAX), 0),
        }}),
        // In N5, these have frames of their own.
        other => {
            let what = format!("the compression {} of N5", short(&json!(other)));
            return Err(ZarrError::unsupported(fields.file, what));
        }
    }))
}

/// The compressor inside Blosc, which each block names itself: only writers need it.
fn blosc_compressor<'a>(
    fields: &Fields<'_>,
    name: Option<&'a Value>,
) -> Result<&'a str, ZarrError> {
    const KNOWN: [&str; 6] = ["lz4", "lz4hc", "blosclz", "zstd", "zlib", "snappy"];
    let Some(value) = name else {
        return Ok("lz4");
    };
    let known = value.as_str().filter(|name| KNOWN.contains(name));
    known.ok_or_else(|| fields.unsupported("the compressor of Blosc", value))
}
