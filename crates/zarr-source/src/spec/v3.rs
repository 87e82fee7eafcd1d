//! `zarr.json` of version 3.

use array_core::DType;
use serde_json::Value;

use super::{ArraySpec, Fields, KeyEncoding, MemoryOrder, describe, fill_value, named};
use crate::error::ZarrError;
use crate::json::short;

/// The keys of the format; any other is an extension that may have to be understood.
const KNOWN: [&str; 11] = [
    "zarr_format",
    "node_type",
    "shape",
    "data_type",
    "chunk_grid",
    "chunk_key_encoding",
    "fill_value",
    "codecs",
    "storage_transformers",
    "dimension_names",
    "attributes",
];

pub(super) fn parse(fields: &Fields<'_>) -> Result<ArraySpec, ZarrError> {
    let unsupported = |what: String| ZarrError::unsupported(fields.file, what);
    for (key, value) in fields.object {
        let optional = value.get("must_understand").and_then(Value::as_bool) == Some(false);
        if !KNOWN.contains(&key.as_str()) && !optional {
            return Err(unsupported(format!("the extension {key:?}")));
        }
    }
    let transformers = fields.object.get("storage_transformers");
    if let Some(transformers) =
        transformers.filter(|value| value.as_array().is_none_or(|list| !list.is_empty()))
    {
        return Err(unsupported(format!("the storage transformer {}", short(transformers))));
    }

    let shape = fields.extents("shape", fields.required("shape")?)?;
    let data_type = fields.required("data_type")?;
    let dtype: DType = named(data_type)
        .and_then(|(name, _)| name.parse().ok())
        .ok_or_else(|| unsupported(format!("the element type {}", short(data_type))))?;
    let value = fields.required("fill_value")?;
    let fill_value = fill_value::parse(value, dtype)
        .ok_or_else(|| fields.wrong("fill_value", &format!("a value of {dtype}"), value))?;

    let codecs = match fields.required("codecs")? {
        Value::Array(codecs) if !codecs.is_empty() => codecs.clone(),
        other => return Err(fields.wrong("codecs", "a list of codecs", other)),
    };
    if let Some(codec) = codecs.iter().find(|codec| named(codec).is_none()) {
        return Err(fields.wrong("codecs", "objects with a name", codec));
    }
    Ok(ArraySpec {
        stored_shape: chunk_shape(fields)?,
        keys: keys(fields)?,
        order: memory_order(&codecs, shape.len()),
        codec_names: codecs.iter().map(describe::v3_codec).collect(),
        dimension_names: dimension_names(fields, shape.len())?,
        warnings: Vec::new(),
        shape,
        dtype,
        fill_value,
        codecs,
    })
}

fn chunk_shape(fields: &Fields<'_>) -> Result<Vec<usize>, ZarrError> {
    let grid = fields.required("chunk_grid")?;
    match named(grid) {
        Some(("regular", Some(configuration))) => match configuration.get("chunk_shape") {
            Some(shape) => fields.extents("chunk_grid.chunk_shape", shape),
            None => Err(fields.wrong("chunk_grid", "an object with a chunk_shape", grid)),
        },
        Some((name, _)) if name != "regular" => {
            Err(ZarrError::unsupported(fields.file, format!("the chunk grid {name:?}")))
        }
        _ => Err(fields.wrong("chunk_grid", "a regular grid with a chunk_shape", grid)),
    }
}

fn keys(fields: &Fields<'_>) -> Result<KeyEncoding, ZarrError> {
    let value = fields.required("chunk_key_encoding")?;
    let (prefix, default, configuration) = match named(value) {
        Some(("default", configuration)) => (true, '/', configuration),
        Some(("v2", configuration)) => (false, '.', configuration),
        Some((name, _)) => {
            let what = format!("the chunk key encoding {name:?}");
            return Err(ZarrError::unsupported(fields.file, what));
        }
        None => return Err(fields.wrong("chunk_key_encoding", "an object with a name", value)),
    };
    let separator = match configuration.and_then(|c| c.get("separator")).map(Value::as_str) {
        None => default,
        Some(Some("/")) => '/',
        Some(Some(".")) => '.',
        Some(_) => {
            return Err(fields.wrong("chunk_key_encoding", "separated by \"/\" or \".\"", value));
        }
    };
    Ok(KeyEncoding { separator, prefix })
}

fn dimension_names(
    fields: &Fields<'_>,
    dims: usize,
) -> Result<Option<Vec<Option<String>>>, ZarrError> {
    let key = "dimension_names";
    let value = match fields.object.get(key) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let name = |name: &Value| match name {
        Value::Null => Some(None),
        Value::String(name) => Some(Some(name.clone())),
        _ => None,
    };
    value
        .as_array()
        .and_then(|names| names.iter().map(name).collect::<Option<Vec<_>>>())
        .filter(|names| names.len() == dims)
        .map(Some)
        .ok_or_else(|| fields.wrong(key, &format!("a list of {dims} names or nulls"), value))
}

/// The order in which the codecs that move axes leave the elements.
fn memory_order(codecs: &[Value], dims: usize) -> MemoryOrder {
    let mut axes: Vec<usize> = (0..dims).collect();
    for codec in codecs {
        let Some(("transpose", Some(configuration))) = named(codec) else {
            continue;
        };
        let order = configuration.get("order").and_then(Value::as_array);
        let moved = order.and_then(|order| {
            let axis = |axis: &Value| axes.get(usize::try_from(axis.as_u64()?).ok()?).copied();
            order.iter().map(axis).collect::<Option<Vec<_>>>()
        });
        match moved {
            Some(moved) => axes = moved,
            None => return MemoryOrder::Other,
        }
    }
    if axes.iter().copied().eq(0..dims) {
        MemoryOrder::C
    } else if axes.iter().copied().eq((0..dims).rev()) {
        MemoryOrder::F
    } else {
        MemoryOrder::Other
    }
}
