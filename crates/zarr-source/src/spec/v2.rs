//! `.zarray` of version 2.

use array_core::{DType, Scalar};
use serde_json::{Map, Value, json};

use super::{ArraySpec, Fields, KeyEncoding, MemoryOrder, describe, fill_value};
use crate::error::ZarrError;
use crate::json::short;

pub(super) fn parse(fields: &Fields<'_>) -> Result<ArraySpec, ZarrError> {
    let format = fields.required("zarr_format")?;
    if format.as_u64() != Some(2) {
        return Err(fields.wrong("zarr_format", "2", format));
    }
    let shape = fields.extents("shape", fields.required("shape")?)?;
    let stored_shape = fields.extents("chunks", fields.required("chunks")?)?;
    let (dtype, endian) = dtype(fields)?;

    let mut warnings = Vec::new();
    let fill_value = match fields.object.get("fill_value") {
        None | Some(Value::Null) => {
            warnings.push(format!(
                "{}: no fill value; chunks that are not stored are read as 0",
                fields.file.display()
            ));
            Scalar::zero(dtype)
        }
        Some(value) => fill_value::parse(value, dtype)
            .ok_or_else(|| fields.wrong("fill_value", &format!("a value of {dtype}"), value))?,
    };

    let order = match fields.object.get("order").map(|order| (order, order.as_str())) {
        None | Some((_, Some("C"))) => MemoryOrder::C,
        Some((_, Some("F"))) => MemoryOrder::F,
        Some((order, _)) => return Err(fields.wrong("order", "\"C\" or \"F\"", order)),
    };
    let separator = match fields.object.get("dimension_separator").map(|s| (s, s.as_str())) {
        None | Some((_, Some("."))) | Some((Value::Null, _)) => '.',
        Some((_, Some("/"))) => '/',
        Some((s, _)) => return Err(fields.wrong("dimension_separator", "\".\" or \"/\"", s)),
    };

    let mut codecs = Vec::new();
    if order == MemoryOrder::F && shape.len() > 1 {
        let axes: Vec<usize> = (0..shape.len()).rev().collect();
        codecs.push(json!({"name": "transpose", "configuration": {"order": axes}}));
    }
    codecs.push(json!({"name": "bytes", "configuration": {"endian": endian}}));
    let mut codec_names = Vec::new();
    for codec in filters(fields)? {
        codecs.push(codec_to_v3(fields, codec, dtype)?);
        codec_names.push(describe::v2_codec(codec));
    }
    if codec_names.is_empty() {
        codec_names.push("raw".to_owned());
    }
    let keys = KeyEncoding { separator, prefix: false };
    Ok(ArraySpec {
        shape,
        stored_shape,
        dtype,
        fill_value,
        codecs,
        codec_names,
        keys,
        order,
        dimension_names: None,
        warnings,
    })
}

/// The filters and the compressor, in the order in which they encode.
fn filters<'a>(fields: &'a Fields<'_>) -> Result<Vec<&'a Map<String, Value>>, ZarrError> {
    let object = |key: &str, value: &'a Value| {
        value.as_object().ok_or_else(|| fields.wrong(key, "an object with an id", value))
    };
    let mut codecs = Vec::new();
    match fields.object.get("filters") {
        None | Some(Value::Null) => {}
        Some(Value::Array(filters)) => {
            for filter in filters {
                codecs.push(object("filters", filter)?);
            }
        }
        Some(other) => return Err(fields.wrong("filters", "a list or null", other)),
    }
    match fields.object.get("compressor") {
        None | Some(Value::Null) => {}
        Some(compressor) => codecs.push(object("compressor", compressor)?),
    }
    Ok(codecs)
}

/// The element type, and its byte order under the name that version 3 gives it.
fn dtype(fields: &Fields<'_>) -> Result<(DType, &'static str), ZarrError> {
    let value = fields.required("dtype")?;
    let unsupported =
        || ZarrError::unsupported(fields.file, format!("the element type {}", short(value)));
    let text = value.as_str().ok_or_else(unsupported)?;
    let mut chars = text.chars();
    let endian = match chars.next() {
        Some('<' | '|') => "little",
        Some('>') => "big",
        _ => return Err(unsupported()),
    };
    let dtype = match chars.as_str() {
        "b1" => DType::Bool,
        "u1" => DType::U8,
        "u2" => DType::U16,
        "u4" => DType::U32,
        "u8" => DType::U64,
        "i1" => DType::I8,
        "i2" => DType::I16,
        "i4" => DType::I32,
        "i8" => DType::I64,
        "f4" => DType::F32,
        "f8" => DType::F64,
        _ => return Err(unsupported()),
    };
    Ok((dtype, endian))
}

/// The codec of version 3 that does what a codec of version 2 does.
fn codec_to_v3(
    fields: &Fields<'_>,
    codec: &Map<String, Value>,
    dtype: DType,
) -> Result<Value, ZarrError> {
    let id = codec.get("id").and_then(Value::as_str).ok_or_else(|| {
        fields.wrong("compressor", "an object with an id", &Value::Object(codec.clone()))
    })?;
    // Levels only matter to writers, and numcodecs takes some that mean "default": -1 in zlib.
    let level = |default: i64, low: i64, high: i64| {
        codec
            .get("level")
            .and_then(Value::as_i64)
            .filter(|n| (low..=high).contains(n))
            .unwrap_or(default)
    };
    let size = dtype.size();
    Ok(match id {
        "blosc" => {
            let shuffle = match codec.get("shuffle").and_then(Value::as_i64) {
                Some(0) => "noshuffle",
                Some(2) => "bitshuffle",
                Some(-1) if size == 1 => "bitshuffle",
                _ => "shuffle",
            };
            json!({"name": "blosc", "configuration": {
                "cname": codec.get("cname").unwrap_or(&json!("lz4")),
                "clevel": codec.get("clevel").unwrap_or(&json!(5)),
                "shuffle": shuffle,
                "typesize": size,
                "blocksize": codec.get("blocksize").unwrap_or(&json!(0)),
            }})
        }
        "zstd" => json!({"name": "zstd", "configuration": {
            "level": level(3, -131_072, 22),
            "checksum": codec.get("checksum").and_then(Value::as_bool).unwrap_or(false),
        }}),
        "gzip" => json!({"name": "gzip", "configuration": {"level": level(1, 0, 9)}}),
        "zlib" => json!({"name": "numcodecs.zlib", "configuration": {"level": level(1, 0, 9)}}),
        "bz2" => json!({"name": "numcodecs.bz2", "configuration": {"level": level(1, 1, 9)}}),
        "lz4" => json!({"name": "numcodecs.lz4", "configuration": {}}),
        "shuffle" => json!({"name": "numcodecs.shuffle", "configuration": {
            "elementsize": codec.get("elementsize").unwrap_or(&json!(4)),
        }}),
        _ => return Err(ZarrError::unsupported(fields.file, format!("the codec {id:?}"))),
    })
}
