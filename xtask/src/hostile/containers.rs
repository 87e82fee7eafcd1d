//! Containers by hand: documents and chunks as bytes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Value, json};

/// The extent of arrays and chunks whose extent does not matter.
pub(super) const SIDE: usize = 64;

/// The document of an array of version 3, with attributes that make it labels of one class.
pub(super) fn v3(shape: &Value, chunks: &Value, codecs: &Value) -> Value {
    json!({
        "zarr_format": 3, "node_type": "array", "shape": shape, "data_type": "uint8",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunks}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0, "codecs": codecs, "attributes": attributes(shape),
    })
}

/// The document of an array of version 2, without attributes.
pub(super) fn v2(shape: &Value, chunks: &Value, compressor: &Value) -> Value {
    json!({
        "zarr_format": 2, "shape": shape, "chunks": chunks, "dtype": "|u1", "order": "C",
        "fill_value": 0, "filters": null, "compressor": compressor, "dimension_separator": "/",
    })
}

/// The document of an N5 array.
pub(super) fn n5(shape: &Value, blocks: &Value, compression: &Value) -> Value {
    let mut document = attributes(shape);
    document["dimensions"] = shape.clone();
    document["blockSize"] = blocks.clone();
    document["dataType"] = json!("uint8");
    document["compression"] = compression.clone();
    document
}

/// What labels of these extents say about themselves.
pub(super) fn attributes(shape: &Value) -> Value {
    let dims = shape.as_array().map_or(0, Vec::len);
    let names: Vec<String> = match dims {
        0..=3 => ["z", "y", "x"].iter().skip(3 - dims).map(|&name| name.to_owned()).collect(),
        _ => (0..dims).map(|axis| format!("a{axis}")).collect(),
    };
    json!({
        "voxel_size": vec![8; dims], "offset": vec![0; dims], "units": vec!["nm"; dims],
        "axis_names": names,
        "labels": [{"value": 1, "name": {"long": "a", "short": "a"},
            "annotationState": {"present": true, "annotated": true}}],
    })
}

/// A cube of one chunk.
pub(super) fn cube() -> Value {
    json!([SIDE, SIDE, SIDE])
}

/// Elements as they are.
pub(super) fn raw() -> Value {
    json!([{"name": "bytes"}])
}

/// An array of version 3, with these files beside its document.
pub(super) fn write(
    folder: &Path,
    document: &Value,
    files: &[(&str, &[u8])],
) -> anyhow::Result<PathBuf> {
    write_as(folder, "zarr.json", document, files)
}

/// An array whose document has this name.
pub(super) fn write_as(
    folder: &Path,
    name: &str,
    document: &Value,
    files: &[(&str, &[u8])],
) -> anyhow::Result<PathBuf> {
    let array = PathBuf::from("crop.zarr/s0");
    let text = document.to_string();
    file(folder, array.join(name), text.as_bytes())?;
    for (name, bytes) in files {
        file(folder, array.join(name), bytes)?;
    }
    Ok(array)
}

/// A file, with the folders that it lies in.
pub(super) fn file(folder: &Path, name: impl AsRef<Path>, bytes: &[u8]) -> anyhow::Result<PathBuf> {
    let path = folder.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
    }
    fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
    Ok(path)
}
